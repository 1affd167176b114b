"""Two workers never hold one row, and no wake-up is lost."""

from datetime import datetime, timedelta
from uuid import UUID

import pytest
from sqlmodel import update

from store.claims import Claim, anything_due, claim_due, finish, holds, release, wake
from store.database import Sessions
from store.identifiers import parse_subject_id
from store.subjects import PLANNING, Subject, add
from store.vault import Vault

LEASE = timedelta(seconds=60)


@pytest.fixture
def subject_id(sessions: Sessions, vault: Vault, now: datetime) -> UUID:
    with sessions.writing() as session:
        row = add(session, vault, parse_subject_id("191212121212", today=now.date()), language="sv", now=now)
        wake(session, PLANNING, [row.id], now)
        return row.id


def claimed(sessions: Sessions, now: datetime, lease: timedelta = LEASE) -> list[Claim]:
    with sessions.writing() as session:
        return claim_due(session, PLANNING, now, lease, 50)


def due_at(sessions: Sessions, subject_id: UUID) -> datetime | None:
    with sessions.reading() as session:
        return session.get_one(Subject, subject_id).next_planning_at


def test_a_row_is_not_taken_twice(sessions: Sessions, subject_id: UUID, now: datetime) -> None:
    first = claimed(sessions, now)

    assert [claim.id for claim in first] == [subject_id]
    assert claimed(sessions, now) == []


def test_a_row_is_not_taken_before_its_time(sessions: Sessions, subject_id: UUID, now: datetime) -> None:
    assert claimed(sessions, now - timedelta(seconds=1)) == []
    with sessions.reading() as session:
        assert anything_due(session, PLANNING, now)
        assert not anything_due(session, PLANNING, now - timedelta(seconds=1))


def test_a_dead_workers_row_is_taken_again_and_its_late_result_is_dropped(
    sessions: Sessions, subject_id: UUID, now: datetime
) -> None:
    (dead,) = claimed(sessions, now, timedelta(seconds=-1))  # a lease that has already run out
    (heir,) = claimed(sessions, now)

    with sessions.writing() as session:
        assert heir.fence > dead.fence
        assert not holds(session, PLANNING, dead)
        assert holds(session, PLANNING, heir)
        assert not finish(session, PLANNING, dead, now + timedelta(days=9))
        assert finish(session, PLANNING, heir, now + timedelta(days=1))
    assert due_at(sessions, subject_id) == now + timedelta(days=1)


def test_a_wake_up_during_the_work_is_not_lost(sessions: Sessions, subject_id: UUID, now: datetime) -> None:
    (claim,) = claimed(sessions, now)
    with sessions.writing() as session:
        wake(session, PLANNING, [subject_id], now)
    with sessions.writing() as session:
        assert finish(session, PLANNING, claim, now + timedelta(days=1))

    assert due_at(sessions, subject_id) == now
    assert len(claimed(sessions, now)) == 1


def test_a_later_wake_up_does_not_put_off_an_earlier_one(sessions: Sessions, subject_id: UUID, now: datetime) -> None:
    with sessions.writing() as session:
        wake(session, PLANNING, [subject_id], now + timedelta(hours=1))

    assert due_at(sessions, subject_id) == now


def test_a_released_row_is_free_at_once(sessions: Sessions, subject_id: UUID, now: datetime) -> None:
    claims = claimed(sessions, now)
    with sessions.writing() as session:
        release(session, PLANNING, claims)

    assert len(claimed(sessions, now)) == 1


def test_a_row_with_nothing_to_wait_for_is_never_due(sessions: Sessions, subject_id: UUID, now: datetime) -> None:
    with sessions.writing() as session:
        session.exec(update(Subject).values(next_planning_at=None))

    assert claimed(sessions, now + timedelta(days=999)) == []
