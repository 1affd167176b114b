"""The network half of a poll: the aggregated question and the direct looks it calls for, merged into what they prove.

Holds no database session. It decides nothing about bookings: `worker.reconcile` does.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import TypeVar

from store.identifiers import BookingKey, HsaId, SubjectId
from worker.absence import direct_looks_wanted
from worker.booking_facts import lineage
from worker.facts import Answer, Known, Patience
from worker.sources import (
    AddressStatus,
    BookingSource,
    IsStored,
    ReportedBooking,
    Snapshot,
    SourceError,
    SourceGarbled,
    SourceRefused,
    Unreadable,
)
from worker.sources.gate import Gate

_REFUSAL_REMEMBERED = timedelta(hours=1)

_Answer = TypeVar("_Answer")


@dataclass(frozen=True, slots=True)
class Question:
    """Whom to ask about, and what we hold of them before asking."""

    subject: SubjectId = field(repr=False)
    began_at: datetime
    known: tuple[Known, ...]
    parents: Mapping[HsaId, HsaId]
    spellings: Mapping[HsaId, str]
    refused_at: Mapping[HsaId, datetime]  # addresses that lately refused a direct question

    def spelling_of(self, address: HsaId) -> str:
        return self.spellings.get(address, address)


@dataclass(frozen=True, slots=True)
class Heard:
    """What the aggregating service said to one question: a snapshot, an error, or (neither) just what is stored."""

    began_at: datetime
    aggregated: Snapshot | None
    error: SourceError | None

    @property
    def is_as_stored(self) -> bool:
        return self.aggregated is None and self.error is None

    @property
    def was_put_off(self) -> bool:
        """Whether our own limits kept the question back: the source has not failed."""
        return is_ours(self.error)


@dataclass(frozen=True, slots=True)
class Learned:
    """What one run brought: snapshots, and the errors of those that brought none."""

    aggregated: Snapshot | None
    aggregated_error: SourceError | None
    direct: Mapping[HsaId, Snapshot]
    direct_errors: Mapping[HsaId, SourceError]
    present: Mapping[BookingKey, ReportedBooking | None]
    unreadable: tuple[Unreadable, ...]
    evidence: frozenset[HsaId]

    @property
    def recorded(self) -> frozenset[HsaId] | None:
        return None if self.aggregated is None else frozenset(self.aggregated.statuses)

    @property
    def foreign(self) -> int:
        snapshots = [*self.direct.values(), *([self.aggregated] if self.aggregated else [])]
        return sum(snapshot.foreign for snapshot in snapshots)

    @property
    def was_put_off(self) -> bool:
        """Whether our own limits kept the question back: the source has not failed."""
        return is_ours(self.aggregated_error)

    @property
    def garbled(self) -> list[SourceGarbled]:
        errors = [self.aggregated_error, *self.direct_errors.values()]
        return [error for error in errors if isinstance(error, SourceGarbled)]

    def answer(self, now: datetime, first_contact: frozenset[HsaId] | None) -> Answer:
        """This run as `worker.reconcile` is told it."""
        direct = frozenset(self.direct) & self.evidence
        return Answer(now, self.present, self.evidence, direct, self.recorded, first_contact)


def hear(
    source: BookingSource, gate: Gate, subject: SubjectId, is_stored: IsStored, now: Callable[[], datetime]
) -> Heard:
    """Asks the aggregating service. Never raises SourceError."""
    began_at = now()
    return Heard(began_at, *asked(gate, lambda: source.schedule(subject, is_stored)))


def learn(  # noqa: PLR0913
    source: BookingSource, gate: Gate, question: Question, heard: Heard, now: datetime, patience: Patience
) -> Learned:
    """Reads what the aggregating service said, then asks each facility whose own word is wanted. Never raises
    SourceError."""
    first = _read(question, heard.aggregated)
    direct: dict[HsaId, Snapshot] = {}
    errors: dict[HsaId, SourceError] = {}
    for address in sorted(_wanted(source, question, heard.aggregated, first, now, patience)):
        snapshot, direct_error = asked(
            gate, partial(source.schedule_at, question.subject, question.spelling_of(address))
        )
        if snapshot is not None:
            direct[address] = snapshot
        if direct_error is not None:
            errors[address] = direct_error
    readings = [first, *(_read(question, snapshot) for snapshot in direct.values())]
    return Learned(
        heard.aggregated,
        heard.error,
        direct,
        errors,
        present={key: booking for reading in readings for key, booking in reading.present.items()},
        unreadable=tuple(one for reading in readings for one in reading.unreadable),
        evidence=frozenset(address for reading in readings for address in reading.evidence),
    )


def asked(gate: Gate, call: Callable[[], _Answer]) -> tuple[_Answer | None, SourceError | None]:
    """What one question brought, by way of the gate; or why it brought nothing. Never raises SourceError."""
    try:
        with gate.admitted():
            try:
                answer = call()
            except SourceRefused as error:
                gate.record(ok=True)  # it answers; it is we who are not let in
                return None, error
            except SourceError as error:
                gate.record(ok=False)
                return None, error
            gate.record(ok=True)
            return answer, None
    except SourceError as error:
        return None, error


def is_ours(error: SourceError | None) -> bool:
    """Whether our own limits kept a question back: the source has not failed."""
    return error is not None and error.code in ("busy", "budget")


@dataclass(frozen=True, slots=True)
class _Reading:
    """What one snapshot lists, and the addresses whose complete state it proves."""

    present: Mapping[BookingKey, ReportedBooking | None]
    unreadable: tuple[Unreadable, ...]
    evidence: frozenset[HsaId]


def _wanted(  # noqa: PLR0913
    source: BookingSource,
    question: Question,
    aggregated: Snapshot | None,
    first: _Reading,
    now: datetime,
    patience: Patience,
) -> list[HsaId]:
    if not source.can_ask_directly:
        return []
    unlisted = [known for known in question.known if known.key not in first.present]
    recorded = None if aggregated is None else frozenset(aggregated.statuses)
    wanted = direct_looks_wanted(unlisted, recorded, first.evidence, now, patience)
    return [address for address in wanted if not _lately_refused(question, address, now)]


def _lately_refused(question: Question, address: HsaId, now: datetime) -> bool:
    refused_at = question.refused_at.get(address)
    return refused_at is not None and now - refused_at < _REFUSAL_REMEMBERED


def _read(question: Question, snapshot: Snapshot | None) -> _Reading:
    """What has the digest we know is not read again; an address with an unreadable booking is not proved."""
    if snapshot is None:
        return _Reading({}, (), frozenset())
    by_digest = {known.facts_digest: known for known in question.known}
    present: dict[BookingKey, ReportedBooking | None] = {}
    places: dict[BookingKey, HsaId] = {}
    unreadable = []
    for slot in snapshot.slots:
        known = by_digest.get(slot.digest)
        read = slot.read() if known is None else None
        if isinstance(read, Unreadable):
            unreadable.append(read)
            continue
        facility, booking_id = _place(known, read)
        key = _key(question, snapshot, facility, booking_id)
        if places.setdefault(key, facility) != facility:
            unreadable.append(_twice(facility, booking_id, slot.digest))
        else:
            present[key] = read
    return _Reading(present, tuple(unreadable), _proved(snapshot) - _spoilt(question, snapshot, unreadable))


def _place(known: Known | None, read: ReportedBooking | None) -> tuple[HsaId, str]:
    if known is not None:
        return known.facility, known.key.booking_id
    if read is not None:
        return read.facility, read.booking_id
    raise ValueError("a slot is either known by its digest or read")


def _twice(facility: HsaId, booking_id: str, digest: bytes) -> Unreadable:
    """Two units under one address use one id: which is ours cannot be told, so the address proves nothing."""
    reason = "bookingId: stands twice at one logical address, for different facilities"
    return Unreadable(facility, booking_id, reason, digest, digest)


def _proved(snapshot: Snapshot) -> frozenset[HsaId]:
    """Nothing, where the answer held another subject's bookings: ours may hide among those under a mangled number."""
    if snapshot.foreign:
        return frozenset()
    if snapshot.direct_to is not None:
        return frozenset({snapshot.direct_to})
    statuses = snapshot.statuses
    return frozenset(address for address, status in statuses.items() if status is AddressStatus.FROM_SOURCE)


def _spoilt(question: Question, snapshot: Snapshot, unreadable: Iterable[Unreadable]) -> frozenset[HsaId]:
    spoilt: set[HsaId] = set()
    for one in unreadable:
        if one.facility is None:
            return _proved(snapshot)
        spoilt.add(_address(question, snapshot, one.facility))
    return frozenset(spoilt)


def _key(question: Question, snapshot: Snapshot, facility: HsaId, booking_id: str) -> BookingKey:
    return BookingKey(snapshot.source, _address(question, snapshot, facility), booking_id)


def _address(question: Question, snapshot: Snapshot, facility: HsaId) -> HsaId:
    """The logical address that answered for a facility: itself, or the parent whose time book it shares.

    A booking names only its facility; where a clinic has several time books, that is a child of the address asked.
    """
    if snapshot.direct_to is not None:
        return snapshot.direct_to
    line = (facility, *lineage(facility, question.parents))
    return next((at for at in line if at in snapshot.statuses), _filed_under(question, facility))


def _filed_under(question: Question, facility: HsaId) -> HsaId:
    for known in question.known:
        if known.facility == facility:
            return known.key.logical_address
    return facility
