"""The reports of RFC 4791 over the account: what programs ask for they get, whole and no more; what cannot be meant is
refused by the condition that the RFC names."""

from datetime import UTC, datetime, timedelta
from urllib.parse import quote
from uuid import UUID

import icalendar
import pytest
import vobject
from sqlalchemy import text

from store.calendars import CalendarComponent, ComponentKind
from store.facilities import Facility
from store.standing import Standing
from store.subjects import cipher_of
from tests import build
from tests.feeds.caldav.account import Account, Said, props
from tests.feeds.world import DAY

HOUR = timedelta(hours=1)
TO_DO = (
    b"BEGIN:VTODO\r\nUID:to-do\r\nDTSTAMP:20261124T085500Z\r\nDUE;VALUE=DATE:20261210\r\n"
    b"SUMMARY:Boka en tid\r\nEND:VTODO\r\n"
)


def comp(name: str, inside: str = "") -> str:
    return f'<C:comp-filter name="{name}">{inside}</C:comp-filter>'


def within(start: datetime | None, end: datetime | None, tag: str = "C:time-range") -> str:
    ends = (("start", start), ("end", end))
    attributes = "".join(f' {name}="{at:%Y%m%dT%H%M%SZ}"' for name, at in ends if at)
    return f"<{tag}{attributes}/>"


def query(account: Account, inside: str, prop: str = "<D:getetag/>", path: str = "", **headers: str) -> Said:
    content = f"<D:prop>{prop}</D:prop><C:filter>{comp('VCALENDAR', inside)}</C:filter>"
    return account.report(path or account.visits, "C:calendar-query", content, **headers)


def multiget(account: Account, *hrefs: str, prop: str = "<D:getetag/>", path: str = "") -> Said:
    content = f"<D:prop>{prop}</D:prop>" + "".join(f"<D:href>{href}</D:href>" for href in hrefs)
    return account.report(path or account.visits, "C:calendar-multiget", content)


def busy(account: Account, start: datetime, end: datetime, **headers: str) -> Said:
    return account.report(account.visits, "C:free-busy-query", within(start, end), **headers)


def periods(said: Said) -> list[tuple[str, datetime, datetime]]:
    """What a free-busy answer tells, as an independent parser reads it."""
    (component,) = icalendar.Calendar.from_ical(said.content).walk("VFREEBUSY")
    lines = component.get("FREEBUSY", [])
    return [(line.params["FBTYPE"], *line.dt) for line in (lines if isinstance(lines, list) else [lines])]


def show_ends(account: Account) -> None:
    """The facility says that its ends are right: only then are they shown."""
    with account.world.sessions.writing() as session:
        row = session.get(Facility, build.VARDCENTRAL)
        assert row is not None
        row.shows_end = True


def add_to_do(account: Account, content: bytes = TO_DO) -> None:
    world = account.world
    with world.sessions.writing() as session:
        booking_id = UUID(int=7)
        session.add(
            CalendarComponent(
                calendar_id=world.calendar_id,
                booking_id=booking_id,
                kind=ComponentKind.INVITATION,
                uid="to-do",
                starts_at=world.now,
                revision=1,
                sealed_body=cipher_of(session, world.vault, world.subject_id).seal(
                    "calendar_components.sealed_body", booking_id, content
                ),
            )
        )


def test_a_query_for_visits_finds_all_of_them_and_for_tasks_none(account: Account) -> None:
    everything = query(account, comp("VEVENT"))
    assert list(everything.statuses()) == account.hrefs()
    assert all(len(everything.found(href)) == 1 for href in account.hrefs())
    assert query(account, "").statuses() == everything.statuses()
    for name in ("VTODO", "VJOURNAL", "VFREEBUSY", "X-ELSE"):
        assert query(account, comp(name)).statuses() == {}


