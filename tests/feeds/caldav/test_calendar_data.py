"""What a report gives of a component (RFC 4791 9.6): any parser reads it, no letter is torn, no time is another."""

import re
from datetime import UTC, datetime, timedelta

import icalendar
import pytest
import vobject
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from feeds.caldav import content_lines
from feeds.caldav.calendar_data import selection_in
from feeds.caldav.content_lines import Garbled
from feeds.caldav.free_busy import Busy, told
from feeds.caldav.time_ranges import TimeRange
from feeds.ical import calendar_object, one_line
from tests.feeds.caldav.account import Account, Said
from tests.feeds.caldav.test_calendar_access import multiget, query
from tests.feeds.caldav.test_filters import AT, HOUR, NAMESPACE, to_do, visit

REPORTS = ("query", "multiget", "sync")


def selected(content: bytes, inside: str) -> str:
    before, after = calendar_object(b"\0").split(b"\0")
    component = content.removeprefix(before).removesuffix(after)
    element = etree.fromstring(f"<C:calendar-data {NAMESPACE}>{inside}</C:calendar-data>")
    answered = selection_in(element).element(component)
    root = etree.fromstring(answered.replace("<C:calendar-data>", f"<C:calendar-data {NAMESPACE}>", 1))
    return "".join(map(str, root.itertext()))


def comp(name: str, inside: str = "") -> str:
    return f'<C:comp name="{name}">{inside}</C:comp>'


def prop(*names: str) -> str:
    return "".join(f'<C:prop name="{name}"/>' for name in names)


def ask(account: Account, report: str, data: str) -> Said:
    if report == "query":
        return query(account, '<C:comp-filter name="VEVENT"/>', data)
    if report == "multiget":
        return multiget(account, *account.hrefs(), prop=data)
    return account.sync(prop=data)


@pytest.mark.parametrize("report", REPORTS)
def test_row_each_report_gives_only_the_properties_that_were_selected(local: Account, report: str) -> None:
    wanted = comp("VCALENDAR", prop("VERSION") + comp("VEVENT", prop("UID", "dtstart")))
    said = ask(local, report, f"<C:calendar-data>{wanted}</C:calendar-data>")

    told = said.texts("//C:calendar-data")
    assert len(told) == 3
    for one in told:
        names = re.findall(r"^([A-Z]+)[:;]", one, re.MULTILINE)
        assert names == ["BEGIN", "VERSION", "BEGIN", "DTSTART", "UID", "END", "END"]


@pytest.mark.parametrize("report", REPORTS)
def test_row_each_report_expands_to_utc_and_leaves_out_what_does_not_overlap(local: Account, report: str) -> None:
    now = local.world.now
    ends = f'start="{now + timedelta(days=1):%Y%m%dT%H%M%SZ}" end="{now + timedelta(days=2):%Y%m%dT%H%M%SZ}"'
    said = ask(local, report, f"<C:calendar-data><C:expand {ends}/></C:calendar-data>")

    events = [event for one in said.texts("//C:calendar-data") for event in icalendar.Calendar.from_ical(one).events]
    assert [event["DTSTART"].dt for event in events] == [now + timedelta(days=1)]
    assert b"TZID" not in said.content
    assert b"VTIMEZONE" not in said.content
    assert len(said.texts("//C:calendar-data")) == 3


@pytest.mark.parametrize("report", REPORTS)
@pytest.mark.parametrize("attributes", ['content-type="application/calendar+json"', 'version="3.0"'])
def test_another_kind_of_calendar_data_is_refused_by_name(local: Account, report: str, attributes: str) -> None:
    said = ask(local, report, f"<C:calendar-data {attributes}/>")
    assert (said.status, said.condition()) == (403, ["supported-calendar-data"])


@pytest.mark.parametrize(
    "inside",
    [
        comp("VEVENT"),
        "<C:comp/>",
        comp("VCALENDAR", "<C:prop/>"),
        "<C:expand/>",
        '<C:expand start="20261124T000000Z"/>',
        '<C:expand start="20261124T000000Z" end="20261123T000000Z"/>',
        '<C:expand start="20261124" end="20261125"/>',
        '<C:limit-freebusy-set start="x" end="y"/>',
        '<C:expand start="20261124T000000Z" end="20261125T000000Z"/>'
        '<C:limit-recurrence-set start="20261124T000000Z" end="20261125T000000Z"/>',
    ],
)
def test_a_selection_that_cannot_be_meant_is_a_bad_request(local: Account, inside: str) -> None:
    assert ask(local, "multiget", f"<C:calendar-data>{inside}</C:calendar-data>").status == 400


def test_row_b39_no_span_of_time_makes_an_expansion_long(local: Account) -> None:
    """Nothing recurs: ten thousand years hold what a day holds."""
    ever = '<C:expand start="00010101T000000Z" end="99991231T235959Z"/>'
    said = ask(local, "query", f"<C:calendar-data>{ever}</C:calendar-data>")
    assert said.content.count(b"BEGIN:VEVENT") == 3


def test_all_of_it_is_what_stands_in_the_calendar() -> None:
    content = visit()
    for everything in ("", "<C:limit-recurrence-set start='20261124T000000Z' end='20261125T000000Z'/>"):
        assert selected(content, everything).encode() == content
    all_parts = comp("VCALENDAR", "<C:allprop/><C:allcomp/>")
    assert icalendar.Calendar.from_ical(selected(content, all_parts)) == icalendar.Calendar.from_ical(content)


