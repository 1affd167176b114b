"""iCalendar bytes: two independent parsers agree, hostile text stays text, and equal facts give equal bytes."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import icalendar
import pytest
import vobject
from dateutil import rrule
from hypothesis import example, given
from hypothesis import strategies as st

from feeds.ical import Happening, calendar, component, lines, one_line
from feeds.levels import Shown
from store.standing import Standing

STOCKHOLM = ZoneInfo("Europe/Stockholm")
CHANGED = datetime(2026, 11, 1, 12, 0, 0, 123456, tzinfo=UTC)
HOUR = timedelta(hours=1)


def happening(start_at: datetime = datetime(2026, 12, 1, 8, tzinfo=UTC), **values: Any) -> Happening:
    return Happening(
        **{
            "uid": "d1:abc",
            "sequence": 0,
            "changed_at": CHANGED,
            "start_at": start_at,
            "end_at": None,
            "standing": Standing.BOOKED,
            "is_confirmed_gone": False,
            "shown": Shown("Bokad tid, besök", "", "Avboka på 1177: https://www.1177.se", "https://www.1177.se"),
            **values,
        }
    )


def whole(*happenings: Happening) -> bytes:
    return calendar("Bokade tider", "Tider kan saknas, här; och där.", HOUR, [component(one) for one in happenings])


def event_of(body: bytes) -> icalendar.Event:
    return next(iter(icalendar.Calendar.from_ical(body).events))


def test_the_event_holds_what_calendar_programs_need() -> None:
    event = event_of(whole(happening(sequence=3, end_at=datetime(2026, 12, 1, 9, tzinfo=UTC))))

    assert (event["UID"], event["SEQUENCE"], event["CLASS"], event["STATUS"], event["TRANSP"]) == (
        "d1:abc", 3, "PRIVATE", "CONFIRMED", "OPAQUE"
    )  # fmt: skip
    assert event["DTSTAMP"].dt == event["LAST-MODIFIED"].dt == CHANGED.replace(microsecond=0)
    assert event["DTSTART"].dt == datetime(2026, 12, 1, 9, tzinfo=STOCKHOLM)
    assert event["DTEND"].dt == datetime(2026, 12, 1, 10, tzinfo=STOCKHOLM)
    assert event["DTSTART"].params["TZID"] == "Europe/Stockholm"
    assert event["URL"] == "https://www.1177.se"
    assert not {"ATTENDEE", "ORGANIZER", "DTEND;"} & set(event)


def test_the_frame_holds_what_calendar_programs_need() -> None:
    head = whole().decode()

    for line in (
        "METHOD:PUBLISH",
        "VERSION:2.0",
        "NAME:Bokade tider",
        "X-WR-CALNAME:Bokade tider",
        "X-WR-CALDESC:Tider kan saknas\\, här\\; och där.",
        "X-WR-TIMEZONE:Europe/Stockholm",
        "REFRESH-INTERVAL;VALUE=DURATION:PT1H",
        "X-PUBLISHED-TTL:PT1H",
        "COLOR:teal",
        "X-APPLE-CALENDAR-COLOR:#008080",
    ):
        assert f"\r\n{line}\r\n" in head
    assert head.endswith("END:VTIMEZONE\r\nEND:VCALENDAR\r\n")


@pytest.mark.parametrize(
    ("standing", "is_confirmed_gone", "status", "transparency"),
    [
        (Standing.BOOKED, False, "CONFIRMED", "OPAQUE"),
        (Standing.PASSED, False, "CONFIRMED", "OPAQUE"),
        (Standing.CANCELLED, False, "CANCELLED", "TRANSPARENT"),
        (Standing.GONE, True, "CANCELLED", "TRANSPARENT"),
        (Standing.GONE, False, "TENTATIVE", "OPAQUE"),
    ],
)
def test_check_30_only_direct_evidence_turns_gone_into_cancelled(
    standing: Standing,
    is_confirmed_gone: bool,  # noqa: FBT001
    status: str,
    transparency: str,
) -> None:
    event = event_of(whole(happening(standing=standing, is_confirmed_gone=is_confirmed_gone)))
    assert (event["STATUS"], event["TRANSP"]) == (status, transparency)


def test_check_27_equal_facts_give_equal_bytes() -> None:
    assert {whole(happening(sequence=1)) for _ in range(100)} == {whole(happening(sequence=1))}


def test_check_29_two_parsers_agree_on_both_sides_of_a_clock_change() -> None:
    starts = [datetime(2026, 10, day, 9, tzinfo=STOCKHOLM) for day in (24, 25, 26)]
    starts += [datetime(2027, 3, day, 9, tzinfo=STOCKHOLM) for day in (27, 28, 29)]
    body = whole(*(happening(at.astimezone(UTC), uid=f"d1:{at:%m%d}") for at in starts))

    ours = [event["DTSTART"].dt for event in icalendar.Calendar.from_ical(body).events]
    theirs = [event.dtstart.value for event in vobject.readOne(body.decode()).vevent_list]

    assert [at.astimezone(UTC) for at in ours] == [at.astimezone(UTC) for at in theirs] == [
        at.astimezone(UTC) for at in starts
    ]  # fmt: skip
    assert body.count(b"T090000\r\n") == len(starts)
    assert set(re.findall(rb"TZID[=:]([^:\r]+)", body)) == {b"Europe/Stockholm"}


def test_check_29_the_zone_is_right_by_the_rfc_for_every_half_hour() -> None:
    """Read by the RFC's own rule: onsets are wall clock before the change (3.6.5)."""
    text = whole().decode().split("BEGIN:VTIMEZONE\r\n")[1]
    onsets = []
    for kind in ("DAYLIGHT", "STANDARD"):
        part = dict(line.split(":", 1) for line in text.split(f"BEGIN:{kind}\r\n")[1].split(f"END:{kind}")[0].split())
        start = datetime.strptime(part["DTSTART"], "%Y%m%dT%H%M%S")  # noqa: DTZ007 - wall clock before the change
        before, after = (timedelta(hours=int(part[name][:3])) for name in ("TZOFFSETFROM", "TZOFFSETTO"))
        for at in rrule.rrulestr(part["RRULE"], dtstart=start).between(datetime(2024, 1, 1), datetime(2031, 1, 1)):  # noqa: DTZ001
            onsets.append((at - before, after))
    onsets.sort()
    at = datetime(2025, 1, 1)  # noqa: DTZ001 - UTC without a zone, as the onsets
    while at.year < 2031:
        offset = [after for onset, after in onsets if onset <= at][-1]
        assert at.replace(tzinfo=UTC).astimezone(STOCKHOLM).utcoffset() == offset, at
        at += timedelta(minutes=30)


