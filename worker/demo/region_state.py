"""What the simulated region holds: bookings in its time books, the engagement index, permissions and faults.

Knows no wire format. Passed and cancelled bookings leave the index, as producers' own do.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import ClassVar
from zoneinfo import ZoneInfo

from worker.demo.care_units import Facility

SWEDEN = ZoneInfo("Europe/Stockholm")
AGGREGATOR = "*"
INDEX = "index"


class Fault(StrEnum):
    """How a time book, or the aggregating service itself, answers just now."""

    OK = "ok"
    TIMEOUT = "timeout"
    FAULT = "fault"
    TRUNCATED = "truncated"
    EMPTY = "empty"  # well-formed, no slots
    NOSTATUS = "nostatus"  # no record in the aggregated answer; a direct one still lists
    DENIED = "denied"  # no record; a direct question is refused


class Kind(StrEnum):
    """How a question reached a time book."""

    AGGREGATED = "aggregated"
    DIRECT = "direct"
    DETAILS = "details"  # of one booking or invitation
    INDEX = "index"  # to the engagement index, not to a time book


_ALWAYS = (Kind.AGGREGATED, Kind.DIRECT)  # shown even where there were none


class Unknown(LookupError):
    """No such booking, invitation or facility in the region."""


class Taken(ValueError):
    """The booking id is in use."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Booking:
    """A visit in a time book. Times are Swedish local time, as the time books have them."""

    id: str
    subject: str = field(repr=False)
    facility: str
    start_at: datetime
    end_at: datetime
    time_type: str
    time_type_name: str
    performer: str = ""
    resource: str = ""
    care_type: str = ""
    purpose: str = field(default="", repr=False)
    reason: str = field(default="", repr=False)
    is_invitation: bool = False
    may_cancel: bool = True
    may_rebook: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Invitation:
    """An open invitation in a time book: the citizen is to book a time. `end_at` lies after the last day, if any."""

    id: str
    subject: str = field(repr=False)
    facility: str
    end_at: datetime | None = None
    time_type: str
    time_type_name: str
    performer: str = ""
    resource: str = ""
    care_type: str = ""
    purpose: str = field(default="", repr=False)

    start_at: ClassVar[None] = None
    reason: ClassVar[str] = ""
    is_invitation: ClassVar[bool] = True
    may_cancel: ClassVar[bool] = False
    may_rebook: ClassVar[bool] = False