def test_a_query_by_time_finds_what_overlaps_and_open_ends_are_open(account: Account) -> None:
    first, second, third = account.hrefs()
    now = account.world.now

    def found(start: datetime | None, end: datetime | None) -> list[str]:
        return list(query(account, comp("VEVENT", within(start, end))).statuses())

    assert found(now + 2 * DAY, now + 2 * DAY + HOUR) == [second]
    assert found(now + 2 * DAY, None) == [second, third]
    assert found(None, now + 2 * DAY) == [first]
    assert found(now + 4 * DAY, now + 5 * DAY) == []
    ever = [f'{end}="{text}"' for end, text in (("start", "00010101T000000Z"), ("end", "99991231T235959Z"))]
    assert list(query(account, comp("VEVENT", f"<C:time-range {' '.join(ever)}/>")).statuses()) == account.hrefs()


def test_a_task_without_a_start_is_found_by_when_it_is_due(account: Account) -> None:
    add_to_do(account)
    (href,) = query(account, comp("VTODO"), path=account.invitations).statuses()
    due_at = datetime(2026, 12, 9, 23, tzinfo=UTC)  # midnight in Stockholm

    def found(start: datetime, end: datetime) -> bool:
        said = query(account, comp("VTODO", within(start, end)), path=account.invitations)
        return href in said.statuses()

    assert found(due_at - HOUR, due_at)
    assert not found(due_at, due_at + HOUR)
    assert not found(due_at - 2 * HOUR, due_at - HOUR)
    assert query(account, comp("VEVENT"), path=account.invitations).statuses() == {}


@pytest.mark.parametrize(("depth", "is_all"), [("", True), ("1", True), ("infinity", True), ("0", False)], ids=str)
def test_programs_that_leave_depth_out_mean_what_is_in_the_calendar(
    local: Account, depth: str, *, is_all: bool
) -> None:
    said = query(local, comp("VEVENT"), depth=depth)
    assert (said.status, list(said.statuses())) == (207, local.hrefs() if is_all else [])


def test_one_visit_can_be_asked_whether_it_passes(local: Account) -> None:
    href = local.hrefs()[0]
    now = local.world.now
    assert list(query(local, comp("VEVENT"), path=href).statuses()) == [href]
    assert list(query(local, comp("VEVENT", within(now + DAY, None)), path=href).statuses()) == [href]
    assert query(local, comp("VEVENT", within(now + 2 * DAY, None)), path=href).statuses() == {}
    assert query(local, comp("VEVENT"), path=f"{local.visits}{'0' * 32}.ics").status == 404


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("<D:prop><D:getetag/><D:nothing/></D:prop>", {"getetag"}),
        ("<D:allprop/>", {"resourcetype", "getetag", "getcontenttype", "getcontentlength", "getlastmodified",
                          "supportedlock", "lockdiscovery"}),
        ("<D:propname/>", None),
    ],
)  # fmt: skip
def test_a_report_tells_the_properties_that_were_asked_for(local: Account, asked: str, found: set[str] | None) -> None:
    href = local.hrefs()[0]
    for tag, content in (
        ("C:calendar-query", f"<C:filter>{comp('VCALENDAR')}</C:filter>"),
        ("C:calendar-multiget", f"<D:href>{href}</D:href>"),
    ):
        said = local.report(local.visits, tag, asked + content)
        told = said.found(href)
        assert "calendar-data" not in told
        if found is None:
            assert "getetag" in told
            assert all(not "".join(one.itertext()) for one in told.values())
        else:
            assert set(told) == found


def test_row_multiget_of_an_unknown_href_is_told_as_404(account: Account) -> None:
    first = account.hrefs()[0]
    unknown = [
        f"{account.visits}{'0' * 32}.ics",
        first.replace("/visits/", "/invitations/"),
        first.replace(account.device.account, "somebody"),
        account.visits,
        "/", "x", "?", "http://[", "mailto:x@example.com", "/dav/../" + first, first.upper(), "&amp;&lt;",
    ]  # fmt: skip
    said = multiget(account, first, *unknown)

    assert {href for href, status in said.statuses().items() if not status} == {first}
    assert [status for status in said.statuses().values() if status] == ["HTTP/1.1 404 Not Found"] * len(unknown)


