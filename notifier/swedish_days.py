"""Swedish days and wall-clock times: weekdays with eves left out, cancel deadlines, instants in Europe/Stockholm.

Knows no booking and no message. A repeated local time means the first of the two, one in the spring gap moves forward.
"""

import re
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from holidays.countries.sweden import Sweden

STOCKHOLM = ZoneInfo("Europe/Stockholm")
_DAY = timedelta(days=1)
_POLICY = re.compile(
    r"weekdays:(?P<weekdays>[1-9][0-9]?)"
    r"|hours:(?P<hours>[1-9][0-9]{0,2})"
    r"|clock:(?P<clock_days>[0-9]{1,2}):(?P<clock>[0-9]{2}\.[0-9]{2})"
)


class InvalidPolicy(ValueError):
    """A cancel deadline that cannot be understood; the message shows the forms that can."""


def wall_clock(on: date, at: time) -> datetime:
    """The instant (UTC) when Swedish clocks show `at` on that day."""
    return datetime.combine(on, at.replace(fold=0), STOCKHOLM).astimezone(UTC)


def local(at: datetime) -> datetime:
    """The instant as Swedish clocks show it."""
    return at.astimezone(STOCKHOLM)


def parse_clock(text: str) -> time:
    """A time written `10.00`. Raises ValueError."""
    return datetime.strptime(text, "%H.%M").time()  # noqa: DTZ007 - a time of day has no zone


def is_weekday(on: date) -> bool:
    """Whether the day is an ordinary Swedish working day: no week-end, no public holiday, none of the three eves."""
    return on.weekday() < 5 and on not in _days_off(on.year)


def weekdays_before(on: date, count: int) -> date:
    """The day that lies `count` Swedish weekdays earlier."""
    return _counted(on, count, -_DAY)


def weekdays_after(on: date, count: int) -> date:
    """The day that lies `count` Swedish weekdays later."""
    return _counted(on, count, _DAY)


def cancel_deadline(start_at: datetime, policy: str) -> datetime | None:
    """The last moment to cancel without fee (UTC); None where the facility has no deadline.

    `weekdays:N`: the same clock time N Swedish weekdays earlier. `hours:N`: N hours before the start.
    `clock:N:08.30`: at 08.30 N Swedish weekdays earlier. Raises InvalidPolicy.
    """
    if not policy:
        return None
    parsed = _parsed(policy)
    if parsed["hours"]:
        return start_at - timedelta(hours=int(parsed["hours"]))
    start = local(start_at)
    if parsed["weekdays"]:
        return wall_clock(weekdays_before(start.date(), int(parsed["weekdays"])), start.time())
    return wall_clock(weekdays_before(start.date(), int(parsed["clock_days"])), parse_clock(parsed["clock"]))


def require_policy(policy: str) -> None:
    """Raises InvalidPolicy unless `cancel_deadline` understands the policy (imports call this)."""
    if policy:
        _parsed(policy)


def _parsed(policy: str) -> dict[str, str]:
    matched = _POLICY.fullmatch(policy)
    if matched is None or not _clock_exists(matched["clock"]):
        raise InvalidPolicy("a cancel deadline is written weekdays:1, hours:24 or clock:1:08.30, or left empty")
    return matched.groupdict()


def _clock_exists(text: str | None) -> bool:
    try:
        return text is None or parse_clock(text) is not None
    except ValueError:
        return False


def _counted(on: date, count: int, step: timedelta) -> date:
    while count:
        on += step
        count -= is_weekday(on)
    return on


@lru_cache(maxsize=32)
def _days_off(year: int) -> frozenset[date]:
    # The eves are the library's "de_facto" category; without it they count as working days.
    return frozenset(Sweden(years=year, categories=("public", "de_facto"), include_sundays=False))
