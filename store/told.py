"""What an address has been told of, for whoever answers a message: which visit can they mean?"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlmodel import Session, col, select

from store.bookings import Booking
from store.deliveries import Delivery, DeliveryPart
from store.delivery_states import DeliveryState
from store.facilities import Facility
from store.subjects import ContactPoint

_GONE_OUT = (DeliveryState.ACCEPTED, DeliveryState.DELIVERED, DeliveryState.UNCERTAIN)


@dataclass(frozen=True, slots=True)
class ToldRow:
    """A visit in a message that went to the address, as it is now."""

    delivery: Delivery
    part: DeliveryPart
    booking: Booking
    place: Facility


def told(session: Session, digest: str, channel: str, since: datetime, purposes: Collection[str]) -> list[ToldRow]:
    """What went to the address about visits since then, the newest first."""
    query = (
        select(Delivery, DeliveryPart, Booking, Facility)
        .join(DeliveryPart, col(DeliveryPart.delivery_id) == col(Delivery.id))
        .join(ContactPoint, col(ContactPoint.id) == col(Delivery.contact_id))
        .join(Booking, col(Booking.id) == col(DeliveryPart.booking_id))
        .join(Facility, col(Facility.hsa_id) == col(Booking.facility))
        .where(
            col(ContactPoint.digest) == digest,
            col(ContactPoint.dead_since).is_(None),
            col(Delivery.recipient_id) == col(ContactPoint.subject_id),
            col(Delivery.channel) == channel,
            col(Delivery.state).in_(_GONE_OUT),
            col(Delivery.created_at) >= since,
            col(DeliveryPart.purpose).in_(purposes),
            col(DeliveryPart.dropped_reason) == "",
        )
        .order_by(col(Delivery.created_at).desc(), col(Delivery.id).desc(), col(DeliveryPart.id))
    )
    return [ToldRow(*row) for row in session.exec(query)]


def visit(session: Session, booking_id: UUID) -> tuple[Booking, Facility] | None:
    """A booking and where it is, as they are now."""
    query = (
        select(Booking, Facility)
        .join(Facility, col(Facility.hsa_id) == col(Booking.facility))
        .where(col(Booking.id) == booking_id)
    )
    return session.exec(query).first()
