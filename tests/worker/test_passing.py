"""Passing: a visit passes when its start comes, and for no other reason."""

from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID

import pytest
from sqlmodel import col, select

from store.bookings import PASSING, Booking, BookingChange
from store.claims import anything_due, claim_due
from store.database import Sessions
from store.standing import ChangeKind, Standing
from store.vault import Vault
from tests import build
from tests.conftest import NOW
from worker import passing

LEASE = timedelta(seconds=60)
HOUR = timedelta(hours=1)
Book = Callable[..., UUID]


@pytest.fixture
def book(sessions: Sessions, vault: Vault) -> Book:
    """Books visits for one subject."""
    with sessions.writing() as session:
        build.facility(session)
        engagement = build.engagement(session, build.subject(session, vault, NOW).id, NOW)

    def add(start_at: datetime, **values: object) -> UUID:
        with sessions.writing() as session:
            return build.booking(session, vault, engagement, start_at, **values).id

    return add


def passed(sessions: Sessions, vault: Vault, now: datetime) -> int:
    return passing.pass_due(sessions, vault, lambda: now, LEASE)


def row(sessions: Sessions, booking_id: UUID) -> Booking:
    with sessions.reading() as session:
        return session.get_one(Booking, booking_id)


def test_a_visit_passes_at_its_start_and_not_a_moment_sooner(sessions: Sessions, vault: Vault, book: Book) -> None:
    visit = book(NOW)
    assert passed(sessions, vault, NOW - timedelta(seconds=1)) == 0
    assert row(sessions, visit).standing == Standing.BOOKED
    assert passed(sessions, vault, NOW) == 1

    assert row(sessions, visit).standing == Standing.PASSED
    assert row(sessions, visit).passes_at is None
    assert passed(sessions, vault, NOW + HOUR) == 0


def test_it_is_remembered_as_a_change_that_nobody_is_told_of(sessions: Sessions, vault: Vault, book: Book) -> None:
    visit = book(NOW)
    passed(sessions, vault, NOW)

    with sessions.reading() as session:
        (change,) = session.exec(select(BookingChange).where(col(BookingChange.booking_id) == visit)).all()
    assert (change.kind, change.tell, change.at) == (ChangeKind.PASSED, False, NOW)


def test_a_visit_moved_later_since_stays_booked_and_is_looked_at_again_then(
    sessions: Sessions, vault: Vault, book: Book
) -> None:
    visit = book(NOW + HOUR, passes_at=NOW)
    passed(sessions, vault, NOW)

    assert row(sessions, visit).standing == Standing.BOOKED
    assert row(sessions, visit).passes_at == NOW + HOUR


@pytest.mark.parametrize("standing", [Standing.GONE, Standing.CANCELLED])
def test_a_visit_that_was_called_off_does_not_become_a_passed_one(
    sessions: Sessions, vault: Vault, book: Book, standing: Standing
) -> None:
    visit = book(NOW, standing=standing)
    passed(sessions, vault, NOW)

    assert row(sessions, visit).standing == standing
    with sessions.reading() as session:
        assert not anything_due(session, PASSING, NOW + HOUR)


def test_a_suspect_that_has_begun_is_suspected_no_longer(sessions: Sessions, vault: Vault, book: Book) -> None:
    visit = book(NOW, missed_at=NOW - HOUR, missed_on_evidence_at=NOW - HOUR, second_look_at=NOW + HOUR)
    passed(sessions, vault, NOW)

    found = row(sessions, visit)
    assert found.standing == Standing.PASSED
    assert {found.missed_at, found.missed_on_evidence_at, found.missed_directly_at, found.second_look_at} == {None}


def test_what_another_worker_has_taken_is_left_to_it(sessions: Sessions, vault: Vault, book: Book) -> None:
    visit = book(NOW)
    with sessions.writing() as session:
        claim_due(session, PASSING, NOW, LEASE, 10)

    assert passed(sessions, vault, NOW) == 0
    assert row(sessions, visit).standing == Standing.BOOKED


def test_many_visits_pass_in_batches_and_none_is_left(
    sessions: Sessions, vault: Vault, book: Book, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(passing, "_BATCH", 2)
    visits = [book(NOW - number * HOUR) for number in range(5)]

    assert [passed(sessions, vault, NOW) for _ in range(4)] == [2, 2, 1, 0]
    assert {row(sessions, one).standing for one in visits} == {Standing.PASSED}
