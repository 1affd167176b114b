"""What every booking source is: whom it can be asked about, and what its dated answer, a snapshot, holds.

An adapter knows one wire format and nothing of our tables; `worker.sync` knows the tables and no wire format.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Protocol, runtime_checkable

from store.identifiers import HsaId, SubjectId
from store.leaflets import Leaflet


class AddressStatus(StrEnum):
    """What an aggregated answer says of one logical address (interoperability headers 1.0, ProcessingStatus)."""

    FROM_SOURCE = "DataFromSource"
    FROM_CACHE = "DataFromCache"
    FROM_STALE_CACHE = "DataFromCacheSynchFailed"
    NO_DATA = "NoDataSynchFailed"


class TimeFlag(StrEnum):
    """A local time that does not say one instant: which documented rule was used."""

    NONE = ""
    REPEATED_HOUR = "repeated_hour"  # autumn: the first of the two (summer time) was chosen
    MISSING_HOUR = "missing_hour"  # spring: moved forward past the gap


@dataclass(frozen=True, slots=True)
class ReportedBooking:
    """One booking as a source reports it now, valid and free of the wire's spelling. Instants are UTC."""

    booking_id: str
    facility: HsaId
    facility_spelling: str  # as the wire wrote it: what a direct call must say
    start_at: datetime
    end_at: datetime | None  # None where the source gave no end after the start
    time_flag: TimeFlag
    is_invitation: bool
    facility_name: str = field(repr=False)
    performer_name: str = field(repr=False)
    resource_name: str = field(repr=False)
    time_type_id: str
    time_type_name: str = field(repr=False)
    care_type_name: str = field(repr=False)
    preparations: Leaflet = field(repr=False)  # the wire's `purpose`
    may_cancel: bool
    may_rebook: bool
    digest: bytes  # of the wire's content, 16 bytes


@dataclass(frozen=True, slots=True)
class Unreadable:
    """One reported booking that could not be read: kept apart with its reason, the rest of the answer holds."""

    facility: HsaId | None  # None where not even the facility could be read
    booking_id: str
    reason: str  # names the element and the fault, never the value
    content: bytes = field(repr=False)  # the wire's own bytes, for quarantine only
    digest: bytes


class ReportedSlot(Protocol):
    """One reported booking before its fields are read; reading is put off, as most polls change nothing."""

    @property
    def digest(self) -> bytes: ...

    def read(self) -> ReportedBooking | Unreadable: ...


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One answer about one subject. `direct_to` is set when a single facility was asked.

    `statuses` holds what an aggregated answer said per logical address; empty for a direct answer, whose evidence is
    the answer itself. `foreign` counts reported bookings of another subject: dropped, and to be alarmed about.
    """

    source: str
    direct_to: HsaId | None
    statuses: Mapping[HsaId, AddressStatus]
    slots: tuple[ReportedSlot, ...]
    foreign: int
    digest: bytes  # over the sorted slot digests and the set of (address, status)
    octets: bytes = b""  # digest of the answer as it came, its moments left out; empty where the adapter makes none


@dataclass(frozen=True, slots=True)
class Listing:
    """What an engagement index lists of a subject: where to ask for it. Never stored, and used for nothing else."""

    address: HsaId
    spelling: str  # as the index wrote the address: what the question must say
    booking_id: str
    is_invitation: bool  # False: a booking


@dataclass(frozen=True, slots=True)
class Listings:
    """An index's answer about one subject. Only a whole one can prove that something is listed no more."""

    listed: tuple[Listing, ...]
    is_whole: bool  # False where a record was another subject's or unreadable, or there were too many
    foreign: int  # records of another subject: dropped, and to be alarmed about


@dataclass(frozen=True, slots=True)
class ReportedInvitation:
    """An open invitation as the care side reports it now: it has no time, the citizen is to book one."""

    booking_id: str
    facility: HsaId
    facility_spelling: str
    due_on: date | None  # the last day to book for, where the answer says one
    facility_name: str = field(repr=False)
    performer_name: str = field(repr=False)
    resource_name: str = field(repr=False)
    time_type_name: str = field(repr=False)
    care_type_name: str = field(repr=False)
    preparations: Leaflet = field(repr=False)
    digest: bytes  # of the wire's content, 16 bytes


class NotOpen(StrEnum):
    """What the care side's answer shows instead of an open invitation of the subject's."""

    HAS_TIME = "has_time"  # the schedule has it
    NOT_INVITED = "not_invited"
    OF_ANOTHER = "of_another"  # another subject's: dropped, alarmed about, and no proof of anything


class SourceError(Exception):
    """A question that got no usable answer. `code` is short, stable and free of personal data (`VP007`, `timeout`)."""

    def __init__(self, code: str, meaning: str) -> None:
        super().__init__(f"{code}: {meaning}")
        self.code = code
        self.meaning = meaning


class SourceUnavailable(SourceError):
    """No answer now; asking again later can help."""


class SourceRefused(SourceError):
    """Asking again does not help until a person has acted (permission, certificate, route)."""


class SourceGarbled(SourceError):
    """An answer that cannot be read. `content` is kept, sealed, for seven days."""

    def __init__(self, code: str, meaning: str, content: bytes) -> None:
        super().__init__(code, meaning)
        self.content = content


IsStored = Callable[[bytes], bool]
"""Whether a whole, good answer with this `Snapshot.octets` is the one we hold: then nothing of it need be read."""


class BookingSource(Protocol):
    """A place that answers what a subject has booked. Raises SourceError."""

    @property
    def name(self) -> str: ...

    @property
    def can_ask_directly(self) -> bool: ...

    def schedule(self, subject: SubjectId, is_stored: IsStored = ...) -> Snapshot | None:
        """All coming bookings, by way of the aggregating service; None where `is_stored` knows the answer's octets."""
        ...

    def schedule_at(self, subject: SubjectId, facility_spelling: str) -> Snapshot:
        """What one facility itself has for the subject."""
        ...


@runtime_checkable
class InvitationSource(Protocol):
    """A source whose open invitations can be found. The schedule never has them: an index says where to ask, and the
    facility's own answer says what is so. Raises SourceError."""

    @property
    def name(self) -> str: ...

    @property
    def has_invitations(self) -> bool:
        """False where this one has no index to ask."""
        ...

    def listings(self, subject: SubjectId) -> Listings:
        """What the index lists of the subject."""
        ...

    def invitation(self, subject: SubjectId, listing: Listing) -> ReportedInvitation | NotOpen | Unreadable:
        """What the facility itself says of something listed."""
        ...
