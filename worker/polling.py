"""Polling: batches of due engagements, asked about one after another. Most answers say nothing new: those cost one read
and one write for the whole batch, and only the others are looked into (`worker.sync`).

Loses nothing when killed: the claims run out and the rows are due again.
"""

import threading
import time
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

import structlog

from store import engagements, poll_reads
from store.claims import Claim, claim_due, finish, release
from store.database import DatabaseError, Session
from store.engagements import POLLING
from store.failpoints import CrashPoint, reached
from store.identifiers import SubjectId
from store.poll_reads import Asking, Unchanged
from store.vault import KeyDestroyed, Unsealable
from worker.addresses import note_as_before
from worker.asking import Heard, hear
from worker.cadence import next_poll_at
from worker.sources import BookingSource
from worker.sync import Syncing, noting, storing, sync

log = structlog.get_logger()

_LONGEST = 2.0  # seconds until what nobody has begun with is given back, for others to take
_FRESH = 1.0  # seconds for which what was read before asking is believed: a consent may be withdrawn meanwhile


def poll_due(syncing: Syncing, lease: timedelta, stopping: Callable[[], bool]) -> int:
    """Polls a batch of due engagements; returns how many it came to. 0: nothing is due, or it is to stop.
    Raises Unsealable at the end, where somebody's number did not open."""
    began_at = time.monotonic()
    with syncing.sessions.writing() as session:
        claims = claim_due(session, POLLING, syncing.now(), lease, syncing.stride.size)
        read = _read(syncing, session, claims) if claims else {}
    if not claims:
        return 0
    batch = _Batch(syncing, claims, time.monotonic, read, began_at)
    count = batch.poll(stopping)
    syncing.stride.took(count, time.monotonic() - began_at)
    for source, asked in sorted(batch.asked.items()):
        log.info("polled", source=source, count=asked)
    return count


def poll_claimed(
    syncing: Syncing,
    claims: Sequence[Claim],
    stopping: Callable[[], bool] = lambda: False,
    monotonic: Callable[[], float] = time.monotonic,
) -> int:
    """Polls claimed engagements in their order; returns how many. The rest is given back: on `stopping`, on an error,
    or when an answer keeps them waiting. Raises Unsealable at the end, where somebody's number did not open."""
    return _Batch(syncing, claims, monotonic).poll(stopping)


@dataclass(frozen=True, slots=True)
class _NotAsked:
    """Nothing is asked: until a time, or (None) until somebody wakes the engagement."""

    look_again_at: datetime | None


def _read(syncing: Syncing, session: Session, claims: Sequence[Claim]) -> Mapping[UUID, Asking]:
    return poll_reads.asking(session, [one.id for one in claims], syncing.now())


@contextmanager
def _soon(act: Callable[[], None]) -> Iterator[None]:
    """What is done inside may last; if it lasts long, another thread acts meanwhile."""
    impatience = threading.Timer(_LONGEST, act)
    impatience.start()
    try:
        yield
    finally:
        impatience.cancel()
        impatience.join()


