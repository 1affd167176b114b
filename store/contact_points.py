"""What becomes of a contact point after it was first written down: dead, verified, removed; and which are of no use."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, and_, exists, or_
from sqlmodel import Session, col, select, update

from store.bookings import Booking
from store.consents import Consent
from store.facilities import Facility
from store.standing import Standing
from store.subjects import IMPORTED, ContactKind, ContactPoint, cipher_of, seal_nothing
from store.vault import KeyDestroyed, Vault

REMOVED_KEPT = timedelta(days=30)
"""How long the address of a removed one is kept: a message under way may still be asked about by it."""
_BATCH = 500


@dataclass(frozen=True, slots=True)
class Problem:
    """A contact point of no use, as a list shows it: ours to mend by asking the person."""

    subject_id: UUID
    contact_id: UUID
    kind: ContactKind
    reason: str
    since: datetime
    has_another: bool  # another of the same kind is in use


def mark_dead(session: Session, contact_id: UUID, reason: str, now: datetime) -> bool:
    """Nothing is sent there any more; False if it was dead before, whose reason and date stand."""
    statement = update(ContactPoint).where(col(ContactPoint.id) == contact_id, col(ContactPoint.dead_since).is_(None))
    values = {"dead_since": now, "dead_reason": reason}
    return session.connection().execute(statement.values(values)).rowcount == 1


def note_verified(session: Session, row: ContactPoint, now: datetime) -> None:
    """It is the person's, whatever was known of it before; it stands for those of its kind that they had till now."""
    others = update(ContactPoint).where(
        col(ContactPoint.subject_id) == row.subject_id,
        col(ContactPoint.kind) == row.kind,
        col(ContactPoint.id) != row.id,
        col(ContactPoint.removed_at).is_(None),
    )
    session.exec(others.values(removed_at=now, address_until=now + REMOVED_KEPT))
    row.verified_at, row.dead_since, row.dead_reason, row.removed_at = now, None, "", None
    row.address_until = None
    session.add(row)


def remove(session: Session, contact_id: UUID, now: datetime) -> UUID | None:
    """Nothing is sent there any more, whatever imported files say; whose it was, or None where there is none in use."""
    stands = (col(ContactPoint.id) == contact_id, col(ContactPoint.removed_at).is_(None))
    values = {"removed_at": now, "address_until": now + REMOVED_KEPT}
    statement = update(ContactPoint).where(*stands).values(values).returning(col(ContactPoint.subject_id))
    row = session.connection().execute(statement.execution_options(synchronize_session=False)).first()
    return None if row is None else row[0]


def any_to_forget(session: Session, now: datetime) -> bool:
    return session.exec(select(ContactPoint.id).where(_is_to_be_forgotten(now)).limit(1)).first() is not None


def forget_removed(session: Session, vault: Vault, now: datetime) -> int:
    """Forgets one batch of addresses that were removed long ago; how many."""
    rows = session.exec(select(ContactPoint).where(_is_to_be_forgotten(now)).limit(_BATCH)).all()
    for row in rows:
        try:
            seal_nothing(cipher_of(session, vault, row.subject_id), row)
        except KeyDestroyed:  # nobody can open it any more
            row.address_until = None
        session.add(row)
    return len(rows)


def of_subject(session: Session, subject_id: UUID) -> list[ContactPoint]:
    """All that were ever known, the oldest first."""
    query = select(ContactPoint).where(col(ContactPoint.subject_id) == subject_id)
    return list(session.exec(query.order_by(col(ContactPoint.id))))


def problems(session: Session, now: datetime, clinic_id: UUID | None) -> list[Problem]:
    """Dead contact points of people who consent, the latest first; `clinic_id`: of those with a visit there to come."""
    query = select(ContactPoint).where(
        col(ContactPoint.dead_since).is_not(None), col(ContactPoint.removed_at).is_(None), _consents()
    )
    if clinic_id is not None:
        query = query.where(_comes_to(clinic_id, now))
    rows = session.exec(query.order_by(col(ContactPoint.dead_since).desc(), col(ContactPoint.id))).all()
    in_use = _in_use(session, {row.subject_id for row in rows})
    return [_problem(row, in_use) for row in rows]


def _problem(row: ContactPoint, in_use: Collection[tuple[UUID, str]]) -> Problem:
    since = row.dead_since or row.added_at
    reason = row.dead_reason or "unknown"  # marked before reasons were kept
    has_another = (row.subject_id, row.kind) in in_use
    return Problem(row.subject_id, row.id, ContactKind(row.kind), reason, since, has_another)


def _is_to_be_forgotten(now: datetime) -> ColumnElement[bool]:
    return and_(col(ContactPoint.address_until).is_not(None), col(ContactPoint.address_until) < now)


def _in_use(session: Session, subject_ids: Collection[UUID]) -> set[tuple[UUID, str]]:
    query = select(ContactPoint.subject_id, ContactPoint.kind).where(
        col(ContactPoint.subject_id).in_(list(subject_ids)),
        col(ContactPoint.dead_since).is_(None),
        col(ContactPoint.removed_at).is_(None),
        or_(col(ContactPoint.origin) == IMPORTED, col(ContactPoint.verified_at).is_not(None)),
    )
    return {(subject_id, kind) for subject_id, kind in session.exec(query)}


def _consents() -> ColumnElement[bool]:
    return exists().where(col(Consent.subject_id) == col(ContactPoint.subject_id), col(Consent.withdrawn_on).is_(None))


def _comes_to(clinic_id: UUID, now: datetime) -> ColumnElement[bool]:
    return exists().where(
        col(Booking.subject_id) == col(ContactPoint.subject_id),
        col(Booking.standing) == Standing.BOOKED,
        col(Booking.start_at) > now,
        col(Facility.hsa_id) == col(Booking.facility),
        col(Facility.clinic_id) == clinic_id,
    )
