"""Taking what is to be sent, and what is written around a send: the attempt before its first byte, and afterwards
what became of it.

The statements are made once: they are the hottest in the product, and making one costs more than running it.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import BindParameter, ColumnElement, Float, Insert, Update, and_, bindparam, insert, select, update
from sqlmodel import Session, SQLModel

from store.claims import Claim, anything_due, chosen_once
from store.columns import lease_clock
from store.deliveries import DISPATCHING, Attempt, AttemptOutcome, Delivery, Wording, is_queued
from store.delivery_states import DeliveryState

_FLOOR_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Queued(Claim):
    """A queued delivery taken by this worker."""

    channel: str


class Floor:
    """The first visit that a claim need look at: a lower bound, so that what was taken before, dead rows behind
    somebody's old snapshot included, is not gone through again.

    It holds while whole batches come, and never for longer than a minute: deliveries about earlier visits may be added
    meanwhile. Safe to share between threads.
    """

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._at: datetime | None = None
        self._since = monotonic()

    def at(self) -> datetime | None:
        if self._monotonic() - self._since > _FLOOR_SECONDS:
            self._at = None
        return self._at

    def note(self, last_visit_at: datetime | None) -> None:
        """The last visit of a whole batch; None: the batch was not whole, so there may be anything."""
        if self.at() is None:
            self._since = self._monotonic()
        self._at = last_visit_at


@dataclass(frozen=True, slots=True)
class Became:
    """What a delivery being sent became. `next_attempt_at`: of one that is queued again. `ask_in`: until the provider
    is asked about it, lease time; None: it is not."""

    state: DeliveryState
    reason: str = ""
    settled_at: datetime | None = None
    next_attempt_at: datetime | None = None
    ask_in: timedelta | None = None


def claim_to_send(
    session: Session, now: datetime, lease: timedelta, limit: int, floor: Floor | None = None
) -> list[Queued]:
    """Takes up to `limit` queued deliveries that are due, the first visit first, for `lease` of lease time.

    One whose lease ran out while it lay queued has lost its worker, perhaps to itself: it is taken before others and
    alone, so that its crashes are its own, and they are counted.
    """
    values = {"now": now, "lease": lease.total_seconds(), "most": limit}
    orphaned = _taken(session, _taking(is_orphaned=True), {**values, "most": 1})
    if orphaned:
        return [Queued(*row[1:]) for row in orphaned]
    at = None if floor is None else floor.at()
    rows = _taken(session, _taking(is_floored=True), {**values, "floor": at}) if at is not None else []
    rows = rows or _taken(session, _taking(), values)
    if floor is not None:
        floor.note(rows[-1][0] if len(rows) == limit else None)
    return [Queued(*row[1:]) for row in rows]


def anything_to_send(session: Session, now: datetime) -> bool:
    """Whether a queued delivery is due that no living worker holds."""
    return anything_due(session, DISPATCHING, now, is_queued())


def begin(session: Session, claim: Claim, margin: timedelta, attempt: Attempt, wording: Wording) -> bool:
    """Marks the delivery as being sent and adds the attempt; False if the claim is lost or has less than `margin`
    left. Commit before the first byte."""
    connection = session.connection()
    mine = {"claimed": claim.id, "held": claim.fence, "margin": margin.total_seconds()}
    if connection.execute(_beginning(), mine).rowcount != 1:
        return False
    connection.execute(_adding(Attempt), _row(attempt))
    connection.execute(_adding(Wording), _row(wording))
    return True


def settle_attempt(  # noqa: PLR0913 - the attempt's own columns
    session: Session, attempt_id: UUID, outcome: AttemptOutcome, provider_id: str | None, code: str, now: datetime
) -> None:
    """Writes what became of an attempt, unless a receipt has told already."""
    values = {"new_outcome": outcome.value, "new_provider_id": provider_id, "new_code": code, "new_settled_at": now}
    session.connection().execute(_settling_attempt(), {"attempt": attempt_id, **values})


def settle(session: Session, claim: Claim, became: Became) -> bool:
    """Writes what became of a delivery being sent; False if somebody else (a receipt, a recovery) did so before."""
    values: dict[str, Any] = {
        "claimed": claim.id,
        "held": claim.fence,
        "new_state": became.state.value,
        "new_reason": became.reason,
        "new_settled_at": became.settled_at,
        "new_next_attempt_at": became.next_attempt_at or claim.due_at,
    }
    if became.ask_in is not None:
        values["ask_in"] = became.ask_in.total_seconds()
    statement = _settling(asks=became.ask_in is not None, is_unknown=became.state == DeliveryState.UNCERTAIN)
    return session.connection().execute(statement, values).rowcount == 1


def _taken(session: Session, statement: Update, values: dict[str, Any]) -> list[Any]:
    """In the order in which they are to be sent."""
    return sorted(session.connection().execute(statement, values).all(), key=lambda row: row[:2])


@cache
def _taking(*, is_orphaned: bool = False, is_floored: bool = False) -> Update:
    row = _columns(Delivery)
    due = [is_queued(), row.next_attempt_at <= bindparam("now")]
    clock = select(lease_clock()).scalar_subquery()  # asked once: compared with a moving clock, no index would serve
    due.append(row.claimed_until < clock if is_orphaned else row.claimed_until.is_(None))
    if is_floored:
        due.append(row.visit_at >= bindparam("floor"))
    order = (row.claimed_until,) if is_orphaned else (row.visit_at, row.id)
    chosen = select(row.id).where(*due).order_by(*order).limit(bindparam("most"))
    return (
        update(row.id.table)
        .where(row.id.in_(chosen_once(chosen)))
        .values(
            claimed_until=lease_clock(bindparam("lease", type_=Float())),
            fence=row.fence + 1,
            crash_count=row.crash_count + int(is_orphaned),
        )
        .returning(row.visit_at, row.id, row.fence, row.wakes, row.next_attempt_at, row.channel)
    )


@cache
def _beginning() -> Update:
    row = _columns(Delivery)
    in_time = row.claimed_until > lease_clock(bindparam("margin", type_=Float()))
    return update(row.id.table).where(_mine(), is_queued(), in_time).values(state=DeliveryState.SENDING.value)


@cache
def _adding(model: type[SQLModel]) -> Insert:
    return insert(_columns(model).values()[0].table)


@cache
def _settling_attempt() -> Update:
    row = _columns(Attempt)
    open_still = (row.id == bindparam("attempt"), row.outcome.is_(None))
    return update(row.id.table).where(*open_still).values(_new("outcome", "provider_id", "code", "settled_at"))


@cache
def _settling(*, asks: bool, is_unknown: bool) -> Update:
    row = _columns(Delivery)
    values: dict[str, Any] = {
        **_new("state", "reason", "settled_at", "next_attempt_at"),
        "claimed_until": None,
        "asked": 0,
        "ask_at": lease_clock(bindparam("ask_in", type_=Float())) if asks else None,
        "unknown_since": lease_clock() if is_unknown else None,
    }
    return update(row.id.table).where(_mine(), row.state == DeliveryState.SENDING.value).values(values)


def _mine() -> ColumnElement[bool]:
    row = _columns(Delivery)
    return and_(row.id == bindparam("claimed"), row.fence == bindparam("held"))


def _new(*names: str) -> dict[str, BindParameter[Any]]:
    return {name: bindparam(f"new_{name}") for name in names}


def _columns(model: type[SQLModel]) -> Any:  # noqa: ANN401 - the table's columns, by name
    return SQLModel.metadata.tables[str(model.__tablename__)].c


def _row(made: SQLModel) -> dict[str, Any]:
    return {name: getattr(made, name) for name in type(made).model_fields}