def test_a_property_without_its_value_keeps_its_name_and_parameters() -> None:
    wanted = comp(
        "VCALENDAR", comp("VEVENT", '<C:prop name="SUMMARY" novalue="yes"/><C:prop name="DTSTART" novalue="yes"/>')
    )
    lines = selected(visit(), wanted).split("\r\n")
    assert lines == [
        "BEGIN:VCALENDAR", "BEGIN:VEVENT", "SUMMARY:", "DTSTART;TZID=Europe/Stockholm:", "END:VEVENT", "END:VCALENDAR",
        "",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("inside", "names"),
    [
        (comp("VCALENDAR"), []),
        (comp("VCALENDAR", "<C:allcomp/>"), ["VTIMEZONE", "DAYLIGHT", "STANDARD", "VEVENT", "VALARM"]),
        (comp("VCALENDAR", comp("VEVENT", "<C:allprop/>")), ["VEVENT"]),
        (comp("VCALENDAR", comp("VEVENT", comp("VALARM")) + comp("VTODO")), ["VEVENT", "VALARM"]),
        (comp("VCALENDAR", comp("VTIMEZONE", "<C:allprop/><C:allcomp/>")), ["VTIMEZONE", "DAYLIGHT", "STANDARD"]),
    ],
)
def test_only_the_components_that_were_selected_are_given(inside: str, names: list[str]) -> None:
    assert re.findall(r"BEGIN:(\w+)", selected(visit(), inside))[1:] == names


def test_a_day_stays_a_day_when_times_are_told_in_utc() -> None:
    due = selected(to_do("DUE;VALUE=DATE:20261210"), '<C:expand start="20261201T000000Z" end="20270101T000000Z"/>')
    assert "DUE;VALUE=DATE:20261210" in due


@given(
    st.text(max_size=200),
    st.integers(0, 366 * 24 * 60).map(lambda minutes: AT + timedelta(minutes=minutes)),
)
def test_whatever_the_words_independent_parsers_read_selections_and_expansions(words: str, start_at: datetime) -> None:
    words = one_line(words)
    content = visit(start_at, start_at + HOUR).replace(b"LOCATION:Ekgatan 1", b"LOCATION:" + _escaped(words))
    expansion = selected(content, '<C:expand start="20261101T000000Z" end="20280101T000000Z"/>')
    selection = selected(content, comp("VCALENDAR", prop("VERSION") + comp("VEVENT", "<C:allprop/>")))

    for text in (expansion, selection):
        assert all(len(line.encode()) <= 75 for line in text.split("\r\n"))
        (event,) = icalendar.Calendar.from_ical(text).events
        assert str(event["LOCATION"]) == words
        assert str(event["SUMMARY"]) == str(icalendar.Calendar.from_ical(content).events[0]["SUMMARY"])
        assert vobject.readOne(text).vevent.uid.value == "visit-1"
    written = icalendar.Calendar.from_ical(content).events[0]["DTSTART"].dt
    assert icalendar.Calendar.from_ical(expansion).events[0]["DTSTART"].dt == written.astimezone(UTC)


@pytest.mark.parametrize(
    "content",
    [
        b"", b"x", b"A:b", b"BEGIN:VCALENDAR", b"END:VCALENDAR", b"BEGIN:A\r\nEND:B", b"BEGIN:A\r\nX\r\nEND:A",
        b"BEGIN:A\r\nEND:A\r\nBEGIN:A\r\nEND:A", b"\xff:\xff", b"BEGIN:A\r\n;x:y\r\nEND:A",
        b"BEGIN:A\n" * 20_000, b"BEGIN:A\r\nX" + b';Y="' * 20_000 + b"\r\nEND:A",
    ],
)  # fmt: skip
def test_what_is_no_calendar_is_refused_at_once(content: bytes) -> None:
    with pytest.raises(Garbled):
        content_lines.read(content)


_PERIODS = st.lists(
    st.tuples(st.integers(-5, 30), st.integers(1, 10), st.booleans()).map(
        lambda one: Busy(AT + one[0] * HOUR, AT + (one[0] + one[1]) * HOUR, one[2])
    ),
    max_size=8,
)


@given(_PERIODS)
def test_free_busy_tells_each_hour_once_and_the_certain_before_the_tentative(periods: list[Busy]) -> None:
    window = TimeRange(AT, AT + 24 * HOUR)
    answered = told(periods, window)

    def kinds(found: list[Busy], at: datetime) -> list[bool]:
        return [one.is_tentative for one in found if one.start_at <= at < one.end_at]

    for hour in range(24):
        at = AT + hour * HOUR
        expected = kinds(periods, at)
        assert kinds(answered, at) == ([] if not expected else [all(expected)])
    assert answered == sorted(answered)
    assert all(window.start_at <= one.start_at < one.end_at <= window.end_at for one in answered)
    assert all(
        one.end_at < other.start_at or one.is_tentative is not other.is_tentative
        for one, other in zip(answered, answered[1:], strict=False)
    )


def _escaped(words: str) -> bytes:
    return words.replace("\\", "\\\\").replace(";", r"\;").replace(",", r"\,").encode()
