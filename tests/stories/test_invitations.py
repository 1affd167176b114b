"""Stories of open invitations: a to-do in the citizen's calendar while it stands, and never a word that is not so."""

from datetime import datetime, timedelta

import pytest

from store import bookings
from store.claims import wake
from store.engagements import POLLING, of_subject
from store.standing import Standing
from tests.stories.town import LABORATORY, SECOND_LOOK, SWEDEN, Town, get
from worker.demo.people import Person
from worker.demo.region_state import INDEX, Fault
from worker.web.app import build_app

HOUR = timedelta(hours=1)
DENTIST = "SE2321000016-4D20"


@pytest.fixture
def anna(here: Town) -> Person:
    """Somebody with one visit at the health centre, who has been asked about before."""
    (anna,) = here.enrol(1)
    here.book(anna, datetime(2026, 12, 9, 10, tzinfo=SWEDEN), "OLD")
    here.poll()
    return anna


def poll_alone(here: Town, person: Person) -> None:
    """A poll that nothing but the clock called for."""
    with here.wiring.sessions.writing() as session:
        ids = [one.id for one in of_subject(session, here.subject_id(person))]
        wake(session, POLLING, ids, here.now)
    here.work()


def test_an_invitation_from_a_clinic_without_visits_is_a_to_do_after_one_ordinary_poll(
    here: Town, anna: Person
) -> None:
    end = datetime(2027, 1, 16, tzinfo=SWEDEN)
    here.invite(anna, "K1", DENTIST, end_at=end, purpose="Ta med glasögonen.")
    poll_alone(here, anna)

    (to_do,) = here.to_dos(anna)
    assert to_do.startswith("BEGIN:VTODO")
    assert "STATUS:NEEDS-ACTION" in to_do
    assert "DUE;VALUE=DATE:20270115" in to_do  # the end is exclusive
    assert "https://www.1177.se" in to_do
    app = build_app(here.wiring)
    assert "VTODO" not in get(app, here.address(anna)).text  # a feed has times only
    app.close()
    here.wait(24 * HOUR)
    assert here.told(anna) == []  # no time, no reminder


def test_an_invitation_from_a_clinic_with_visits_comes_with_the_next_look(here: Town, anna: Person) -> None:
    here.invite(anna, "K1")
    poll_alone(here, anna)
    assert here.to_dos(anna) == []  # nothing in the schedule's answer tells of it

    here.wait(6 * HOUR)
    assert len(here.to_dos(anna)) == 1


def test_a_withdrawn_invitation_goes_only_when_the_index_has_twice_been_without_it(here: Town, anna: Person) -> None:
    here.invite(anna, "K2", LABORATORY)
    here.poll()
    (kept,) = here.to_dos(anna)
    here.invite(anna, "K1")
    here.poll()
    here.region.state.withdraw("K1")
    for fault in (Fault.FAULT, Fault.TRUNCATED, Fault.DENIED):
        here.fail(INDEX, fault)
        for _ in range(3):
            here.poll()
            here.wait(SECOND_LOOK)
        assert len(here.to_dos(anna)) == 2, fault
    here.fail(INDEX, Fault.OK)
    here.poll()
    assert len(here.to_dos(anna)) == 2  # missed once

    here.wait(SECOND_LOOK)
    (left,) = here.to_dos(anna)
    assert left == kept
    assert here.told(anna) == []


def test_an_index_that_lost_its_records_for_a_moment_takes_nothing_away(here: Town, anna: Person) -> None:
    here.invite(anna, "K1")
    here.poll()
    before = here.to_dos(anna)
    here.fail(INDEX, Fault.EMPTY)
    here.poll()
    here.fail(INDEX, Fault.OK)
    here.wait(SECOND_LOOK)
    here.wait(6 * HOUR)

    assert here.to_dos(anna) == before


@pytest.mark.parametrize("facility", [DENTIST, LABORATORY])
def test_a_booked_invitation_is_a_visit_and_no_to_do_any_more(here: Town, anna: Person, facility: str) -> None:
    here.invite(anna, "K1", facility)
    here.poll()
    at = datetime(2026, 12, 14, 11, tzinfo=SWEDEN)
    here.region.state.book_invitation("K1", at, timedelta(minutes=30))
    poll_alone(here, anna)

    assert here.to_dos(anna) == []
    with here.wiring.sessions.reading() as session:
        visits = bookings.of_subject(session, here.subject_id(anna))
    assert [(one.booking_id, one.standing) for one in visits][-1] == ("K1", Standing.BOOKED)


def test_one_that_comes_back_is_the_same_to_do(here: Town, anna: Person) -> None:
    here.invite(anna, "K1")
    here.poll()
    (before,) = here.to_dos(anna)
    here.region.state.withdraw("K1")
    here.poll()
    here.wait(SECOND_LOOK)
    assert here.to_dos(anna) == []

    here.invite(anna, "K1")
    here.poll()
    (after,) = here.to_dos(anna)
    assert value(after, "UID") == value(before, "UID")
    assert int(value(after, "SEQUENCE")) > int(value(before, "SEQUENCE"))


def value(to_do: str, name: str) -> str:
    return to_do.split(f"\r\n{name}:")[1].split("\r\n")[0]
