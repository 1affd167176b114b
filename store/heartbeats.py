"""Heartbeats: which parts of our processes get on with their work, by the database's own clock."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from sqlalchemy import String, insert, update
from sqlmodel import Field, Session, SQLModel, col, delete, func, select

from store.columns import UtcDateTime, lease_clock, one_of
from store.identifiers import new_id

_KEPT = timedelta(days=1)


class Part(StrEnum):
    """What a process does. One process may do all three, and then has a row for each."""

    WEB = "web"
    WORKER = "worker"
    CLOCK = "clock"


class Heartbeat(SQLModel, table=True):
    """One part of a process: what it is, since when, and when it last showed that it gets on with its work."""

    __tablename__ = "heartbeats"
    __table_args__ = (one_of("kind", Part),)

    id: UUID = Field(default_factory=new_id, primary_key=True)
    kind: Part = Field(sa_type=String, index=True)
    version: str
    started_at: datetime = Field(sa_type=UtcDateTime)  # lease time
    seen_at: datetime = Field(sa_type=UtcDateTime)  # lease time


@dataclass(frozen=True, slots=True)
class Beat:
    """When a part of a process was last heard of."""

    kind: Part
    version: str
    silent_for: timedelta


def note(session: Session, heartbeat_id: UUID, kind: Part, version: str) -> None:
    """The part gets on with its work. What has been silent for a day is forgotten."""
    connection = session.connection()
    seen = update(Heartbeat).where(col(Heartbeat.id) == heartbeat_id).values(seen_at=lease_clock())
    if connection.execute(seen).rowcount == 0:
        row = {"id": heartbeat_id, "kind": kind, "version": version}
        connection.execute(insert(Heartbeat).values(**row, started_at=lease_clock(), seen_at=lease_clock()))
    connection.execute(delete(Heartbeat).where(col(Heartbeat.seen_at) < lease_clock(-_KEPT.total_seconds())))


def remove(session: Session, heartbeat_ids: Iterable[UUID]) -> None:
    """These have stopped as they should: nobody need miss them."""
    session.connection().execute(delete(Heartbeat).where(col(Heartbeat.id).in_(list(heartbeat_ids))))


def forget(session: Session) -> None:
    """None of those known runs on this database: it is a backup of theirs."""
    session.connection().execute(delete(Heartbeat))


def beats(session: Session) -> list[Beat]:
    """Every part that has not stopped as it should, the one last heard of first."""
    rows = session.exec(select(Heartbeat, lease_clock()).order_by(col(Heartbeat.seen_at).desc()))
    return [Beat(Part(row.kind), row.version, clock - row.seen_at) for row, clock in rows]


def is_overdue(session: Session, kind: Part, after: timedelta) -> bool:
    """Whether one of this kind has not been heard of for so long, or there is none."""
    first = select(func.min(col(Heartbeat.seen_at)), lease_clock(-after.total_seconds()))
    seen_at, limit = session.exec(first.where(col(Heartbeat.kind) == kind)).one()
    return seen_at is None or seen_at < limit
