"""Looking (RFC 4918, 8144): programs are answered per property, and what they have already is not sent."""

from datetime import timedelta
from uuid import UUID

import pytest

from feeds.conditional import http_date
from tests.feeds.caldav.account import Account, body, props


def test_all_properties_are_those_of_webdav_and_what_is_asked_for_besides(reader: Account) -> None:
    """allprop with everything of CalDAV in it would make each look as dear as the largest one."""
    plain = reader.propfind(reader.visits).found(reader.visits)
    more = reader.propfind(reader.visits, "<D:allprop/><D:include><D:owner/><D:nothing/></D:include>")

    assert set(plain) == {"resourcetype", "displayname", "getlastmodified", "supportedlock", "lockdiscovery"}
    assert set(more.found(reader.visits)) == {*plain, "owner"}
    assert more.missing(reader.visits) == {"nothing"}
    assert reader.ask("PROPFIND", reader.visits, depth="0").found(reader.visits).keys() == plain.keys()


def test_propname_names_and_tells_no_value(reader: Account) -> None:
    """Row: propname."""
    for path in (reader.visits, reader.hrefs()[0], reader.principal):
        found = reader.propfind(path, "<D:propname/>").found(path)
        assert "owner" in found
        assert all(len(one) == 0 and not one.text for one in found.values())


def test_a_property_that_is_not_there_is_404_by_itself_and_the_others_are_told(reader: Account) -> None:
    said = reader.propfind(reader.visits, props("D:displayname", "D:quota-used-bytes", "C:nothing"))

    assert said.status == 207
    assert set(said.found(reader.visits)) == {"displayname"}
    assert said.missing(reader.visits) == {"quota-used-bytes", "nothing"}


def test_a_name_of_any_namespace_comes_back_as_it_was_asked_for(reader: Account) -> None:
    names = '<p:x xmlns:p="http://example.se/ns?a=1&amp;b=2"/><xml:x/><x xmlns=""/>'
    content = f'<propfind xmlns="DAV:"><prop>{names}</prop></propfind>'.encode()

    said = reader.ask("PROPFIND", reader.visits, content, depth="0")

    told = [one.tag for one in said.all("//D:prop/*")]
    assert told == ["{http://example.se/ns?a=1&b=2}x", "{http://www.w3.org/XML/1998/namespace}x", "x"]


@pytest.mark.parametrize("depth", ["infinity", "Infinity", ""])
def test_depth_infinity_is_refused_with_propfind_finite_depth(reader: Account, depth: str) -> None:
    """Row: Depth: infinity. A header left out means the same."""
    for path in ("/dav/", reader.home, reader.visits):
        said = reader.propfind(path, depth=depth)
        assert (said.status, said.condition()) == (403, ["propfind-finite-depth"])
    assert reader.propfind(reader.hrefs()[0], depth=depth).status == 207


@pytest.mark.parametrize("depth", ["2", "-1", "1,2", "1,noroot", "one", "\xb2", "1" * 5000])
def test_a_depth_that_is_none_is_a_bad_request(reader: Account, depth: str) -> None:
    """Row: Depth: 2."""
    assert reader.propfind(reader.visits, depth=depth).status == 400


def test_depth_1_shows_the_way_down_level_by_level(reader: Account) -> None:
    """Principal, home and calendars are different addresses: iOS never ends the set-up of a home that is a calendar."""
    below = {
        "/dav/": ["/dav/principals/", "/dav/calendars/"],
        "/dav/principals/": [reader.principal],
        reader.principal: [],
        "/dav/calendars/": [reader.home],
        reader.home: [reader.visits, reader.invitations],
        reader.invitations: [],
    }
    for path, members in below.items():
        said = reader.propfind(path, props("D:resourcetype"), depth="1")
        assert said.texts("/D:multistatus/D:response/D:href") == [path, *members]


@pytest.mark.parametrize(
    "content",
    [
        b"<",
        b"{}",
        b"no xml",
        body("D:propfind", ""),
        body("D:propfind", "<D:allprop/><D:propname/>"),
        body("D:propfind", "<D:prop/><D:allprop/>"),
        body("D:propertyupdate", "<D:allprop/>"),
        b'<D:propfind xmlns:D=""><D:prop/></D:propfind>',
        b"<D:propfind><D:prop/></D:propfind>",
        b'<propfind xmlns="dav:"><allprop/></propfind>',
    ],
)
def test_a_propfind_that_is_none_is_a_bad_request(reader: Account, content: bytes) -> None:
    assert reader.ask("PROPFIND", reader.visits, content, depth="0").status == 400


def test_what_is_not_there_is_404_to_whatever_looks(reader: Account) -> None:
    patch = body("D:propertyupdate", f"<D:set>{props('D:displayname')}</D:set>")
    for path in (f"{reader.visits}{'0' * 32}.ics", f"{reader.visits}{'0' * 32}", f"{reader.home}work/", "/dav/x"):
        for method, content in (("PROPFIND", b""), ("PROPPATCH", patch), ("GET", b""), ("HEAD", b"")):
            assert reader.ask(method, path, content, depth="0").status == 404


def test_proppatch_is_207_with_403_for_each_property(reader: Account) -> None:
    """Row: PROPPATCH. macOS sets colour and order on first contact, and gives up an account that refuses as a whole."""
    content = f"<D:set>{props('A:calendar-color', 'D:displayname')}</D:set><D:remove>{props('A:nothing')}</D:remove>"
    before = reader.propfind(reader.visits, props("D:displayname", "A:calendar-color")).content

    said = reader.ask("PROPPATCH", reader.visits, body("D:propertyupdate", content))

    assert said.status == 207
    assert [one.tag.rpartition("}")[2] for one in said.all("//D:prop/*")] == [
        "calendar-color",
        "displayname",
        "nothing",
    ]
    assert said.texts("//D:propstat/D:status") == ["HTTP/1.1 403 Forbidden"]
    assert len(said.all("//D:propstat/D:error/D:cannot-modify-protected-property")) == 1
    assert reader.propfind(reader.visits, props("D:displayname", "A:calendar-color")).content == before


