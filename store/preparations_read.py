"""Who has said that they have read what is to be read before a visit, and who of those told has not."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from sqlalchemy import UniqueConstraint
from sqlmodel import Field, Session, SQLModel, col, select

from store.bookings import Booking
from store.columns import UtcDateTime
from store.deliveries import Delivery, DeliveryPart
from store.facilities import Facility
from store.identifiers import new_id
from store.inserting import insert_unless_there
from store.purposes import Purpose
from store.standing import Standing


class PreparationsRead(SQLModel, table=True):
    """Somebody's word that they have read: which text, and since when. Real time."""

    __tablename__ = "preparations_read"
    __table_args__ = (UniqueConstraint("booking_id", "reader_id"),)

    id: UUID = Field(default_factory=new_id, primary_key=True)
    booking_id: UUID = Field(foreign_key="bookings.id", ondelete="CASCADE")
    reader_id: UUID = Field(foreign_key="subjects.id", index=True)
    text_digest: str  # keyed: tells whether a text is the one that was read, and nothing of what it says
    read_at: datetime = Field(sa_type=UtcDateTime)


def note(session: Session, row: PreparationsRead) -> None:
    """Keeps the time it was first said of this text; another text's takes an earlier one's place."""
    if insert_unless_there(session, row):
        return
    known = session.exec(
        select(PreparationsRead)
        .where(col(PreparationsRead.booking_id) == row.booking_id, col(PreparationsRead.reader_id) == row.reader_id)
        .with_for_update()
    ).one()
    if known.text_digest != row.text_digest:
        known.text_digest, known.read_at = row.text_digest, row.read_at
        session.add(known)
        session.flush()


def of_visits(session: Session, booking_ids: Collection[UUID]) -> dict[UUID, list[PreparationsRead]]:
    """By booking, the latest first."""
    found: dict[UUID, list[PreparationsRead]] = {}
    query = select(PreparationsRead).where(col(PreparationsRead.booking_id).in_(booking_ids))
    for row in session.exec(query.order_by(col(PreparationsRead.read_at).desc())):
        found.setdefault(row.booking_id, []).append(row)
    return found


def coming_of(session: Session, clinic_id: UUID, now: datetime, until: datetime) -> list[tuple[Booking, Facility]]:
    """The clinic's visits from now until then, the first to come first."""
    query = (
        select(Booking, Facility)
        .join(Facility, col(Facility.hsa_id) == col(Booking.facility))
        .where(
            col(Facility.clinic_id) == clinic_id,
            col(Booking.standing) == Standing.BOOKED,
            col(Booking.start_at) > now,
            col(Booking.start_at) <= until,
        )
    )
    rows = session.exec(query.order_by(col(Booking.start_at), col(Booking.id)))
    return [(booking, place) for booking, place in rows]


def told_of(session: Session, booking_ids: Collection[UUID]) -> dict[UUID, Delivery]:
    """By booking, the last message about what is to be read before it, at the time it has now."""
    query = (
        select(DeliveryPart.booking_id, Delivery)
        .join(Delivery, col(Delivery.id) == col(DeliveryPart.delivery_id))
        .join(Booking, col(Booking.id) == col(DeliveryPart.booking_id))
        .where(
            col(DeliveryPart.booking_id).in_(booking_ids),
            col(DeliveryPart.time_version) == col(Booking.time_version),
            col(DeliveryPart.purpose) == Purpose.PREPARATIONS,
            col(DeliveryPart.dropped_reason) == "",
        )
    )
    rows = session.exec(query.order_by(col(Delivery.created_at), col(Delivery.id)))
    return {booking_id: delivery for booking_id, delivery in rows if booking_id is not None}
