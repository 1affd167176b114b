"""When a message may arrive: daytime, wider hours for what cannot wait, and how long each purpose is of use.

Knows purposes and instants, nothing of bookings or people.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta

from notifier.swedish_days import is_weekday, local, wall_clock, weekdays_before
from store.purposes import CHANGE_NOTICES, Purpose

_DAY = timedelta(days=1)
_HOUR = timedelta(hours=1)
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


class InvalidQuietHours(ValueError):
    """Quiet hours that leave nothing of the day; the message says what must be left."""


@dataclass(frozen=True, slots=True)
class Hours:
    """When somebody may be told what can wait: spans of the day, the earliest first, perhaps on weekdays only."""

    spans: tuple[Window, ...] = (DAYTIME,)
    weekdays_only: bool = False

    def is_open(self, at: datetime) -> bool:
        return self.counts(local(at).date()) and any(is_open(span, at) for span in self.spans)

    def next_open(self, at: datetime) -> datetime:
        """`at` itself if it is open then, else when it next opens."""
        if self.is_open(at):
            return at
        days = _days(local(at).date(), _DAY)
        openings = (wall_clock(day, span.opens) for day in days if self.counts(day) for span in self.spans)
        return next(opening for opening in openings if opening > at)

    def last_open(self, at: datetime) -> datetime:
        """An hour before it last closed, before `at`."""
        days = _days(local(at).date(), -_DAY)
        spans = ((day, span) for day in days if self.counts(day) for span in reversed(self.spans))
        day, span = next((day, span) for day, span in spans if wall_clock(day, span.closes) <= at)
        return wall_clock(day, span.closes) - _HOUR

    def earlier(self, at: datetime) -> datetime:
        """The last good moment before a closed one: the same time of the last weekday, else before it last closed."""
        here = local(at)
        if not self.counts(here.date()):
            same_time = wall_clock(weekdays_before(here.date(), 1), here.time())
            if self.is_open(same_time):
                return same_time
        return self.last_open(at)

    def counts(self, on: date) -> bool:
        return not self.weekdays_only or is_weekday(on)


EVERY_DAY = Hours()


def outside(quiet_from: time, quiet_until: time) -> Hours:
    """Daytime without the quiet hours, which may go past midnight. Raises InvalidQuietHours unless an hour is left."""
    if quiet_from < quiet_until:
        spans = [Window(DAYTIME.opens, min(DAYTIME.closes, quiet_from)), Window(quiet_until, DAYTIME.closes)]
    else:
        spans = [Window(quiet_until, quiet_from)]
    clipped = (Window(max(span.opens, DAYTIME.opens), min(span.closes, DAYTIME.closes)) for span in spans)
    left = tuple(span for span in clipped if _minutes(span.opens) + 60 <= _minutes(span.closes))
    if not left or quiet_from == quiet_until:
        raise InvalidQuietHours("quiet hours must leave at least one whole hour between 08.00 and 20.00")
    return Hours(left)


def window_of(purpose: Purpose, at: datetime, visit_at: datetime) -> Window | None:
    """The hours for a message at `at` about a visit; None: any time. Changes before the next 10:00 get wider hours."""
    if purpose in _ANY_TIME:
        return None
    if purpose in CHANGE_NOTICES and visit_at < next_clock(at, _MORNING_LIMIT):
        return WIDE
    return DAYTIME


def is_open(window: Window | None, at: datetime) -> bool:
    return window is None or window.opens <= local(at).time() < window.closes


def next_open(purpose: Purpose, at: datetime, visit_at: datetime, hours: Hours = EVERY_DAY) -> datetime:
    """`at` itself if the window is open then, else when it next opens. `hours` bind all but what cannot wait."""
    window = window_of(purpose, at, visit_at)
    if window is not None and purpose not in CHANGE_NOTICES:
        return hours.next_open(at)
    return at if window is None or is_open(window, at) else next_clock(at, window.opens)


def within_window(
    wanted: datetime, useful_until: datetime, hours: Hours = EVERY_DAY, known_at: datetime | None = None
) -> datetime:
    """A reminder's time moved into the hours: forward to the opening, or back to before they closed where forward would
    be past its use (quiet hours pull earlier rather than push past usefulness). Over days off it is moved back, unless
    the visit was not known then."""
    if hours.is_open(wanted):
        return wanted
    later, earlier = hours.next_open(wanted), hours.earlier(wanted)
    if later > useful_until:
        return earlier
    over_days_off = later > replace(hours, weekdays_only=False).next_open(wanted)
    return earlier if over_days_off and (known_at is None or earlier >= known_at) else later


def last_useful(useful_until: datetime, hours: Hours = EVERY_DAY) -> datetime:
    """The beginning of the last useful hour that is also open."""
    latest = useful_until - _HOUR
    return latest if hours.is_open(latest) else hours.last_open(latest)


def next_clock(at: datetime, clock: time) -> datetime:
    """The first instant after `at` when Swedish clocks show `clock`."""
    here = local(at)
    on = here.date() if here.time() < clock else here.date() + _DAY
    return wall_clock(on, clock)


def _days(on: date, step: timedelta) -> Iterator[date]:
    while True:
        yield on
        on += step


def _minutes(clock: time) -> int:
    return clock.hour * 60 + clock.minute