def test_one_visit_under_many_spellings_is_told_once_and_as_we_spell_it(local: Account) -> None:
    """Programs that get it twice show it twice."""
    href = local.hrefs()[0]
    spelled = (
        href,
        quote(href, safe="/").replace("-", "%2D"),
        href.replace("a", "%61"),
        f"https://kalender.example{href}",
        href,
    )

    said = multiget(local, *spelled, prop="<C:calendar-data/>")

    assert said.texts("/D:multistatus/D:response/D:href") == [href]


def test_thousands_of_hrefs_are_answered_in_one_read(account: Account) -> None:
    first = account.hrefs()[0]
    said = multiget(account, first, *(f"/{number}" for number in range(5_000)))
    assert len(said.statuses()) == 5_001
    assert not said.statuses()[first]


def test_of_one_visit_only_itself_can_be_fetched(local: Account) -> None:
    first, second, _ = local.hrefs()
    assert multiget(local, first, second, path=first).statuses() == {first: "", second: "HTTP/1.1 404 Not Found"}


@pytest.mark.parametrize("tag", ["C:calendar-multiget", "C:calendar-query", "C:free-busy-query", "C:nothing"])
def test_row_an_unknown_report_is_refused_as_supported_report(local: Account, tag: str) -> None:
    content = f"<C:filter>{comp('VCALENDAR')}</C:filter><D:href>{local.hrefs()[0]}</D:href>"
    for path in (local.home, local.principal, "/dav/"):
        said = local.report(path, tag, content)
        assert (said.status, said.condition()) == (403, ["supported-report"])


def test_reports_are_announced_where_they_can_be_asked_for(local: Account) -> None:
    def announced(path: str) -> set[str]:
        told = local.propfind(path, props("D:supported-report-set")).all("//D:report/*")
        return {one.tag.partition("}")[2] for one in told}

    assert {"calendar-query", "calendar-multiget", "free-busy-query", "sync-collection"} <= announced(local.visits)
    assert {"calendar-query", "calendar-multiget"} <= announced(local.hrefs()[0])
    assert "free-busy-query" not in announced(local.hrefs()[0])


def test_what_a_calendar_holds_and_takes_is_told_when_asked_for_by_name(local: Account) -> None:
    names = {
        "calendar-description", "calendar-timezone", "supported-calendar-component-set", "supported-calendar-data",
        "supported-collation-set", "max-resource-size", "min-date-time", "max-date-time", "max-instances",
        "max-attendees-per-instance",
    }  # fmt: skip
    said = local.propfind(local.visits, props(*(f"C:{name}" for name in names), "C:calendar-data"))
    told = said.found(local.visits)

    assert set(told) == names
    assert said.missing(local.visits) == {"calendar-data"}
    assert told["calendar-description"].get("{http://www.w3.org/XML/1998/namespace}lang") == "sv"
    assert "".join(told["calendar-description"].itertext()).strip()
    assert [one.text for one in told["supported-collation-set"]] == ["i;ascii-casemap", "i;octet", "i;unicode-casemap"]
    assert not names & set(local.propfind(local.visits).found(local.visits))
    assert names <= set(local.propfind(local.visits, "<D:propname/>").found(local.visits))
    home = local.propfind(local.principal, props("C:calendar-home-set")).texts("//C:calendar-home-set/D:href")
    assert home == [local.home]


def test_row_free_busy_leaves_out_what_is_cancelled(account: Account) -> None:
    first, second, third = (UUID(href[-36:-4]) for href in account.hrefs())
    now = account.world.now
    show_ends(account)
    standings = {first: Standing.CANCELLED, second: Standing.BOOKED, third: Standing.GONE}
    for day, (booking_id, standing) in enumerate(standings.items(), 1):
        account.world.change(booking_id, standing=standing, stands_since=now, end_at=now + day * DAY + HOUR)

    said = busy(account, now, now + 10 * DAY)

    assert (said.status, said.headers["content-type"].partition(";")[0]) == (200, "text/calendar")
    assert periods(said) == [
        ("BUSY", now + 2 * DAY, now + 2 * DAY + HOUR),
        ("BUSY-TENTATIVE", now + 3 * DAY, now + 3 * DAY + HOUR),
    ]
    (component,) = vobject.readOne(said.content.decode()).vfreebusy_list
    assert (component.dtstart.value, component.dtend.value) == (now, now + 10 * DAY)
    assert component.dtstamp.value


