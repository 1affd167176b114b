"""How much there is, over several tables: for the first page and for the command line's last words."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import or_, true
from sqlmodel import Session, SQLModel, col, func, select

from store.bookings import Booking, BookingChange
from store.calendars import Calendar
from store.deliveries import Delivery
from store.delivery_states import DeliveryState
from store.engagements import Engagement
from store.facilities import Facility
from store.standing import Standing
from store.subjects import Subject


@dataclass(frozen=True, slots=True)
class Counts:
    """What we hold. `deliveries` has only states that occur."""

    subjects: int
    coming_bookings: int
    calendars: int
    deliveries: Mapping[DeliveryState, int]


def counts(session: Session, now: datetime) -> Counts:
    coming = select(func.count()).where(col(Booking.standing) == Standing.BOOKED, col(Booking.start_at) > now)
    by_state = select(col(Delivery.state), func.count()).group_by(col(Delivery.state))
    return Counts(
        subjects=_count(session, Subject),
        coming_bookings=session.exec(coming).one(),
        calendars=_count(session, Calendar),
        deliveries={DeliveryState(state): number for state, number in session.exec(by_state)},
    )


def next_booking_of_clinic(session: Session, clinic_id: UUID, now: datetime, id_: UUID | None = None) -> Booking | None:
    """The clinic's next coming booking, or the one of that id."""
    query = (
        select(Booking)
        .join(Facility, col(Facility.hsa_id) == col(Booking.facility))
        .where(
            col(Facility.clinic_id) == clinic_id,
            col(Booking.standing) == Standing.BOOKED,
            col(Booking.start_at) > now,
            true() if id_ is None else col(Booking.id) == id_,
        )
    )
    return session.exec(query.order_by(col(Booking.start_at), col(Booking.id)).limit(1)).first()


def next_planning_at(session: Session, subject_id: UUID, now: datetime) -> datetime | None:
    """When, after now, it is next decided what to tell the subject, or a delivery that waits is next tried."""
    planned = select(col(Subject.next_planning_at)).where(
        col(Subject.id) == subject_id, col(Subject.next_planning_at) > now
    )
    tried = select(func.min(col(Delivery.next_attempt_at))).where(
        col(Delivery.subject_id) == subject_id,
        col(Delivery.state) == DeliveryState.QUEUED,
        col(Delivery.next_attempt_at) > now,
    )
    instants = (session.exec(planned).first(), session.exec(tried).one())
    return min((at for at in instants if at is not None), default=None)


def next_visit_at(session: Session, subject_id: UUID, now: datetime) -> datetime | None:
    """When the subject's next visit starts."""
    return session.exec(
        select(func.min(col(Booking.start_at))).where(
            col(Booking.subject_id) == subject_id,
            col(Booking.standing) == Standing.BOOKED,
            col(Booking.start_at) > now,
        )
    ).one()


def unanswered(session: Session, since: datetime | None = None) -> int:
    """How many engagements that are to be asked about have no answer yet, or none begun after `since`."""
    begun_at = col(Engagement.answer_begun_at)
    missing = begun_at.is_(None) if since is None else or_(begun_at.is_(None), begun_at < since)
    asked = col(Engagement.next_poll_at).is_not(None)
    return session.exec(select(func.count()).select_from(Engagement).where(asked, missing)).one()


def is_booked(session: Session, booking_id: str) -> bool:
    """Whether a booking with this id at its source stands as booked."""
    query = select(Booking.id).where(col(Booking.booking_id) == booking_id, col(Booking.standing) == Standing.BOOKED)
    return session.exec(query.limit(1)).first() is not None


def anything_to_do(session: Session, now: datetime) -> bool:
    """Whether something is left to plan, to settle or to send at `now`."""
    planning = select(Subject.id).where(col(Subject.next_planning_at) <= now)
    unsettled = select(BookingChange.id).where(col(BookingChange.tell), col(BookingChange.settles_at) > now)
    sending = select(Delivery.id).where(
        or_(
            col(Delivery.state) == DeliveryState.SENDING,
            (col(Delivery.state) == DeliveryState.QUEUED) & (col(Delivery.next_attempt_at) <= now),
        )
    )
    return any(session.exec(one.limit(1)).first() is not None for one in (planning, unsettled, sending))


def awaiting_receipts(session: Session) -> int:
    """How many SMS a provider took and has not reported on, or whose report has not been applied."""
    taken = select(func.count()).where(col(Delivery.state) == DeliveryState.ACCEPTED, col(Delivery.channel) == "sms")
    return session.exec(taken).one()


def _count(session: Session, table: type[SQLModel]) -> int:
    return session.exec(select(func.count()).select_from(table)).one()
