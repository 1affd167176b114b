"""Instants as content lines write them: dates, wall clocks of a zone, UTC; and durations. Pure."""

import re
from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

from feeds.caldav.content_lines import Line

CALENDAR_ZONE: Final = ZoneInfo("Europe/Stockholm")  # what calendar-timezone says
EARLIEST: Final = datetime.min.replace(tzinfo=UTC)
LATEST: Final = datetime.max.replace(tzinfo=UTC)

_DATE = re.compile(r"[0-9]{8}")
_DATE_TIME = re.compile(r"[0-9]{8}T[0-9]{6}Z?")
_DURATION = re.compile(
    r"(?P<sign>[+-]?)P(?=[0-9T])(?:(?P<weeks>[0-9]{1,5})W)?(?:(?P<days>[0-9]{1,5})D)?"
    r"(?:T(?:(?P<hours>[0-9]{1,6})H)?(?:(?P<minutes>[0-9]{1,7})M)?(?:(?P<seconds>[0-9]{1,9})S)?)?"
)


def instant(line: Line | None, floating: tzinfo) -> datetime | None:
    """In UTC; None for no line, or one that holds no date. A date is the midnight it begins with; what belongs to no
    zone is taken to belong to `floating` (RFC 4791 7.3)."""
    if line is None:
        return None
    try:
        at = _read(line.value)
    except ValueError:
        return None
    if at is None or at.tzinfo is not None:
        return at
    named = line.parameter("TZID")
    zone = (named and zone_named(named[0])) or floating
    try:
        return at.replace(tzinfo=zone).astimezone(UTC)
    except OverflowError:
        return EARLIEST if at.year == 1 else LATEST


def duration(text: str) -> timedelta | None:
    """None for what is none (RFC 5545 3.3.6)."""
    found = _DURATION.fullmatch(text)
    if found is None:
        return None
    parts = {unit: int(count) for unit, count in found.groupdict().items() if unit != "sign" and count}
    length = timedelta(**parts)
    return -length if found["sign"] == "-" else length


def in_utc(text: str) -> datetime | None:
    """An instant in UTC as RFC 5545 3.3.5 writes it; None for anything else."""
    try:
        return _read(text) if _DATE_TIME.fullmatch(text) and text.endswith("Z") else None
    except ValueError:
        return None


def as_utc(at: datetime) -> str:
    """An aware instant as RFC 5545 3.3.5 writes it."""
    return at.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")


@lru_cache(maxsize=64)
def zone_named(name: str) -> ZoneInfo | None:
    """None for a name that is no zone's."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return None


def _read(text: str) -> datetime | None:
    if _DATE.fullmatch(text) or _DATE_TIME.fullmatch(text):
        return datetime.fromisoformat(text)
    return None
