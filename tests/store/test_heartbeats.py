"""Signs of life, by the database's own clock, on both databases."""

from datetime import timedelta

from sqlmodel import col, update

from store import heartbeats
from store.columns import lease_clock
from store.database import Session, Sessions
from store.heartbeats import Heartbeat, Part
from store.identifiers import new_id

MINUTE = timedelta(minutes=1)


def silenced(session: Session, kind: Part, duration: timedelta) -> None:
    """As if parts of the kind had not been heard of for so long."""
    seen = update(Heartbeat).where(col(Heartbeat.kind) == kind).values(seen_at=lease_clock(-duration.total_seconds()))
    session.connection().execute(seen)


def test_a_part_has_one_row_however_often_it_beats(sessions: Sessions) -> None:
    clock, worker = new_id(), new_id()
    with sessions.writing() as session:
        heartbeats.note(session, clock, Part.CLOCK, "1.0")
        heartbeats.note(session, worker, Part.WORKER, "1.0")
        silenced(session, Part.CLOCK, MINUTE)
        silenced(session, Part.WORKER, MINUTE)
        heartbeats.note(session, clock, Part.CLOCK, "1.0")
        found = {beat.kind: beat.silent_for for beat in heartbeats.beats(session)}

    assert found.keys() == {Part.CLOCK, Part.WORKER}
    assert found[Part.CLOCK] < MINUTE <= found[Part.WORKER]


def test_one_that_stopped_as_it_should_is_not_missed_and_one_that_did_not_is_for_a_day(sessions: Sessions) -> None:
    stopped, killed, living = new_id(), new_id(), new_id()
    with sessions.writing() as session:
        heartbeats.note(session, stopped, Part.WORKER, "1.0")
        heartbeats.remove(session, [stopped])
        heartbeats.note(session, killed, Part.WORKER, "1.0")
        silenced(session, Part.WORKER, timedelta(hours=23))
        heartbeats.note(session, living, Part.CLOCK, "1.0")
        assert [beat.kind for beat in heartbeats.beats(session)] == [Part.CLOCK, Part.WORKER]

        silenced(session, Part.WORKER, timedelta(hours=25))
        heartbeats.note(session, living, Part.CLOCK, "1.0")
        assert [beat.kind for beat in heartbeats.beats(session)] == [Part.CLOCK]


def test_a_bell_is_wanted_while_any_worker_or_no_worker_is_to_be_heard_of(sessions: Sessions) -> None:
    with sessions.writing() as session:
        heartbeats.note(session, new_id(), Part.CLOCK, "1.0")
        assert heartbeats.is_overdue(session, Part.WORKER, MINUTE)
        heartbeats.note(session, new_id(), Part.WORKER, "1.0")
        assert not heartbeats.is_overdue(session, Part.WORKER, MINUTE)
        silenced(session, Part.WORKER, 2 * MINUTE)
        heartbeats.note(session, new_id(), Part.WORKER, "1.0")
        assert heartbeats.is_overdue(session, Part.WORKER, MINUTE)