def test_free_busy_ends_with_the_window_and_claims_no_time_of_an_unknown_length(local: Account) -> None:
    now = local.world.now
    show_ends(local)
    local.world.change(UUID(local.hrefs()[0][-36:-4]), end_at=now + DAY + HOUR)

    within_the_visit = (now + DAY + timedelta(minutes=5), now + DAY + timedelta(minutes=10))
    assert periods(busy(local, *within_the_visit)) == [("BUSY", *within_the_visit)]
    assert periods(busy(local, now + 2 * DAY - HOUR, now + 3 * DAY)) == []
    assert local.report(local.invitations, "C:free-busy-query", within(now, now + DAY)).status == 200


@pytest.mark.parametrize(
    ("content", "status"),
    [
        ("", 400),
        ('<C:time-range start="20261124T000000Z"/>', 400),
        ('<C:time-range start="20261124T000000Z" end="20261124T000000Z"/>', 400),
        ('<C:time-range start="20261124T000000Z" end="20261123T000000Z"/>', 400),
        ('<C:time-range start="20261124" end="20261125"/>', 400),
        ('<C:time-range start="20261124T000000" end="20261125T000000"/>', 400),
        ('<C:time-range start="20261124T000000Z" end="20281124T000000Z"/>', 200),
        ('<C:time-range start="20261124T000000Z" end="20281126T000000Z"/>', 403),
        ('<C:time-range start="00000101T000000Z" end="00010201T000000Z"/>', 403),
    ],
)
def test_free_busy_of_a_window_that_cannot_be_meant_or_is_too_long_is_refused(
    local: Account, content: str, status: int
) -> None:
    assert local.report(local.visits, "C:free-busy-query", content).status == status


BAD_FILTERS = {
    "no filter": ("", "valid-filter"),
    "an empty filter": ("<C:filter/>", "valid-filter"),
    "a filter of events alone": (f"<C:filter>{comp('VEVENT')}</C:filter>", "valid-filter"),
    "two outermost filters": (f"<C:filter>{comp('VCALENDAR') * 2}</C:filter>", "valid-filter"),
}
BAD_INSIDE = {
    "an event in a task": (comp("VTODO", comp("VEVENT")), "valid-filter"),
    "an alarm outside": (comp("VALARM"), "valid-filter"),
    "a time of a text": (
        comp("VEVENT", '<C:prop-filter name="SUMMARY"><C:time-range start="20261124T000000Z"/></C:prop-filter>'),
        "valid-filter",
    ),
    "a time of an extension": (
        comp("VEVENT", '<C:prop-filter name="X-A"><C:time-range start="20261124T000000Z"/></C:prop-filter>'),
        "supported-filter",
    ),
    "a time of a zone": (comp("VTIMEZONE", '<C:time-range start="20261124T000000Z"/>'), "valid-filter"),
    "a time without ends": (comp("VEVENT", "<C:time-range/>"), "valid-filter"),
    "a local time": (comp("VEVENT", '<C:time-range start="20261124T000000"/>'), "valid-filter"),
    "a date": (comp("VEVENT", '<C:time-range start="20261124"/>'), "valid-filter"),
    "no day of any month": (comp("VEVENT", '<C:time-range start="20261331T000000Z"/>'), "valid-filter"),
    "digits of another script": (comp("VEVENT", '<C:time-range start="٢٠٢٦١١٢٤T000000Z"/>'), "valid-filter"),
    "ends before it starts": (
        comp("VEVENT", '<C:time-range start="20261125T000000Z" end="20261124T000000Z"/>'),
        "valid-filter",
    ),
    "before the year 1": (comp("VEVENT", '<C:time-range start="00001124T000000Z"/>'), "min-date-time"),
    "a filter without a name": (comp(""), "valid-filter"),
    "absent and present": (comp("VEVENT", f"<C:is-not-defined/>{comp('VALARM')}"), "valid-filter"),
    "an element out of place": (comp("VEVENT", "<C:text-match>x</C:text-match>"), "valid-filter"),
    "a negation of neither kind": (
        comp("VEVENT", '<C:prop-filter name="UID"><C:text-match negate-condition="x"/></C:prop-filter>'),
        "valid-filter",
    ),
    "more parts than anybody means": (comp("VEVENT", '<C:prop-filter name="UID"/>' * 31), "supported-filter"),
    "an unknown collation": (
        comp("VEVENT", '<C:prop-filter name="UID"><C:text-match collation="i;x"/></C:prop-filter>'),
        "supported-collation",
    ),
}


