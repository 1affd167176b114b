"""What people have answered about their visits: that they come, or that they want to cancel. Neither changes a booking:
a cancel is a request, which the clinic carries out and marks as handled.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import CheckConstraint, ColumnElement, Index, String, UniqueConstraint, text
from sqlalchemy.orm import aliased
from sqlmodel import Field, Session, SQLModel, col, select, update

from store.bookings import Booking
from store.columns import UtcDateTime, one_of
from store.identifiers import new_id
from store.inserting import insert_unless_there


class AnswerKind(StrEnum):
    CONFIRM = "confirm"
    CANCEL = "cancel"


class VisitAnswer(SQLModel, table=True):
    """One person's answer about one visit at one time of it; the same one once. A request is open until handled."""

    __tablename__ = "visit_answers"
    __table_args__ = (
        UniqueConstraint("kind", "booking_id", "time_version", "recipient_id"),
        one_of("kind", AnswerKind),
        CheckConstraint("(handled_at is null) = (handled_by = '')", name="handled_by_somebody"),
        Index(
            "ix_visit_answers_open",
            "clinic_id",
            sqlite_where=text("kind = 'cancel' and handled_at is null"),
            postgresql_where=text("kind = 'cancel' and handled_at is null"),
        ),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    kind: AnswerKind = Field(sa_type=String)
    booking_id: UUID = Field(index=True)  # no foreign key: a move may merge the row away
    time_version: int  # the booking's, as answered about
    subject_id: UUID = Field(foreign_key="subjects.id", index=True)  # whose visit
    recipient_id: UUID = Field(foreign_key="subjects.id")  # who was told, and answered
    clinic_id: UUID = Field(foreign_key="clinics.id")
    way: str  # "sms", "link"
    answered_at: datetime = Field(sa_type=UtcDateTime)
    handled_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    handled_by: str = Field(default="")


@dataclass(frozen=True, slots=True)
class Request:
    """A wish to cancel. `booking` None: merged away. `is_taken_back`: the person has said since that they come."""

    answer: VisitAnswer
    booking: Booking | None
    is_taken_back: bool


def add(session: Session, answer: VisitAnswer) -> bool:
    """False if it had been given before: then it is their latest word again."""
    if insert_unless_there(session, answer):
        return True
    session.exec(
        update(VisitAnswer)
        .where(
            col(VisitAnswer.kind) == answer.kind,
            col(VisitAnswer.booking_id) == answer.booking_id,
            col(VisitAnswer.time_version) == answer.time_version,
            col(VisitAnswer.recipient_id) == answer.recipient_id,
            col(VisitAnswer.handled_at).is_(None),
        )
        .values(answered_at=answer.answered_at)
    )
    return False


def answered(
    session: Session, kind: AnswerKind, recipient_id: UUID, booking_ids: Collection[UUID]
) -> set[tuple[UUID, int]]:
    """Which of these visits, at which of their times, the person has answered so about."""
    query = select(VisitAnswer.booking_id, VisitAnswer.time_version).where(
        col(VisitAnswer.kind) == kind,
        col(VisitAnswer.recipient_id) == recipient_id,
        col(VisitAnswer.booking_id).in_(booking_ids),
    )
    return {(booking_id, version) for booking_id, version in session.exec(query)}


def requests(session: Session, clinic_id: UUID, *, handled: bool = False) -> list[Request]:
    """Whoever wants to cancel at the clinic, the first visit first; without those already handled, unless asked for."""
    query = (
        select(VisitAnswer, Booking, _is_taken_back())
        .outerjoin(Booking, col(Booking.id) == col(VisitAnswer.booking_id))
        .where(col(VisitAnswer.clinic_id) == clinic_id, col(VisitAnswer.kind) == AnswerKind.CANCEL)
        .order_by(col(Booking.start_at), col(VisitAnswer.id))
    )
    rows = session.exec(query if handled else query.where(col(VisitAnswer.handled_at).is_(None)))
    return [Request(*row) for row in rows]


def handle(session: Session, answer_id: UUID, clinic_id: UUID, by: str, now: datetime) -> VisitAnswer | None:
    """Marks a request as handled, once; None if the clinic has no such open request."""
    row = session.get(VisitAnswer, answer_id, with_for_update=True)
    if row is None or row.clinic_id != clinic_id or row.kind != AnswerKind.CANCEL or row.handled_at is not None:
        return None
    row.handled_at, row.handled_by = now, by
    session.add(row)
    return row


def _is_taken_back() -> ColumnElement[bool]:
    later = aliased(VisitAnswer)
    return (
        select(later.id)
        .where(
            col(later.kind) == AnswerKind.CONFIRM,
            col(later.booking_id) == col(VisitAnswer.booking_id),
            col(later.time_version) == col(VisitAnswer.time_version),
            col(later.recipient_id) == col(VisitAnswer.recipient_id),
            col(later.answered_at) > col(VisitAnswer.answered_at),
        )
        .exists()
    )
