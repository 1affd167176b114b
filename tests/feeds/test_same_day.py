"""Visits of one day name each other, in every calendar and after every change, and calendar programs notice."""

import random
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from uuid import UUID

import icalendar
import pytest

from feeds import ical
from feeds.calendars import rewrite_whole
from feeds.levels import AlsoThatDay, Mode, Place, Visit, shown
from feeds.periods import CalendarRules
from feeds.rendering import Moment, picture, view_of
from feeds.same_day import Companion, Seat, by_day, companions
from feeds.subject_facts import facts_of
from feeds.subscribing import Wishes
from store import calendars
from store.bookings import Booking
from store.identifiers import new_id
from store.level import Level
from store.standing import Standing
from tests import build
from tests.feeds.world import DAY, World

HOUR = timedelta(hours=1)
NOON = datetime(2026, 12, 1, 11, tzinfo=UTC)
EKEN = Place("Ekens vårdcentral", is_sensitive=False)
STAMPS = re.compile(rb"(DTSTAMP|LAST-MODIFIED):[^\r]*\r\n")


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """No question here differs between the databases."""
    return sqlite_url


def seat(start_at: datetime, end_at: datetime | None = None, standing: Standing = Standing.BOOKED) -> Seat:
    return Seat(new_id(), start_at, end_at, standing)


@pytest.mark.parametrize(
    ("other", "found"),
    [
        (seat(NOON + 3 * HOUR), [False]),
        (seat(NOON), [True]),  # both begin at once
        (seat(NOON + HOUR / 2), [True]),  # begins before the first is known to end
        (seat(NOON + HOUR), [False]),  # begins as the first ends
        (seat(NOON - HOUR), [False]),  # its own end is not known: no clash can be said
        (seat(NOON - HOUR, NOON + HOUR), [True]),
        (seat(NOON, standing=Standing.CANCELLED), []),
        (seat(NOON, standing=Standing.GONE), []),
        (seat(NOON - 2 * HOUR, standing=Standing.PASSED), [False]),  # has begun: the day is still the same
    ],
)
def test_a_clash_is_said_only_where_it_is_certain(other: Seat, found: list[bool]) -> None:
    own = seat(NOON, NOON + HOUR)

    days = by_day([other, own], NOON)
    assert companions(own, days, NOON).first == tuple(Companion(other.booking_id, clashes) for clashes in found)
    assert len(companions(other, days, NOON).first) == len(found)  # who is not told of keeps silent too


@pytest.mark.parametrize(
    ("level", "place", "language", "notes"),
    [
        (Level.FULL, EKEN, "sv", ["Samma dag: kl. 14.30, Ögon", "Krockar med din tid kl. 12.00"]),
        (Level.CLINIC, EKEN, "en", ["Same day: 14:30, Ögon", "Clashes with your visit at 12:00"]),
        (Level.VISIT, EKEN, "sv", ["Samma dag: kl. 14.30", "Krockar med din tid kl. 12.00"]),
        (Level.CLINIC, Place("Psykiatrin"), "sv", ["Samma dag: kl. 14.30", "Krockar med din tid kl. 12.00"]),
        (Level.BUSY, EKEN, "sv", []),
    ],
)
def test_notes_name_clinics_only_where_the_level_does(
    level: Level, place: Place, language: str, notes: list[str]
) -> None:
    that_day = (AlsoThatDay(NOON + 2.5 * HOUR, "Ögon"), AlsoThatDay(NOON, clashes=True))
    visit = Visit(Standing.BOOKED, Mode.ON_SITE, that_day=that_day)

    lines = shown(visit, place, level, language, "https://www.1177.se").description.splitlines()

    assert lines[: len(notes)] == notes
    assert all("1177" in line or "Ekens" in line for line in lines[len(notes) :])


def test_b40_thousands_of_bookings_on_one_day_are_counted_and_leave_room_for_the_way_back() -> None:
    seats = [seat(NOON) for _ in range(5_000)]
    days = by_day(seats, NOON)
    for one in seats[::500]:
        found = companions(one, days, NOON)
        assert (len(found.first), found.more) == (8, 4_991)
        assert one.booking_id not in {other.booking_id for other in found.first}
    visit = Visit(Standing.BOOKED, Mode.ON_SITE, that_day=(AlsoThatDay(NOON),), more_that_day=4_991)

    assert shown(visit, EKEN, Level.VISIT, "sv", "https://www.1177.se").description.splitlines() == [
        "Samma dag: kl. 12.00",
        "Samma dag: 4991 tider till",
        "Se tiden på 1177: https://www.1177.se",
    ]


def test_b40_two_bookings_at_the_same_time_and_place_are_two_events_that_name_each_other(world: World) -> None:
    world.add(NOON)
    world.add(NOON)
    world.open()

    notes = [str(event["DESCRIPTION"]).split("\n")[0] for event in world.events()]
    assert notes == ["Krockar med din tid kl. 12.00, Ekens vårdcentral"] * 2


def test_a_sensitive_clinic_is_not_named_in_the_other_visit_of_the_day(world: World) -> None:
    with world.sessions.writing() as session:
        build.facility(session, build.KIRURGEN, display_name="Kirurgen", is_sensitive=True)
    world.add(NOON, at=build.KIRURGEN)
    world.add(NOON + HOUR)
    world.open()

    assert "Kirurgen" not in str(world.body(), "utf-8")
    assert [str(event["DESCRIPTION"]).split("\n")[0] for event in world.events()] == [
        "Samma dag: kl. 13.00",
        "Samma dag: kl. 12.00",
    ]


