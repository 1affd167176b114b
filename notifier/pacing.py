"""Keeps sends to a provider at a steady pace, so that a backlog after a standstill neither floods nor is refused."""

import threading
import time
from collections.abc import Callable


class Pace:
    """At most so many messages a second to each provider, from this process. Safe to share between threads."""

    def __init__(
        self,
        per_second: float,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._apart = 1 / per_second
        self._monotonic = monotonic
        self._sleep = sleep
        self._lock = threading.Lock()
        self._next_at: dict[str, float] = {}

    def wait_turn(self, provider: str) -> None:
        """Returns when the next message to the provider may go. Waiting callers go in the order they came."""
        with self._lock:
            now = self._monotonic()
            turn_at = max(now, self._next_at.get(provider, now))
            self._next_at[provider] = turn_at + self._apart
        if turn_at > now:
            self._sleep(turn_at - now)
