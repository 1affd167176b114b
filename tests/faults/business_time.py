"""A business time that programs of their own share: it begins in the daytime, whatever the hour, and may run fast."""

from dataclasses import dataclass
from datetime import UTC, datetime

from worker.clock import BusinessClock


@dataclass(frozen=True)
class BusinessTime:
    """It was `starts_at` by business when it was `since` by real time, and goes `speed` times as fast."""

    starts_at: datetime
    since: datetime
    speed: float = 1.0

    def at(self, real: datetime) -> datetime:
        return self.starts_at + (real - self.since) * self.speed

    def now(self) -> datetime:
        return self.at(datetime.now(UTC))


class RunningClock(BusinessClock):
    """A process's business clock that shows such a time."""

    def __init__(self, time: BusinessTime) -> None:
        super().__init__()
        self._time = time

    def now(self) -> datetime:
        return self._time.now()
