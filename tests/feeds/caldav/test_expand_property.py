"""expand-property (RFC 3253 3.8): a program learns in one question what else takes a chain of them."""

import pytest

from tests.feeds.caldav.account import Account, body


def prop(name: str, *below: str, namespace: str = "DAV:") -> str:
    return f'<D:property name="{name}" namespace="{namespace}">{"".join(below)}</D:property>'


CALDAV = "urn:ietf:params:xml:ns:caldav"


def test_the_way_from_an_event_to_its_owners_calendars_is_one_question(reader: Account) -> None:
    """Row: expand-property on owner, nested."""
    (event, *_) = reader.hrefs()
    home = prop("calendar-home-set", prop("displayname"), prop("nothing"), namespace=CALDAV)

    said = reader.report(event, "D:expand-property", prop("owner", prop("principal-URL"), home) + prop("getetag"))

    owner = "/D:multistatus/D:response/D:propstat/D:prop/D:owner/D:response"
    assert said.texts(f"{owner}/D:href") == [reader.principal]
    assert said.texts(f"{owner}/D:propstat/D:prop/D:principal-URL/D:href") == [reader.principal]
    inner = f"{owner}/D:propstat/D:prop/C:calendar-home-set/D:response"
    assert said.texts(f"{inner}/D:href") == [reader.home]
    assert said.texts(f"{inner}/D:propstat/D:prop/D:displayname") == ["Bokade tider"]
    assert said.texts(f"{inner}/D:propstat[D:prop/D:nothing]/D:status") == ["HTTP/1.1 404 Not Found"]
    assert said.found(event)["getetag"].text == reader.ask("GET", event).headers["etag"]


def test_members_are_asked_too_where_depth_says_so(reader: Account) -> None:
    asked = prop("current-user-principal", prop("displayname")) + prop("getcontentlength")
    said = reader.report(reader.visits, "D:expand-property", asked, depth="1")

    assert said.texts("/D:multistatus/D:response/D:href") == [reader.visits, *reader.hrefs()]
    assert len(said.texts("//D:current-user-principal/D:response//D:displayname")) == 4
    assert [int(one) > 0 for one in said.texts("//D:getcontentlength") if one] == [True] * 3
    assert reader.report(reader.visits, "D:expand-property", asked, depth="infinity").status == 400


def test_what_points_nowhere_is_told_as_it_is(reader: Account) -> None:
    asked = prop("displayname", prop("owner")) + prop("group", prop("displayname")) + prop("nothing", prop("owner"))
    said = reader.report(reader.visits, "D:expand-property", asked)

    assert said.found(reader.visits)["displayname"].text == "Bokade tider"
    assert said.missing(reader.visits) == {"nothing"}
    assert reader.report(reader.visits + "0" * 32 + ".ics", "D:expand-property", asked).status == 404


def test_a_brace_or_a_bracket_in_a_namespace_ends_no_name_of_ours(reader: Account) -> None:
    said = reader.report(reader.visits, "D:expand-property", prop("x", namespace="a}b/&gt;&lt;evil/"))

    assert b'<x:x xmlns:x="a}b/&gt;&lt;evil/"/>' in said.content


@pytest.mark.parametrize(
    "content",
    [
        "".join(prop("owner") for _ in range(101)),
        "".join('<D:property name="owner">' for _ in range(12)) + "</D:property>" * 12,
        prop("a/&gt;&lt;b"),
        prop("a:b"),
        prop(""),
        prop("x", namespace="http://www.w3.org/2000/xmlns/"),
        prop("x" * 300),
        "<D:property/>",
    ],
)
def test_b43_an_expansion_that_grows_or_names_what_is_no_name_is_refused(reader: Account, content: str) -> None:
    assert reader.ask("REPORT", reader.visits, body("D:expand-property", content)).status == 400
