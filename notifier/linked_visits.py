"""The visits that a link in a message is about, as they are now, while they may be told of. Writes nothing."""

from dataclasses import dataclass, field
from datetime import datetime

from notifier.swedish_days import cancel_deadline
from notifier.visit_state import VisitState, state
from store import consents, told
from store.action_links import ActionLink, LinkedVisit
from store.action_links import visits as linked_to
from store.bookings import Booking
from store.clinics import Clinic
from store.custody import Custody
from store.database import Session
from store.facilities import Facility
from store.guardianships import custody
from store.standing import Standing
from store.subjects import Subject


@dataclass(frozen=True, slots=True)
class ShownVisit:
    """A visit as the page tells it, after the press of a button. `choice` names it in the form."""

    choice: str
    start_at: datetime
    clinic: str = field(repr=False)
    phone: str = field(repr=False)
    deadline_at: datetime | None
    state: VisitState


@dataclass(frozen=True, slots=True)
class VisitNow:
    """A visit of the link as it is now. `clinic` None: nobody's customer any more."""

    booking: Booking
    place: Facility
    clinic: Clinic | None
    state: VisitState

    def shown(self, choice: int, now: datetime) -> ShownVisit:
        """A deadline that has passed is not told: it could only mislead."""
        phone = self.clinic.phone if self.clinic else ""
        deadline_at = cancel_deadline(self.booking.start_at, self.place.cancel_deadline)
        return ShownVisit(
            choice=str(choice),
            start_at=self.booking.start_at,
            clinic=self.place.message_name,
            phone=phone if self.place.is_sensitive else self.place.phone or phone,
            deadline_at=deadline_at if deadline_at and deadline_at > now else None,
            state=self.state,
        )


def visits_now(session: Session, link: ActionLink, now: datetime) -> list[VisitNow]:
    """In the order in which the page shows them; one that has been merged away is left out. Empty, too, where one of
    them may not be told of any more."""
    found = [_visit_now(session, one, now) for one in linked_to(session, link.id)]
    rows = [one for one in found if one is not None]
    if not all(_may_be_told(session, link, one.booking) for one in rows):
        return []
    return sorted(rows, key=lambda one: (one.booking.start_at, one.booking.id))


def _visit_now(session: Session, linked: LinkedVisit, now: datetime) -> VisitNow | None:
    row = told.visit(session, linked.booking_id)
    if row is None:
        return None
    visit, place = row
    stands = state(Standing(visit.standing), visit.start_at, visit.time_version, linked.time_version, now)
    return VisitNow(visit, place, session.get(Clinic, place.clinic_id) if place.clinic_id else None, stands)


def _may_be_told(session: Session, link: ActionLink, visit: Booking) -> bool:
    """As at the last look before a message: nobody protected or dead, a consent that stands, a guardian who is one."""
    subject, recipient = session.get_one(Subject, visit.subject_id), session.get_one(Subject, link.recipient_id)
    if any(one.protected_on or one.deceased_on for one in (subject, recipient)):
        return False
    if subject.id != recipient.id and custody(session, recipient.id, subject.id) != Custody.STANDS:
        return False
    return consents.stands(session, subject.id)
