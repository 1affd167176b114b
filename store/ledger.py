"""Questions about the delivery ledger as a whole: every promise with its parts and attempts, counts, what to forget."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlmodel import Session, col, delete, select

from store.claims import anything_due
from store.columns import lease_clock
from store.deliveries import DISPATCHING, Attempt, Delivery, DeliveryPart, Receipt, Wording
from store.delivery_states import DeliveryState
from store.subjects import ContactPoint, cipher_of
from store.vault import Unsealable, Vault


@dataclass(frozen=True, slots=True)
class LedgerEntry:
    """A delivery as the ledger shows it. `address` is opened for the operator's shell; mask it unless asked."""

    delivery: Delivery
    address: str = field(repr=False)
    parts: tuple[DeliveryPart, ...]
    attempts: tuple[Attempt, ...]

    def as_json(self) -> dict[str, Any]:
        """All but the address, ready for JSON."""
        return {
            "id": str(self.delivery.id),
            "purpose": self.delivery.purpose,
            "state": self.delivery.state,
            "reason": self.delivery.reason,
            "channel": self.delivery.channel,
            "parts": [_part_as_json(part) for part in self.parts],
            "attempts": len(self.attempts),
            "tokens": [attempt.public_id for attempt in self.attempts],
            "useful_until": self.delivery.useful_until.isoformat(),
        }


def entries(session: Session, vault: Vault, *, state: str | None = None) -> Iterator[LedgerEntry]:
    """Every delivery, the oldest first, or those in one state."""
    query = select(Delivery).order_by(col(Delivery.id))
    if state is not None:
        query = query.where(col(Delivery.state) == state)
    for delivery in session.exec(query).all():
        parts = session.exec(select(DeliveryPart).where(col(DeliveryPart.delivery_id) == delivery.id)).all()
        attempts = session.exec(select(Attempt).where(col(Attempt.delivery_id) == delivery.id)).all()
        yield LedgerEntry(delivery, _address(session, vault, delivery), tuple(parts), tuple(attempts))


def any_wording_kept_until(session: Session, now: datetime) -> bool:
    return session.exec(select(Wording.attempt_id).where(col(Wording.keep_until) < now).limit(1)).first() is not None


def delete_wordings(session: Session, now: datetime) -> int:
    """Deletes the wordings that have been kept long enough; returns how many."""
    return session.exec(delete(Wording).where(col(Wording.keep_until) < now)).rowcount


def anything_to_send(session: Session, now: datetime) -> bool:
    return anything_due(session, DISPATCHING, now, col(Delivery.state) == DeliveryState.QUEUED)


def anything_to_recover(session: Session) -> bool:
    """Whether a delivery being sent has lost its worker."""
    lost = (col(Delivery.state) == DeliveryState.SENDING, col(Delivery.claimed_until) < lease_clock())
    return session.exec(select(Delivery.id).where(*lost).limit(1)).first() is not None


def anything_to_apply(session: Session, real_now: datetime) -> bool:
    return session.exec(select(Receipt.id).where(col(Receipt.due_at) <= real_now).limit(1)).first() is not None


def _part_as_json(part: DeliveryPart) -> dict[str, Any]:
    return {
        "occasion": part.occasion,
        "booking": None if part.booking_id is None else str(part.booking_id),
        "time_version": part.time_version,
        "dropped": part.dropped_reason,
    }


def _address(session: Session, vault: Vault, delivery: Delivery) -> str:
    contact = session.get(ContactPoint, delivery.contact_id)
    if contact is None:
        return ""
    try:
        cipher = cipher_of(session, vault, delivery.recipient_id)
        return cipher.open_text("contact_points.sealed_address", contact.id, contact.sealed_address)
    except Unsealable:
        return ""