def test_a_program_that_asks_for_little_is_told_little(reader: Account) -> None:
    """RFC 8144 2.1: no word of what there is not. `Brief: t` says the same in older programs of Apple's."""
    asked = props("D:displayname", "D:nothing")
    for headers in ({"prefer": "return=minimal"}, {"prefer": 'wait=1, Return="minimal"; x=y'}, {"brief": "t"}):
        said = reader.propfind(reader.visits, asked, **headers)
        assert said.missing(reader.visits) == set()
        assert set(said.found(reader.visits)) == {"displayname"}
        assert said.headers["preference-applied"] == "return=minimal"
    said = reader.propfind(reader.visits, asked)
    assert said.missing(reader.visits) == {"nothing"}
    assert "preference-applied" not in said.headers
    assert said.headers["cache-control"] == "private, no-cache"  # so that no Vary is needed (RFC 7240 2)


def test_a_program_that_wants_the_members_only_gets_them_only(reader: Account) -> None:
    said = reader.propfind(reader.visits, props("D:getetag"), depth="1", prefer="return=minimal, depth-noroot")

    assert said.texts("/D:multistatus/D:response/D:href") == reader.hrefs()
    assert said.headers["preference-applied"] == "return=minimal, depth-noroot"
    assert reader.propfind(reader.visits, props("D:getetag"), prefer="depth-noroot").found(reader.visits) == {}


def test_a_calendar_asked_for_without_its_last_slash_says_where_it_is(reader: Account) -> None:
    said = reader.propfind(reader.visits.rstrip("/"))

    assert said.headers["content-location"] == reader.visits
    assert said.texts("/D:multistatus/D:response/D:href") == [reader.visits]
    assert "content-location" not in reader.propfind(reader.visits).headers
    assert "content-location" not in reader.propfind("/").headers


def test_an_event_that_a_program_has_is_304(reader: Account) -> None:
    """Row: If-None-Match -> 304 on an event."""
    (href, *_) = reader.hrefs()
    got = reader.ask("GET", href)
    etag, modified = got.headers["etag"], got.headers["last-modified"]

    for headers in (
        {"if_none_match": etag},
        {"if_none_match": f'"other", W/{etag}'},
        {"if_none_match": "*"},
        {"if_modified_since": modified},
    ):
        said = reader.ask("GET", href, **headers)
        assert (said.status, said.content) == (304, b"")
        assert said.headers["etag"] == etag
        assert "content-length" not in said.headers


def test_a_tag_beats_a_date_and_a_date_that_says_nothing_is_let_be(reader: Account) -> None:
    """A 304 for any date freezes a calendar for ever."""
    (href, *_) = reader.hrefs()
    changed_at = reader.world.calendar().changed_at
    modified = http_date(changed_at)

    for headers in (
        {"if_none_match": '"other"', "if_modified_since": modified},
        {"if_modified_since": http_date(changed_at - timedelta(seconds=1))},
        {"if_modified_since": "Fri, 01 Jan 2999 00:00:00 GMT"},
        {"if_modified_since": "yesterday"},
    ):
        assert reader.ask("GET", href, **headers).status == 200


def test_conditions_that_fail_are_412(reader: Account) -> None:
    (href, *_) = reader.hrefs()
    etag = reader.ask("GET", href).headers["etag"]
    changed_at = reader.world.calendar().changed_at

    for headers, status in (
        ({"if_match": '"other"'}, 412),
        ({"if_match": f"W/{etag}"}, 412),
        ({"if_unmodified_since": http_date(changed_at - timedelta(seconds=1))}, 412),
        ({"if_match": f'"other", {etag}'}, 200),
        ({"if_match": "*"}, 200),
        ({"if_match": etag, "if_unmodified_since": http_date(changed_at - timedelta(days=1))}, 200),
        ({"if_unmodified_since": http_date(changed_at)}, 200),
        ({"if_unmodified_since": "tomorrow"}, 200),
    ):
        assert reader.ask("GET", href, **headers).status == status


def test_head_says_what_get_would_and_sends_nothing(reader: Account) -> None:
    (href, *_) = reader.hrefs()
    head, got = reader.ask("HEAD", href), reader.ask("GET", href)

    assert (head.status, head.content) == (200, b"")
    assert head.headers == got.headers
    assert got.headers["content-type"] == "text/calendar; charset=utf-8; component=VEVENT"
    assert got.headers["content-length"] == str(len(got.content))
    assert got.headers["cache-control"] == "private, no-cache"
    told = reader.propfind(href, props("D:getetag", "D:getlastmodified", "D:getcontentlength")).found(href)
    assert [told[name].text for name in ("getetag", "getlastmodified", "getcontentlength")] == [
        got.headers[name] for name in ("etag", "last-modified", "content-length")
    ]


def test_the_date_of_an_event_moves_with_every_change_of_its_bytes(local: Account) -> None:
    """A date that stays behind means stale for ever, for whoever goes by it."""
    before = local.ask("GET", local.hrefs()[0]).headers["last-modified"]
    first = UUID(local.hrefs()[0].rpartition("/")[2].removesuffix(".ics"))
    local.world.change(first, sequence=5)

    after = local.ask("GET", local.hrefs()[0], if_modified_since=before)

    assert after.status == 200
    assert after.headers["last-modified"] != before