@dataclass
class _Batch:
    """What nobody has begun with, and what is done and not yet written."""

    syncing: Syncing
    claims: Sequence[Claim]
    monotonic: Callable[[], float]
    read: Mapping[UUID, Asking] = field(default_factory=dict)
    read_at: float = float("-inf")
    unchanged: list[Unchanged] = field(default_factory=list)
    named: defaultdict[str, set[str]] = field(default_factory=lambda: defaultdict(set))  # by source: `Asking.named`
    unsealable: Unsealable | None = None
    asked: Counter[str] = field(default_factory=Counter)  # by source
    failed: Counter[tuple[str, str]] = field(default_factory=Counter)  # by source and error code

    def __post_init__(self) -> None:
        self._left = deque(self.claims)  # safe between threads: each claim is taken by one

    def poll(self, stopping: Callable[[], bool]) -> int:
        try:
            count = self._poll_all(stopping)
        finally:
            self.give_back()
            self._finish()
        if self.unsealable is not None:
            raise self.unsealable
        return count

    def give_back(self) -> None:
        """What is not begun with is due again, for anybody."""
        rest = list(iter(self._next, None))
        if not rest:
            return
        try:
            with self.syncing.sessions.writing() as session:
                release(session, POLLING, rest)
        except DatabaseError as error:
            log.warning("claims_not_released", count=len(rest), error=type(error).__name__)  # they run out

    def _poll_all(self, stopping: Callable[[], bool]) -> int:
        if stopping() or (claim := self._next()) is None:
            return 0
        with _soon(self.give_back):  # begun only now: one is always polled
            self._poll(claim)
            return 1 + self._poll_others(stopping)

    def _poll_others(self, stopping: Callable[[], bool]) -> int:
        count = 0
        while not stopping() and (claim := self._next()) is not None:
            self._poll(claim)
            count += 1
        return count

    def _next(self) -> Claim | None:
        try:
            return self._left.popleft()
        except IndexError:
            return None

    def _poll(self, claim: Claim) -> None:
        asking = self._asking(claim)
        if asking is None:
            return  # erased, and the claim with it
        prepared = self._prepared(asking)
        if isinstance(prepared, _NotAsked):
            with self.syncing.sessions.writing() as session:
                finish(session, POLLING, claim, prepared.look_again_at)
            return
        source, subject = prepared
        heard = hear(source, self.syncing.gates[source.name], subject, partial(self._is_stored, asking), self._now)
        self._count(source.name, heard)
        if self._is_as_before(asking, heard):
            self.named[source.name].update((asking.named or "").split("\n"))
            self.unchanged.append(self._unchanged(claim, asking, heard))
        else:
            sync(self.syncing, claim, source, subject, heard)

    def _asking(self, claim: Claim) -> Asking | None:
        if self.monotonic() - self.read_at > _FRESH:
            self.read_at = self.monotonic()
            with self.syncing.sessions.reading() as session:
                self.read = _read(self.syncing, session, self.claims)
        return self.read.get(claim.id)

    def _prepared(self, asking: Asking) -> tuple[BookingSource, SubjectId] | _NotAsked:
        """Whom to ask, and about whom; or that nothing may be asked now."""
        if not asking.may_ask:
            return _NotAsked(None)
        source = self.syncing.sources.get(asking.source)
        if source is None:
            log.error("source_not_set", source=asking.source, setting="KALLELSE_SOURCES")
            return _NotAsked(self._now() + self.syncing.pace.usual)
        try:
            return source, asking.subject(self.syncing.vault)
        except KeyDestroyed:
            return _NotAsked(None)  # erased: there is nobody to ask about
        except Unsealable as error:
            self.unsealable = error
            return _NotAsked(self._now() + self.syncing.pace.backoff_first)

    def _is_stored(self, asking: Asking, octets: bytes) -> bool:
        return bool(asking.answer_digest) and self._digest(asking, octets) == asking.answer_digest

    def _is_as_before(self, asking: Asking, heard: Heard) -> bool:
        """The answer says what the stored one did, and nothing hangs in the air (`Asking.answer_digest`)."""
        if heard.aggregated is None:
            return heard.is_as_stored
        is_known = bool(asking.answer_digest) and not heard.aggregated.foreign
        return is_known and heard.aggregated.digest.hex() == asking.digest

    def _unchanged(self, claim: Claim, asking: Asking, heard: Heard) -> Unchanged:
        pace, spread = self.syncing.pace, self.syncing.spread()
        next_at = next_poll_at(self._now(), asking.nearest_start_at, asking.changed_at, 0, pace, spread)
        octets = asking.answer_digest if heard.aggregated is None else self._digest(asking, heard.aggregated.octets)
        return Unchanged(claim, heard.began_at, octets, next_at)

    def _count(self, source: str, heard: Heard) -> None:
        self.asked[source] += 1
        if heard.error is not None and not heard.was_put_off:
            self.failed[source, heard.error.code] += 1

    def _finish(self) -> None:
        """Writes all that is as before at once, and a line for each way in which a source failed."""
        if self.unchanged:
            reached(CrashPoint.C0)
            storing(self.syncing, self._store)
        for (source, code), count in sorted(self.failed.items()):
            log.warning("source_failed", source=source, code=code, count=count)

    def _store(self, session: Session) -> None:
        for source, lines in sorted(self.named.items()):
            note_as_before(session, noting(self.syncing, source), lines)
        poll_reads.finish_unchanged(session, self.unchanged)

    def _digest(self, asking: Asking, octets: bytes) -> str:
        return engagements.answer_digest(self.syncing.vault, asking.id, octets)

    def _now(self) -> datetime:
        return self.syncing.now()
