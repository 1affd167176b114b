"""Contact points that people give themselves: a code is sent there, and who reads it out has shown that it is theirs.
Until then nothing else is sent there."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

import structlog

from notifier import codes
from notifier.planning import CHANNELS
from store import clinics, contact_codes, contact_points, deliveries, subjects, templates
from store.contact_codes import ContactCode
from store.database import Session
from store.deliveries import Delivery, DeliveryPart
from store.identifiers import new_id
from store.purposes import Purpose
from store.subjects import OWN, ContactKind, ContactPoint, Subject
from store.templates import VersionKey
from store.vault import Vault

_log = structlog.get_logger(__name__)
_TEMPLATE = "verification"
_LANGUAGES = ("sv", "en")


class TooMany(Exception):
    """The address has been sent codes enough for now."""


class Outcome(StrEnum):
    """What became of a try."""

    VERIFIED = "verified"
    WRONG = "wrong"
    NONE_STANDS = "none_stands"  # too late, tried too often, or none was sent


@dataclass(frozen=True, slots=True)
class Moment:
    """When something is asked for. Codes and limits go by real time, deliveries by business time."""

    now: datetime
    real_now: datetime


def send_code(
    session: Session, vault: Vault, subject: Subject, kind: ContactKind, address: str, at: Moment
) -> ContactPoint:
    """Writes the address (in its normal form) down, of no use yet, and has a code sent to it. Raises TooMany."""
    contact = subjects.add_contact(session, vault, subject.id, kind, address, now=at.now, origin=OWN)
    session.get_one(ContactPoint, contact.id, with_for_update=True)  # two who ask at once are counted one by one
    if not contact_codes.may_make(session, contact.digest, at.real_now):
        raise TooMany("this address has been sent a code within the last minute, or five within a day")
    code = contact_codes.make(session, contact.id, contact.digest, at.real_now)
    _promise(session, subject, contact, code, at.now)
    return contact


def check_code(session: Session, vault: Vault, contact: ContactPoint, typed: str, at: Moment) -> Outcome:
    """Commit whatever comes of it: a wrong try is a try."""
    code_id = contact_codes.take_try(session, contact.id, at.real_now)
    if code_id is None:
        return Outcome.NONE_STANDS
    if not codes.is_right(vault, code_id, typed):
        return Outcome.WRONG
    contact_codes.end(session, code_id, at.real_now)
    contact_points.note_verified(session, contact, at.now)
    subjects.wake_planning(session, [contact.subject_id], at.now)  # somebody may be reached again
    _log.info("contact_verified", subject=str(contact.subject_id), kind=contact.kind)
    return Outcome.VERIFIED


def _promise(session: Session, subject: Subject, contact: ContactPoint, code: ContactCode, now: datetime) -> None:
    channel = CHANNELS[ContactKind(contact.kind)]
    delivery = Delivery(
        id=new_id(),
        clinic_id=clinics.operators_own(session, now).id,
        subject_id=subject.id,
        recipient_id=subject.id,
        contact_id=contact.id,
        purpose=Purpose.CODE,
        channel=channel,
        language=subject.language,
        visit_at=now,  # before all that is about a visit to come
        next_attempt_at=now,
        useful_until=now + contact_codes.VALID,
        created_at=now,
    )
    part = DeliveryPart(
        delivery_id=delivery.id,
        purpose=Purpose.CODE,
        occasion=codes.occasion(code.id),
        channel=channel,
        recipient=str(subject.id),
        template_version_id=_version(session, channel, subject.language),
    )
    deliveries.insert(session, delivery, [part])


def _version(session: Session, channel: str, language: str) -> UUID:
    found = templates.active_versions(session)
    keys = (VersionKey(None, _TEMPLATE, channel, spoken) for spoken in (language, *_LANGUAGES))
    return next(found[key] for key in keys if key in found)
