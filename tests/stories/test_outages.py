"""Stories of sources that fail: whatever does not answer, nobody is told that a visit is off."""

from datetime import datetime, timedelta

import pytest

from store import facilities
from store.standing import Standing
from tests.stories.test_bookings import at, feed
from tests.stories.town import CENTRE, LABORATORY, SECOND_LOOK, Town, get
from worker.demo.people import Person
from worker.demo.region_state import AGGREGATOR, Fault
from worker.web.app import build_app

ORTHOPAEDICS = "SE2321000016-2B10"
RADIOLOGY = "SE2321000016-2B20"
SKIN = "SE2321000016-3C01"
EVERYWHERE = (CENTRE, LABORATORY, ORTHOPAEDICS, RADIOLOGY, SKIN)


@pytest.fixture
def anna(here: Town) -> Person:
    """Somebody with a visit at five facilities, known since before."""
    (anna,) = here.enrol(1)
    for number, facility in enumerate(EVERYWHERE):
        here.book(anna, at(7 + number, 10), f"V{number}", facility)
    here.poll()
    return anna


def status(here: Town, path: str, etag: str) -> int:
    app = build_app(here.wiring)
    answer = get(app, path, **{"if-none-match": etag})
    app.close()
    return answer.status_code


def etag(here: Town, path: str) -> str:
    app = build_app(here.wiring)
    answer = get(app, path)
    app.close()
    return str(answer.headers["etag"])


def silent(here: Town) -> dict[str, datetime | None]:
    with here.wiring.sessions.reading() as session:
        return {row.address: row.silent_since for row in facilities.silent(session)}


def hours(here: Town, count: int) -> None:
    """Business time passes, with a poll every few hours, and the register kept fresh."""
    until = here.now + timedelta(hours=count)
    while here.now < until:
        here.clock.forward(min(here.now + timedelta(hours=4), until))
        here.register(1)
        here.poll()


def test_five_kinds_of_failure_cancel_nothing_and_the_feed_stands_still_until_24_hours(
    here: Town, anna: Person
) -> None:
    path = here.address(anna)
    before = etag(here, path)
    here.fail(CENTRE, Fault.TIMEOUT)
    here.fail(LABORATORY, Fault.FAULT)
    here.fail(ORTHOPAEDICS, Fault.TRUNCATED)
    here.fail(RADIOLOGY, Fault.DENIED)
    here.fail(SKIN, Fault.NOSTATUS)  # one record missing: the index row is lost, the clinic still lists the visit
    here.poll()
    began_at = here.now
    hours(here, 23)

    assert here.told(anna) == []
    assert {one.standing for one in here.bookings(anna)} == {Standing.BOOKED}
    assert status(here, path, before) == 304
    assert set(silent(here)) >= {CENTRE, LABORATORY, ORTHOPAEDICS}
    assert silent(here)[CENTRE] == began_at
    hours(here, 2)
    assert status(here, path, before) == 200
    assert "X-WR-CALDESC" in feed(here, path)
    assert feed(here, path).count("BEGIN:VEVENT") == 5
    assert here.told(anna) == []


def test_when_all_answer_again_the_calendar_is_as_before(here: Town, anna: Person) -> None:
    path = here.address(anna)
    text = feed(here, path)
    for facility in EVERYWHERE:
        here.fail(facility, Fault.TIMEOUT)
    hours(here, 26)
    for facility in EVERYWHERE:
        here.fail(facility, Fault.OK)
    hours(here, 1)

    assert feed(here, path) == text
    assert silent(here) == {}
    assert here.told(anna) == []


@pytest.mark.parametrize("fault", [Fault.TIMEOUT, Fault.FAULT, Fault.TRUNCATED, Fault.NOSTATUS], ids=str)
def test_an_aggregating_service_that_fails_cancels_nothing(here: Town, anna: Person, fault: Fault) -> None:
    before = etag(here, path := here.address(anna))
    here.fail(AGGREGATOR, fault)
    here.poll()
    here.wait(SECOND_LOOK + timedelta(minutes=1))
    here.poll()

    assert here.told(anna) == []
    assert {one.standing for one in here.bookings(anna)} == {Standing.BOOKED}
    assert status(here, path, before) == 304


def test_a_source_that_fails_as_a_whole_is_said_after_24_hours_and_taken_back(here: Town, anna: Person) -> None:
    path = here.address(anna)
    before = feed(here, path)
    here.fail(AGGREGATOR, Fault.FAULT)
    hours(here, 26)
    assert "X-WR-CALDESC" in feed(here, path)
    here.fail(AGGREGATOR, Fault.OK)
    hours(here, 6)

    assert feed(here, path) == before
    assert here.told(anna) == []


def test_an_empty_answer_from_the_aggregating_service_is_checked_with_the_clinics(here: Town, anna: Person) -> None:
    """No slots and no records looks like a person without any engagement; the clinics themselves still list them."""
    here.fail(AGGREGATOR, Fault.EMPTY)
    here.poll()
    here.wait(SECOND_LOOK + timedelta(minutes=1))
    hours(here, 2)

    assert here.told(anna) == []
    assert {one.standing for one in here.bookings(anna)} == {Standing.BOOKED}


def test_a_permission_lost_for_everyone_is_silence_and_a_flag_and_the_reminder_says_so(
    here: Town, anna: Person
) -> None:
    here.region.state.forbid(CENTRE)
    hours(here, 3)

    with here.wiring.sessions.reading() as session:
        assert facilities.addresses(session, "region", [CENTRE])[CENTRE].not_visible_since is not None  # type: ignore[index]
    assert {one.standing for one in here.bookings(anna)} == {Standing.BOOKED}
    assert here.told(anna) == []
    here.until(at(6, 18, 59))  # the reminder's own time was 16.00
    here.register(1)
    here.work()
    assert [text for text in here.told(anna) if "7 december kl. 10.00" in text] == []
    here.until(at(6, 19, 1))  # the last useful hour in which people may be told
    here.work()

    (late,) = [text for text in here.told(anna) if "7 december kl. 10.00" in text]
    assert "inte kunnat bekräfta tiden sedan 24/11" in late


def test_a_stale_population_file_holds_and_empties_nothing(here: Town, anna: Person) -> None:
    path = here.address(anna)
    before = feed(here, path)
    here.until(at(3, 12))  # nine days after the register was written
    here.move("V3", at(15, 9))
    here.poll()
    here.until(at(6, 17))

    assert feed(here, path) == before
    assert here.told(anna) == []
    here.register(1)
    here.wait(timedelta(hours=1))
    assert "20261215T090000" in feed(here, path)
    assert here.told(anna) != []


def test_an_unreadable_population_file_changes_nothing(here: Town, anna: Person) -> None:
    before = feed(here, path := here.address(anna))
    (here.folder / "population.csv").write_text("identity,protected\nnonsense\n")
    here.poll()
    here.wait(timedelta(hours=1))

    assert feed(here, path) == before
