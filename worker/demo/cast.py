"""Who is in the simulated region and what they have booked: the same for the same number of citizens and the same now.

Times are relative to business now, so that something is due whatever the day.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta

from worker.demo.care_units import Facility, TimeType
from worker.demo.facilities import (
    CHILDREN,
    DENTISTS,
    DIGITAL_CARE,
    HEALTH_CENTRE,
    LABORATORY,
    MIDWIVES,
    ORTHOPAEDICS,
    PHYSIOTHERAPY,
    PSYCHIATRY,
    RADIOLOGY,
    SKIN,
    SPECIALISTS,
    URGENT_CARE,
    YOUTH_CLINIC,
)
from worker.demo.people import Person, people
from worker.demo.region_state import SWEDEN, Booking, Invitation

_SATURDAY = 5
_HOLIDAYS = {(12, 24), (12, 25), (12, 26), (12, 31), (1, 1), (1, 6), (5, 1), (6, 6)}  # those with a fixed date
_REMINDER_HOUR = time(10)  # deadline reminders go at ten
_HALF_HOURS = 18  # bookable starts in a day, from 08:00 to 16:30
_DAY = timedelta(days=1)
_TO_CANCEL = 1  # which of the first citizen's visits, counted from 0
_ONLY_ONE = 5
_ADULTS_GO_TO = (
    HEALTH_CENTRE,
    DENTISTS,
    ORTHOPAEDICS,
    PHYSIOTHERAPY,
    SKIN,
    PSYCHIATRY,
    LABORATORY,
    RADIOLOGY,
    MIDWIVES,
    DIGITAL_CARE,
    SPECIALISTS,
    YOUTH_CLINIC,
)
_CHILDREN_GO_TO = (CHILDREN, DENTISTS, LABORATORY)


@dataclass(frozen=True, slots=True)
class Cast:
    """The people, their bookings at the start, and the first citizen's open invitation. The first of the people is
    the one that pages greet."""

    people: tuple[Person, ...]
    bookings: tuple[Booking, ...]
    invitations: tuple[Invitation, ...]
    to_cancel: str  # the first citizen's booking to cancel when all has been seen once, so that a cancelled one shows

    @property
    def first(self) -> Person:
        return self.people[0]

    def only_one_at_its_facility(self) -> Booking:
        """The first citizen's booking whose cancellation also takes that citizen's index row away."""
        return next(booking for booking in self.bookings if booking.id == _id(0, _ONLY_ONE))


def cast_of(citizens: int, now: datetime) -> Cast:
    """The cast of so many citizens. Raises ValueError if there are not so many people to play them."""
    persons = people(citizens)
    today = now.astimezone(SWEDEN)
    bookings = [booking for place, person in enumerate(persons) for booking in _bookings(place, person, today)]
    return Cast(persons, tuple(bookings), (_invitation(persons[0], today),), _id(0, _TO_CANCEL))


def next_clock_change(today: date) -> date:
    """The next day on which Swedish clocks are changed, after today."""
    days = (today + timedelta(days=ahead) for ahead in range(1, 250))
    return next(day for day in days if _offset(day) != _offset(day + _DAY))


@dataclass(frozen=True, slots=True)
class _Visit:
    facility: Facility
    kind: TimeType
    start_at: datetime
    is_invitation: bool = False


def _bookings(place: int, person: Person, now: datetime) -> Iterator[Booking]:
    visits = _first_citizens_visits(now) if place == 0 else _visits(place, person, now)
    for number, visit in enumerate(visits):
        yield _booking(_id(place, number), person, visit)


def _booking(booking_id: str, person: Person, visit: _Visit) -> Booking:
    return Booking(
        id=booking_id,
        subject=person.identity,
        facility=visit.facility.hsa_id,
        start_at=visit.start_at,
        end_at=visit.start_at + timedelta(minutes=visit.kind.minutes),
        time_type=visit.kind.id,
        time_type_name=visit.kind.name,
        performer=visit.facility.performer,
        resource=visit.facility.resource,
        care_type=visit.facility.care_type,
        purpose=visit.kind.preparations,
        is_invitation=visit.is_invitation,
        may_rebook=not visit.is_invitation,
    )


def _invitation(person: Person, now: datetime) -> Invitation:
    """The dentist's yearly one: a time within five weeks is to be chosen."""
    kind = DENTISTS.time_types[0]
    return Invitation(
        id="K0101",
        subject=person.identity,
        facility=DENTISTS.hsa_id,
        end_at=_at(now.date() + 36 * _DAY, time()),
        time_type=kind.id,
        time_type_name=kind.name,
        performer=DENTISTS.performer,
        care_type=DENTISTS.care_type,
        purpose=kind.preparations or "Ring om du inte kan komma inom tiden.",
    )


