"""Stories of bookings: what happens at a clinic, and what the citizen's calendar and phone make of it."""

import re
from datetime import datetime, timedelta

import pytest

from store import engagements, facilities, overview
from store.standing import Standing
from tests.stories.town import CENTRE, LABORATORY, SECOND_LOOK, SWEDEN, Town, get
from worker import actors
from worker.actors import Kind
from worker.demo.people import Person
from worker.web.app import build_app

DAY = timedelta(days=1)


def at(day: int, hour: int, minute: int = 0, month: int = 12) -> datetime:
    return datetime(2026, month, day, hour, minute, tzinfo=SWEDEN)


@pytest.fixture
def anna(here: Town) -> Person:
    """Somebody who has been asked about before, with one visit at the health centre in a fortnight."""
    (anna,) = here.enrol(1)
    here.book(anna, at(9, 10), "OLD")
    here.poll()
    return anna


def feed(here: Town, path: str) -> str:
    app = build_app(here.wiring)
    answer = get(app, path)
    app.close()
    assert answer.status_code == 200
    return answer.text.replace("\r\n ", "")


def event(text: str, needle: str) -> dict[str, str]:
    """The properties of the one event that holds the needle."""
    (found,) = [one for one in text.split("BEGIN:VEVENT")[1:] if needle in one]
    return dict(line.split(":", 1) for line in found.strip().split("\r\n") if ":" in line)


def test_a_new_subject_with_twenty_bookings_gets_a_calendar_and_no_storm_of_confirmations(here: Town) -> None:
    (anna,) = here.enrol(1)
    for number in range(20):
        here.book(anna, at(1 + number, 9), f"B{number}", CENTRE if number % 2 else LABORATORY)
    here.poll()
    here.wait(timedelta(hours=1))

    assert feed(here, here.address(anna)).count("BEGIN:VEVENT") == 20
    assert here.told(anna) == []


def test_b34_no_number_of_a_source_and_no_persons_number_becomes_a_uid(here: Town) -> None:
    """Calendar programs make file names and addresses of UIDs, and pass them on to whoever is shown the calendar."""
    (anna,) = here.enrol(1)
    numbers = [anna.identity, "../../etc/passwd", "a/b?c#d", 'x";y=<z>', "1" * 64]
    for day, number in enumerate(numbers):
        here.book(anna, at(1 + day, 9), number)
    here.poll()

    uids = re.findall(r"(?m)^UID:(.*)\r$", feed(here, here.address(anna)))
    assert len(set(uids)) == len(numbers)
    assert all(re.fullmatch(r"[0-9a-f]{40}@kallelse", uid) for uid in uids)


def test_a_booking_made_later_is_confirmed_once(here: Town, anna: Person) -> None:
    here.book(anna, at(10, 13), "NEW")
    here.poll()
    assert here.told(anna) == []
    here.wait(timedelta(minutes=3))
    here.poll()
    here.wait(timedelta(hours=1))

    (confirmation,) = here.told(anna)
    assert "10 december kl. 13.00" in confirmation


def test_a_moved_booking_keeps_its_uid_and_is_told_once(here: Town, anna: Person) -> None:
    path = here.address(anna)
    before = event(feed(here, path), "20261209T100000")
    here.move("OLD", at(11, 14, 30))
    here.poll()
    after = event(feed(here, path), "20261211T143000")
    here.wait(timedelta(minutes=3))
    here.wait(timedelta(hours=2))

    assert after["UID"] == before["UID"]
    assert int(after["SEQUENCE"]) > int(before["SEQUENCE"])
    (moved,) = here.told(anna)
    assert "11 december kl. 14.30" in moved
    assert "9 december kl. 10.00" in moved


def test_a_change_leaves_the_bytes_of_other_visits_alone(here: Town, anna: Person) -> None:
    here.book(anna, at(15, 8), "OTHER", LABORATORY)
    here.poll()
    path = here.address(anna)
    before = [one for one in feed(here, path).split("BEGIN:VEVENT") if "20261215T080000" in one]
    here.move("OLD", at(11, 14, 30))
    here.poll()

    assert [one for one in feed(here, path).split("BEGIN:VEVENT") if "20261215T080000" in one] == before


@pytest.mark.parametrize("only", [False, True], ids=["one of two there", "the only one there"])
def test_a_deleted_booking_is_gone_after_the_second_look_and_told_once(here: Town, anna: Person, *, only: bool) -> None:
    if not only:
        here.book(anna, at(20, 10), "STAYS")
        here.poll()
        here.wait(timedelta(hours=1))  # longer ago than what could be taken for a move
    told_before = len(here.told(anna))
    here.cancel("OLD")
    here.poll()
    assert here.booking(anna, "OLD").standing == Standing.BOOKED
    here.wait(SECOND_LOOK - timedelta(minutes=1))
    assert here.booking(anna, "OLD").standing == Standing.BOOKED
    assert len(here.told(anna)) == told_before
    here.wait(timedelta(minutes=2))
    assert here.booking(anna, "OLD").standing == Standing.GONE
    here.wait(timedelta(hours=2))
    here.poll()

    (gone,) = here.told(anna)[told_before:]
    assert "visar inte längre din tid" in gone
    shown = event(feed(here, here.address(anna)), "20261209T100000")
    assert shown["STATUS"] == "CANCELLED"
    assert shown["SUMMARY"].startswith("Visas inte längre")


