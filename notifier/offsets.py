"""Reminder rules' offsets: when before a visit or its cancel deadline a rule fires. Pure dates, no bookings."""

import re
from dataclasses import dataclass
from datetime import datetime, time, timedelta

from notifier.swedish_days import local, parse_clock, wall_clock, weekdays_before

_DAY = timedelta(days=1)
_WRITTEN = re.compile(
    r"deadline:(?P<before>[1-9][0-9]{0,2})h:(?P<deadline_clock>[0-9]{2}\.[0-9]{2})"
    r"|days:(?P<days>[0-9]{1,2}):(?P<days_clock>[0-9]{2}\.[0-9]{2})"
    r"|weekdays:(?P<weekdays>[1-9][0-9]?):(?P<weekdays_clock>[0-9]{2}\.[0-9]{2})"
    r"|hours:(?P<hours>[1-9][0-9]{0,2})"
)


class InvalidOffset(ValueError):
    """An offset that cannot be understood; the message shows the forms that can."""


@dataclass(frozen=True, slots=True)
class Offset:
    """Exactly one of `hours_before_deadline`, `days`, `weekdays`, `hours` is set; all but `hours` have a clock time."""

    clock: time | None = None
    hours_before_deadline: int | None = None
    days: int | None = None
    weekdays: int | None = None
    hours: int | None = None

    @property
    def is_same_day(self) -> bool:
        return self.days == 0 or self.hours is not None

    def fires_at(self, start_at: datetime, deadline_at: datetime | None) -> datetime | None:
        """The wanted instant, before quiet hours; None where the offset counts from a deadline that does not exist."""
        if self.hours is not None:
            return start_at - timedelta(hours=self.hours)
        clock = self.clock or time()
        if self.hours_before_deadline is not None:
            return None if deadline_at is None else _last_clock(deadline_at, self.hours_before_deadline, clock)
        start_on = local(start_at).date()
        if self.weekdays is not None:
            return wall_clock(weekdays_before(start_on, self.weekdays), clock)
        return wall_clock(start_on - (self.days or 0) * _DAY, clock)


def parse_offset(text: str) -> Offset:
    """`deadline:24h:10.00` the last 10:00 at least 24 h before the cancel deadline; `days:1:16.00` the day before at
    16:00; `weekdays:2:10.00` two Swedish weekdays before; `hours:3` three hours before. Raises InvalidOffset."""
    matched = _WRITTEN.fullmatch(text)
    if matched is None:
        raise _invalid()
    try:
        return _offset(matched)
    except ValueError as error:
        raise _invalid() from error


def _offset(matched: re.Match[str]) -> Offset:
    if matched["hours"]:
        return Offset(hours=int(matched["hours"]))
    if matched["before"]:
        return Offset(parse_clock(matched["deadline_clock"]), hours_before_deadline=int(matched["before"]))
    if matched["days"]:
        return Offset(parse_clock(matched["days_clock"]), days=int(matched["days"]))
    return Offset(parse_clock(matched["weekdays_clock"]), weekdays=int(matched["weekdays"]))


def _invalid() -> InvalidOffset:
    return InvalidOffset("an offset is written deadline:24h:10.00, days:1:16.00, weekdays:2:10.00 or hours:3")


def _last_clock(deadline_at: datetime, hours: int, clock: time) -> datetime:
    latest = deadline_at - timedelta(hours=hours)
    on = local(latest).date()
    fires_at = wall_clock(on, clock)
    return fires_at if fires_at <= latest else wall_clock(on - _DAY, clock)
