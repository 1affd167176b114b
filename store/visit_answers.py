"""What people have answered about their visits: that they come, or that they want to cancel. Neither changes a booking:
a cancel is a request, which the clinic carries out and marks as handled.
"""

from collections.abc import Collection
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, String, UniqueConstraint, text
from sqlmodel import Field, Session, SQLModel, col, select

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


def add(session: Session, answer: VisitAnswer) -> bool:
    """False if it had been given before."""
    return insert_unless_there(session, answer)


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


def requests(session: Session, clinic_id: UUID, *, handled: bool = False) -> list[tuple[VisitAnswer, Booking | None]]:
    """Whoever wants to cancel at the clinic, the first visit first; without those already handled, unless asked for."""
    query = (
        select(VisitAnswer, Booking)
        .outerjoin(Booking, col(Booking.id) == col(VisitAnswer.booking_id))
        .where(col(VisitAnswer.clinic_id) == clinic_id, col(VisitAnswer.kind) == AnswerKind.CANCEL)
        .order_by(col(Booking.start_at), col(VisitAnswer.id))
    )
    rows = session.exec(query if handled else query.where(col(VisitAnswer.handled_at).is_(None)))
    return [(answer, booking) for answer, booking in rows]


def handle(session: Session, answer_id: UUID, clinic_id: UUID, by: str, now: datetime) -> VisitAnswer | None:
    """Marks a request as handled, once; None if the clinic has no such open request."""
    row = session.get(VisitAnswer, answer_id, with_for_update=True)
    if row is None or row.clinic_id != clinic_id or row.kind != AnswerKind.CANCEL or row.handled_at is not None:
        return None
    row.handled_at, row.handled_by = now, by
    session.add(row)
    return row
