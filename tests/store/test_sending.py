"""What is due to be sent is found by its index, the first visit first, however much lies in the table and however long
the backlog; and nothing stays unseen behind the lower bound."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import pytest
from sqlalchemy import event, text
from sqlmodel import Session, col, select, update

from store.claims import claim_due, release
from store.database import Sessions
from store.deliveries import DISPATCHING, Delivery
from store.sending import Floor, Queued, anything_to_send, claim_to_send
from store.unsettled import anything_lost, anything_to_ask
from store.vault import Vault
from tests.faults.promises import due_codes

LEASE = timedelta(seconds=60)
MANY = 12


class Watch:
    at = 0.0

    def now(self) -> float:
        return self.at


@pytest.fixture
def backlog(sessions: Sessions, vault: Vault, now: datetime) -> Sessions:
    due_codes(sessions, vault, now, MANY)
    return sessions


def taken(sessions: Sessions, now: datetime, limit: int, floor: Floor | None = None) -> list[Queued]:
    with sessions.writing() as session:
        return claim_to_send(session, now, LEASE, limit, floor)


def visits(sessions: Sessions, claims: Sequence[Queued]) -> list[datetime]:
    with sessions.reading() as session:
        return [session.get_one(Delivery, claim.id).visit_at for claim in claims]


def test_a_backlog_goes_out_the_first_visit_first_whatever_the_bound(backlog: Sessions, now: datetime) -> None:
    floor = Floor()
    batches = [taken(backlog, now, 5, floor) for _ in range(4)]

    assert [len(batch) for batch in batches] == [5, 5, 2, 0]
    found = visits(backlog, [claim for batch in batches for claim in batch])
    assert found == sorted(found)
    assert {claim.channel for claim in batches[0]} == {"sms"}


def test_what_was_given_back_below_the_bound_is_seen_when_the_backlog_ends(backlog: Sessions, now: datetime) -> None:
    floor = Floor()
    first = taken(backlog, now, 5, floor)
    taken(backlog, now, 5, floor)
    with backlog.writing() as session:
        release(session, DISPATCHING, first)

    taken(backlog, now, 5, floor)  # the last two: not a whole batch
    assert [claim.id for claim in taken(backlog, now, 5, floor)] == [claim.id for claim in first]


def test_what_comes_below_the_bound_waits_a_minute_at_most(backlog: Sessions, now: datetime) -> None:
    watch = Watch()
    floor = Floor(watch.now)
    first = taken(backlog, now, 5, floor)
    with backlog.writing() as session:
        release(session, DISPATCHING, first)
    assert not {claim.id for claim in taken(backlog, now, 5, floor)} & {claim.id for claim in first[:4]}

    watch.at += 61
    assert [claim.id for claim in taken(backlog, now, 4, floor)] == [claim.id for claim in first[:4]]


def test_the_bound_alone_never_makes_a_worker_believe_that_nothing_is_due(backlog: Sessions, now: datetime) -> None:
    floor = Floor()
    first = taken(backlog, now, MANY, floor)
    with backlog.writing() as session:
        release(session, DISPATCHING, first)
        late = now + timedelta(days=30)
        session.exec(update(Delivery).where(col(Delivery.id) != first[0].id).values(next_attempt_at=late))

    assert [claim.id for claim in taken(backlog, now, 5, floor)] == [first[0].id]


def test_no_question_about_what_is_due_reads_every_delivery_ever_made(backlog: Sessions, now: datetime) -> None:
    asked: list[tuple[str, Any]] = []
    event.listen(backlog.engine, "before_cursor_execute", lambda *call: asked.append((call[2], call[3])))
    with backlog.writing() as session:
        claim_to_send(session, now, LEASE, 5, Floor())
        anything_to_send(session, now)
        anything_lost(session)
        anything_to_ask(session)

    for statement, values in [one for one in asked if "deliveries" in one[0]]:
        assert "ix_deliveries_" in plan(backlog, statement, values), statement


def plan(sessions: Sessions, statement: str, values: Any) -> str:
    """How the database would go about it, were the table large."""
    with sessions.writing() as session:
        connection = session.connection()
        if not sessions.on_postgresql:
            return str(connection.exec_driver_sql(f"explain query plan {statement}", values).all())
        connection.execute(text("set local enable_seqscan = off"))
        connection.execute(text("set local enable_bitmapscan = off"))
        return str(connection.exec_driver_sql(f"explain {statement}", values).all())


def test_a_delivery_that_is_claimed_is_nobody_elses(backlog: Sessions, now: datetime) -> None:
    first, second = taken(backlog, now, 8), taken(backlog, now, 8)

    assert (len(first), len(second)) == (8, 4)
    assert not {claim.id for claim in first} & {claim.id for claim in second}
    with backlog.reading() as session:
        assert not anything_to_send(session, now)
        assert states(session) == {"queued"}


def states(session: Session) -> set[str]:
    return {str(state) for state in session.exec(select(Delivery.state))}


@pytest.mark.parametrize("most", [1, 8])
def test_a_claim_takes_no_more_than_its_limit_whatever_plan_the_database_makes(
    backlog: Sessions, now: datetime, most: int
) -> None:
    """PostgreSQL may read a subselect anew for each row that it is compared with, and find others free each time."""
    for takes in (partial(claim_to_send, now=now), partial(claim_due, due=DISPATCHING, now=now)):
        with backlog.writing() as session:
            compare_row_by_row(session)
            assert len(takes(session, lease=LEASE, limit=most)) == most
            session.rollback()


def compare_row_by_row(session: Session) -> None:
    if session.get_bind().dialect.name != "postgresql":
        return
    for other in ("hashagg", "hashjoin", "mergejoin", "sort", "material", "indexscan", "bitmapscan"):
        session.connection().execute(text(f"set local enable_{other} = off"))
