"""How it stands, read from the database: what waits, for how long, by which clock; and never by reading it all."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlmodel import select, update

from store import figures, vitals
from store.bookings import Booking
from store.calendars import Calendar
from store.columns import lease_clock
from store.database import Session, Sessions
from store.deliveries import Attempt, Delivery, Receipt, Wording
from store.engagements import Engagement
from store.facilities import WHOLE_SOURCE, LogicalAddress, note_evidence, note_failure
from store.identifiers import first_id, new_id
from store.subjects import Subject
from store.vault import Vault
from tests import build
from tests.faults.promises import due_reminders
from tests.people import ANNA
from tests.store.query_plans import asked, plan, scans
from worker.actors import Kind

HOUR = timedelta(hours=1)
_NO_ROWS = (Kind.BEAT, Kind.POPULATION, Kind.WEIGHTS)
NOTHING_DUE = dict.fromkeys((str(kind) for kind in Kind if kind not in _NO_ROWS), timedelta())


def ago(duration: timedelta) -> lease_clock:
    return lease_clock(-duration.total_seconds())


@pytest.fixture
def settled(sessions: Sessions, vault: Vault, now: datetime) -> Sessions:
    """Three deliveries in the ledger, and nothing due."""
    due_reminders(sessions, vault, now, 3)
    with sessions.writing() as session:
        changed(session, Delivery, next_attempt_at=now + HOUR)
        changed(session, Subject, next_planning_at=None)
    return sessions


def changed(session: Session, table: Any, **values: Any) -> None:
    session.connection().execute(update(table).values(**values))


def look(session: Session, now: datetime) -> vitals.Vitals:
    return vitals.read(session, now, ["region", "other"])


def test_nothing_due_is_nothing_waited_for(settled: Sessions, now: datetime) -> None:
    with settled.reading() as session:
        found = look(session, now)

    assert found.overdue == NOTHING_DUE
    assert (found.uncertain, found.uncertain_for, found.tried, found.polled) == (0, timedelta(), None, None)
    assert (found.silent, found.frozen, found.paused_at, found.paused_clinics, found.gap) == ({}, 0, None, 0, None)


@pytest.mark.parametrize(
    ("kind", "table", "column"),
    [
        ("poll", Engagement, "next_poll_at"),
        ("plan", Subject, "next_planning_at"),
        ("dispatch", Delivery, "next_attempt_at"),
        ("passing", Booking, "passes_at"),
    ],
)
def test_what_is_due_by_business_time_is_measured_by_it(
    settled: Sessions, now: datetime, kind: str, table: Any, column: str
) -> None:
    with settled.writing() as session:
        changed(session, table, **{column: now - HOUR})
        assert look(session, now).overdue == {**NOTHING_DUE, kind: HOUR}
        assert look(session, now - 2 * HOUR).overdue == NOTHING_DUE


def test_a_receipt_an_enquiry_and_a_dead_workers_message_are_measured_by_the_databases_clock(
    settled: Sessions, now: datetime
) -> None:
    with settled.writing() as session:
        changed(session, Delivery, state="sending", claimed_until=ago(HOUR), ask_at=ago(2 * HOUR))
        session.add(receipt(due_at=datetime.now(UTC) - 3 * HOUR))
        session.flush()
        overdue = look(session, now + 1000 * HOUR).overdue

    hours = {kind: round(overdue[kind] / HOUR) for kind in ("recover", "resolve", "receipts")}
    assert hours == {"recover": 1, "resolve": 2, "receipts": 3}


def test_a_wording_kept_too_long_waits_to_be_forgotten(settled: Sessions, vault: Vault, now: datetime) -> None:
    with settled.writing() as session:
        made = attempt(session)
        session.flush()
        session.add(Wording(attempt_id=made.id, sealed_text="k1.x", keep_until=now - HOUR))
        session.flush()
        assert look(session, now).overdue == {**NOTHING_DUE, "retention": HOUR}


def test_what_nobody_knows_is_counted_and_the_oldest_named(settled: Sessions, now: datetime) -> None:
    with settled.writing() as session:
        changed(session, Delivery, state="uncertain", unknown_since=ago(HOUR))
        found = look(session, now)

    assert (found.uncertain, round(found.uncertain_for / HOUR)) == (3, 1)


def test_only_whole_sources_that_are_asked_count_as_silent(settled: Sessions, now: datetime) -> None:
    with settled.writing() as session:
        for source, address in (("region", WHOLE_SOURCE), ("other", build.VARDCENTRAL), ("former", WHOLE_SOURCE)):
            note_failure(session, source, address, "timeout", now - HOUR)
        assert look(session, now).silent == {"region": HOUR}
        note_evidence(session, "region", WHOLE_SOURCE, now)
        assert look(session, now).silent == {}


def test_the_oldest_answer_counts_only_for_those_who_are_asked_about(
    settled: Sessions, vault: Vault, now: datetime
) -> None:
    with settled.writing() as session:
        changed(session, Engagement, answer_begun_at=now - 9 * HOUR)
        subject = build.subject(session, vault, now, ANNA)
        build.engagement(session, subject.id, now, answer_begun_at=now - HOUR, next_poll_at=now + HOUR)
        assert look(session, now).polled == HOUR


def test_figures_count_each_promise_of_a_day_once_and_each_attempt_of_an_hour(settled: Sessions) -> None:
    with settled.writing() as session:
        changed(session, Delivery, state="delivered")
        one = session.exec(select(Delivery)).first()
        assert one is not None
        copied = {name: getattr(one, name) for name in Delivery.model_fields}
        session.add(Delivery(**{**copied, "id": old_id(figures.PROMISED)}))
        for outcome in ("accepted", "accepted", "unknown", None):
            attempt(session, outcome=outcome)
        attempt(session, id=old_id(figures.TRIED))
    with settled.reading() as session:
        found = figures.read(session)

    assert found.deliveries == {("reminder", "delivered"): 3}
    assert found.attempts == {("twilio", "accepted"): 2, ("twilio", "unknown"): 1, ("twilio", "none"): 1}
    assert found.queued == 0


def test_no_question_reads_a_whole_table_that_grows(settled: Sessions, now: datetime) -> None:
    with settled.reading() as session, asked(settled.engine) as statements:
        look(session, now)
        figures.read(session)
    with settled.reading() as session:
        plans = "\n".join(plan(session, *statement) for statement in statements)

    scanned = {word for table in growing() for word in scans(plans, table)}
    assert len(statements) > 15
    assert scanned == set()


def growing() -> set[str]:
    """All but heartbeats, clinics, facilities and the installation itself: rows by the dozen or the thousand."""
    tables = (Attempt, Booking, Calendar, Delivery, Engagement, LogicalAddress, Receipt, Subject, Wording)
    return {str(table.__tablename__) for table in tables}


def old_id(age: timedelta) -> UUID:
    """Of a row made just before that."""
    return first_id(datetime.now(UTC) - age - timedelta(minutes=1))


def receipt(**values: Any) -> Receipt:
    fields = {"provider": "twilio", "provider_id": str(new_id()), "status": "sent", "attempt_public_id": "x"}
    return Receipt(**{**fields, "received_at": datetime.now(UTC), **values})


def attempt(session: Session, **values: Any) -> Attempt:
    delivery = session.exec(select(Delivery.id)).first()
    row = Attempt(
        **{
            "delivery_id": delivery, "fence": 1, "public_id": str(new_id()), "provider": "twilio",
            "wording_digest": "", "began_at": datetime.now(UTC), **values,
        }
    )  # fmt: skip
    session.add(row)
    return row


@pytest.mark.parametrize("hours", [-2, 0, 2])
def test_a_clock_that_is_off_is_told_and_a_slow_answer_is_no_difference(
    settled: Sessions, now: datetime, monkeypatch: pytest.MonkeyPatch, hours: int
) -> None:
    class Shifted(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> datetime:
            return datetime.now(tz) + hours * HOUR

    monkeypatch.setattr(vitals, "datetime", Shifted)
    with settled.reading() as session:
        assert round(look(session, now).ahead / HOUR) == hours
