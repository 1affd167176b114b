"""Named places where a run under test dies, stands still or fails: random kills rarely hit a window of a millisecond.

Nothing happens unless one is armed, and `worker.settings` refuses to arm one where real people could be reached.
"""

import os
import re
import signal
import time
from collections.abc import Callable
from enum import StrEnum


class CrashPoint(StrEnum):
    """Between which two steps of a delivery's life. The names are those of the table in `tests/README.md`."""

    C0 = "C0"  # a source has answered, nothing of it is stored
    C1 = "C1"  # deliveries are planned, nobody has been told
    C2 = "C2"  # something is due, the doorbell has not been rung
    C4 = "C4"  # the doorbell is answered, nothing is claimed
    C5 = "C5"  # claimed, no attempt
    C6 = "C6"  # the attempt is committed, no byte is sent
    C8 = "C8"  # the provider has answered, we have not read it
    C9 = "C9"  # the answer is read, not committed
    C10 = "C10"  # the answer is committed, the batch is not done
    C11 = "C11"  # a receipt has come, it is not stored
    C12 = "C12"  # the receipt is stored, not applied
    C13 = "C13"  # the receipt is applied within its transaction, which is not committed
    C18 = "C18"  # letters are in their files, not written down as printed


_TIME = re.compile(r"[1-9][0-9]{0,8}")


class InvalidFailpoint(ValueError):
    """Not a failpoint; the message says how one is written."""


_armed: dict[CrashPoint, Callable[[], None]] = {}


def reached(point: CrashPoint) -> None:
    """Called where the point lies: does what it is armed with."""
    if _armed:  # the whole cost in production
        _armed.get(point, _nothing)()


def arm(written: str) -> None:
    """Arms `C8:kill` (kill -9 of this process), `C8:kill@3` (the third time), `C5:pause=5` (seconds) or `C9:raise`.

    Several are separated by commas; an empty text disarms all. Raises InvalidFailpoint.
    """
    found = dict(_parsed(one.strip()) for one in written.split(",") if one.strip())
    _armed.clear()
    _armed.update(found)


def _parsed(written: str) -> tuple[CrashPoint, Callable[[], None]]:
    name, _, rest = written.partition(":")
    action, at, time_text = rest.partition("@")
    if name not in set(CrashPoint) or (at and not _TIME.fullmatch(time_text)):
        raise InvalidFailpoint(f"write a failpoint as C8:kill, C8:kill@3, C8:pause=5 or C8:raise, not {written!r}")
    return CrashPoint(name), _at_time(int(time_text or 1), _action(action, written))


def _action(action: str, written: str) -> Callable[[], None]:
    if action == "kill":
        return lambda: os.kill(os.getpid(), signal.SIGKILL)
    if action == "raise":
        return _fail
    seconds = action.removeprefix("pause=")
    if action.startswith("pause=") and seconds.replace(".", "", 1).isdecimal():
        return lambda: time.sleep(float(seconds))
    raise InvalidFailpoint(f"a failpoint kills, pauses (pause=5) or raises: {written!r} does none of these")


def _at_time(wanted: int, act: Callable[[], None]) -> Callable[[], None]:
    """Acts once, the wanted time that the point is reached."""
    left = iter(range(wanted - 1, -1, -1))

    def once() -> None:
        if next(left, None) == 0:
            act()

    return once


def _fail() -> None:
    raise RuntimeError("failpoint")


def _nothing() -> None:
    return
