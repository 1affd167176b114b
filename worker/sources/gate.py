"""What stands between us and one source, so that its trouble stays its own: a bulkhead, a breaker, a budget, a pace.

The thread-safe shell around `worker.cadence`'s states. It counts this process only.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from threading import BoundedSemaphore, Lock

from worker.cadence import Breaker, Budget, TokenBucket
from worker.sources import SourceUnavailable


@dataclass(frozen=True, slots=True)
class Limits:
    """What one source may be asked by one process."""

    at_once: int = 8
    per_second: float = 20.0
    burst: int = 20
    per_hour: int = 50_000
    patience: float = 1.0  # seconds a caller waits for its turn before it is told that the source is busy


class Gate:
    """One source's gate; safe to pass from several threads."""

    def __init__(
        self,
        limits: Limits,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        within: "Gate | None" = None,
    ) -> None:
        """`within`: the gate that its calls pass too. They count by that one's limits, their failures only here."""
        self._limits = limits
        self._within = within
        self._monotonic = monotonic
        self._sleep = sleep
        self._bulkhead = BoundedSemaphore(limits.at_once)
        self._lock = Lock()
        self._bucket = TokenBucket(limits.per_second, limits.burst, limits.burst, monotonic())
        self._budget = Budget(limits.per_hour)
        self._breaker = Breaker()

    @contextmanager
    def admitted(self) -> Iterator[None]:
        """Around one call. Raises SourceUnavailable: `busy`, `open` (the source has been failing) or `budget`."""
        if not self._bulkhead.acquire(timeout=self._limits.patience):
            raise _busy()
        try:
            self._await_turn()
            with self._within.admitted() if self._within else nullcontext():
                yield
        finally:
            self._bulkhead.release()

    def record(self, *, ok: bool) -> None:
        """How the call went. A refusal is an answer: it is no failure of the source."""
        with self._lock:
            self._breaker = self._breaker.recorded(self._monotonic(), ok=ok)

    def _await_turn(self) -> None:
        patience_ends_at = self._monotonic() + self._limits.patience
        while wait := self._take():
            if self._monotonic() + wait > patience_ends_at:
                raise _busy()
            self._sleep(wait)

    def _take(self) -> float:
        """0 when the call may be made, and then it is counted; else seconds to wait for the pace."""
        with self._lock:
            at = self._monotonic()
            if not self._breaker.admits(at):
                raise SourceUnavailable("open", "the source has been failing and is left alone for a while")
            if not self._budget.allows(at):
                raise SourceUnavailable("budget", "this hour's calls to the source are used up")
            wait = self._bucket.wait(at)
            if wait == 0:
                self._breaker, self._budget = self._breaker.tried(at), self._budget.spent(at)
                self._bucket = self._bucket.taken(at)
            return wait


def _busy() -> SourceUnavailable:
    return SourceUnavailable("busy", "as many calls as allowed are already under way to the source")