def test_b36_a_night_when_clocks_change_is_written_so_that_no_program_can_take_it_for_another_hour() -> None:
    first_pass = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)  # 02:30 summer time
    second_pass = first_pass + HOUR  # 02:30 winter time
    body = whole(happening(first_pass, end_at=second_pass))

    assert b"DTSTART:20261025T003000Z\r\nDTEND:20261025T013000Z\r\n" in body
    assert b"DTSTART:20261025T013000Z\r\n" in whole(happening(second_pass))
    assert b"DTSTART;TZID=Europe/Stockholm:20261025T070000\r\n" in whole(happening(first_pass + timedelta(hours=5.5)))


def test_alarms_only_where_asked_for_and_never_for_what_is_not_coming() -> None:
    alarms = (timedelta(minutes=30), timedelta(days=1))

    assert b"VALARM" not in whole(happening())
    body = whole(happening(alarms=alarms))
    assert b"TRIGGER:-PT30M\r\n" in body
    assert b"TRIGGER:-P1D\r\n" in body
    for standing in (Standing.CANCELLED, Standing.GONE):
        assert b"VALARM" not in whole(happening(standing=standing, alarms=alarms))


HOSTILE = [
    "Blodprov\r\nEND:VEVENT\r\nBEGIN:VEVENT\r\nSUMMARY:x",
    "a\rATTENDEE:mailto:evil@example.com",
    "a\nATTENDEE:mailto:evil@example.com",
    "a\\nATTENDEE:x",
    "Mottagning A\\Norr",
    "a\u2028b\u2029c\vd\fe\x85f",
    "\u202eigenom\u202c \u2066x\u2069 \ufeff",
    'x":mailto:evil@example.com;y="',
    "^n^' ; : , \\",
    "X-A:1\r\nATTENDEE",
    "\x00\x1b[31m\x7f",
    "\ud800",
    "å" * 5_000,
    "🩺" * 600,
    "x" * 100_000,
    "a" * 66 + "åäö",
    "",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_b29_b33_hostile_text_stays_one_property_in_every_place(text: str) -> None:
    _assert_sound(text)


@given(st.text(st.characters(exclude_categories=()), max_size=300))
@example("\r\n\r\nBEGIN:VEVENT")
def test_no_text_escapes_its_property(text: str) -> None:
    _assert_sound(text)


def _assert_sound(text: str) -> None:
    shown = Shown(text, text, text, "https://www.1177.se")
    body = calendar(text, text, HOUR, [component(happening(uid=text, shown=shown, alarms=(HOUR,)))])

    decoded = body.decode()
    assert all(len(line.encode()) <= 75 for line in decoded.split("\r\n"))
    assert not re.search("[\x00-\x09\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]", decoded)
    assert decoded.count("\r") == decoded.count("\n") == decoded.count("\r\n")
    names = re.findall(r"(?m)^([A-Z-]+)[;:]", decoded.replace("\r\n ", ""))
    assert names.count("BEGIN") == names.count("END") == 6
    assert "ATTENDEE" not in names
    event = event_of(body)
    assert str(event["SUMMARY"]) == one_line(text)
    assert str(event.get("DESCRIPTION", "")) == lines(text)
    assert len(lines(text).encode()) <= 2000
    seen = vobject.readOne(decoded).vevent
    assert seen.summary.value == one_line(text)


@pytest.mark.parametrize("text", HOSTILE)
def test_b30_b32_b38_b39_texts_name_no_parameter_no_property_and_no_zone(text: str) -> None:
    """What a source writes is a value: a recurrence, an attachment or a zone of its own cannot come in with it."""
    shown = Shown(text, text, text, "https://www.1177.se")
    event = component(happening(uid=text, shown=shown, alarms=(HOUR,))).decode().replace("\r\n ", "")

    heads = {line.partition(":")[0] for line in event.split("\r\n") if line}
    assert heads - {"LOCATION", "DESCRIPTION"} == {
        "ACTION", "BEGIN", "CLASS", "DTSTAMP", "DTSTART;TZID=Europe/Stockholm", "END", "LAST-MODIFIED", "SEQUENCE",
        "STATUS", "SUMMARY", "TRANSP", "TRIGGER", "UID", "URL",
    }  # fmt: skip


def test_b35_an_end_that_is_no_end_is_left_out_and_far_years_are_written() -> None:
    start_at = datetime(2026, 12, 1, 8, tzinfo=UTC)
    for end_at in (start_at, start_at - HOUR, start_at.replace(year=2025)):
        assert b"DTEND" not in whole(happening(start_at, end_at=end_at))
    for year in (1900, 2200):  # the years that sources are believed in
        assert event_of(whole(happening(start_at.replace(year=year))))["DTSTART"].dt.year == year


def test_words_that_some_programs_take_for_a_break_or_for_another_event_are_written_otherwise() -> None:
    assert one_line("och\\nej, Mottagning A\\Norr, a\\b") == "och/nej, Mottagning A/Norr, a\\b"
    assert lines("END:VEVENT\nbegin:vevent\nBegin: 8.30") == "END: VEVENT\nbegin: vevent\nBegin: 8.30"


def test_b31_an_address_that_is_not_https_is_dropped() -> None:
    for url in ("javascript:alert(1)", "file:///etc/passwd", "\\\\host\\share", "data:text/html,x", "http://x.se"):
        assert b"URL" not in whole(happening(shown=Shown("x", "", "", url)))


def test_line_feeds_that_are_meant_survive_in_a_description() -> None:
    shown = Shown("x", "", "Kom fastande.\r\nTa med:\r- legitimation\n- glasögon", "")
    assert str(event_of(whole(happening(shown=shown)))["DESCRIPTION"]) == (
        "Kom fastande.\nTa med:\n- legitimation\n- glasögon"
    )


def test_a_calendar_without_events_is_still_a_calendar() -> None:
    assert vobject.readOne(whole().decode()).version.value == "2.0"