class Region:
    """The time books of a region. `now` is the business clock: what has begun is no longer listed."""

    def __init__(self, units: Iterable[Facility], bookings: Iterable[Booking], now: Callable[[], datetime]) -> None:
        self.facilities: Mapping[str, Facility] = MappingProxyType({unit.hsa_id.casefold(): unit for unit in units})
        self.now = now
        self._bookings = {booking.id: booking for booking in bookings}
        self._invitations: dict[str, Invitation] = {}
        self._cancelled: set[str] = set()
        self._faults: dict[str, Fault] = {}
        self._forbidden: set[str] = set()
        self._calls: Counter[tuple[str, Kind]] = Counter()

    def facility(self, hsa_id: str) -> Facility:
        """The facility, however its id is spelt. Raises Unknown."""
        try:
            return self.facilities[hsa_id.casefold()]
        except KeyError:
            raise Unknown("facility") from None

    def logical_address(self, hsa_id: str) -> str:
        """Where questions about the facility go; the platform's own services keep their names. Raises Unknown."""
        return hsa_id if hsa_id in (AGGREGATOR, INDEX) else self.facility(hsa_id).logical_address

    def coming(self, subject: str | None = None) -> list[Booking]:
        """What the time books list now, by start: of everybody unless a subject is given."""
        now = self.now()
        listed = (booking for booking in list(self._bookings.values()) if booking.id not in self._cancelled)
        wanted = (booking for booking in listed if subject in (None, booking.subject) and booking.start_at > now)
        return sorted(wanted, key=lambda booking: (booking.start_at, booking.id))

    def indexed(self, subject: str) -> list[Booking | Invitation]:
        """The engagement index: a record of each booking to come and each open invitation."""
        return [*self.coming(subject), *self.open_invitations(subject)]

    def indexed_addresses(self, subject: str) -> list[str]:
        """The logical addresses that the index lists for the subject."""
        return sorted({self.logical_address(one.facility) for one in self.indexed(subject)})

    def open_invitations(self, subject: str | None = None) -> list[Invitation]:
        """What is open now, by id: of everybody unless a subject is given. What has run out leaves the index."""
        now = self.now()
        standing = [one for one in list(self._invitations.values()) if one.end_at is None or one.end_at > now]
        return sorted((one for one in standing if subject in (None, one.subject)), key=lambda one: one.id)

    def invite(self, invitation: Invitation) -> None:
        """Raises Taken, Unknown."""
        self.facility(invitation.facility)
        if invitation.id in self._invitations or self._stands(invitation.id):
            raise Taken(invitation.id)
        self._invitations[invitation.id] = invitation

    def withdraw(self, invitation_id: str) -> None:
        """Raises Unknown."""
        if self._invitations.pop(invitation_id, None) is None:
            raise Unknown("invitation")

    def book_invitation(self, invitation_id: str, start_at: datetime, length: timedelta) -> Booking:
        """The citizen books on the invitation: it becomes a booking by the same id. Raises Unknown."""
        if invitation_id not in self._invitations:
            raise Unknown("invitation")
        invitation = self._invitations.pop(invitation_id)
        names = ("id", "subject", "facility", "time_type", "time_type_name", "performer", "resource", "care_type")
        kept = {name: getattr(invitation, name) for name in (*names, "purpose")}
        booking = Booking(**kept, start_at=start_at, end_at=start_at + length)
        self.add(booking)
        return booking

    def details(self, booking_id: str) -> Booking | Invitation:
        """A booking or open invitation that stands. Raises Unknown."""
        return self._invitations.get(booking_id) or self.booking(booking_id)

    def add(self, booking: Booking) -> None:
        """Books. The id of a cancelled booking may be used again. Raises Taken, Unknown."""
        self.facility(booking.facility)
        if booking.id in self._invitations or self._stands(booking.id):
            raise Taken(booking.id)
        self._bookings[booking.id] = booking
        self._cancelled.discard(booking.id)

    def booking(self, booking_id: str) -> Booking:
        """A booking that stands. Raises Unknown for one that is cancelled or never was."""
        if not self._stands(booking_id):
            raise Unknown("booking")
        return self._bookings[booking_id]

    def change(self, booking: Booking) -> None:
        """Writes a new version of a booking that stands. Raises Unknown."""
        self.booking(booking.id)
        self.facility(booking.facility)
        self._bookings[booking.id] = booking

    def cancel(self, booking_id: str) -> None:
        """Raises Unknown."""
        self.booking(booking_id)
        self._cancelled.add(booking_id)

    def restore(self, booking_id: str) -> Booking:
        """Takes a cancellation back. Raises Unknown if there is no such booking, cancelled or not."""
        if booking_id not in self._bookings:
            raise Unknown("booking")
        self._cancelled.discard(booking_id)
        return self._bookings[booking_id]

    @property
    def faults(self) -> Mapping[str, Fault]:
        """Every fault now in force, by logical address, or `*` for the aggregating service."""
        return MappingProxyType(self._faults)

    def set_fault(self, address: str, fault: Fault) -> None:
        """A child's fault is its time book's. Raises Unknown."""
        where = self.logical_address(address)
        if fault is Fault.OK:
            self._faults.pop(where, None)
        else:
            self._faults[where] = fault

    def clear_faults(self) -> None:
        self._faults.clear()

    def fault_of(self, address: str) -> Fault:
        """A lost permission looks as a denial does."""
        if address in self._forbidden:
            return Fault.DENIED
        return self._faults.get(address, Fault.OK)

    @property
    def permissions(self) -> Mapping[str, bool]:
        """Whether we may ask each logical address."""
        addresses = {unit.logical_address for unit in self.facilities.values()}
        return {address: address not in self._forbidden for address in sorted(addresses)}

    def permit(self, address: str) -> None:
        """Raises Unknown."""
        self._forbidden.discard(self.facility(address).logical_address)

    def forbid(self, address: str) -> None:
        """Takes the permission away for every subject. Raises Unknown."""
        self._forbidden.add(self.facility(address).logical_address)

    def count(self, address: str, kind: Kind) -> None:
        self._calls[address, kind] += 1

    @property
    def calls(self) -> dict[str, dict[str, int]]:
        """How many questions each address has got, of each kind; `*` counts those to the aggregating service."""
        addresses = sorted({address for address, _ in list(self._calls)})
        return {
            address: {kind.value: count for kind in Kind if (count := self._calls[address, kind]) or kind in _ALWAYS}
            for address in addresses
        }

    def _stands(self, booking_id: str) -> bool:
        return booking_id in self._bookings and booking_id not in self._cancelled
