"""Who may do what (RFC 3744, 5397): programs learn that they may read and not write, and nobody learns of anybody."""

import pytest

from feeds.caldav.access_control import WRITES
from tests.feeds.caldav.account import Account, Said, body, props

NEW = "0123456789abcdef" * 2 + ".ics"
EVENT = b"BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n"


def needed(said: Said) -> tuple[str, str]:
    """Resource and privilege of a refusal."""
    assert (said.status, said.condition()) == (403, ["need-privileges"])
    (href,) = said.texts("//D:resource/D:href")
    (privilege,) = said.all("//D:privilege/*")
    return href, privilege.tag.removeprefix("{DAV:}")


def test_a_refused_write_says_which_privilege_is_needed_of_what(reader: Account) -> None:
    """Row: 403 carries DAV:need-privileges. DAVx5 takes its own change back on it; a 404 would delete the visit."""
    (event, *_) = reader.hrefs()
    visits, home = reader.visits, reader.home
    for method, path, expected in (
        ("PUT", event, (event, "write-content")),
        ("PATCH", event, (event, "write-content")),
        ("LOCK", event, (event, "write-content")),
        ("UNLOCK", event, (event, "unlock")),
        ("ACL", event, (event, "write-acl")),
        ("DELETE", event, (visits, "unbind")),
        ("MOVE", event, (visits, "unbind")),
        ("COPY", event, (visits, "bind")),
        ("PUT", visits + NEW, (visits, "bind")),
        ("LOCK", visits + NEW, (visits, "bind")),
        ("DELETE", visits + NEW, (visits, "unbind")),
        ("PUT", visits + "Möte %2F 1@example.ics", (visits, "bind")),
        ("PUT", visits + "a/b/c.ics", (visits, "bind")),
        ("PUT", visits + "x" * 9000, (visits, "bind")),
        ("POST", visits, (visits, "bind")),
        ("MKCALENDAR", home + "work/", (home, "bind")),
        ("MKCOL", home + "work", (home, "bind")),
        ("MKCOL", "/dav/work", ("/dav/", "bind")),
        ("DELETE", home, ("/dav/calendars/", "unbind")),
        ("DELETE", reader.principal, ("/dav/principals/", "unbind")),
    ):
        assert needed(reader.ask(method, path.encode().decode("latin-1"), EVENT)) == expected, (method, path)


def test_a_shared_calendar_is_not_unshared_by_deleting_it(reader: Account) -> None:
    """Row: DELETE of a read-only calendar."""
    assert needed(reader.ask("DELETE", reader.visits)) == (reader.home, "unbind")
    assert len(reader.hrefs()) == 3


def test_b51_nothing_is_changed_by_any_method(reader: Account) -> None:
    """Some programs write in spite of the read-only flag."""
    before = reader.propfind(reader.home, depth="1").content, [reader.ask("GET", one) for one in reader.hrefs()]

    for method in ("PUT", "DELETE", "MOVE", "COPY", "LOCK", "UNLOCK", "POST", "PATCH", "MKCOL", "MKCALENDAR", "ACL"):
        for path in (reader.hrefs()[0], reader.visits, reader.visits + NEW, reader.home, reader.principal, "/dav/"):
            needed(reader.ask(method, path, EVENT, if_match="*", overwrite="T"))

    assert (reader.propfind(reader.home, depth="1").content, [reader.ask("GET", one) for one in reader.hrefs()]) == (
        before
    )


@pytest.mark.parametrize("method", ["FOO", "TRACE", "CONNECT", "SEARCH", "BIND", "MKACTIVITY", "propfind", ""])
def test_b51_a_method_of_nobodys_is_405_with_those_that_there_are(reader: Account, method: str) -> None:
    for path in (reader.visits, reader.hrefs()[0]):
        said = reader.ask(method, path)
        assert said.status == 405
        assert said.headers["allow"].endswith("OPTIONS, GET, HEAD, PROPFIND, PROPPATCH, REPORT"[-27:])


def test_b51_where_a_move_would_go_plays_no_part(reader: Account) -> None:
    """An answer that differed would tell whether there is such an account."""
    (event, *_) = reader.hrefs()
    for method in ("MOVE", "COPY"):
        said = [
            reader.ask(method, event, destination=place)
            for place in (
                "",
                reader.visits + NEW,
                f"http://dav.example{event}",
                "/dav/calendars/aaaaaaaaaa/visits/" + NEW,
                "http://evil.example/",
                "::::",
            )
        ]
        assert said.count(said[0]) == len(said)


