"""A small world in which bookings change and answers fail, and a keeper of rows who believes `reconcile`.

The world knows the truth. The keeper knows only answers, and does with each outcome what its docstring says. The
witness keeps its own record of every answer and judges what is told, with nothing of the code under test in it.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from uuid import UUID

from store.identifiers import BookingKey, HsaId, new_id
from store.standing import Standing
from tests.worker.visits import NOW, reported
from worker.absence import direct_looks_wanted
from worker.facts import Answer, Circumstances, Known, Loss, Patience
from worker.reconcile import (
    Amended,
    Appeared,
    Cleared,
    Gone,
    Moved,
    Outcome,
    Rekeyed,
    Released,
    Restored,
    Suspected,
    reconcile,
)
from worker.sources import ReportedBooking

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)

BOOK_A, CHILD_A, BOOK_B, BOOK_C = (HsaId(f"SE2321000016-{name}") for name in ("A", "A1", "B", "C"))
ADDRESSES = (BOOK_A, BOOK_B, BOOK_C)
ADDRESS_OF = {BOOK_A: BOOK_A, CHILD_A: BOOK_A, BOOK_B: BOOK_B, BOOK_C: BOOK_C}
FACILITIES = tuple(ADDRESS_OF)
FAMILY = {BOOK_A: BOOK_A, CHILD_A: BOOK_A, BOOK_B: BOOK_A}
KINDS = ("besök", "prov", "")
TROUBLES = ("ok", "no data", "cached", "unreadable", "empty")
LISTED_AFTER_START = HOUR


@dataclass(slots=True)
class World:
    """The truth of one subject at one source, and what is wrong with each way of asking for it."""

    asks_directly: bool = True
    bookings: dict[str, ReportedBooking] = field(default_factory=dict)  # by booking id, which no two facilities share
    cancelled: list[ReportedBooking] = field(default_factory=list)
    trouble: dict[HsaId, str] = field(default_factory=dict)
    cache: dict[HsaId, tuple[ReportedBooking, ...]] = field(default_factory=dict)
    is_down: bool = False  # the aggregating service
    denied: set[HsaId] = field(default_factory=set)  # dropped from aggregated answers without a trace
    refused: set[HsaId] = field(default_factory=set)  # direct questions
    unindexed: set[HsaId] = field(default_factory=set)
    frozen: set[HsaId] = field(default_factory=set)
    is_tree_known: bool = False  # without direct looks a child's address can never be proved before it is
    numbers: Iterator[int] = field(default_factory=lambda: iter(range(1000, 10**9)))

    def book(self, facility: HsaId, start_at: datetime, kind: str) -> None:
        number = str(next(self.numbers))
        self.bookings[number] = reported(number, facility=facility, start_at=start_at, time_type_id=kind)

    def cancel(self, number: str) -> None:
        self.cancelled.append(self.bookings.pop(number))

    def restore(self) -> None:
        if self.cancelled:
            booking = self.cancelled.pop()
            self.bookings[booking.booking_id] = booking

    def change(self, number: str, **facts: object) -> None:
        """The same booking with other facts; with another `booking_id` it is a rebooking that gives a new id."""
        old = self.bookings.pop(number)
        kept = {name: getattr(old, name) for name in ("facility", "start_at", "time_type_id", "resource_name")}
        changed = reported(**{"booking_id": number} | kept | facts)
        self.bookings[changed.booking_id] = changed

    def heal(self) -> None:
        for faults in (self.trouble, self.denied, self.refused, self.unindexed, self.frozen):
            faults.clear()
        self.is_down, self.is_tree_known = False, True

    def at(self, address: HsaId, now: datetime) -> tuple[ReportedBooking, ...]:
        """What one time book, or one child of it, lists of its own accord."""
        places = {address} if address == CHILD_A else {one for one in FACILITIES if ADDRESS_OF[one] == address}
        here = (booking for booking in self.bookings.values() if booking.facility in places)
        return tuple(booking for booking in here if booking.start_at > now - LISTED_AFTER_START)

    def coming(self, now: datetime) -> set[tuple[str, HsaId, datetime]]:
        return {(one.booking_id, one.facility, one.start_at) for one in self.bookings.values() if one.start_at > now}


@dataclass(slots=True)
class Said:
    """What one way of asking brought: per address that gave a record, its bookings; and which of these are proof."""

    listed: dict[HsaId, tuple[ReportedBooking, ...]] = field(default_factory=dict)
    evidence: set[HsaId] = field(default_factory=set)

    def add(self, world: World, address: HsaId, now: datetime) -> None:
        trouble = world.trouble.get(address, "ok")
        bookings = world.at(address, now)
        if trouble == "cached":
            bookings = world.cache.get(address, ())
        elif trouble in ("no data", "empty"):
            bookings = ()
        elif trouble == "unreadable":
            bookings = bookings[1:]
        else:
            world.cache[address] = bookings
        self.listed[address] = bookings
        if trouble in ("ok", "empty"):
            self.evidence.add(address)
        if trouble == "empty":
            world.trouble.pop(address)  # one such answer is what two looks are for


def aggregated(world: World, now: datetime) -> Said | None:
    if world.is_down:
        return None
    said = Said()
    for address in ADDRESSES:
        is_indexed = address not in world.unindexed and bool(world.at(address, now))
        if is_indexed and address not in world.denied:
            said.add(world, address, now)
    return said


def directly(world: World, addresses: frozenset[HsaId], now: datetime) -> Said:
    """Only answers: a refusal or a failure says nothing at all."""
    said = Said()
    for address in addresses:
        reachable = world.trouble.get(address, "ok") in ("ok", "empty", "unreadable")
        if world.asks_directly and reachable and ADDRESS_OF[address] not in world.refused:
            said.add(world, address, now)
    return said


@dataclass(slots=True)
class Keeper:
    """Our side: rows, and what is remembered of each address between answers."""

    world: World
    patience: Patience = Patience()
    now: datetime = NOW
    rows: dict[UUID, Known] = field(default_factory=dict)
    told: list[tuple[datetime, str, UUID]] = field(default_factory=list)
    look_again_at: datetime | None = None
    witness: "Witness" = field(init=False)
    _heard_of: set[HsaId] = field(default_factory=set)
    _failing_since_first: set[HsaId] = field(default_factory=set)
    _unrecorded_since: dict[HsaId, datetime] = field(default_factory=dict)
    _seen_elsewhere_at: dict[HsaId, datetime] = field(default_factory=dict)
    _has_evidence: bool = False

    def __post_init__(self) -> None:
        self.witness = Witness(believes_losses=not self.world.asks_directly)

    def wait(self, span: timedelta) -> None:
        """Time passes; asks when reconciling wished to look again, and at the end."""
        until = self.now + span
        while self.look_again_at is not None and self.look_again_at < until:
            self.now = max(self.look_again_at, self.now + timedelta(seconds=1))
            self.look_again_at = None
            self.poll()
        self.now = until
        self.poll()

    def poll(self) -> None:
        self._let_pass()
        answer = self._ask()
        known = list(self.rows.values())
        around = Circumstances(self._losses(), frozenset(self.world.frozen), FAMILY, self.patience)
        decision = reconcile(known, answer, around)
        self.witness.judge(known, answer, decision.outcomes, self._seen_elsewhere_at)
        for outcome in decision.outcomes:
            self._do(outcome)
        self.look_again_at = decision.look_again_at
        self.witness.check_rows(self.rows)

    def coming(self) -> set[tuple[str, HsaId, datetime]]:
        booked = (row for row in self.rows.values() if row.standing is Standing.BOOKED and row.start_at > self.now)
        return {(row.key.booking_id, row.facility, row.start_at) for row in booked}

    def _let_pass(self) -> None:
        """Late, as a due row may be: reconciling meets visits that have begun and still stand as booked."""
        for id, row in self.rows.items():
            if row.standing is Standing.BOOKED and row.start_at <= self.now - HOUR:
                self.rows[id] = replace(row, standing=Standing.PASSED)

    def _ask(self) -> Answer:
        first = aggregated(self.world, self.now)
        recorded = None if first is None else frozenset(first.listed)
        evidence = frozenset() if first is None else frozenset(first.evidence)
        listed = {} if first is None else self._filed(first, direct=False)
        unlisted = [row for row in self.rows.values() if row.key not in listed]
        looks = direct_looks_wanted(unlisted, recorded, evidence, self.now, self.patience)
        second = directly(self.world, looks, self.now)
        present = listed | self._filed(second, direct=True)
        direct = frozenset(second.evidence)
        self._remember(first, recorded, evidence | direct)
        contact = self._first_contact(recorded, evidence | direct)
        return Answer(self.now, present, evidence | direct, direct, recorded, contact)

    def _filed(self, said: Said, *, direct: bool) -> dict[BookingKey, ReportedBooking | None]:
        digests = {row.facts_digest for row in self.rows.values()}
        present: dict[BookingKey, ReportedBooking | None] = {}
        for address, bookings in said.listed.items():
            for booking in bookings:
                filed = address if direct or self.world.is_tree_known else booking.facility
                unread = booking.digest in digests
                present[BookingKey("region", filed, booking.booking_id)] = None if unread else booking
        return present

    def _remember(self, first: Said | None, recorded: frozenset[HsaId] | None, evidence: frozenset[HsaId]) -> None:
        for address in ADDRESSES:
            if address not in self.world.denied and self.world.trouble.get(address, "ok") == "ok":
                self._seen_elsewhere_at[address] = self.now
        if recorded is None:
            return
        for address in FACILITIES:
            if address in recorded:
                self._unrecorded_since.pop(address, None)
            else:
                self._unrecorded_since.setdefault(address, self.now)

    def _first_contact(self, recorded: frozenset[HsaId] | None, evidence: frozenset[HsaId]) -> frozenset[HsaId] | None:
        is_first, self._has_evidence = not self._has_evidence, self._has_evidence or bool(evidence)
        self._failing_since_first |= (recorded or frozenset()) - evidence - self._heard_of
        contact = frozenset(self._failing_since_first & evidence)
        self._failing_since_first -= evidence
        self._heard_of |= evidence
        return None if is_first else contact

    def _losses(self) -> dict[HsaId, Loss]:
        asks = self.world.asks_directly
        return {at: Loss(since, self._seen_elsewhere_at.get(at), asks) for at, since in self._unrecorded_since.items()}

    def _do(self, outcome: Outcome) -> None:
        match outcome:
            case Appeared(key, booking, tell, until):
                row = _row(new_id(), key, booking, self.now, until, is_new=tell)
                self.rows[row.id] = row
                if tell and until is None:
                    self._tell("booked", row)
            case Moved(id, key, booking, candidate_id):
                self._move(id, key, booking, candidate_id)
            case Amended(id, booking):
                self.rows[id] = _with_facts(self.rows[id], booking)
            case Gone(id, _):
                self._end(self.rows[id])
            case Restored(id, restored):
                row = replace(self.rows[id], standing=Standing.BOOKED)
                self.rows[id] = row if restored is None else _with_facts(row, restored)
                self._tell("restored", row)
            case _:
                self._mark(outcome)

    def _mark(self, outcome: Suspected | Cleared | Released | Rekeyed) -> None:
        row = self.rows[outcome.id]
        match outcome:
            case Suspected(id, missed_at, on_evidence, directly_at, _):
                row = replace(row, missed_at=missed_at, missed_on_evidence_at=on_evidence)
                self.rows[id] = replace(row, missed_directly_at=directly_at)
            case Cleared(id):
                self.rows[id] = _cleared(row)
            case Released(id):
                self.rows[id] = replace(row, candidate_until=None)
                self._tell("booked", row)
            case Rekeyed(id, key):
                self.rows[id] = replace(row, key=key)

    def _end(self, row: Known) -> None:
        """Of one that still waits as a candidate nothing was told."""
        if row.candidate_until is None:
            self._tell("gone", row)
        self.rows[row.id] = replace(_cleared(row), standing=Standing.GONE, candidate_until=None)

    def _move(self, id: UUID, key: BookingKey, booking: ReportedBooking | None, candidate_id: UUID | None) -> None:
        row = _cleared(self.rows[id])
        if candidate_id is not None:
            candidate = self.rows.pop(candidate_id)
            row = _as(row, candidate)
        if booking is not None:
            row = _with_facts(row, booking)
        self.rows[id] = replace(row, key=key)
        self._tell("moved", row)

    def _tell(self, what: str, row: Known) -> None:
        self.told.append((self.now, what, row.id))


@dataclass(slots=True)
class Witness:
    """What each answer of evidence said, kept apart from the keeper, and the judgement on what is told."""

    believes_losses: bool
    proofs: list[tuple[datetime, frozenset[HsaId], frozenset[BookingKey]]] = field(default_factory=list)
    records: list[tuple[datetime, frozenset[HsaId]]] = field(default_factory=list)  # of clean aggregated answers
    gone: int = 0
    moved: int = 0

    def judge(
        self,
        known: list[Known],
        answer: Answer,
        outcomes: tuple[Outcome, ...],
        seen_elsewhere_at: dict[HsaId, datetime],
    ) -> None:
        if answer.recorded is not None:
            self.records.append((answer.now, answer.recorded))
        lost = frozenset(one for one in FACILITIES if self._is_lost(one, answer.now, seen_elsewhere_at))
        self.proofs.append((answer.now, answer.evidence | lost, frozenset(answer.present)))
        rows = {row.id: row for row in known}
        ended = [one for one in outcomes if isinstance(one, Gone | Moved)]
        assert len({one.id for one in ended}) == len(ended), "one booking ended twice"
        taken = [one.candidate_id for one in ended if isinstance(one, Moved) and one.candidate_id is not None]
        assert len(set(taken)) == len(taken), "one candidate taken twice"
        mentioned = {one.id for one in outcomes if not isinstance(one, Appeared)}
        assert not mentioned & set(taken), "a row that goes is spoken of"
        for one in ended:
            self._judge_end(one, rows[one.id], answer)

    def check_rows(self, rows: dict[UUID, Known]) -> None:
        keys = [row.key for row in rows.values()]
        assert len(set(keys)) == len(keys), "two rows with one key"
        places = [(row.facility, row.key.booking_id) for row in rows.values()]
        assert len(set(places)) == len(places), "one visit in two rows"

    def _judge_end(self, end: Gone | Moved, row: Known, answer: Answer) -> None:
        if isinstance(end, Moved):
            self.moved += 1
            if end.candidate_id is None and (end.key == row.key or end.key.booking_id == row.key.booking_id):
                assert end.key in answer.present
                return
        else:
            self.gone += 1
            assert row.start_at > answer.now, "told gone though it has begun"
        assert row.key not in answer.present, "told gone though listed in this very answer"
        assert self._is_proved_twice(row.key, answer.now), "told gone without two answers of evidence"

    def _is_proved_twice(self, key: BookingKey, now: datetime) -> bool:
        """Counted backwards from now to the last answer that listed it."""
        omitted_at = []
        for at, proved, listed in reversed(self.proofs):
            if key in listed:
                break
            if key.logical_address in proved:
                omitted_at.append(at)
        return bool(omitted_at) and omitted_at[0] == now and now - omitted_at[-1] >= 10 * MINUTE

    def _is_lost(self, address: HsaId, now: datetime, seen_elsewhere_at: dict[HsaId, datetime]) -> bool:
        seen_at = seen_elsewhere_at.get(address)
        if not self.believes_losses or seen_at is None or now - seen_at > HOUR:
            return False
        if not self.records or self.records[-1][0] != now:
            return False
        clean_since = None
        for at, recorded in reversed(self.records):
            if address in recorded:
                break
            clean_since = at
        return clean_since is not None and now - clean_since >= 24 * HOUR


def _row(
    row_id: UUID, key: BookingKey, booking: ReportedBooking, now: datetime, until: datetime | None, *, is_new: bool
) -> Known:
    return Known(
        id=row_id,
        key=key,
        facility=booking.facility,
        start_at=booking.start_at,
        end_at=booking.end_at,
        time_type_id=booking.time_type_id,
        facts_digest=booking.digest,
        standing=Standing.BOOKED,
        first_seen_at=now,
        is_new=is_new,
        missed_at=None,
        missed_on_evidence_at=None,
        missed_directly_at=None,
        candidate_until=until,
    )


def _cleared(row: Known) -> Known:
    return replace(row, missed_at=None, missed_on_evidence_at=None, missed_directly_at=None)


def _with_facts(row: Known, booking: ReportedBooking) -> Known:
    return replace(
        row,
        facility=booking.facility,
        start_at=booking.start_at,
        end_at=booking.end_at,
        time_type_id=booking.time_type_id,
        facts_digest=booking.digest,
    )


def _as(row: Known, candidate: Known) -> Known:
    names = ("facility", "start_at", "end_at", "time_type_id", "facts_digest")
    return replace(row, **{name: getattr(candidate, name) for name in names})
