"""Whether a visit still stands as somebody was told of it. Pure."""

from datetime import datetime
from enum import StrEnum

from store.standing import Standing


class VisitState(StrEnum):
    STANDS = "stands"
    MOVED = "moved"
    CANCELLED = "cancelled"
    GONE = "gone"
    PASSED = "passed"


_OFF = {
    Standing.CANCELLED: VisitState.CANCELLED,
    Standing.GONE: VisitState.GONE,
    Standing.PASSED: VisitState.PASSED,
}


def state(standing: Standing, start_at: datetime, time_version: int, told_version: int, now: datetime) -> VisitState:
    """`told_version`: the time version that was told. `now` is business time."""
    off = _OFF.get(standing)
    if off is not None:
        return off
    if start_at <= now:
        return VisitState.PASSED
    return VisitState.STANDS if time_version == told_version else VisitState.MOVED