def test_b51_a_method_named_in_a_header_or_a_field_is_none(reader: Account) -> None:
    for method in ("PUT", "DELETE", "PROPFIND"):
        needed(reader.ask("POST", reader.visits, b"_method=" + method.encode(), x_http_method_override=method))
        assert (
            reader.ask("GET", reader.hrefs()[0], x_http_method_override=method, x_method_override=method).status == 200
        )


def test_anothers_paths_are_404_to_every_method_and_as_unknown_as_none(reader: Account) -> None:
    methods = [*"GET HEAD PROPFIND PROPPATCH REPORT OPTIONS PUT DELETE MOVE COPY".split(), *WRITES, "FOO"]
    own = reader.device.account
    for path in (
        reader.home,
        reader.visits,
        reader.visits + NEW,
        reader.visits + "x",
        reader.principal,
        reader.home + "x",
    ):
        said = [reader.ask(method, path.replace(own, "aaaaaaaaaa"), depth="0") for method in methods]
        assert {(one.status, one.content) for one in said} == {(404, b"Not Found\n"), (404, b"")}
        assert said.count(said[0]) >= len(said) - 1


def test_programs_see_each_privilege_by_itself_and_no_way_to_write(reader: Account) -> None:
    """An aggregate is misread, and a set left out is taken for everything, by programs that there are."""
    common = ["read", "read-current-user-privilege-set", "read-acl"]
    for path, more in ((reader.visits, ["read-free-busy"]), (reader.home, []), (reader.hrefs()[0], []), ("/dav/", [])):
        said = reader.propfind(path, props("D:current-user-privilege-set"))
        names = [one.tag.rpartition("}")[2] for one in said.all("//D:current-user-privilege-set/D:privilege/*")]
        assert names == common + more


def test_every_privilege_that_is_granted_or_refused_is_a_supported_one(reader: Account) -> None:
    (event, *_) = reader.hrefs()
    for path, wanted in (
        (
            reader.visits,
            {"read-free-busy", "bind", "unbind", "write-content", "write-acl", "unlock", "read", "read-acl"},
        ),
        (event, {"write-content", "write-acl", "unlock", "read", "read-acl", "read-current-user-privilege-set"}),
    ):
        said = reader.propfind(path, props("D:supported-privilege-set"))
        assert wanted <= {one.tag.rpartition("}")[2] for one in said.all("//D:supported-privilege/D:privilege/*")}
    inside = "//D:supported-privilege[D:privilege/D:read]/D:supported-privilege/D:privilege/C:read-free-busy"
    assert len(reader.propfind(reader.visits, props("D:supported-privilege-set")).all(inside)) == 1


def test_the_acl_grants_reading_to_the_owner_and_nothing_to_anybody_else(reader: Account) -> None:
    said = reader.propfind(
        reader.visits, props("D:acl", "D:owner", "D:group", "D:acl-restrictions", "D:inherited-acl-set")
    )

    assert said.missing(reader.visits) == set()
    assert said.texts("//D:acl/D:ace/D:principal/D:href") == [reader.principal]
    assert said.all("//D:acl//D:deny") == []
    assert said.texts("//D:owner/D:href") == [reader.principal]
    assert len(said.found(reader.visits)["group"]) == 0
    shared = reader.propfind("/dav/principals/", props("D:acl", "D:owner"))
    assert len(shared.all("//D:acl/D:ace/D:principal/D:authenticated")) == 1
    assert len(shared.found("/dav/principals/")["owner"]) == 0


def test_the_principal_knows_its_calendars_and_bears_nobodys_name(reader: Account) -> None:
    names = ("principal-URL", "alternate-URI-set", "group-member-set", "group-membership", "displayname")
    said = reader.propfind(reader.principal, props(*(f"D:{one}" for one in names), "C:calendar-home-set"))

    assert said.missing(reader.principal) == set()
    assert said.texts("//C:calendar-home-set/D:href") == [reader.home]
    assert said.texts("//D:displayname") == ["Bokade tider"]


