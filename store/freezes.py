"""Facilities under mass disappearance, as an operator looks at them, and letting one go."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, and_
from sqlmodel import Session, col, distinct, func, select

from store.bookings import Booking
from store.engagements import wake_polls
from store.facilities import Facility
from store.standing import Standing


@dataclass(frozen=True, slots=True)
class Frozen:
    """A facility of which nothing that disappears is believed: since when, and what has disappeared there."""

    facility: str
    name: str
    since: datetime
    suspects: int
    subjects: int
    next_visit_at: datetime | None  # of those that have disappeared


def frozen(session: Session, now: datetime) -> list[Frozen]:
    """The longest frozen first."""
    return [_seen(session, facility, now) for facility in frozen_facilities(session)]


def frozen_facilities(session: Session) -> list[Facility]:
    """The longest frozen first."""
    found = select(Facility).where(col(Facility.frozen_at).is_not(None)).order_by(col(Facility.frozen_at))
    return list(session.exec(found))


def release(session: Session, facility: Facility, now: datetime) -> None:
    """What has disappeared there is to be believed, on evidence as ever, and is looked at again at once. Only what
    disappears from now on can freeze it anew."""
    facility.frozen_at, facility.released_at = None, now
    session.add(facility)
    wake_polls(session, _missing(session, facility.hsa_id, now), now)


def _seen(session: Session, facility: Facility, now: datetime) -> Frozen:
    counted = select(func.count(), func.count(distinct(col(Booking.subject_id))), func.min(col(Booking.start_at)))
    suspects, subjects, next_visit_at = session.exec(counted.where(_is_missing(facility.hsa_id, now))).one()
    since = facility.frozen_at or now
    return Frozen(facility.hsa_id, facility.display_name, since, suspects, subjects, next_visit_at)


def _missing(session: Session, facility: str, now: datetime) -> set[UUID]:
    """The subjects whose coming bookings have disappeared there."""
    return set(session.exec(select(Booking.subject_id).where(_is_missing(facility, now))))


def _is_missing(facility: str, now: datetime) -> ColumnElement[bool]:
    return and_(
        col(Booking.facility) == facility,
        col(Booking.standing) == Standing.BOOKED,
        col(Booking.start_at) > now,
        col(Booking.missed_at).is_not(None),
    )
