"""Swedish local times as crm:scheduling writes them: 14 digits and no zone; some producers send 12."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from worker.sources import TimeFlag

_SWEDEN = ZoneInfo("Europe/Stockholm")
_WRITTEN = re.compile(r"[0-9]{12}(?:[0-9]{2})?")
_YEARS = range(1900, 2201)


@dataclass(frozen=True, slots=True)
class ReadTime:
    """An instant in UTC, and the rule that was needed to find it."""

    at: datetime
    flag: TimeFlag


def read_time(text: str) -> ReadTime:
    """The instant of `YYYYMMDDhhmm[ss]`. In the hour that autumn repeats the first is meant; a time in the hour that
    spring leaves out is moved forward by that hour. Raises ValueError; the message never repeats the value."""
    local = _local(text)
    early, late = local.replace(fold=0), local.replace(fold=1)
    return ReadTime(early.astimezone(UTC), _flag(early, late))


def _local(text: str) -> datetime:
    if _WRITTEN.fullmatch(text) is None:
        raise ValueError("is not a time of 14 (or 12) digits")
    try:
        local = datetime.strptime(text.ljust(14, "0"), "%Y%m%d%H%M%S").replace(tzinfo=_SWEDEN)
    except ValueError:
        raise ValueError("is a date or time that does not exist") from None
    if local.year not in _YEARS:
        raise ValueError(f"lies outside the years {_YEARS[0]} to {_YEARS[-1]}")
    return local


def _flag(early: datetime, late: datetime) -> TimeFlag:
    before, after = early.utcoffset(), late.utcoffset()
    if before == after or before is None or after is None:
        return TimeFlag.NONE
    return TimeFlag.REPEATED_HOUR if before > after else TimeFlag.MISSING_HOUR
