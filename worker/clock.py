"""The two clocks: business now, which everything decides by, and the metronome that rings doorbells for due rows."""

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog
from apscheduler.schedulers.background import BackgroundScheduler

from store.database import Session, Sessions
from store.failpoints import CrashPoint, reached

log = structlog.get_logger()


class BusinessClock:
    """Business now: real time plus an offset that only the demo, tests and simulations move."""

    def __init__(self, start_at: datetime | None = None) -> None:
        self._offset = timedelta() if start_at is None else start_at - datetime.now(UTC)
        self._lock = threading.Lock()

    def now(self) -> datetime:
        return datetime.now(UTC) + self._offset

    def forward(self, to: datetime) -> None:
        """Moves business now to `to`; never backwards."""
        with self._lock:
            self._offset = max(self._offset, to - datetime.now(UTC))


class Rhythm:
    """What is due every so many seconds of this process, whatever lies in the database. Used by one thread."""

    def __init__(self, every: timedelta, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._every = every.total_seconds()
        self._monotonic = monotonic
        self._next = float("-inf")

    def is_due(self) -> bool:
        """True once in each stretch of time."""
        now = self._monotonic()
        if now < self._next:
            return False
        self._next = now + self._every
        return True


@dataclass(frozen=True, slots=True)
class Tick:
    """A kind of due row: the name of its doorbell, and the question whether any is due."""

    kind: str
    is_due: Callable[[Session, datetime], bool]


class Metronome:
    """Asks at every tick what is due, and rings. Two of them are harmless: bells carry nothing, claims decide."""

    def __init__(  # noqa: PLR0913 - what it asks, by which time, how often, and whom it tells
        self,
        sessions: Sessions,
        now: Callable[[], datetime],
        ticks: Sequence[Tick],
        ring: Callable[[str], None],
        seconds: float,
        ticked: Callable[[], None] = lambda: None,
    ) -> None:
        """`ticked` is called after each whole round: everything was looked at, and every bell was rung."""
        self._sessions = sessions
        self._now = now
        self._ticks = ticks
        self._ring = ring
        self._ticked = ticked
        options: dict[str, Any] = {"coalesce": True, "max_instances": 1, "misfire_grace_time": None}
        self._scheduler = BackgroundScheduler(timezone=UTC, job_defaults=options)
        self._scheduler.add_job(self.tick, "interval", seconds=seconds, next_run_time=datetime.now(UTC))

    def start(self) -> None:
        self._scheduler.start()

    def stop(self) -> None:
        self._scheduler.shutdown(wait=True)

    def tick(self) -> None:
        """One look at everything that can be due."""
        if all([self._look(tick) for tick in self._ticks]):
            self._ticked()

    def _look(self, tick: Tick) -> bool:
        """False if it failed."""
        try:
            with self._sessions.reading() as session:
                is_due = tick.is_due(session, self._now())
            if is_due:
                reached(CrashPoint.C2)
                self._ring(tick.kind)
        except Exception as error:  # noqa: BLE001 - one of the three broad ones: the metronome must not stop
            log.error("tick_failed", kind=tick.kind, error=type(error).__name__)
            return False
        return True
