"""A booking source that answers what it was given, at the protocol that real ones implement."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from store.identifiers import HsaId, SubjectId
from tests.worker.visits import CLINIC
from worker.sources import AddressStatus, IsStored, ReportedBooking, Snapshot, SourceError, Unreadable

FROM_SOURCE, NO_DATA = AddressStatus.FROM_SOURCE, AddressStatus.NO_DATA


@dataclass
class Slot:
    """A reported booking that remembers whether it was read."""

    content: ReportedBooking | Unreadable
    readings: int = 0

    @property
    def digest(self) -> bytes:
        return self.content.digest

    def read(self) -> ReportedBooking | Unreadable:
        self.readings += 1
        return self.content


@dataclass
class Source:
    """Answers what it was given, and remembers whom it was asked about directly."""

    aggregated: Snapshot | SourceError
    direct: Mapping[str, Snapshot | SourceError] = field(default_factory=dict)
    can_ask_directly: bool = True
    asked: list[str] = field(default_factory=list)
    name: str = "region"

    def schedule(self, subject: SubjectId, is_stored: IsStored = lambda _: False) -> Snapshot:
        return given(self.aggregated)

    def schedule_at(self, subject: SubjectId, facility_spelling: str) -> Snapshot:
        self.asked.append(facility_spelling)
        return given(self.direct[facility_spelling])


def given(answer: Snapshot | SourceError) -> Snapshot:
    if isinstance(answer, SourceError):
        raise answer
    return answer


def snapshot(
    *slots: Slot,
    statuses: Mapping[HsaId, AddressStatus] = {CLINIC: FROM_SOURCE},
    foreign: int = 0,  # noqa: B006
) -> Snapshot:
    return Snapshot("region", None, statuses, slots, foreign, b"")


def direct(*slots: Slot, to: HsaId = CLINIC, foreign: int = 0) -> Snapshot:
    return Snapshot("region", to, {}, slots, foreign, b"")


def unreadable(facility: HsaId | None) -> Slot:
    return Slot(Unreadable(facility, "1009", "startTimeInclusive: missing", b"<x/>", b"odd"))
