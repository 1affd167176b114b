"""What the last look before a send reads: everything a delivery depends on, as it is now, in two statements.

Loading it piece by piece cost four times the send itself.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from typing import Any
from uuid import UUID

import sqlalchemy
from sqlalchemy import and_, bindparam, exists, func
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, select

from store.bookings import Booking
from store.choices import Choice, RemindedBy
from store.claims import Claim
from store.clinics import Clinic
from store.consents import Consent
from store.deliveries import Attempt, Delivery, DeliveryPart, Suppression
from store.delivery_states import DeliveryState
from store.facilities import Facility
from store.installation import Installation
from store.subjects import ContactPoint, Subject, SubjectKey
from store.templates import TemplateVersion
from store.vault import KeyDestroyed, SubjectCipher, Vault

_REPLANNED_WITHIN = timedelta(hours=1)  # of a restore: what the lost system had planned is planned again by then


@dataclass(frozen=True, slots=True)
class OutgoingPart:
    """A part that stands, with its pinned words and the booking it covers as that is now."""

    part: DeliveryPart
    version: TemplateVersion
    booking: Booking | None
    place: Facility | None


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A claimed delivery and what bears on it. `attempts`: those made before. Keys are None for somebody erased.

    `gap_from`, `gap_until`: after a restore, what was sent between them stands in no ledger (store.installation).
    """

    delivery: Delivery
    clinic: Clinic
    about: Subject
    recipient: Subject
    about_key: str | None = field(repr=False)
    recipient_key: str | None = field(repr=False)
    contact: ContactPoint | None
    choice: Choice | None  # the recipient's
    is_reminded: bool  # by the clinic itself, which the recipient says is enough
    has_consent: bool
    is_suppressed: bool
    is_paused: bool
    attempts: int
    gap_from: datetime | None
    gap_until: datetime | None
    parts: Sequence[OutgoingPart]

    @property
    def sent_perhaps_since(self) -> datetime | None:
        """From when on it may have been sent without our knowing: by the system that was lost, before the restore."""
        if self.gap_from is None or self.gap_until is None or self.attempts:
            return None
        return self.gap_from if self.delivery.created_at <= self.gap_until + _REPLANNED_WITHIN else None


def outgoing(session: Session, claim: Claim) -> Outgoing | None:
    """The delivery, locked, if it still lies queued under this claim."""
    row = session.execute(_delivery_query(), {"id": claim.id, "fence": claim.fence}).first()
    if row is None:
        return None
    found: tuple[Any, ...] = tuple(row)
    parts = [OutgoingPart(*one) for one in session.execute(_parts_query(), {"id": claim.id})]
    return Outgoing(*found, parts)  # type: ignore[call-arg]  # as many as were selected


def cipher(vault: Vault, subject_id: UUID, wrapped: str | None) -> SubjectCipher:
    """Raises KeyDestroyed for somebody erased, Unsealable when the key does not open."""
    if wrapped is None:
        raise KeyDestroyed("this subject's key has been destroyed")
    return vault.cipher(subject_id, wrapped)


@cache
def _delivery_query() -> Any:  # noqa: ANN401 - a statement whose type would name fifteen columns
    told, about_key, told_key = aliased(Subject), aliased(SubjectKey), aliased(SubjectKey)
    consent = exists().where(col(Consent.subject_id) == col(Delivery.subject_id), col(Consent.withdrawn_on).is_(None))
    suppressed = exists().where(
        col(Suppression.contact_digest) == col(ContactPoint.digest),
        col(Suppression.purpose) == col(Delivery.purpose),
        col(Suppression.channel) == col(Delivery.channel),
        col(Suppression.lifted_at).is_(None),
    )
    contact = and_(
        col(ContactPoint.id) == col(Delivery.contact_id), col(ContactPoint.subject_id) == col(Delivery.recipient_id)
    )
    attempts = select(func.count()).where(col(Attempt.delivery_id) == col(Delivery.id))
    reminded = exists().where(
        col(RemindedBy.subject_id) == col(Delivery.recipient_id), col(RemindedBy.clinic_id) == col(Delivery.clinic_id)
    )
    paused = exists().where(col(Installation.paused_at).is_not(None))
    read: list[Any] = [
        Delivery, Clinic, Subject, told, about_key.wrapped, told_key.wrapped, ContactPoint,
        Choice, reminded, consent, suppressed, paused, attempts.scalar_subquery(),
        select(Installation.gap_from).scalar_subquery(), select(Installation.gap_until).scalar_subquery(),
    ]  # fmt: skip  # in the order of Outgoing's fields
    return (
        sqlalchemy.select(*read)
        .join(Clinic, col(Clinic.id) == col(Delivery.clinic_id))
        .join(Subject, col(Subject.id) == col(Delivery.subject_id))
        .join(told, col(told.id) == col(Delivery.recipient_id))
        .outerjoin(about_key, col(about_key.subject_id) == col(Delivery.subject_id))
        .outerjoin(told_key, col(told_key.subject_id) == col(Delivery.recipient_id))
        .outerjoin(ContactPoint, contact)
        .outerjoin(Choice, col(Choice.subject_id) == col(Delivery.recipient_id))
        .where(
            col(Delivery.id) == bindparam("id"),
            col(Delivery.fence) == bindparam("fence"),
            col(Delivery.state) == DeliveryState.QUEUED,
        )
        .with_for_update(of=Delivery)
        .execution_options(populate_existing=True)
    )


@cache
def _parts_query() -> Any:  # noqa: ANN401
    return (
        sqlalchemy.select(DeliveryPart, TemplateVersion, Booking, Facility)
        .join(TemplateVersion, col(TemplateVersion.id) == col(DeliveryPart.template_version_id))
        .outerjoin(Booking, col(Booking.id) == col(DeliveryPart.booking_id))
        .outerjoin(Facility, col(Facility.hsa_id) == col(Booking.facility))
        .where(col(DeliveryPart.delivery_id) == bindparam("id"), col(DeliveryPart.dropped_reason) == "")
        .order_by(col(DeliveryPart.id))
    )