@pytest.mark.parametrize("leaves_by", ["moving", "cancellation"])
def test_when_one_visit_leaves_the_day_the_others_note_goes_and_its_stamp_moves(world: World, leaves_by: str) -> None:
    """Google and Outlook pass over a change whose DTSTAMP stands still; SEQUENCE would call it another time."""
    leaving, staying = world.add(NOON + HOUR), world.add(NOON)
    world.open()
    before = _event(world, staying)
    world.now += HOUR

    if leaves_by == "moving":
        world.change(leaving, start_at=NOON + 5 * DAY, sequence=1)
    else:
        world.change(leaving, standing=Standing.CANCELLED, stands_since=world.now, sequence=1)

    after = _event(world, staying)
    assert "Samma dag" in before["DESCRIPTION"]
    assert "Samma dag" not in after["DESCRIPTION"]
    assert after["DTSTAMP"].dt > before["DTSTAMP"].dt
    assert after["LAST-MODIFIED"].dt == after["DTSTAMP"].dt
    assert after["SEQUENCE"] == before["SEQUENCE"]


def test_a_clinics_new_name_moves_the_stamp_of_its_visits(world: World) -> None:
    visit = world.add(NOON)
    world.open()
    before = _event(world, visit)["DTSTAMP"].dt
    with world.sessions.writing() as session:
        row = session.get(build.Facility, build.VARDCENTRAL)
        assert row is not None
        row.display_name = "Nya Eken"
        calendar = calendars.locked(session, world.calendar_id)
        assert calendar is not None
        rewrite_whole(session, world.vault, calendar, world.now)

    assert _event(world, visit)["DTSTAMP"].dt > before


@pytest.mark.parametrize("seed", range(4))
def test_whatever_the_order_of_changes_a_calendar_is_what_it_would_be_if_made_anew(world: World, seed: int) -> None:
    chance = random.Random(seed)
    with world.sessions.writing() as session:
        build.facility(session, build.KIRURGEN, display_name="Kirurgen", shows_end=True)
    known = [world.add(_start(chance), at=_place(chance)) for _ in range(4)]
    world.open(Wishes(Level.CLINIC))
    for _ in range(15):
        before = world.event_bytes()
        world.now += timedelta(seconds=chance.choice([0, 40]))
        chance.choice(_ACTS)(world, chance, known)

        assert STAMPS.sub(b"", world.body()) == STAMPS.sub(b"", _made_anew(world))
        after = world.event_bytes()
        for uid in before.keys() & after.keys():
            assert before[uid] == after[uid] or _stamp(before[uid]) < _stamp(after[uid])
    with world.sessions.writing() as session:
        calendar = calendars.locked(session, world.calendar_id)
        assert calendar is not None
        assert not rewrite_whole(session, world.vault, calendar, world.now)


def _move(world: World, chance: random.Random, known: list[UUID]) -> None:
    one = world.booking(chance.choice(known))
    world.change(one.id, start_at=_start(chance), end_at=None, sequence=one.sequence + 1)


def _amend(world: World, chance: random.Random, known: list[UUID]) -> None:
    one = world.booking(chance.choice(known))
    world.change(one.id, facility=_place(chance), end_at=one.start_at + HOUR, may_cancel=not one.may_cancel)


def _cancel_or_restore(world: World, chance: random.Random, known: list[UUID]) -> None:
    one = world.booking(chance.choice(known))
    standing = chance.choice([Standing.BOOKED, Standing.CANCELLED, Standing.GONE])
    world.change(one.id, standing=standing, stands_since=world.now, sequence=one.sequence + 1)


def _wait(world: World, chance: random.Random, known: list[UUID]) -> None:
    world.change(chance.choice(known), candidate_until=chance.choice([None, world.now + timedelta(seconds=30)]))


def _appear(world: World, chance: random.Random, known: list[UUID]) -> None:
    known.append(world.add(_start(chance), at=_place(chance)))
    world.rewrite(known[-1])


def _vanish(world: World, chance: random.Random, known: list[UUID]) -> None:
    if len(known) < 3:
        return
    gone = known.pop(chance.randrange(len(known)))
    with world.sessions.writing() as session:
        session.delete(session.get(Booking, gone))
    world.rewrite(gone)


_ACTS: list[Callable[[World, random.Random, list[UUID]], None]] = [
    _move, _move, _amend, _cancel_or_restore, _wait, _appear, _vanish
]  # fmt: skip


def _start(chance: random.Random) -> datetime:
    return NOON + chance.randrange(2) * DAY + chance.randrange(4) * HOUR / 2


def _place(chance: random.Random) -> str:
    return chance.choice([build.VARDCENTRAL, build.KIRURGEN])


def _made_anew(world: World) -> bytes:
    rules = CalendarRules()
    with world.sessions.reading() as session:
        facts = facts_of(session, world.vault, world.subject_id)
    return picture(facts, view_of(world.calendar()), {}, None, Moment(world.now, rules)).body


def _stamp(event: bytes) -> datetime:
    found = ical.written_at(event)
    assert found is not None
    return found


def _event(world: World, booking_id: UUID) -> icalendar.Event:
    uid = world.booking(booking_id).uid
    return next(event for event in world.events() if event["UID"] == uid)
