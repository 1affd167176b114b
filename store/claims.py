"""Taking due rows and giving them back: one worker at a time, by conditional UPDATE, on both databases."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, case, literal, or_, select, true, update
from sqlmodel import Session, col

from store.columns import Claimable, UtcDateTime, lease_clock

Moment = datetime | ColumnElement[datetime]
"""Business now, or the database's own clock (`lease_clock()`) for what waits by lease time."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A row taken by this worker, as it was when taken."""

    id: UUID
    fence: int
    wakes: int
    due_at: datetime


@dataclass(frozen=True, slots=True)
class Due:
    """A kind of row that waits: its table and the name of the column that says when it is due."""

    table: type[Claimable]
    column: str

    @property
    def at(self) -> ColumnElement[datetime]:
        return cast("ColumnElement[datetime]", getattr(self.table, self.column))

    @property
    def id(self) -> ColumnElement[UUID]:
        return cast("ColumnElement[UUID]", getattr(self.table, "id"))  # noqa: B009 - every claimable table has one


def anything_due(session: Session, due: Due, now: Moment, only: ColumnElement[bool] | None = None) -> bool:
    """Whether a row of this kind is due and free to take."""
    query = select(due.id).where(_free(due, now, only)).limit(1)
    return session.connection().execute(query).first() is not None


def claim_due(  # noqa: PLR0913 - one call says who, when, how many and for how long
    session: Session,
    due: Due,
    now: Moment,
    lease: timedelta,
    limit: int,
    *,
    only: ColumnElement[bool] | None = None,
) -> list[Claim]:
    """Takes up to `limit` due rows, the longest due first, for `lease` of lease time.

    Commit before working on them. Rows whose lease has run out are taken again with a higher fence.
    """
    chosen = select(due.id).where(_free(due, now, only)).order_by(due.at).limit(limit)
    statement = (
        update(due.table)
        .where(due.id.in_(chosen_once(chosen)))
        .values(claimed_until=lease_clock(lease.total_seconds()), fence=due.table.fence + 1)
        .returning(due.id, col(due.table.fence), col(due.table.wakes), due.at)
        .execution_options(synchronize_session=False)
    )
    rows = session.connection().execute(statement).all()
    return sorted((Claim(*row) for row in rows), key=lambda claim: claim.due_at)


def chosen_once(rows: Select[Any]) -> Select[Any]:
    """The ids of free rows for an UPDATE, locked where the database can. Chosen once: PostgreSQL may else choose anew
    for each row that it compares, and skip those it has taken meanwhile, so that a limit would hold for nothing."""
    locked = rows.with_for_update(skip_locked=True).cte("chosen")
    return select(locked.prefix_with("MATERIALIZED", dialect="postgresql").c.id)


def holds(session: Session, due: Due, claim: Claim) -> bool:
    """Whether the claim still stands: nobody has taken the row since, and its lease has not run out."""
    query = select(due.id).where(_mine(due, claim), col(due.table.claimed_until) > lease_clock())
    return session.connection().execute(query).first() is not None


def finish(session: Session, due: Due, claim: Claim, next_at: datetime | None, **values: Any) -> bool:  # noqa: ANN401
    """Gives the row back with its next time and other `values`; False if the claim was lost.

    A row woken since the claim keeps its own time, so that a wake-up during the work is not lost.
    """
    statement = (
        update(due.table)
        .where(_mine(due, claim))
        .values(
            {
                due.column: case((col(due.table.wakes) == claim.wakes, _instant(next_at)), else_=due.at),
                "claimed_until": None,
                **values,
            }
        )
        .execution_options(synchronize_session=False)
    )
    return session.connection().execute(statement).rowcount == 1


def wake(session: Session, due: Due, ids: Sequence[UUID], at: datetime) -> int:
    """Makes the rows due at `at`, or leaves them if they are due sooner; either way their worker will look again.
    Returns how many there are."""
    if not ids:
        return 0
    statement = (
        update(due.table)
        .where(due.id.in_(ids))
        .values(
            {
                due.column: case((due.at < at, due.at), else_=_instant(at)),
                "wakes": due.table.wakes + 1,
            }
        )
        .execution_options(synchronize_session=False)
    )
    return session.connection().execute(statement).rowcount


def release(session: Session, due: Due, claims: Iterable[Claim]) -> None:
    """Gives rows back untouched, due as they were (a worker that stops early)."""
    for claim in claims:
        statement = update(due.table).where(_mine(due, claim)).values(claimed_until=None)
        session.connection().execute(statement.execution_options(synchronize_session=False))


def _instant(at: datetime | None) -> ColumnElement[datetime | None]:
    """Typed: within CASE a bare datetime would be written in the driver's own format."""
    return literal(at, UtcDateTime())


def _free(due: Due, now: Moment, only: ColumnElement[bool] | None) -> ColumnElement[bool]:
    untaken = or_(col(due.table.claimed_until).is_(None), col(due.table.claimed_until) < lease_clock())
    return and_(due.at <= now, untaken, true() if only is None else only)


def _mine(due: Due, claim: Claim) -> ColumnElement[bool]:
    return and_(due.id == claim.id, col(due.table.fence) == claim.fence)
