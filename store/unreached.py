"""Who could not be told of what: nothing is left to try, so that a letter or a call can follow."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, Index, String, UniqueConstraint, and_, cast, exists, literal, not_, or_
from sqlmodel import Field, Session, SQLModel, col, func, select

from store.bookings import Booking
from store.columns import UtcDateTime, one_of
from store.deliveries import Delivery, DeliveryPart
from store.delivery_states import DeliveryState
from store.identifiers import new_id
from store.inserting import insert_unless_there
from store.letters import Letter, LetterOccasion
from store.purposes import CHANGE_NOTICES, Purpose
from store.standing import Standing

_UNDER_WAY = (DeliveryState.QUEUED, DeliveryState.SENDING, DeliveryState.DELIVERED)


class Unreached(SQLModel, table=True):
    """One occasion and one recipient. It stays when they are reached after all: the questions here leave it out."""

    __tablename__ = "unreached"
    __table_args__ = (
        UniqueConstraint("purpose", "occasion", "recipient_id"),
        one_of("purpose", Purpose),
        Index("ix_unreached_clinic", "clinic_id", "visit_at"),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    clinic_id: UUID = Field(foreign_key="clinics.id")
    subject_id: UUID = Field(foreign_key="subjects.id")
    recipient_id: UUID = Field(foreign_key="subjects.id")
    purpose: Purpose = Field(sa_type=String)
    occasion: str
    booking_id: UUID | None = Field(default=None)
    visit_at: datetime = Field(sa_type=UtcDateTime)
    reason: str
    at: datetime = Field(sa_type=UtcDateTime)


@dataclass(frozen=True, slots=True)
class NotReached:
    """As a list shows it. `booking_id` leads to the visit."""

    purpose: Purpose
    subject_id: UUID
    recipient_id: UUID
    booking_id: UUID | None
    visit_at: datetime
    reason: str
    at: datetime
    letter: str = ""  # its number
    letter_at: datetime | None = None


def note(session: Session, row: Unreached) -> None:
    """Remembers it once."""
    insert_unless_there(session, row)


def listed(session: Session, clinic_id: UUID, now: datetime, reporting: Collection[str]) -> list[NotReached]:
    """Who has not been told of visits to come, the first visit first. `reporting`: channels whose `accepted` is not yet
    an arrival. Whoever a letter was printed for is listed with it: nobody knows whether a letter has arrived."""
    query = (
        select(Unreached, Letter)
        .outerjoin(LetterOccasion, col(LetterOccasion.unreached_id) == col(Unreached.id))
        .outerjoin(Letter, col(Letter.id) == col(LetterOccasion.letter_id))
        .where(col(Unreached.clinic_id) == clinic_id, *_open(now, reporting))
    )
    rows = session.exec(query.order_by(col(Unreached.visit_at), col(Unreached.id)))
    return [_as_listed(row, letter) for row, letter in rows]


def to_print(session: Session, clinic_id: UUID, now: datetime, reporting: Collection[str]) -> list[Unreached]:
    """Those of the listed for whom no letter has been printed."""
    printed = exists().where(col(LetterOccasion.unreached_id) == col(Unreached.id))
    query = select(Unreached).where(col(Unreached.clinic_id) == clinic_id, *_open(now, reporting), not_(printed))
    return list(session.exec(query.order_by(col(Unreached.visit_at), col(Unreached.id))))


def to_print_again(
    session: Session, letter_ids: Collection[UUID], now: datetime, reporting: Collection[str]
) -> list[Unreached]:
    """Those of the listed for whom these letters were printed."""
    query = (
        select(Unreached)
        .join(LetterOccasion, col(LetterOccasion.unreached_id) == col(Unreached.id))
        .where(col(LetterOccasion.letter_id).in_(letter_ids), *_open(now, reporting))
    )
    return list(session.exec(query.order_by(col(Unreached.visit_at), col(Unreached.id))))


def count(session: Session, now: datetime, reporting: Collection[str]) -> int:
    """How many such occasions there are at all clinics."""
    return session.exec(select(func.count()).select_from(Unreached).where(*_open(now, reporting))).one()


def _as_listed(row: Unreached, letter: Letter | None) -> NotReached:
    return NotReached(
        purpose=Purpose(row.purpose),
        subject_id=row.subject_id,
        recipient_id=row.recipient_id,
        booking_id=row.booking_id,
        visit_at=row.visit_at,
        reason=row.reason,
        at=row.at,
        letter="" if letter is None else letter.number,
        letter_at=None if letter is None else letter.made_at,
    )


def _open(now: datetime, reporting: Collection[str]) -> tuple[ColumnElement[bool], ...]:
    """Of visits to come, while what was to be told is true and nobody has been told of it."""
    is_true = or_(col(Unreached.booking_id).is_(None), _stands())
    return col(Unreached.visit_at) > now, is_true, not_(_is_told(reporting))


def _stands() -> ColumnElement[bool]:
    """A reminder is about a visit at a certain time, a change notice about whatever stands in the end."""
    same_time = literal("/time:") + cast(col(Booking.time_version), String)
    as_booked = and_(
        col(Booking.standing) == Standing.BOOKED,
        or_(col(Unreached.occasion).startswith("change:"), col(Unreached.occasion).endswith(same_time)),
    )
    is_notice = col(Unreached.purpose).in_([one.value for one in sorted(CHANGE_NOTICES)])
    return exists().where(col(Booking.id) == col(Unreached.booking_id), or_(is_notice, as_booked))


def _is_told(reporting: Collection[str]) -> ColumnElement[bool]:
    """Told, or about to be, by whatever channel."""
    taken_for_good = and_(col(Delivery.state) == DeliveryState.ACCEPTED, col(Delivery.channel).not_in(list(reporting)))
    return exists().where(
        col(DeliveryPart.purpose) == col(Unreached.purpose),
        col(DeliveryPart.occasion) == col(Unreached.occasion),
        col(Delivery.recipient_id) == col(Unreached.recipient_id),
        col(Delivery.id) == col(DeliveryPart.delivery_id),
        or_(col(Delivery.state).in_([one.value for one in _UNDER_WAY]), taken_for_good),
    )
