"""Which of our bookings an answer lists, under which key, and which listed ones are not ours yet. Pure."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias
from uuid import UUID

from store.identifiers import BookingKey, HsaId
from store.standing import Standing
from worker.facts import Known
from worker.sources import ReportedBooking


@dataclass(frozen=True, slots=True)
class Held:
    """A booking of ours beside what the answer says of it."""

    known: Known
    key: BookingKey  # as the answer files it; our own where it is not listed
    news: ReportedBooking | None  # its facts where they differ from ours
    is_listed: bool


@dataclass(frozen=True, slots=True)
class Listing:
    """An answer laid beside our bookings."""

    held: tuple[Held, ...]
    fresh: Mapping[BookingKey, ReportedBooking]

    @property
    def unlisted(self) -> tuple[Known, ...]:
        return tuple(held.known for held in self.held if not held.is_listed)


_Place: TypeAlias = tuple[str, HsaId, str]  # source, facility, booking id: the same booking, however it is filed
_Number: TypeAlias = tuple[str, str]  # source, booking id


def laid_beside(known: Sequence[Known], present: Mapping[BookingKey, ReportedBooking | None]) -> Listing:
    """Matches by key, then by facility and booking id: the logical address that a booking is filed under may become
    known late, and one booking may be listed under two addresses. What is neither ours nor read is left aside:
    without facts there is nothing to hold.
    """
    unlisted = sorted((row for row in known if row.key not in present), key=_booked_first)
    ours = {row.key for row in known}
    strangers = {key: booking for key, booking in present.items() if key not in ours}
    placed = _by_place(strangers)
    refiled = _refiled_unread(unlisted, strangers) | _refiled(unlisted, placed)
    taken = {_place(row) for row in known if row.key in present or row.id in refiled}
    fresh = {key: booking for place, (key, booking) in placed.items() if place not in taken}
    return Listing(tuple(_held(row, refiled, present) for row in known), fresh)


def _booked_first(row: Known) -> bool:
    """Of two rows that one listed booking could be, the standing one is it."""
    return row.standing is not Standing.BOOKED


def _by_place(
    strangers: Mapping[BookingKey, ReportedBooking | None],
) -> dict[_Place, tuple[BookingKey, ReportedBooking]]:
    placed: dict[_Place, tuple[BookingKey, ReportedBooking]] = {}
    for key, booking in strangers.items():
        if booking is not None:
            placed.setdefault((key.source, booking.facility, key.booking_id), (key, booking))
    return placed


def _refiled(
    unlisted: Sequence[Known], placed: Mapping[_Place, tuple[BookingKey, ReportedBooking]]
) -> dict[UUID, BookingKey]:
    """The first row that a stranger could be is it."""
    rows = {_place(row): row.id for row in reversed(unlisted)}
    return {rows[place]: key for place, (key, _) in placed.items() if place in rows}


def _refiled_unread(
    unlisted: Sequence[Known], strangers: Mapping[BookingKey, ReportedBooking | None]
) -> dict[UUID, BookingKey]:
    """A stranger whose content we know is one of our rows. Where it could be several, all count as listed under
    their own keys: rather keep one too many than call one gone that is there.
    """
    unread = {(key.source, key.booking_id): key for key, booking in strangers.items() if booking is None}
    alike = [row for row in unlisted if _number(row) in unread]
    times = Counter(_number(row) for row in alike)
    return {row.id: unread[_number(row)] if times[_number(row)] == 1 else row.key for row in alike}


def _held(row: Known, refiled: Mapping[UUID, BookingKey], present: Mapping[BookingKey, ReportedBooking | None]) -> Held:
    key = refiled.get(row.id, row.key)
    booking = present.get(key)
    news = None if booking is None or booking.digest == row.facts_digest else booking
    return Held(row, key, news, is_listed=key in present or row.id in refiled)


def _place(row: Known) -> _Place:
    return (row.key.source, row.facility, row.key.booking_id)


def _number(row: Known) -> _Number:
    return (row.key.source, row.key.booking_id)
