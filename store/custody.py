"""What the population register says of custody, and until what age it matters. Apart from the tables, so that pure
decisions may name it."""

from datetime import UTC, date, datetime, time
from enum import StrEnum
from zoneinfo import ZoneInfo

GUARDED_UNTIL_AGE = 13
_STOCKHOLM = ZoneInfo("Europe/Stockholm")


class Custody(StrEnum):
    """The register's last word on whether somebody is a child's guardian."""

    STANDS = "stands"
    ENDED = "ended"  # it names others
    UNSAID = "unsaid"  # it knows the child and names no guardian at all, which nobody can be sure is meant


def guarded_until(born_on: date) -> datetime:
    """00:00 in Sweden on the 13th birthday. Who is born on 29 February has it on the 28th: rather a day too early."""
    is_leap_day = (born_on.month, born_on.day) == (2, 29)
    birthday = born_on.replace(year=born_on.year + GUARDED_UNTIL_AGE, day=28 if is_leap_day else born_on.day)
    return datetime.combine(birthday, time(), _STOCKHOLM).astimezone(UTC)
