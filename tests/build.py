"""Builders: rows as the product would have made them, with only what a test cares about spelled out."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlmodel import Session

from store.bookings import Booking, Details, seal_details
from store.clinics import Clinic
from store.consents import Consent
from store.engagements import Engagement
from store.facilities import Facility
from store.identifiers import new_id, parse_subject_id
from store.subjects import ContactKind, Subject, add, add_contact, cipher_of
from store.vault import Vault
from tests.people import ANNA, Person

VARDCENTRAL = "SE2321000016-1A01"
KIRURGEN = "SE2321000016-1A02"
PSYKIATRIN = "SE2321000016-1A03"


def clinic(session: Session, now: datetime, **values: Any) -> Clinic:
    """A clinic whose needs-and-risk decision stands."""
    row = Clinic(
        **{
            "name": f"Kliniken {new_id()}",
            "phone": "010-123 45 67",
            "decision_reference": "RS 2026-0417",
            "decided_on": now.date(),
            "decided_by": "verksamhetschefen",
            "created_at": now,
            **values,
        }
    )
    session.add(row)
    session.flush()
    return row


def facility(session: Session, hsa_id: str = VARDCENTRAL, **values: Any) -> Facility:
    """An imported, ordinary facility that has been seen in answers. Give it a clinic for messages to go out."""
    row = Facility(
        **{
            "hsa_id": hsa_id,
            "spelling": hsa_id,
            "display_name": "Ekens vårdcentral",
            "message_name": "Ekens vårdcentral",
            "is_sensitive": False,
            "phone": "010-123 45 67",
            "address": "Ekgatan 1, Storstad",
            "cancel_deadline": "weekdays:1",
            **values,
        }
    )
    session.add(row)
    session.flush()
    return row


def subject(session: Session, vault: Vault, now: datetime, person: Person = ANNA, **values: Any) -> Subject:
    """A subject who has consented, with contact points, known to the population register as of now."""
    row = add(session, vault, parse_subject_id(person.number, today=now.date()), language=person.language, now=now)
    row.population_as_of = now
    for name, value in values.items():
        setattr(row, name, value)
    session.add(row)
    session.add(Consent(subject_id=row.id, given_by=row.id, version="1", given_on=now.date()))
    if person.phone:
        add_contact(session, vault, row.id, ContactKind.PHONE, person.phone, now=now)
    if person.email:
        add_contact(session, vault, row.id, ContactKind.EMAIL, person.email, now=now)
    session.flush()
    return row


def engagement(session: Session, subject_id: UUID, now: datetime, **values: Any) -> Engagement:
    """An engagement that has been answered with evidence just now."""
    row = Engagement(
        **{
            "subject_id": subject_id,
            "source": "region",
            "next_poll_at": now,
            "answer_begun_at": now,
            "first_evidence_at": now,
            "created_at": now,
            **values,
        }
    )
    session.add(row)
    session.flush()
    return row


def booking(  # noqa: PLR0913
    session: Session,
    vault: Vault,
    of: Engagement,
    start_at: datetime,
    *,
    at: str = VARDCENTRAL,
    details: Details | None = None,
    seen_at: datetime | None = None,
    **values: Any,
) -> Booking:
    """A booking known since long (a month before its start unless `seen_at` says otherwise), standing as booked."""
    booking_id = new_id()
    first_seen_at = seen_at or start_at - timedelta(days=30)
    row = Booking(
        **{
            "id": booking_id,
            "subject_id": of.subject_id,
            "engagement_id": of.id,
            "source": of.source,
            "logical_address": at,
            "booking_id": str(booking_id),
            "facility": at,
            "start_at": start_at,
            "sealed_details": seal_details(
                cipher_of(session, vault, of.subject_id), booking_id, details or Details(facility_name="Vårdcentralen")
            ),
            "digest": "",
            "stands_since": first_seen_at,
            "uid": vault.digest("uid", str(booking_id)),
            "time_version_at": first_seen_at,
            "amended_at": first_seen_at,
            "first_seen_at": first_seen_at,
            "passes_at": start_at,
            **values,
        }
    )
    session.add(row)
    session.flush()
    return row
