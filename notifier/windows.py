"""When a message may arrive: daytime, wider hours for what cannot wait, and how long each purpose is of use.

Knows purposes and instants, nothing of bookings or people.
"""

from dataclasses import dataclass
from datetime import datetime, time, timedelta

from notifier.swedish_days import local, wall_clock
from store.purposes import CHANGE_NOTICES, Purpose

_DAY = timedelta(days=1)
_EVENING = time(19)
_MORNING_LIMIT = time(10)
_ANY_TIME = frozenset({Purpose.CODE})
CONFIRMATION_USE = timedelta(hours=2)  # after settling


@dataclass(frozen=True, slots=True)
class Window:
    """Hours by Swedish clocks; `closes` is the first moment outside."""

    opens: time
    closes: time


DAYTIME = Window(time(8), time(20))
WIDE = Window(time(6, 30), time(22))


def window_of(purpose: Purpose, at: datetime, visit_at: datetime) -> Window | None:
    """The hours for a message at `at` about a visit; None: any time. Changes before the next 10:00 get wider hours."""
    if purpose in _ANY_TIME:
        return None
    if purpose in CHANGE_NOTICES and visit_at < next_clock(at, _MORNING_LIMIT):
        return WIDE
    return DAYTIME


def is_open(window: Window | None, at: datetime) -> bool:
    return window is None or window.opens <= local(at).time() < window.closes


def next_open(purpose: Purpose, at: datetime, visit_at: datetime) -> datetime:
    """`at` itself if the window is open then, else when it next opens."""
    window = window_of(purpose, at, visit_at)
    if window is None or is_open(window, at):
        return at
    return next_clock(at, window.opens)


def within_window(wanted: datetime, useful_until: datetime) -> datetime:
    """A reminder's time moved into daytime: forward to the opening, or to 19:00 the evening before where forward
    would be past its use (reference: quiet hours pull earlier rather than push past usefulness)."""
    if is_open(DAYTIME, wanted):
        return wanted
    forward = next_clock(wanted, DAYTIME.opens)
    return forward if forward <= useful_until else evening_before(wanted)


def last_useful(useful_until: datetime) -> datetime:
    """The beginning of the last useful hour that is also daytime."""
    latest = useful_until - timedelta(hours=1)
    return latest if is_open(DAYTIME, latest) else evening_before(latest)


def evening_before(at: datetime) -> datetime:
    """The last 19:00 before an instant outside daytime."""
    here = local(at)
    on = here.date() if here.time() >= _EVENING else here.date() - _DAY
    return wall_clock(on, _EVENING)


def next_clock(at: datetime, clock: time) -> datetime:
    """The first instant after `at` when Swedish clocks show `clock`."""
    here = local(at)
    on = here.date() if here.time() < clock else here.date() + _DAY
    return wall_clock(on, clock)