def test_the_acls_principals_are_told_of(reader: Account) -> None:
    for path in (reader.visits, reader.hrefs()[0], reader.home):
        said = reader.report(path, "D:acl-principal-prop-set", props("D:displayname", "D:nothing"))
        assert set(said.found(reader.principal)) == {"displayname"}
        assert said.missing(reader.principal) == {"nothing"}
    assert reader.report("/dav/", "D:acl-principal-prop-set", props("D:displayname")).all("//D:response") == []
    assert reader.report(reader.visits + NEW, "D:acl-principal-prop-set", props("D:displayname")).status == 404


def test_whoever_looks_for_themselves_is_found(reader: Account) -> None:
    for path in ("/dav/principals/", "/dav/", reader.principal):
        said = reader.report(path, "D:principal-match", f"<D:self/>{props('D:principal-URL')}", depth="0")
        assert list(said.statuses()) == [reader.principal]
    owned = "<D:principal-property><D:owner/></D:principal-property>"
    said = reader.report(reader.home, "D:principal-match", owned + props("D:displayname"))
    assert list(said.statuses()) == [reader.home, reader.visits, *reader.hrefs(), reader.invitations]
    assert reader.report(reader.home, "D:principal-match", "").status == 400
    assert reader.report(reader.home, "D:principal-match", "<D:self/>", depth="1").status == 400


@pytest.mark.parametrize(
    ("prop", "match", "found"),
    [
        ("<D:displayname/>", "bokade", 1),
        ("<D:displayname/>", "", 1),
        ("<D:displayname/>", "Anna", 0),
        ("<C:calendar-user-address-set/>", "a", 0),
        ("", "a", 0),
    ],
)
def test_a_search_finds_nobody_but_whoever_searches(reader: Account, prop: str, match: str, found: int) -> None:
    search = f"<D:property-search><D:prop>{prop}</D:prop><D:match>{match}</D:match></D:property-search>"
    for path in ("/dav/principals/", "/dav/"):
        said = reader.report(path, "D:principal-property-search", search + props("D:displayname"))
        assert list(said.statuses()) == [reader.principal][:found]


def test_searches_are_joined_and_reach_the_principals_from_anywhere(reader: Account) -> None:
    hit, miss = (
        f"<D:property-search><D:prop><D:displayname/></D:prop><D:match>{text}</D:match></D:property-search>"
        for text in ("tider", "Anna")
    )
    everywhere = "<D:apply-to-principal-collection-set/>"
    search = "D:principal-property-search"

    assert list(reader.report("/dav/", search, hit + hit + everywhere).statuses()) == [reader.principal]
    assert list(reader.report("/dav/", search, hit + miss).statuses()) == []
    anyof = body(search, hit + miss).replace(b"-search xmlns", b'-search test="anyof" xmlns', 1)
    assert list(reader.ask("REPORT", "/dav/", anyof).statuses()) == [reader.principal]
    assert reader.report("/dav/", search, props("D:displayname")).status == 400


def test_one_may_search_by_the_displayed_name(reader: Account) -> None:
    said = reader.report("/dav/principals/", "D:principal-search-property-set", "")

    assert said.status == 200
    assert len(said.all("/D:principal-search-property-set/D:principal-search-property/D:prop/D:displayname")) == 1


def test_every_report_named_is_answered_and_every_other_refused(reader: Account) -> None:
    """Row: unknown REPORT -> supported-report."""
    for path in ("/dav/", "/dav/principals/", reader.principal, reader.home, reader.visits, reader.hrefs()[0]):
        told = reader.propfind(path, props("D:supported-report-set", "D:supported-method-set"))
        named = {one.tag for one in told.all("//D:supported-report/D:report/*")}
        assert "{DAV:}expand-property" in named
        assert "REPORT" in told.texts("//D:supported-method/@name")
        for report in ("D:sync-collection", "C:calendar-multiget", "D:principal-property-search", "D:version-tree"):
            said = reader.report(path, report, "")
            full = report.replace("D:", "{DAV:}").replace("C:", "{urn:ietf:params:xml:ns:caldav}")
            assert (said.status, full in named) in ((400, True), (207, True), (403, False))
            if said.status == 403:
                assert said.condition() == ["supported-report"]
