"""Which visits of one person fall on one Swedish day, and which of these clash, so that a journey can be planned for
all of them. Pure: knows no table and no text.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from store.standing import Standing

_STOCKHOLM = ZoneInfo("Europe/Stockholm")
_TAKING_PLACE = (Standing.BOOKED, Standing.PASSED)  # a morning's visit is no less that day's once it has begun

_MOST = 8  # are named: somebody with thousands of bookings costs no more than thousands


@dataclass(frozen=True, slots=True)
class Seat:
    """When a booking takes its person's time. `end_at` is None where no end is known."""

    booking_id: UUID
    start_at: datetime
    end_at: datetime | None
    standing: Standing
    waits_until: datetime | None = None  # not shown before: it may prove to be another one, moved


@dataclass(frozen=True, slots=True)
class Companion:
    """Another visit of the same day."""

    booking_id: UUID
    clashes: bool


@dataclass(frozen=True, slots=True)
class Companions:
    """The first other visits of the day, and how many there are beyond them."""

    first: tuple[Companion, ...]
    more: int


def day_of(at: datetime) -> date:
    return at.astimezone(_STOCKHOLM).date()


def by_day(seats: Iterable[Seat], now: datetime) -> Mapping[date, Sequence[Seat]]:
    """Those that take place, by day and in their order."""
    days: dict[date, list[Seat]] = {}
    for seat in sorted(seats, key=lambda seat: (seat.start_at, str(seat.booking_id))):
        if _takes_place(seat, now):
            days.setdefault(day_of(seat.start_at), []).append(seat)
    return days


def companions(of: Seat, days: Mapping[date, Sequence[Seat]], now: datetime) -> Companions:
    """The other visits of its day; none for one that does not take place itself."""
    if not _takes_place(of, now):
        return Companions((), 0)
    day = days[day_of(of.start_at)]
    first = [seat for seat in day[: _MOST + 1] if seat != of][:_MOST]
    return Companions(tuple(Companion(seat.booking_id, _clash(of, seat)) for seat in first), len(day) - 1 - len(first))


def _takes_place(seat: Seat, now: datetime) -> bool:
    waits = seat.waits_until is not None and now < seat.waits_until
    return seat.standing in _TAKING_PLACE and not waits


def _clash(one: Seat, other: Seat) -> bool:
    """Certain only where they begin together, or the first one's end is known."""
    first, second = sorted((one, other), key=lambda seat: seat.start_at)
    if first.start_at == second.start_at:
        return True
    return first.end_at is not None and second.start_at < first.end_at
