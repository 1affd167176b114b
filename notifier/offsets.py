"""Reminder rules' offsets: when a rule fires, counted from a visit, its cancel deadline or its booking. Pure dates, no
bookings."""

import re
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from enum import StrEnum

from notifier.swedish_days import local, parse_clock, wall_clock, weekdays_after, weekdays_before

_DAY = timedelta(days=1)
_CLOCK = r"[0-9]{2}\.[0-9]{2}"
_LAST = re.compile(rf"deadline:(?P<hours>[1-9][0-9]{{0,2}})h:(?P<clock>{_CLOCK})")
_COUNTED = re.compile(
    r"(?:(?P<anchor>deadline|booking):)?"
    rf"(?:hours:(?P<hours>[1-9][0-9]{{0,2}})|(?P<unit>days|weekdays):(?P<count>[0-9]{{1,2}}):(?P<clock>{_CLOCK}))"
)


class InvalidOffset(ValueError):
    """An offset that cannot be understood; the message shows the forms that can."""


class Anchor(StrEnum):
    """What an offset counts from: back from a visit or its cancel deadline, on from when the visit got its time."""

    VISIT = "visit"
    DEADLINE = "deadline"
    BOOKING = "booking"


@dataclass(frozen=True, slots=True)
class Offset:
    """Exactly one of `at_least_hours`, `days`, `weekdays`, `hours` is set; all but `hours` have a clock time."""

    anchor: Anchor = Anchor.VISIT
    clock: time | None = None
    at_least_hours: int | None = None  # the last `clock` that leaves so many
    days: int | None = None
    weekdays: int | None = None
    hours: int | None = None

    @property
    def is_same_day(self) -> bool:
        return self.anchor == Anchor.VISIT and (self.days == 0 or (self.hours is not None and self.hours < 24))

    def fires_at(
        self, start_at: datetime, deadline_at: datetime | None, booked_at: datetime | None = None
    ) -> datetime | None:
        """The wanted instant, before quiet hours; None where what it counts from does not exist or is not known."""
        anchor_at = {Anchor.VISIT: start_at, Anchor.DEADLINE: deadline_at, Anchor.BOOKING: booked_at}[self.anchor]
        return None if anchor_at is None else self._from(anchor_at)

    def _from(self, anchor_at: datetime) -> datetime:
        sign = 1 if self.anchor == Anchor.BOOKING else -1
        if self.hours is not None:
            return anchor_at + sign * timedelta(hours=self.hours)
        clock = self.clock or time()
        if self.at_least_hours is not None:
            return _last_clock(anchor_at - timedelta(hours=self.at_least_hours), clock)
        on = local(anchor_at).date()
        if self.weekdays is not None:
            count = weekdays_after if sign > 0 else weekdays_before
            return wall_clock(count(on, self.weekdays), clock)
        return wall_clock(on + sign * (self.days or 0) * _DAY, clock)


def parse_offset(text: str) -> Offset:
    """`deadline:24h:10.00` the last 10:00 at least 24 h before the cancel deadline; `days:1:16.00` the day before at
    16:00; `weekdays:2:10.00` two Swedish weekdays before; `hours:3` three hours before. `deadline:` before one of the
    last three counts back from the deadline, `booking:` on from when the visit got its time. Raises InvalidOffset."""
    try:
        return _offset(text)
    except ValueError:
        raise InvalidOffset(
            "must be written as deadline:24h:10.00, days:1:16.00, weekdays:2:10.00 or hours:3; the last three also as"
            " deadline:weekdays:1:10.00 or booking:hours:2"
        ) from None


def _offset(text: str) -> Offset:
    last, counted = _LAST.fullmatch(text), _COUNTED.fullmatch(text)
    if last is not None:
        return Offset(Anchor.DEADLINE, parse_clock(last["clock"]), at_least_hours=int(last["hours"]))
    if counted is None:
        raise ValueError(text)
    anchor = Anchor(counted["anchor"] or Anchor.VISIT)
    if counted["hours"]:
        return Offset(anchor, hours=int(counted["hours"]))
    clock, count = parse_clock(counted["clock"]), int(counted["count"])
    if not count and (anchor != Anchor.VISIT or counted["unit"] == "weekdays"):
        raise ValueError(text)  # that day's clock time may lie on the wrong side of what it counts from
    return Offset(anchor, clock, **{counted["unit"]: count})


def _last_clock(latest: datetime, clock: time) -> datetime:
    on = local(latest).date()
    fires_at = wall_clock(on, clock)
    return fires_at if fires_at <= latest else wall_clock(on - _DAY, clock)
