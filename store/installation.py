"""How the operator has set the whole installation: paused or not, and what a restored backup cannot know."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import CheckConstraint
from sqlmodel import Field, Session, SQLModel

from store.columns import UtcDateTime

_ONLY = 1


class Installation(SQLModel, table=True):
    """One row at most.

    After a restore from a backup, what was sent between `gap_from` (when the backup was made) and `gap_until` (when
    sending began anew) stands in no ledger: it is looked up at the provider before it is sent again. Both real time.
    """

    __tablename__ = "installation"
    __table_args__ = (CheckConstraint("id = 1", name="only_one"),)

    id: int = Field(default=_ONLY, primary_key=True)
    paused_at: datetime | None = Field(default=None, sa_type=UtcDateTime)  # nothing is sent; None: it is
    gap_from: datetime | None = Field(default=None, sa_type=UtcDateTime)
    gap_until: datetime | None = Field(default=None, sa_type=UtcDateTime)


@dataclass(frozen=True, slots=True)
class Gap:
    """What happened between these stands in no ledger of ours. Real time."""

    since: datetime
    until: datetime


def paused_at(session: Session) -> datetime | None:
    """Since when nothing is sent; None: it is."""
    row = session.get(Installation, _ONLY)
    return None if row is None else row.paused_at


def pause(session: Session, at: datetime) -> None:
    """Nothing is sent from now on; since when it has been so stays as it was."""
    row = _row(session)
    row.paused_at = row.paused_at or at


def resume(session: Session) -> None:
    """See `store.pauses.resume`, which also wakes what has been put off."""
    _row(session).paused_at = None


def gap(session: Session) -> Gap | None:
    """What a restored backup does not know, while that matters."""
    row = session.get(Installation, _ONLY)
    if row is None or row.gap_from is None or row.gap_until is None:
        return None
    return Gap(row.gap_from, row.gap_until)


def note_restore(session: Session, made_at: datetime, real_now: datetime) -> Gap:
    """The database is a backup made at that time, restored now: nothing is sent until somebody has looked at it.

    A gap that was open when the backup was made, or was noted before, stays open.
    """
    row = _row(session)
    row.paused_at = row.paused_at or real_now
    row.gap_from = min(made_at, row.gap_from or made_at)
    row.gap_until = real_now
    return Gap(row.gap_from, row.gap_until)


def close_gap(session: Session) -> None:
    """Nothing of the time that the backup does not know is to be sent any more."""
    row = _row(session)
    row.gap_from = row.gap_until = None


def _row(session: Session) -> Installation:
    """Locked until the transaction ends."""
    row = session.get(Installation, _ONLY, with_for_update=True) or Installation()
    session.add(row)
    return row
