"""What an operator does, and what follows: pause and resume, a frozen facility, a dry run."""

from dataclasses import replace
from datetime import timedelta

import pytest

from store import clinics, freezes, pauses
from store import facilities as known_facilities
from store.claims import finish
from store.clinics import Clinic
from store.deliveries import DISPATCHING
from store.sending import claim_to_send
from store.standing import Standing
from tests.stories.test_bookings import at
from tests.stories.town import CENTRE, SECOND_LOOK, Town
from worker import actors
from worker.actors import Kind
from worker.demo.people import Person
from worker.settings import read_settings
from worker.wiring import open_channels

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
BACK_OFF = timedelta(minutes=10)
RADIOLOGY = "SE2321000016-2B20"


@pytest.fixture
def anna(here: Town) -> Person:
    """Somebody who has been asked about before, with visits at two clinics."""
    (anna,) = here.enrol(1)
    here.book(anna, at(9, 10), "OLD")
    here.book(anna, at(9, 14), "XRAY", RADIOLOGY)
    here.poll()
    return anna


def pause(here: Town, clinic: str | None = None) -> None:
    with here.wiring.sessions.writing() as session:
        pauses.pause(session, here.now, named(here, clinic))


def resume(here: Town, clinic: str | None = None) -> int:
    with here.wiring.sessions.writing() as session:
        return pauses.resume(session, here.now, BACK_OFF, named(here, clinic))


def named(here: Town, name: str | None) -> Clinic | None:
    with here.wiring.sessions.reading() as session:
        return None if name is None else clinics.by_name(session, name)


def clinic_of(here: Town, facility: str) -> str:
    with here.wiring.sessions.reading() as session:
        by_id = clinics.all_by_id(session)
        (found,) = known_facilities.by_ids(session, [facility]).values()
    assert found.clinic_id is not None
    return by_id[found.clinic_id].name


def states(here: Town) -> list[str]:
    return [str(delivery.state) for delivery in here.deliveries()]


def test_while_all_is_paused_nobody_is_told_and_nothing_is_dropped_and_then_it_goes_at_once(
    here: Town, anna: Person
) -> None:
    pause(here)
    here.book(anna, at(10, 13), "NEW")
    here.poll()
    here.wait(3 * MINUTE)
    here.wait(HOUR)
    assert here.told(anna) == []
    assert states(here) == ["queued"]
    assert len(here.bookings(anna)) == 3, "polls go on"

    assert resume(here) == 1
    here.work()
    (confirmation,) = here.told(anna)
    assert "10 december kl. 13.00" in confirmation


def test_what_a_pause_outlasts_has_expired_and_is_not_sent_late(here: Town, anna: Person) -> None:
    pause(here)
    here.book(anna, at(10, 13), "NEW")
    here.poll()
    here.wait(3 * MINUTE)
    for _ in range(4):
        here.wait(HOUR)
    resume(here)
    here.work()

    assert here.told(anna) == []
    assert states(here) == ["expired"], "what was not told must be countable"


def test_one_clinics_pause_leaves_the_others_alone(here: Town, anna: Person) -> None:
    paused = clinic_of(here, CENTRE)
    assert clinic_of(here, RADIOLOGY) != paused
    pause(here, paused)
    here.book(anna, at(10, 13), "NEW")
    here.book(anna, at(11, 13), "SCAN", RADIOLOGY)
    here.poll()
    here.wait(3 * MINUTE)
    here.wait(BACK_OFF)
    (told,) = here.told(anna)
    assert "11 december" in told

    resume(here)
    here.work()
    assert len(here.told(anna)) == 1, "resuming everything resumes no clinic"
    resume(here, paused)
    here.work()
    assert len(here.told(anna)) == 2


def test_resuming_hurries_nobody_who_waits_for_the_morning(here: Town, anna: Person) -> None:
    here.until(at(1, 19, 59))
    here.register(1)
    here.work()
    pause(here)
    here.book(anna, at(10, 13), "NEW")
    here.poll()
    here.wait(3 * MINUTE)
    before = states(here)
    resume(here)
    here.work()

    assert here.told(anna) == []
    assert states(here) == before


