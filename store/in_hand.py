"""A clinic's messages that are promised and not settled: what a preview shows beside those to come."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlmodel import Session, col, select

from store import bookings
from store.bookings import Booking
from store.deliveries import Delivery, DeliveryPart
from store.delivery_states import DeliveryState
from store.subjects import ContactPoint
from store.templates import Template, TemplateVersion

_UNSETTLED = (DeliveryState.QUEUED, DeliveryState.SENDING, DeliveryState.UNCERTAIN)


@dataclass(frozen=True, slots=True)
class InHand:
    """A message, where it goes, its template's name, and the visits it is about, of which some may be no more."""

    delivery: Delivery
    contact: ContactPoint
    words: str
    visits: tuple[Booking, ...]


def of_clinic(session: Session, clinic_id: UUID, until: datetime) -> list[InHand]:
    """Those about to go, or gone and not answered for, until then."""
    query = (
        select(Delivery, ContactPoint)
        .join(ContactPoint, col(ContactPoint.id) == col(Delivery.contact_id))
        .where(
            col(Delivery.clinic_id) == clinic_id,
            col(Delivery.state).in_(_UNSETTLED),
            col(Delivery.next_attempt_at) <= until,
        )
    )
    return [_with_parts(session, delivery, contact) for delivery, contact in session.exec(query)]


def _with_parts(session: Session, delivery: Delivery, contact: ContactPoint) -> InHand:
    query = (
        select(DeliveryPart.booking_id, Template.name)
        .join(TemplateVersion, col(TemplateVersion.id) == col(DeliveryPart.template_version_id))
        .join(Template, col(Template.id) == col(TemplateVersion.template_id))
        .where(col(DeliveryPart.delivery_id) == delivery.id, col(DeliveryPart.dropped_reason) == "")
    )
    parts = session.exec(query).all()
    visits = bookings.by_ids(session, [booking_id for booking_id, _ in parts if booking_id is not None])
    return InHand(delivery, contact, next((name for _, name in parts), ""), tuple(visits.values()))
