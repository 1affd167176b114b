"""Keeps sends to a provider at a pace it bears: steady, slower while it is in trouble, none while it only fails."""

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta

_WATCHED = 20  # outcomes; it rests when at least half of so many were trouble
_SLOWEST = 0.1  # of the full pace
_CLEAN_SECONDS = 60.0  # without trouble, and the pace doubles again


@dataclass
class _Provider:
    """What one provider bears at present. Moments are monotonic seconds."""

    share: float = 1.0  # of the full pace
    next_at: float = float("-inf")
    rests_until: float = float("-inf")
    changed_at: float = float("-inf")  # when trouble was last seen, or the pace was raised
    lately: deque[bool] = field(default_factory=lambda: deque(maxlen=_WATCHED))


class Pace:
    """At most so many messages a second to each provider, from this process. Safe to share between threads.

    Trouble (no connection, too many requests, no clear answer) halves a provider's pace, down to a tenth; every clean
    minute doubles it. When half of the last twenty ended so, the provider is left alone for `rest`.
    """

    def __init__(
        self,
        per_second: float,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        rest: timedelta = timedelta(seconds=30),
    ) -> None:
        self._apart = 1 / per_second
        self._monotonic = monotonic
        self._sleep = sleep
        self._rest = rest
        self._lock = threading.Lock()
        self._providers: dict[str, _Provider] = {}

    def rests_for(self, provider: str) -> timedelta:
        """How long nothing is to be handed to the provider; zero: it may have the next one."""
        with self._lock:
            left = self._of(provider).rests_until - self._monotonic()
        return timedelta(seconds=max(0.0, left)) if left > float("-inf") else timedelta()

    def wait_turn(self, provider: str) -> None:
        """Returns when the next message to the provider may go. Waiting callers go in the order they came."""
        with self._lock:
            one, now = self._of(provider), self._monotonic()
            _recover(one, now)
            turn_at = max(now, one.next_at)
            one.next_at = turn_at + self._apart / one.share
        if turn_at > now:
            self._sleep(turn_at - now)

    def note(self, provider: str, *, is_trouble: bool) -> bool:
        """Learns from how a message was received. True if the provider is left alone from now on."""
        with self._lock:
            one, now = self._of(provider), self._monotonic()
            one.lately.append(is_trouble)
            if not is_trouble:
                return False
            one.share, one.changed_at = max(_SLOWEST, one.share / 2), now
            if 2 * sum(one.lately) < _WATCHED:
                return False
            one.rests_until = now + self._rest.total_seconds()
            one.share = _SLOWEST
            one.lately.clear()
            return True

    def _of(self, provider: str) -> _Provider:
        return self._providers.setdefault(provider, _Provider())


def _recover(one: _Provider, now: float) -> None:
    """Doubles the pace for each clean minute."""
    while one.share < 1.0 and now - one.changed_at >= _CLEAN_SECONDS:
        one.share = min(1.0, one.share * 2)
        one.changed_at += _CLEAN_SECONDS