def test_a_wake_up_by_resume_is_not_undone_by_the_worker_that_was_putting_off(here: Town, anna: Person) -> None:
    pause(here)
    here.book(anna, at(10, 13), "NEW")
    here.poll()
    here.clock.forward(here.now + 3 * MINUTE)
    actors.drain(here.wiring, Kind.PLAN)
    with here.wiring.sessions.writing() as session:
        (claim,) = claim_to_send(session, here.now, MINUTE, 10)
        finish(session, DISPATCHING, claim, here.now + BACK_OFF)
    with here.wiring.sessions.writing() as session:
        (claim,) = claim_to_send(session, here.now + BACK_OFF, MINUTE, 10)
    resume(here)
    with here.wiring.sessions.writing() as session:
        finish(session, DISPATCHING, claim, here.now + 2 * BACK_OFF)
    here.work()
    assert len(here.told(anna)) == 1


def all_missed_once(here: Town) -> list[Person]:
    """Six people whose visits at the centre have all been missed, by one look each."""
    cast = here.enrol(6)
    for number, person in enumerate(cast):
        here.book(person, at(9, 9 + number), f"B{number}")
    here.poll()
    for number in range(6):
        here.cancel(f"B{number}")
    here.poll()
    return cast


@pytest.fixture
def vanished(here: Town) -> list[Person]:
    """Six people whose visits at the centre have all disappeared at once."""
    cast = all_missed_once(here)
    here.wait(SECOND_LOOK + MINUTE)
    here.wait(HOUR)
    assert [text for person in cast for text in here.told(person)] == []
    return cast


def frozen(here: Town) -> list[freezes.Frozen]:
    with here.wiring.sessions.reading() as session:
        return freezes.frozen(session, here.now)


def release(here: Town) -> None:
    with here.wiring.sessions.writing() as session:
        (facility,) = known_facilities.by_ids(session, [CENTRE]).values()
        freezes.release(session, facility, here.now)


def test_a_frozen_facility_is_listed_with_what_is_missing_there(here: Town, vanished: list[Person]) -> None:
    (one,) = frozen(here)

    assert (one.facility, one.suspects, one.subjects) == (CENTRE, len(vanished), len(vanished))
    assert one.next_visit_at == at(9, 9)


def test_answers_that_did_not_see_each_others_suspects_freeze_it_before_anybody_is_told(here: Town) -> None:
    """Applied at the same time, each of them finds one person's visit missing, and nothing that would be a mass."""
    cast = all_missed_once(here)
    with here.wiring.sessions.writing() as session:  # as it stands then
        (facility,) = known_facilities.by_ids(session, [CENTRE]).values()
        facility.frozen_at = None
    here.wait(SECOND_LOOK + MINUTE)
    here.wait(HOUR)

    assert [one.facility for one in frozen(here)] == [CENTRE]
    assert [text for person in cast for text in here.told(person)] == []


def test_a_released_facility_is_not_frozen_by_the_same_suspects_and_people_are_told_neutrally(
    here: Town, vanished: list[Person]
) -> None:
    release(here)
    here.work()
    here.wait(SECOND_LOOK + MINUTE)
    here.wait(3 * MINUTE)

    assert frozen(here) == []
    told = [here.told(person) for person in vanished]
    assert {len(texts) for texts in told} == {1}
    assert all("visar inte längre" in text or "no longer" in text for (text,) in told)
    gone = [here.booking(person, f"B{number}").standing for number, person in enumerate(vanished)]
    assert gone == [Standing.GONE] * len(vanished)


def test_what_disappears_after_a_release_can_freeze_it_anew(here: Town, vanished: list[Person]) -> None:
    release(here)
    here.wait(SECOND_LOOK + MINUTE)
    for number, person in enumerate(vanished):
        here.book(person, at(16, 9 + number), f"C{number}")
    here.poll()
    for number in range(len(vanished)):
        here.cancel(f"C{number}")
    here.wait(MINUTE)
    here.poll()
    here.wait(SECOND_LOOK + MINUTE)  # answers applied at one moment may not see each other: looked into again by then

    assert [one.facility for one in frozen(here)] == [CENTRE]
    stand = [here.booking(person, f"C{number}").standing for number, person in enumerate(vanished)]
    assert stand == [Standing.BOOKED] * len(vanished)


def test_a_dry_run_reaches_no_provider(here: Town, anna: Person) -> None:
    folder = here.folder / "paper"
    settings = {**here.wiring.settings.model_dump(), "paper_folder": folder}
    dry = open_channels(read_settings({}, **settings).settings)
    here.wiring = replace(here.wiring, channels=dry)
    here.book(anna, at(10, 13), "NEW")
    here.poll()
    here.wait(3 * MINUTE)
    here.wait(HOUR)

    assert here.providers.messages() == []
    (written,) = [path.read_text() for path in folder.iterdir()]
    assert "10 december kl. 13.00" in written
