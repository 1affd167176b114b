"""The demo's own reader of calendars: RFC 5545 as calendar apps read it, and our renderer's text among others."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from feeds import ical
from feeds.levels import Shown
from store.standing import Standing
from worker.demo import feed_reading

SWEDEN = ZoneInfo("Europe/Stockholm")


def _calendar(*lines: str) -> str:
    return "\r\n".join(("BEGIN:VCALENDAR", "BEGIN:VEVENT", "DTSTART:20261202T123000Z", *lines, "END:VEVENT", ""))


def _only(*lines: str) -> feed_reading.ServedEvent:
    (event,) = feed_reading.read(_calendar(*lines))
    return event


def test_a_line_folded_within_a_word_is_read_whole() -> None:
    assert _only("SUMMARY:Bokad tid\\, Björkängens vård", " central").summary == "Bokad tid, Björkängens vårdcentral"


def test_a_fold_by_tab_and_bare_line_feeds_are_read_too() -> None:
    text = "BEGIN:VEVENT\nDTSTART:20261202T123000Z\nSUMMARY:Lä\n\tkare\nEND:VEVENT\n"
    assert feed_reading.read(text)[0].summary == "Läkare"


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        (r"Ekgatan 1\, Storstad", "Ekgatan 1, Storstad"),
        (r"rad ett\nrad två\Nrad tre", "rad ett\nrad två\nrad tre"),
        (r"C:\\namn", r"C:\namn"),
        (r"a\;b", "a;b"),
    ],
)
def test_escapes_are_taken_out_once(written: str, meant: str) -> None:
    assert _only(f"LOCATION:{written}").location == meant


@pytest.mark.parametrize(
    ("line", "at"),
    [
        ("DTSTART;TZID=Europe/Stockholm:20261202T133000", datetime(2026, 12, 2, 13, 30, tzinfo=SWEDEN)),
        ('DTSTART;X-A="b:c;d";TZID="Europe/Stockholm":20260702T133000', datetime(2026, 7, 2, 13, 30, tzinfo=SWEDEN)),
        ("DTSTART:20261202T123000Z", datetime(2026, 12, 2, 12, 30, tzinfo=UTC)),
        ("DTSTART:20261202T133000", datetime(2026, 12, 2, 13, 30, tzinfo=SWEDEN)),
        ("DTSTART;VALUE=DATE:20261202", datetime(2026, 12, 2, tzinfo=SWEDEN)),
    ],
)
def test_every_form_of_start_is_the_right_instant(line: str, at: datetime) -> None:
    (event,) = feed_reading.read(f"BEGIN:VEVENT\r\n{line}\r\nEND:VEVENT\r\n")
    assert event.start_at == at


@pytest.mark.parametrize("line", ["DTSTART:i morgon", "DTSTART;TZID=Europe/Norrviken:20261202T133000", "SUMMARY:Utan"])
def test_an_event_without_a_readable_start_is_left_out_and_the_others_stay(line: str) -> None:
    text = f"BEGIN:VEVENT\r\nUID:1\r\n{line}\r\nEND:VEVENT\r\n" + _calendar("UID:2")
    assert [event.uid for event in feed_reading.read(text)] == ["2"]


def test_an_alarms_own_lines_do_not_replace_the_events() -> None:
    event = _only("BEGIN:VALARM", "SUMMARY:Alarm", "TRIGGER:-PT1H", "END:VALARM", "SUMMARY:Besök", "SEQUENCE:3")
    assert (event.summary, event.sequence) == ("Besök", 3)


def test_junk_is_no_calendar_and_no_crash() -> None:
    assert feed_reading.read("<!doctype html>\n:;=\nEND:VEVENT\n") == ()


def test_what_our_renderer_writes_is_what_is_read() -> None:
    start_at = datetime(2026, 12, 2, 12, 30, tzinfo=UTC)
    summary = "Avbokad: Läkarbesök; Överläkare Östen Åkerlund, Ortopedmottagningen, Norrvikens sjukhus \\ plan 7"
    happening = ical.Happening(
        uid="u1",
        sequence=4,
        changed_at=start_at - timedelta(days=3),
        start_at=start_at,
        end_at=start_at + timedelta(minutes=45),
        standing=Standing.CANCELLED,
        is_confirmed_gone=False,
        shown=Shown(summary, location="Sjukhusvägen 1, 134 60 Norrviken", description="rad\nrad"),
    )
    text = ical.calendar("Vård", "Om", timedelta(minutes=15), [ical.component(happening)]).decode()
    assert feed_reading.read(text) == (
        feed_reading.ServedEvent(
            uid="u1",
            summary=summary,
            location="Sjukhusvägen 1, 134 60 Norrviken",
            start_at=start_at,
            end_at=start_at + timedelta(minutes=45),
            status="CANCELLED",
            sequence=4,
        ),
    )
