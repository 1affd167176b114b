"""A costly answer, kept for a moment, so that any number of questions cost no more than one."""

import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

Answer = TypeVar("Answer")


class NoAnswer(Exception):
    """The question is still being looked into, for longer than anybody waits."""


class Kept(Generic[Answer]):
    """Asks `find` when the last answer is older than `seconds`; one thread asks, others wait for it, `patience` at
    most."""

    def __init__(
        self,
        find: Callable[[], Answer],
        seconds: float = 1.0,
        patience: float = 5.0,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._find = find
        self._seconds = seconds
        self._patience = patience
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._answer: tuple[float, Answer] | None = None

    def __call__(self) -> Answer:
        """Raises NoAnswer, and whatever `find` raises."""
        if not self._lock.acquire(timeout=self._patience):
            raise NoAnswer
        try:
            if self._answer is None or self._monotonic() - self._answer[0] >= self._seconds:
                self._answer = (self._monotonic(), self._find())
            return self._answer[1]
        finally:
            self._lock.release()
