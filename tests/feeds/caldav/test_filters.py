"""What a filter lets through (RFC 4791 9.7 and 9.9): no visit that somebody looks for is missing, no other is shown."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from feeds.caldav import content_lines
from feeds.caldav.filter_reading import filter_in
from feeds.caldav.filters import CompFilter, Narrowed, narrowed
from feeds.caldav.instants import CALENDAR_ZONE
from feeds.caldav.time_ranges import TimeRange
from feeds.ical import Happening, calendar_object, component
from feeds.levels import Shown
from store.standing import Standing

AT = datetime(2026, 12, 1, 8, tzinfo=UTC)
HOUR = timedelta(hours=1)
NAMESPACE = 'xmlns:C="urn:ietf:params:xml:ns:caldav"'


def visit(start_at: datetime = AT, end_at: datetime | None = AT + HOUR, **values: object) -> bytes:
    return calendar_object(
        component(
            Happening(
                uid="visit-1",
                sequence=0,
                changed_at=AT - 30 * 24 * HOUR,
                start_at=start_at,
                end_at=end_at,
                standing=Standing.BOOKED,
                is_confirmed_gone=False,
                shown=Shown("Besök; läkare, " + "lång väg " * 12 + "slut", "Ekgatan 1", "Rad ett\nRad två"),
                alarms=(HOUR,),
                **values,  # type: ignore[arg-type]
            )
        )
    )


def to_do(*lines: str) -> bytes:
    return calendar_object("\r\n".join(("BEGIN:VTODO", "UID:1", *lines, "END:VTODO", "")).encode())


def asked(inside: str) -> CompFilter:
    outermost = f'<C:comp-filter name="VCALENDAR">{inside}</C:comp-filter>'
    return filter_in(etree.fromstring(f"<C:filter {NAMESPACE}>{outermost}</C:filter>"))


def passes(content: bytes, inside: str) -> bool:
    return asked(inside).lets_through(content_lines.read(content), CALENDAR_ZONE)


def comp(name: str, inside: str = "") -> str:
    return f'<C:comp-filter name="{name}">{inside}</C:comp-filter>'


def prop(name: str, inside: str = "") -> str:
    return comp("VEVENT", f'<C:prop-filter name="{name}">{inside}</C:prop-filter>')


def param(name: str, inside: str) -> str:
    return f'<C:param-filter name="{name}">{inside}</C:param-filter>'


def text(sought: str, attributes: str = "") -> str:
    return f"<C:text-match {attributes}>{sought}</C:text-match>"


def within(start: str, end: str) -> str:
    return f'<C:time-range start="{start}" end="{end}"/>'


ABSENT = "<C:is-not-defined/>"


@pytest.mark.parametrize(
    ("inside", "found"),
    [
        (comp("vevent"), True),
        (comp("VEVENT", ABSENT), False),
        (comp("VTODO", ABSENT), True),
        (comp("VTIMEZONE", comp("DAYLIGHT")), True),
        (comp("VTIMEZONE", ABSENT), False),
        (comp("VEVENT", comp("VALARM")), True),
        (comp("VEVENT", comp("VALARM", ABSENT)), False),
        (comp("VEVENT", comp("VALARM", within("20261201T070000Z", "20261201T070001Z"))), True),  # an hour before
        (comp("VEVENT", comp("VALARM", within("20261201T080000Z", "20261201T090000Z"))), False),
        (comp("VEVENT", comp("X-OURS")), False),
        (comp("VEVENT") + comp("VTODO"), False),
        (prop("SUMMARY"), True),
        (prop("summary", ABSENT), False),
        (prop("ATTENDEE"), False),
        (prop("ATTENDEE", ABSENT), True),
        (prop("ATTENDEE", text("", 'negate-condition="yes"')), False),  # what is not there matches nothing
        (prop("SUMMARY", text("besök; LÄKARE")), False),
        (prop("SUMMARY", text("BESöK; läKARE, LÅNG")), False),
        (prop("SUMMARY", text("BESöK; läKARE, lång")), True),  # escaped on the wire
        (prop("SUMMARY", text("VÄG SLUT", 'collation="i;unicode-casemap"')), True),  # beyond where the line is folded
        (prop("SUMMARY", text("väg slut", 'collation="i;octet"')), True),
        (prop("SUMMARY", text("Väg slut", 'collation="i;octet"')), False),
        (prop("SUMMARY", text("besök", 'negate-condition="yes"')), False),
        (prop("SUMMARY", text("provtagning", 'negate-condition="yes"')), True),
        (prop("DESCRIPTION", text("ett\nrad")), True),
        (prop("LAST-MODIFIED", within("20261101T000000Z", "20261102T000000Z")), True),
        (prop("LAST-MODIFIED", within("20261102T000000Z", "20261103T000000Z")), False),
        (prop("DTSTART", within("20261201T080000Z", "20261201T080001Z")), True),
        (prop("DTSTART", within("20261201T075959Z", "20261201T080000Z")), False),
        (prop("UID", "<X:else xmlns:X='urn:x'/>"), True),
    ],
)
def test_a_visit_passes_the_filters_that_say_what_it_is(inside: str, *, found: bool) -> None:
    assert passes(visit(), inside) is found


@pytest.mark.parametrize(
    ("inside", "found"),
    [
        (prop("DTSTART", param("TZID", "")), True),
        (prop("DTSTART", param("tzid", text("europe/stock"))), True),
        (prop("DTSTART", param("TZID", text("America"))), False),
        (prop("DTSTART", param("TZID", text("America", 'negate-condition="yes"'))), True),
        (prop("DTSTART", param("TZID", ABSENT)), False),
        (prop("DTSTAMP", param("TZID", ABSENT)), True),
        (prop("DTSTART", param("TZID", text("Europe")) + param("VALUE", text("DATE"))), False),
        (prop("NOTHING", param("TZID", ABSENT)), False),
    ],
)
def test_row_a_param_filter_on_tzid_finds_what_is_in_that_zone(inside: str, *, found: bool) -> None:
    assert passes(visit(), inside) is found


def test_a_param_filter_finds_tasks_that_are_due_on_a_day() -> None:
    by_day = comp("VTODO", f'<C:prop-filter name="DUE">{param("VALUE", text("DATE"))}</C:prop-filter>')
    assert passes(to_do("DUE;VALUE=DATE:20261210"), by_day)
    assert not passes(to_do("DUE:20261210T080000Z"), by_day)
    assert passes(
        to_do('X-A;X-B="a;b:c",d:e'),
        comp("VTODO", f'<C:prop-filter name="X-A">{param("X-B", text("a;b:c"))}</C:prop-filter>'),
    )


@pytest.mark.parametrize(
    ("lines", "start", "end", "found"),
    [
        (("DTSTART:20261201T080000Z", "DUE:20261201T100000Z"), 9, 10, True),
        (("DTSTART:20261201T080000Z", "DUE:20261201T100000Z"), 10, 11, False),
        (("DTSTART:20261201T080000Z",), 8, 9, True),
        (("DTSTART:20261201T080000Z",), 7, 8, False),
        (("DUE:20261201T080000Z",), 7, 8, True),
        (("DUE:20261201T080000Z",), 8, 9, False),
        (("COMPLETED:20261201T080000Z", "CREATED:20261201T060000Z"), 7, 8, True),
        (("COMPLETED:20261201T080000Z", "CREATED:20261201T060000Z"), 9, 10, False),
        (("COMPLETED:20261201T080000Z",), 8, 9, True),
        (("COMPLETED:20261201T080000Z",), 9, 10, False),
        (("CREATED:20261201T080000Z",), 9, 10, True),
        (("CREATED:20261201T080000Z",), 7, 8, False),
        ((), 7, 8, True),
        (("DUE;VALUE=DATE:20261201", "DTSTART:broken"), 0, 1, False),  # midnight in Stockholm was at 23
    ],
)
def test_a_task_lies_where_the_table_of_9_9_says(lines: tuple[str, ...], start: int, end: int, *, found: bool) -> None:
    asked_for = comp("VTODO", within(f"20261201T{start:02}0000Z", f"20261201T{end:02}0000Z"))
    assert passes(to_do(*lines), asked_for) is found


_MINUTES = st.integers(0, 3 * 365 * 24 * 60).map(
    lambda minutes: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
)


@settings(max_examples=150)
@given(
    start_at=_MINUTES,
    length=st.one_of(st.none(), st.integers(1, 3000)),
    since=st.integers(-4000, 4000),
    span=st.integers(1, 4000),
)
def test_the_time_range_is_the_naive_definition(start_at: datetime, length: int | None, since: int, span: int) -> None:
    """By the wall clock that is written: in the repeated hour of autumn that means the first pass."""
    start_at = _first_pass(start_at)
    end_at = None if length is None else _first_pass(start_at + timedelta(minutes=length))
    since_at = start_at + timedelta(minutes=since)
    until_at = since_at + timedelta(minutes=span)
    if end_at is None or end_at <= start_at:
        expected = since_at <= start_at < until_at
    else:
        expected = since_at < end_at and until_at > start_at
    inside = comp("VEVENT", within(f"{since_at:%Y%m%dT%H%M%SZ}", f"{until_at:%Y%m%dT%H%M%SZ}"))
    assert passes(visit(start_at, end_at), inside) is expected


@pytest.mark.parametrize(
    ("inside", "kind", "expected"),
    [
        ("", "VEVENT", Narrowed()),
        (comp("VEVENT"), "VEVENT", Narrowed()),
        (comp("VEVENT"), "VTODO", Narrowed(is_empty=True)),
        (comp("VTODO", ABSENT), "VEVENT", Narrowed()),
        (comp("VEVENT", ABSENT), "VEVENT", Narrowed(is_empty=True)),
        (comp("VEVENT", comp("VALARM")), "VEVENT", Narrowed(must_look=True)),
        (comp("VTIMEZONE"), "VEVENT", Narrowed(must_look=True)),
    ],
)
def test_the_commonest_filters_open_nothing(inside: str, kind: str, expected: Narrowed) -> None:
    assert narrowed(asked(inside), kind) == expected


def test_a_time_range_of_visits_alone_is_asked_of_the_database() -> None:
    day = within("20261201T000000Z", "20261202T000000Z")
    found = TimeRange(datetime(2026, 12, 1, tzinfo=UTC), datetime(2026, 12, 2, tzinfo=UTC))
    assert narrowed(asked(comp("VEVENT", day)), "VEVENT") == Narrowed(time_range=found)
    assert narrowed(asked(comp("VEVENT", day + comp("VALARM"))), "VEVENT") == Narrowed(time_range=found, must_look=True)
    assert narrowed(asked(comp("VEVENT", day) * 2), "VEVENT") == Narrowed(time_range=found, must_look=True)
    assert narrowed(asked(comp("VTODO", day)), "VTODO") == Narrowed(must_look=True)


def _first_pass(at: datetime) -> datetime:
    return at.astimezone(CALENDAR_ZONE).replace(fold=0).astimezone(UTC)
