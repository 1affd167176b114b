"""The weighted mix of faults in the simulated providers: which way the next message goes."""

import random
import threading
from collections.abc import Mapping
from enum import StrEnum


class Way(StrEnum):
    """What happens to a message that is handed over."""

    OK = "ok"
    SLOW = "slow"  # accepted, answered late
    TOO_MANY = "429"  # not accepted
    ERROR_BEFORE = "500_before"  # not accepted
    ERROR_AFTER = "500_after"  # accepted, answered 500
    RESET = "reset"  # accepted, the connection reset
    HANG = "hang"  # accepted, never answered
    DROP = "drop"  # read, neither accepted nor answered
    JUNK = "junk"  # accepted, answered with a page instead of JSON


REFUSALS = {Way.TOO_MANY: 20429, Way.ERROR_BEFORE: 20500}


class FaultMix:
    """Draws ways by weight. The same seed and order of questions draw the same ways.

    `answers`: whether questions about messages are answered; `reports`: whether receipts are sent.
    """

    def __init__(self, seed: int = 1) -> None:
        self._lock = threading.Lock()
        self.answers = self.reports = True
        self.set({Way.OK: 1.0}, seed)

    @property
    def weights(self) -> Mapping[str, float]:
        return dict(self._weights)

    def set(self, weights: Mapping[Way, float], seed: int = 1) -> None:
        """Weights need not sum to one. Raises ValueError if one is negative or none is positive."""
        if min(weights.values(), default=0) < 0 or not sum(weights.values()) > 0:
            raise ValueError("the weights are not positive")
        with self._lock:
            self._weights = {way.value: weight for way, weight in weights.items()}
            self._random = random.Random(seed)  # noqa: S311  # faults are repeatable, not secret

    def draw(self) -> Way:
        with self._lock:
            return Way(self._random.choices(list(self._weights), list(self._weights.values()))[0])
