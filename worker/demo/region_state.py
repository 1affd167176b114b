"""What the simulated region holds: bookings in its time books, the engagement index, permissions and faults.

Knows no wire format. Passed and cancelled bookings leave the index, as producers' own do.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from zoneinfo import ZoneInfo

from worker.demo.care_units import Facility

SWEDEN = ZoneInfo("Europe/Stockholm")
AGGREGATOR = "*"


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


class Unknown(LookupError):
    """No such booking or facility in the region."""


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


class Region:
    """The time books of a region. `now` is the business clock: what has begun is no longer listed."""

    def __init__(self, units: Iterable[Facility], bookings: Iterable[Booking], now: Callable[[], datetime]) -> None:
        self.facilities: Mapping[str, Facility] = MappingProxyType({unit.hsa_id.casefold(): unit for unit in units})
        self.now = now
        self._bookings = {booking.id: booking for booking in bookings}
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
        """Where questions about the facility go; the aggregating service's own name is kept. Raises Unknown."""
        return AGGREGATOR if hsa_id == AGGREGATOR else self.facility(hsa_id).logical_address

    def coming(self, subject: str | None = None) -> list[Booking]:
        """What the time books list now, by start: of everybody unless a subject is given."""
        now = self.now()
        listed = (booking for booking in list(self._bookings.values()) if booking.id not in self._cancelled)
        wanted = (booking for booking in listed if subject in (None, booking.subject) and booking.start_at > now)
        return sorted(wanted, key=lambda booking: (booking.start_at, booking.id))

    def indexed_addresses(self, subject: str) -> list[str]:
        """The engagement index: the logical addresses that have anything for the subject."""
        return sorted({self.logical_address(booking.facility) for booking in self.coming(subject)})

    def add(self, booking: Booking) -> None:
        """Books. The id of a cancelled booking may be used again. Raises Taken, Unknown."""
        self.facility(booking.facility)
        if booking.id in self._bookings and booking.id not in self._cancelled:
            raise Taken(booking.id)
        self._bookings[booking.id] = booking
        self._cancelled.discard(booking.id)

    def booking(self, booking_id: str) -> Booking:
        """A booking that stands. Raises Unknown for one that is cancelled or never was."""
        if booking_id in self._cancelled or booking_id not in self._bookings:
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
        return {address: {kind.value: self._calls[address, kind] for kind in Kind} for address in addresses}
