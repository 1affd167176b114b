"""Which letter stands for what nobody could be told of, and whether the post brings it in time. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, time
from uuid import UUID

from notifier.swedish_days import local, wall_clock, weekdays_after
from store.purposes import CHANGE_NOTICES, Purpose

_READ_AT = time(18, 0)  # on the day it comes
_WEIGHT = {Purpose.CONFIRMATION: 1, Purpose.DEADLINE: 2, Purpose.REMINDER: 3}


@dataclass(frozen=True, slots=True)
class Occasion:
    """One thing that somebody could not be told, and is still true. `concerns_at`: the first journey it can save."""

    id: UUID
    purpose: Purpose
    booking_id: UUID
    concerns_at: datetime
    noted_at: datetime


def read_at(now: datetime, weekdays: int) -> datetime:
    """When a letter printed now is read: in the evening of the day that the post brings it."""
    return wall_clock(weekdays_after(local(now).date(), weekdays), _READ_AT)


def is_in_time(concerns_at: datetime, read: datetime) -> bool:
    """Read at the latest the day before."""
    return local(read).date() < local(concerns_at).date()


def matter(purpose: Purpose) -> str:
    """Texts about preparations and about the time do not stand in for each other; all else about a visit does."""
    return Purpose.PREPARATIONS if purpose == Purpose.PREPARATIONS else "time"


def leading(occasions: Iterable[Occasion]) -> Occasion:
    """The one whose words tell of all: a change before the visit's own, and of several changes the first, since what
    the recipient knows is what stood before it."""
    return min(occasions, key=_weight)


def _weight(one: Occasion) -> tuple[int, datetime, UUID]:
    return (0 if one.purpose in CHANGE_NOTICES else _WEIGHT.get(one.purpose, 4), one.noted_at, one.id)
