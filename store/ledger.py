"""Questions about the delivery ledger as a whole: every promise with its parts and attempts, counts, what to forget."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple, TypeVar
from uuid import UUID

from sqlalchemy import select as columns
from sqlmodel import Session, col, delete, func, select

from store.deliveries import Attempt, Delivery, DeliveryPart, Receipt, Wording
from store.delivery_states import DeliveryState
from store.subjects import ContactPoint, cipher_of, opened
from store.templates import Template, TemplateVersion
from store.vault import Unsealable, Vault

_CHUNK = 500  # deliveries read at once
_STOPPED_BY_WORDS = ("missing_field", "invalid_template")
_Row = TypeVar("_Row", DeliveryPart, Attempt)


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


class Stopped(NamedTuple):
    """How many messages one version of a text kept from going out, and why."""

    template: str
    channel: str
    language: str
    number: int
    reason: str
    messages: int


def entries(session: Session, vault: Vault, *, state: str | None = None) -> Iterator[LedgerEntry]:
    """Every delivery, the oldest first, or those in one state."""
    chosen = select(Delivery).order_by(col(Delivery.id)).limit(_CHUNK)
    if state is not None:
        chosen = chosen.where(col(Delivery.state) == state)
    found = session.exec(chosen).all()
    while found:
        yield from _entries(session, vault, found)
        found = session.exec(chosen.where(col(Delivery.id) > found[-1].id)).all()


def stopped_by_words(session: Session, clinic_id: UUID) -> list[Stopped]:
    """A clinic's messages that its texts kept from being written: a value was missing, or a field unknown."""
    of = (
        col(Template.name),
        col(Delivery.channel),
        col(TemplateVersion.language),
        col(TemplateVersion.number),
        col(Delivery.reason),
    )
    query = (
        columns(*of, func.count(func.distinct(col(Delivery.id))))
        .join(DeliveryPart, col(DeliveryPart.delivery_id) == col(Delivery.id))
        .join(TemplateVersion, col(TemplateVersion.id) == col(DeliveryPart.template_version_id))
        .join(Template, col(Template.id) == col(TemplateVersion.template_id))
        .where(col(Delivery.clinic_id) == clinic_id, col(Delivery.state) == DeliveryState.FAILED)
        .where(col(Delivery.reason).in_(_STOPPED_BY_WORDS))
        .group_by(*of)
        .order_by(*of)
    )
    return [Stopped(*row) for row in session.connection().execute(query)]


def any_wording_kept_until(session: Session, now: datetime) -> bool:
    return session.exec(select(Wording.attempt_id).where(col(Wording.keep_until) < now).limit(1)).first() is not None


def delete_wordings(session: Session, now: datetime) -> int:
    """Deletes the wordings that have been kept long enough; returns how many."""
    return session.exec(delete(Wording).where(col(Wording.keep_until) < now)).rowcount


def anything_to_apply(session: Session, real_now: datetime) -> bool:
    return session.exec(select(Receipt.id).where(col(Receipt.due_at) <= real_now).limit(1)).first() is not None


def _part_as_json(part: DeliveryPart) -> dict[str, Any]:
    return {
        "occasion": part.occasion,
        "booking": None if part.booking_id is None else str(part.booking_id),
        "time_version": part.time_version,
        "dropped": part.dropped_reason,
    }


def _entries(session: Session, vault: Vault, found: Sequence[Delivery]) -> Iterator[LedgerEntry]:
    ids = [delivery.id for delivery in found]
    parts, attempts = _by_delivery(session, DeliveryPart, ids), _by_delivery(session, Attempt, ids)
    contacts = {one.id: one for one in _contacts(session, found)}
    for delivery in found:
        address = _address(session, vault, delivery, contacts.get(delivery.contact_id))
        yield LedgerEntry(delivery, address, tuple(parts[delivery.id]), tuple(attempts[delivery.id]))


def _by_delivery(session: Session, table: type[_Row], ids: Sequence[UUID]) -> Mapping[UUID, list[_Row]]:
    rows = defaultdict[UUID, list[_Row]](list)
    for row in session.exec(select(table).where(col(table.delivery_id).in_(ids)).order_by(col(table.id))):
        rows[row.delivery_id].append(row)
    return rows


def _contacts(session: Session, found: Sequence[Delivery]) -> Sequence[ContactPoint]:
    ids = {delivery.contact_id for delivery in found}
    return session.exec(select(ContactPoint).where(col(ContactPoint.id).in_(ids))).all()


def _address(session: Session, vault: Vault, delivery: Delivery, contact: ContactPoint | None) -> str:
    if contact is None:
        return ""
    try:
        return opened(cipher_of(session, vault, delivery.recipient_id), contact).address
    except Unsealable:
        return ""
