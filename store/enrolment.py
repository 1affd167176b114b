"""What those who run the product ask about subjects: who is enrolled with what, and taking one person's polls.

Nothing here names anybody: a subject is our own id.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from sqlalchemy import func
from sqlmodel import Session, col, select

from store.bookings import Booking
from store.calendars import Calendar
from store.claims import Claim, claim_due
from store.consents import Consent
from store.engagements import POLLING, Engagement
from store.standing import Standing
from store.subjects import Subject


@dataclass(frozen=True, slots=True)
class Enrolled:
    """A subject as a list shows them."""

    id: UUID
    language: str
    level: str  # of their own calendar; empty: none is open
    coming: int  # bookings that stand and start later
    consents: bool  # at least one consent stands
    is_held: bool  # the population register has never told of them: nothing is sent


def enrolled(session: Session, now: datetime, only: UUID | None = None) -> Iterator[Enrolled]:
    """Every subject in the order of their ids, or one."""
    coming, levels, consenting = _coming(session, now), _levels(session), _consenting(session)
    query = select(Subject).order_by(col(Subject.id))
    for row in session.exec(query if only is None else query.where(col(Subject.id) == only)):
        yield Enrolled(
            id=row.id,
            language=row.language,
            level=levels.get(row.id, ""),
            coming=coming.get(row.id, 0),
            consents=row.id in consenting,
            is_held=row.population_as_of is None,
        )


def is_known(session: Session, subject_id: UUID) -> bool:
    return session.get(Subject, subject_id) is not None


def withdrawn_on(session: Session, subject_id: UUID) -> date | None:
    """The last day on which a consent for the subject was withdrawn."""
    query = select(func.max(col(Consent.withdrawn_on))).where(col(Consent.subject_id) == subject_id)
    return session.exec(query).one()


def claim_poll(session: Session, now: datetime, lease: timedelta, subject_id: UUID | None) -> Claim | None:
    """Takes the engagement that is longest due, or that of one subject. Commit before asking."""
    only = None if subject_id is None else col(Engagement.subject_id) == subject_id
    return next(iter(claim_due(session, POLLING, now, lease, 1, only=only)), None)


def engaged_sources(session: Session) -> set[str]:
    """The names of all sources that somebody is asked about at."""
    return set(session.exec(select(Engagement.source).where(col(Engagement.next_poll_at).is_not(None)).distinct()))


@dataclass(frozen=True, slots=True)
class PollOutcome:
    """How an engagement's last poll ended."""

    was_asked: bool  # False: no consent stands, or the person has died
    error: str  # a code; empty where it was answered


def poll_outcome(session: Session, engagement_id: UUID) -> PollOutcome:
    row = session.get_one(Engagement, engagement_id)
    return PollOutcome(was_asked=row.next_poll_at is not None, error=row.last_error)


def _coming(session: Session, now: datetime) -> dict[UUID, int]:
    query = select(Booking.subject_id, func.count()).group_by(col(Booking.subject_id))
    stand = query.where(col(Booking.standing) == Standing.BOOKED, col(Booking.start_at) > now)
    return {subject_id: number for subject_id, number in session.exec(stand)}


def _levels(session: Session) -> dict[UUID, str]:
    own = col(Calendar.viewer_id) == col(Calendar.subject_id)
    query = select(Calendar.subject_id, Calendar.level).where(own)
    return {subject_id: str(level) for subject_id, level in session.exec(query)}


def _consenting(session: Session) -> set[UUID]:
    return set(session.exec(select(Consent.subject_id).where(col(Consent.withdrawn_on).is_(None)).distinct()))
