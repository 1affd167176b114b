"""What the start page's buttons do in the simulated region: as a clinic's staff would, for one citizen.

Knows no page and nothing of how the product sees the region.
"""

from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from enum import StrEnum
from uuid import uuid4

from worker.demo.care_units import Facility
from worker.demo.cast import Cast
from worker.demo.region_state import AGGREGATOR, SWEDEN, Booking, Fault, Invitation, Region

_DAY = timedelta(days=1)
_HALF_HOUR = timedelta(minutes=30)
_SATURDAY = 5
_BOOKABLE_HOURS = (9, 10, 11, 13, 14, 15)


class Answers(StrEnum):
    """How a time book answers: a fault's name, or that we have lost the permission to ask about anybody."""

    OK = "ok"
    TIMEOUT = "timeout"
    FAULT = "fault"
    TRUNCATED = "truncated"
    EMPTY = "empty"
    NOSTATUS = "nostatus"
    DENIED = "denied"
    FORBIDDEN = "forbidden"


@dataclass(frozen=True, slots=True)
class TimeBook:
    """An address that questions go to, how it answers now, and how it could. The aggregating service has no name."""

    address: str
    name: str
    answers: Answers
    choices: tuple[Answers, ...]


class CareSide:
    """One citizen's bookings in the region, and the time books they are in."""

    def __init__(self, region: Region, cast: Cast) -> None:
        self._region = region
        self._subject = cast.first.identity
        # The region does not list what is cancelled; what has stood before and no longer does, is.
        self._seen = {booking.id: booking for booking in cast.bookings if booking.subject == self._subject}

    def standing(self) -> list[Booking]:
        coming = self._region.coming(self._subject)
        self._seen |= {booking.id: booking for booking in coming}
        return coming

    def cancelled(self) -> list[Booking]:
        """Those that would still be to come, by start."""
        standing = {booking.id for booking in self.standing()}
        now = self._region.now()
        gone = [one for one in list(self._seen.values()) if one.id not in standing and one.start_at > now]
        return sorted(gone, key=lambda booking: (booking.start_at, booking.id))

    def invitations(self) -> list[Invitation]:
        """Open ones: the citizen is to choose a time."""
        return self._region.open_invitations(self._subject)

    def facility(self, of: Booking | Invitation) -> Facility:
        return self._region.facility(of.facility)

    def move(self, booking_id: str) -> None:
        """To the same hour of the next day. Raises Unknown."""
        self._region.change(_a_day_later(self._region.booking(booking_id)))

    def move_by_new_id(self, booking_id: str) -> None:
        """As booking systems that cannot move do it: cancelled, and booked anew for the next day. Raises Unknown."""
        before = self._region.booking(booking_id)
        self._region.cancel(booking_id)
        self._region.add(replace(_a_day_later(before), id=str(uuid4())))

    def cancel(self, booking_id: str) -> None:
        """Raises Unknown."""
        self.standing()
        self._region.cancel(booking_id)

    def restore(self, booking_id: str) -> None:
        """Raises Unknown."""
        self._region.restore(booking_id)

    def book(self) -> None:
        """A new visit where the citizen has one, in a week or soon after."""
        facility = self.facility(self._any_booking())
        kind = facility.time_types[0]
        start_at = _free_hour(self._region.now(), {booking.start_at for booking in self.standing()})
        self._region.add(
            Booking(
                id=str(uuid4()),
                subject=self._subject,
                facility=facility.hsa_id,
                start_at=start_at,
                end_at=start_at + timedelta(minutes=kind.minutes),
                time_type=kind.id,
                time_type_name=kind.name,
                performer=facility.performer,
                resource=facility.resource,
                care_type=facility.care_type,
                purpose=kind.preparations,
            )
        )

    def book_invitation(self, invitation_id: str) -> None:
        """The citizen chooses a time, in a week or soon after. Raises Unknown."""
        start_at = _free_hour(self._region.now(), {booking.start_at for booking in self.standing()})
        self._region.book_invitation(invitation_id, start_at, _HALF_HOUR)

    def withdraw(self, invitation_id: str) -> None:
        """Raises Unknown."""
        self._region.withdraw(invitation_id)

    def time_books(self) -> list[TimeBook]:
        """The aggregating service first, then the citizen's by name."""
        self.standing()
        addresses = {self._region.logical_address(booking.facility) for booking in self._seen.values()}
        facilities = sorted((self._region.facility(address) for address in addresses), key=lambda one: one.name)
        named = [(AGGREGATOR, ""), *((facility.hsa_id, facility.name) for facility in facilities)]
        return [TimeBook(address, name, self._answers(address), _choices(address)) for address, name in named]

    def set_answers(self, address: str, answers: Answers) -> None:
        """Raises Unknown."""
        if answers is Answers.FORBIDDEN:
            self._region.forbid(address)
            return
        self._region.set_fault(address, Fault(answers))
        if address != AGGREGATOR:
            self._region.permit(address)

    def _any_booking(self) -> Booking:
        return next(iter(self._seen.values()))

    def _answers(self, address: str) -> Answers:
        if not self._region.permissions.get(address, True):
            return Answers.FORBIDDEN
        return Answers(self._region.fault_of(address))


def _choices(address: str) -> tuple[Answers, ...]:
    """The aggregating service asks for us: there is no permission to lose."""
    return tuple(one for one in Answers if address != AGGREGATOR or one is not Answers.FORBIDDEN)


def _a_day_later(booking: Booking) -> Booking:
    """Of the wall clock, whatever the clocks do that night."""
    return replace(booking, start_at=booking.start_at + _DAY, end_at=booking.end_at + _DAY)


def _free_hour(now: datetime, taken: set[datetime]) -> datetime:
    """The first whole hour on a weekday, from a week on, at which the citizen has nothing."""
    day = now.astimezone(SWEDEN).date() + 7 * _DAY
    while True:
        hours = (datetime.combine(day, time(hour), SWEDEN) for hour in _BOOKABLE_HOURS)
        free = next((at for at in hours if at not in taken), None)
        if free is not None and day.weekday() < _SATURDAY:
            return free
        day += _DAY
