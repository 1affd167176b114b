"""Waiting for a condition instead of a time, so that a slow machine makes a test slower and never wrong."""

import time
from collections.abc import Callable

STEP = 0.02  # seconds


class NotInTime(AssertionError):
    """What was waited for did not come; the message says what it was."""


def wait_until(condition: Callable[[], bool], what: str, *, seconds: float = 30) -> None:
    """Returns as soon as the condition holds. Raises NotInTime, naming what was waited for."""
    ends_at = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > ends_at:
            raise NotInTime(f"not within {seconds:.0f} seconds: {what}")
        time.sleep(STEP)
