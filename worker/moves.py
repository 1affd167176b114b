"""Which new booking a missing one became. Pure; it decides likeness and time, never whether one is missing."""

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

from store.identifiers import BookingKey, HsaId
from worker.facts import Circumstances, Known
from worker.sources import ReportedBooking


@dataclass(frozen=True, slots=True)
class Candidate:
    """A new booking that a missing one may have become, with its facts as of this answer."""

    id: UUID | None  # our row; None: it appeared in this very answer
    key: BookingKey
    facility: HsaId
    start_at: datetime
    time_type_id: str
    first_seen_at: datetime
    booking: ReportedBooking | None  # None: the row's stored facts still hold


class _Visit(Protocol):
    """What a missing booking and a candidate have in common."""

    @property
    def facility(self) -> HsaId: ...
    @property
    def start_at(self) -> datetime: ...
    @property
    def time_type_id(self) -> str: ...


_Where = Callable[[_Visit], Hashable | None]  # None is like nothing
_Likeness = Callable[[_Visit, datetime | None], Hashable | None]  # with when it went missing, or was first seen


def paired(
    missing: Sequence[Known], candidates: Sequence[Candidate], circumstances: Circumstances
) -> dict[UUID, Candidate]:
    """For each missing booking's id the candidate it became; no candidate is used twice.

    The same facility comes before a sibling, the same time type before another. Within each comes first what was
    new in the very answer that first missed it (a clinic may move several visits while we look twice), then the same
    start (a system that only gave out new ids has moved nobody), then the order of starts.
    """
    left = sorted(missing, key=lambda known: (known.time_type_id, known.start_at, known.id))
    free = sorted(candidates, key=lambda candidate: (candidate.start_at, candidate.key.booking_id))
    pairs: dict[UUID, Candidate] = {}
    for likeness in _likenesses(circumstances):
        found = _alike(left, free, likeness, circumstances.patience.move_window)
        used = {candidate.key for candidate in found.values()}
        left = [known for known in left if known.id not in found]
        free = [candidate for candidate in free if candidate.key not in used]
        pairs |= found
    return pairs


def could_become(missing: Known, candidate: Candidate, circumstances: Circumstances) -> bool:
    """Whether the two would be paired if the missing one were confirmed and nothing else stood nearer."""
    if not _is_timely(missing, candidate, circumstances.patience.move_window):
        return False
    if missing.facility == candidate.facility:
        return True
    return bool(missing.time_type_id) and (
        missing.time_type_id == candidate.time_type_id
        and circumstances.root_of(missing.facility) == circumstances.root_of(candidate.facility)
    )


def _likenesses(circumstances: Circumstances) -> Iterator[_Likeness]:
    """Nearest first. Two unknown time types are not the same one, so an empty one is like nothing at a sibling."""

    def in_the_family(visit: _Visit) -> Hashable | None:
        return (circumstances.root_of(visit.facility), visit.time_type_id) if visit.time_type_id else None

    yield from _narrowing(lambda visit: (visit.facility, visit.time_type_id))
    yield from _narrowing(lambda visit: visit.facility)
    yield from _narrowing(in_the_family)


def _narrowing(where: _Where) -> tuple[_Likeness, ...]:
    def like(visit: _Visit, *nearer: datetime | None) -> Hashable | None:
        place = where(visit)
        return None if place is None else (place, *nearer)

    return (
        lambda visit, at: like(visit, at, visit.start_at),
        lambda visit, at: like(visit, at),
        lambda visit, at: like(visit, visit.start_at),
        lambda visit, at: like(visit),
    )


def _alike(
    left: Sequence[Known], free: Sequence[Candidate], likeness: _Likeness, window: timedelta
) -> dict[UUID, Candidate]:
    groups: defaultdict[Hashable, list[Candidate]] = defaultdict(list)
    for candidate in free:
        groups[likeness(candidate, candidate.first_seen_at)].append(candidate)
    groups.pop(None, None)
    found: dict[UUID, Candidate] = {}
    for known in left:
        group = groups.get(likeness(known, known.missed_at), [])
        match = next((candidate for candidate in group if _is_timely(known, candidate, window)), None)
        if match is not None:
            group.remove(match)
            found[known.id] = match
    return found


def _is_timely(missing: Known, candidate: Candidate, window: timedelta) -> bool:
    """Seen long before the first miss, it is a booking of its own (rules of behaviour, 1 c)."""
    return missing.missed_at is not None and candidate.first_seen_at >= missing.missed_at - window
