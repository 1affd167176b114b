"""When to ask again, and how much one source may be asked. Pure: instants and monotonic seconds are given, new states
returned; `worker.sources.gate` keeps them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

_NEAR_BEFORE = timedelta(hours=48)
_USUAL_BEFORE = timedelta(days=14)
_SHORTEST_SHARE = 0.8  # an interval is a promise: spreading polls out only shortens it
_HOUR = 3600.0
_WINDOW = 20
_REST = 30.0


@dataclass(frozen=True, slots=True)
class Pace:
    """How often a subject is asked about, by how near the nearest visit is, and after failures."""

    near: timedelta = timedelta(minutes=20)  # it starts within 48 h
    usual: timedelta = timedelta(hours=4)  # within 14 days
    far: timedelta = timedelta(hours=12)  # later, or none is known
    invitations: timedelta = timedelta(hours=6)  # between looks for open ones where no answer hints at any
    after_change: timedelta = timedelta(hours=1)  # how long after a change polls stay as near a visit
    backoff_first: timedelta = timedelta(minutes=1)
    backoff_most: timedelta = timedelta(hours=1)


def next_poll_at(  # noqa: PLR0913
    now: datetime,
    nearest_start_at: datetime | None,
    last_changed_at: datetime | None,
    failures: int,
    pace: Pace,
    spread: float,
) -> datetime:
    """When to ask about a subject again. `failures`: how many polls in a row brought nothing; `spread`: a random
    number from 0 to below 1, so that subjects asked together drift apart."""
    if failures > 0:
        return now + _backoff(failures, pace, spread)
    return now + _spread_out(_interval(now, nearest_start_at, last_changed_at, pace), spread)


def next_look_at(now: datetime, again_at: datetime | None, failures: int, pace: Pace, spread: float) -> datetime:
    """When to look for a subject's open invitations again; `again_at`: when a missed one is to be confirmed."""
    wait = _backoff(failures, pace, spread) if failures > 0 else _spread_out(pace.invitations, spread)
    return now + wait if again_at is None else min(now + wait, max(again_at, now))


@dataclass(frozen=True, slots=True)
class TokenBucket:
    """So many calls a second, with a store of `most` for bursts."""

    per_second: float
    most: float
    tokens: float
    filled_at: float

    def wait(self, at: float) -> float:
        """Seconds until a call may be made; 0 if now."""
        return max(0.0, (1 - self._filled(at)) / self.per_second)

    def taken(self, at: float) -> "TokenBucket":
        """After a call. Ask `wait` first."""
        return TokenBucket(self.per_second, self.most, self._filled(at) - 1, at)

    def _filled(self, at: float) -> float:
        return min(self.most, self.tokens + max(0.0, at - self.filled_at) * self.per_second)


@dataclass(frozen=True, slots=True)
class Budget:
    """So many calls in each hour, counted from the first."""

    per_hour: int
    began_at: float = float("-inf")
    calls: int = 0

    def allows(self, at: float) -> bool:
        return self._is_over(at) or self.calls < self.per_hour

    def spent(self, at: float) -> "Budget":
        """After a call."""
        if self._is_over(at):
            return Budget(self.per_hour, at, 1)
        return Budget(self.per_hour, self.began_at, self.calls + 1)

    def _is_over(self, at: float) -> bool:
        return at - self.began_at >= _HOUR


@dataclass(frozen=True, slots=True)
class Breaker:
    """Opens when at least half of the last 20 calls failed; lets one call through every 30 s until one succeeds."""

    last: tuple[bool, ...] = ()
    opened_at: float | None = None
    tried_at: float | None = None  # since it opened

    def admits(self, at: float) -> bool:
        """Whether a call may be made now. One through an open breaker is a trial: tell it by `tried`."""
        rested_since = self.tried_at if self.tried_at is not None else self.opened_at
        return rested_since is None or at - rested_since >= _REST

    def tried(self, at: float) -> "Breaker":
        """After a call was let through. A trial that never reports is followed by another after the same rest."""
        return self if self.opened_at is None else replace(self, tried_at=at)

    def recorded(self, at: float, *, ok: bool) -> "Breaker":
        """After a call ended. Late reports of calls made before it opened say nothing new."""
        if self.opened_at is None:
            return self._counted(at, ok=ok)
        if self.tried_at is None:
            return self
        return Breaker() if ok else Breaker(opened_at=at)

    def _counted(self, at: float, *, ok: bool) -> "Breaker":
        last = (*self.last, ok)[-_WINDOW:]
        return Breaker(opened_at=at) if _is_bad(last) else Breaker(last)


def _interval(
    now: datetime, nearest_start_at: datetime | None, last_changed_at: datetime | None, pace: Pace
) -> timedelta:
    if last_changed_at is not None and now - last_changed_at < pace.after_change:
        return min(pace.near, _by_nearness(now, nearest_start_at, pace))
    return _by_nearness(now, nearest_start_at, pace)


def _by_nearness(now: datetime, nearest_start_at: datetime | None, pace: Pace) -> timedelta:
    """A visit that draws near before the next poll is due pulls that poll to the moment it does."""
    if nearest_start_at is None:
        return pace.far
    left = nearest_start_at - now
    if left <= _NEAR_BEFORE:
        return pace.near
    if left <= _USUAL_BEFORE:
        return min(pace.usual, max(pace.near, left - _NEAR_BEFORE))
    return min(pace.far, max(pace.usual, left - _USUAL_BEFORE))


def _spread_out(wait: timedelta, spread: float) -> timedelta:
    return wait * (_SHORTEST_SHARE + (1 - _SHORTEST_SHARE) * spread)


def _backoff(failures: int, pace: Pace, spread: float) -> timedelta:
    doublings = min(failures - 1, 30)  # beyond that a timedelta overflows long after the ceiling
    return min(pace.backoff_first * (1 << doublings), pace.backoff_most) * (0.5 + spread / 2)


def _is_bad(last: Sequence[bool]) -> bool:
    return len(last) == _WINDOW and last.count(False) * 2 >= _WINDOW