def _id(place: int, number: int) -> str:
    return f"B{place + 1:02}{number + 1:02}"


def _first_citizens_visits(now: datetime) -> Iterator[_Visit]:
    """Every sort of booking there is, each on a day of its own; two beyond the next clock change."""
    today, after_change = now.date(), next_clock_change(now.date())
    yield _visit(_tomorrows_facility(now), 0, _tomorrow(now, time(13, 30)))
    taken = {today + _DAY}
    for facility, kind, earliest, at in (
        (HEALTH_CENTRE, 1, today + 5 * _DAY, time(9)),
        (HEALTH_CENTRE, 0, today + 12 * _DAY, time(10, 30)),
        (ORTHOPAEDICS, 0, today + 16 * _DAY, time(8, 30)),
        (SKIN, 0, today + 23 * _DAY, time(14)),
        (PHYSIOTHERAPY, 1, today + 30 * _DAY, time(15, 30)),
        (DIGITAL_CARE, 0, today + 37 * _DAY, time(11)),
        (RADIOLOGY, 0, after_change + 3 * _DAY, time(9, 30)),
        (HEALTH_CENTRE, 3, after_change + 10 * _DAY, time(16)),
        (RADIOLOGY, 0, today + 6 * _DAY, time(14)),  # with something to read, told of in a day or so
    ):
        day = next(day for day in (_open_day(earliest, ahead) for ahead in range(30)) if day not in taken)
        taken.add(day)
        yield replace(_visit(facility, kind, _at(day, at)), is_invitation=facility is ORTHOPAEDICS)


def _visits(place: int, person: Person, now: datetime) -> Iterator[_Visit]:
    """One to four visits in twelve weeks; most citizens have one of them where something is soon due."""
    choices = _CHILDREN_GO_TO if person.is_child else _ADULTS_GO_TO
    match place % 5:
        case 1:
            yield _visit(_tomorrows_facility(now), place, _tomorrow(now, _start(place)))
        case 2:
            yield _visit(*_reminded_at_next_ten(now))
        case 3:
            yield from _two_on_one_day(place, now)
    for number in range(1 + place % 3):
        day = _open_day(now.date(), 10 + (place * 7 + number * 19) % 70)
        facility = choices[(place * 3 + number * 5) % len(choices)]
        yield _visit(facility, place + number, _at(day, _start(place * 5 + number * 3)))


def _visit(facility: Facility, kind: int, start_at: datetime) -> _Visit:
    return _Visit(facility, facility.time_types[kind % len(facility.time_types)], start_at)


def _two_on_one_day(place: int, now: datetime) -> Iterator[_Visit]:
    """Blood samples before the doctor, at one clinic: told as one. Every other pair is tomorrow."""
    tomorrow = now.date() + _DAY
    day = _open_day(now.date(), 8) if place % 2 or _is_closed(tomorrow) else tomorrow
    yield _visit(LABORATORY, 0, _at(day, time(8, 0)))
    yield _visit(HEALTH_CENTRE, 0, _at(day, time(10, 30)))


def _reminded_at_next_ten(now: datetime) -> tuple[Facility, int, datetime]:
    """A visit whose deadline reminder, at the last ten o'clock at least a day before the deadline, is the next one."""
    ten = _at(now.date(), _REMINDER_HOUR)
    ten = ten if now <= ten else _at(now.date() + _DAY, _REMINDER_HOUR)
    starts = [
        (facility, 0, ten + _DAY + timedelta(hours=hours, minutes=30 * step))
        for facility, hours in ((HEALTH_CENTRE, 24), (RADIOLOGY, 72))
        for step in range(48)
    ]
    by_day = [visit for visit in starts if time(8) <= visit[2].time() <= time(16, 30)]
    return next((visit for visit in by_day if not _is_closed(visit[2].date())), by_day[0])


def _tomorrows_facility(now: datetime) -> Facility:
    return URGENT_CARE if _is_closed(now.date() + _DAY) else HEALTH_CENTRE


def _tomorrow(now: datetime, at: time) -> datetime:
    return _at(now.date() + _DAY, at)


def _start(number: int) -> time:
    minutes = 30 * (number % _HALF_HOURS)
    return time(8 + minutes // 60, minutes % 60)


def _open_day(first: date, ahead: int) -> date:
    """The first day at least so many days ahead on which care is open."""
    day = first + timedelta(days=ahead)
    while _is_closed(day):
        day += _DAY
    return day


def _is_closed(day: date) -> bool:
    return day.weekday() >= _SATURDAY or (day.month, day.day) in _HOLIDAYS


def _at(day: date, at: time) -> datetime:
    return datetime.combine(day, at, SWEDEN)


def _offset(day: date) -> timedelta | None:
    return _at(day, time()).utcoffset()