def test_deleted_and_added_with_a_new_id_is_one_event_and_one_message(here: Town, anna: Person) -> None:
    path = here.address(anna)
    before = event(feed(here, path), "20261209T100000")
    here.cancel("OLD")
    here.book(anna, at(12, 15), "REPLACEMENT")
    here.poll()
    here.wait(SECOND_LOOK + timedelta(minutes=1))
    here.wait(timedelta(hours=2))

    text = feed(here, path)
    assert text.count("BEGIN:VEVENT") == 1
    assert event(text, "20261212T150000")["UID"] == before["UID"]
    (moved,) = here.told(anna)
    assert "12 december kl. 15.00" in moved
    assert "9 december kl. 10.00" in moved


def test_back_before_anything_was_told_is_silence(here: Town, anna: Person) -> None:
    here.cancel("OLD")
    here.poll()
    here.region.state.restore("OLD")
    here.wait(SECOND_LOOK + timedelta(minutes=1))
    here.wait(timedelta(hours=3))

    assert here.told(anna) == []
    assert here.booking(anna, "OLD").standing == Standing.BOOKED


def test_back_after_it_was_told_gone_is_told_at_once(here: Town, anna: Person) -> None:
    here.cancel("OLD")
    here.poll()
    here.wait(SECOND_LOOK + timedelta(minutes=1))
    here.region.state.restore("OLD")
    here.poll()

    gone, restored = here.told(anna)
    assert "visar inte längre" in gone
    assert "gäller igen" in restored
    assert event(feed(here, here.address(anna)), "20261209T100000")["STATUS"] == "CONFIRMED"


def test_moved_and_moved_back_at_once_is_silence(here: Town, anna: Person) -> None:
    here.move("OLD", at(11, 14))
    here.poll()
    here.move("OLD", at(9, 10))
    here.poll()
    here.wait(timedelta(hours=1))

    assert here.told(anna) == []


def test_a_visit_that_has_started_passes_and_is_no_cancellation(here: Town, anna: Person) -> None:
    here.until(at(9, 10, 1))
    here.register(1)
    here.poll()
    here.wait(timedelta(hours=1))

    assert here.booking(anna, "OLD").standing == Standing.PASSED
    assert not any("visar inte" in text for text in here.told(anna))
    assert "STATUS:CONFIRMED" in feed(here, here.address(anna))


def test_one_unreadable_booking_is_quarantined_and_the_rest_is_applied(here: Town, anna: Person) -> None:
    here.book(anna, at(16, 9), "", LABORATORY)  # a booking id is required (TKB crm:scheduling, TimeslotType)
    here.book(anna, at(17, 9), "GOOD", LABORATORY)
    here.poll()

    with here.wiring.sessions.reading() as session:
        kept = engagements.quarantined(session)
    assert [one.facility for one in kept] == [LABORATORY]
    assert "bookingId" in kept[0].reason
    assert {one.booking_id for one in here.bookings(anna)} == {"OLD", "GOOD"}


def test_mass_disappearance_freezes_the_facility_and_nobody_is_told(here: Town) -> None:
    cast = here.enrol(6)
    for number, person in enumerate(cast):
        here.book(person, at(9, 8 + number), f"M{number}")
        here.book(person, at(20, 8 + number), f"L{number}", LABORATORY)
    here.poll()
    for number in range(6):
        here.cancel(f"M{number}")
    here.poll()
    here.wait(SECOND_LOOK + timedelta(minutes=1))
    here.wait(timedelta(hours=6))

    with here.wiring.sessions.reading() as session:
        (centre,) = facilities.by_ids(session, [CENTRE]).values()
    assert centre.frozen_at is not None
    assert [text for person in cast for text in here.told(person)] == []
    assert {here.booking(person, f"M{number}").standing for number, person in enumerate(cast)} == {Standing.BOOKED}


def test_a_visit_still_listed_after_its_start_does_not_stall_the_citizens_polling(here: Town, anna: Person) -> None:
    here.book(anna, at(16, 10), "LATER", LABORATORY)
    here.poll()
    here.until(at(9, 10, 1))
    here.region.state.now = lambda: at(9, 9)  # this source goes on listing what has started
    here.register(1)
    here.poll()
    here.move("LATER", at(17, 10))
    here.poll()

    assert here.booking(anna, "OLD").standing == Standing.PASSED
    assert here.booking(anna, "LATER").start_at == at(17, 10)


def test_an_id_used_again_for_a_new_visit_is_told_as_a_new_one(here: Town, anna: Person) -> None:
    here.until(at(9, 10, 1))
    here.register(1)
    here.poll()
    here.move("OLD", at(20, 13))
    here.poll()
    here.wait(timedelta(minutes=5))

    assert here.booking(anna, "OLD").standing == Standing.BOOKED
    assert "20 december kl. 13.00" in here.told(anna)[-1]
    assert "igen" not in here.told(anna)[-1]


def test_many_first_polls_at_once_at_the_same_clinics_all_get_through(here: Town) -> None:
    cast = here.enrol(16)
    places = [CENTRE, LABORATORY, "SE2321000016-2B10", "SE2321000016-2B20"]
    for number, person in enumerate(cast):
        for turn in range(4):
            here.book(person, at(7 + turn, 8 + turn), f"P{number}-{turn}", places[(number + turn) % 4])
    actors.drain(here.wiring, Kind.POLL)

    with here.wiring.sessions.reading() as session:
        assert overview.unanswered(session) == 0
    coming = [one for person in cast for one in here.bookings(person)]
    assert len(coming) == 4 * len([person for person in cast if not person.has_died])