@pytest.mark.parametrize(("content", "condition"), BAD_FILTERS.values(), ids=BAD_FILTERS)
def test_a_query_without_a_right_filter_is_refused_by_name(local: Account, content: str, condition: str) -> None:
    said = local.report(local.visits, "C:calendar-query", f"{props('D:getetag')}{content}")
    assert (said.status, said.condition()) == (403, [condition])


def test_row_an_unknown_collation_and_what_no_filter_can_mean_are_refused_by_name(local: Account) -> None:
    for name, (inside, condition) in BAD_INSIDE.items():
        said = query(local, inside)
        assert (name, said.status, said.condition()) == (name, 403, [condition])


@pytest.mark.parametrize(
    ("zone", "condition"),
    [
        ("no calendar", ["valid-calendar-data"]),
        ("BEGIN:VCALENDAR&#13;\nEND:VCALENDAR", ["valid-calendar-data"]),
        ("BEGIN:X&#13;\n" * 10_000, ["valid-calendar-data"]),
        (
            "BEGIN:VCALENDAR\nBEGIN:VTIMEZONE\nTZID:America/New_York\nRRULE:FREQ=SECONDLY;COUNT=2147483647\nEND:VTIMEZONE\n"
            "END:VCALENDAR\n",
            None,
        ),
        ("BEGIN:VCALENDAR\nBEGIN:VTIMEZONE\nTZID:../../etc/passwd\nEND:VTIMEZONE\nEND:VCALENDAR\n", None),
    ],
    ids=["not a calendar", "without a zone", "endless nesting", "another zone", "no zone's name"],
)
def test_row_b39_a_zone_in_a_query_is_read_in_bounds(local: Account, zone: str, condition: list[str] | None) -> None:
    add_to_do(local)
    due_at = datetime(2026, 12, 10, 5, tzinfo=UTC)  # midnight in New York
    found = comp("VTODO", within(due_at - HOUR, due_at))
    said = local.report(
        local.invitations,
        "C:calendar-query",
        f"{props('D:getetag')}<C:filter>{comp('VCALENDAR', found)}</C:filter><C:timezone>{zone}</C:timezone>",
    )
    if condition is not None:
        assert (said.status, said.condition()) == (403, condition)
    else:
        assert len(said.statuses()) == ("New_York" in zone)


def test_a_calendar_that_was_never_rendered_is_no_empty_one(local: Account) -> None:
    """An empty answer would take every visit off a device."""
    with local.world.sessions.writing() as session:
        session.connection().execute(text("delete from calendar_bodies"))
    assert query(local, comp("VTODO")).status == 503
    assert query(local, comp("VEVENT")).status == 503
    assert busy(local, local.world.now, local.world.now + DAY).status == 503


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"x",
        b"<calendar-query/>",
        b'<!DOCTYPE x [<!ENTITY a "b">]><x>&a;</x>',
        b"<a>" * 20_000 + b"</a>" * 20_000,
        b'<?xml version="1.0" encoding="utf-7"?><x/>',
        b"\xff\xfe<\0x\0/\0>\0",
    ],
)
def test_row_b53_a_body_that_is_no_report_is_refused_and_never_an_error_of_ours(local: Account, content: bytes) -> None:
    assert local.ask("REPORT", local.visits, content).status in (400, 403, 413)


def test_row_b53_a_depth_that_is_none_is_a_bad_request_of_a_report_too(local: Account) -> None:
    assert [query(local, comp("VEVENT"), depth=depth).status for depth in ("2", "-1", "1,2", "x")] == [400] * 4
