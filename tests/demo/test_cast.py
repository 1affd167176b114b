"""The cast: whatever the day, there must be something to see and something due, and nobody real in it."""

import csv
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.demo.care_units import FACILITY_COLUMNS, facilities_csv
from worker.demo.cast import cast_of, next_clock_change
from worker.demo.facilities import FACILITIES
from worker.demo.people import MOST_CITIZENS, POPULATION_COLUMNS, SUBJECT_COLUMNS, people, population_csv, subjects_csv
from worker.demo.region_state import Booking

SWEDEN = ZoneInfo("Europe/Stockholm")
UNITS = {unit.hsa_id: unit for unit in FACILITIES}
any_now = st.datetimes(datetime(2026, 1, 1), datetime(2032, 12, 31)).map(lambda naive: naive.replace(tzinfo=UTC))  # noqa: DTZ001


def firsts(citizens: int, now: datetime) -> list[Booking]:
    cast = cast_of(citizens, now)
    return [booking for booking in cast.bookings if booking.subject == cast.first.identity]


@given(any_now)
def test_the_first_citizen_has_every_sort_of_booking_on_any_day(now: datetime) -> None:
    cast = cast_of(1, now)
    change = next_clock_change(now.astimezone(SWEDEN).date())
    bookings = {booking.id: booking for booking in cast.bookings}
    coming = [booking for booking in bookings.values() if booking.id != cast.to_cancel]
    assert len(coming) >= 5
    assert len({booking.facility for booking in coming}) >= 4
    assert {booking.start_at.date() > change for booking in coming} == {True, False}
    assert any(booking.is_invitation for booking in coming)
    assert any(UNITS[booking.facility].parent for booking in coming)
    assert any(UNITS[booking.facility].time_type(booking.time_type).is_remote for booking in coming)
    only = cast.only_one_at_its_facility()
    address = UNITS[only.facility].logical_address
    assert [b.id for b in coming if UNITS[b.facility].logical_address == address] == [only.id]
    assert UNITS[only.facility].clinic
    cancelled_at = UNITS[bookings[cast.to_cancel].facility].logical_address
    assert any(UNITS[booking.facility].logical_address == cancelled_at for booking in coming)
    assert len({booking.start_at.date() for booking in bookings.values()}) == len(bookings)


@given(any_now)
def test_everybody_has_coming_visits_and_somebody_is_reminded_today_and_tomorrow(now: datetime) -> None:
    cast = cast_of(25, now)
    local = now.astimezone(SWEDEN)
    assert {booking.subject for booking in cast.bookings} == {person.identity for person in cast.people}
    assert len({booking.id for booking in cast.bookings}) == len(cast.bookings)
    assert all(booking.start_at > now for booking in cast.bookings)
    assert any(booking.start_at.date() == local.date() + timedelta(days=1) for booking in cast.bookings)
    ten = local.replace(hour=10, minute=0, second=0, microsecond=0, fold=0)
    ten = ten if local <= ten else ten + timedelta(days=1)
    hours = {"hours:24": 24, "hours:72": 72}
    leads = [
        booking.start_at.replace(tzinfo=None)
        - timedelta(hours=hours[UNITS[booking.facility].cancel_deadline] + 24)
        - ten.replace(tzinfo=None)
        for booking in cast.bookings
        if UNITS[booking.facility].cancel_deadline in hours
    ]
    assert any(timedelta() <= lead < timedelta(days=1) for lead in leads)


@given(any_now, st.integers(1, MOST_CITIZENS))
def test_the_same_day_and_number_give_the_same_cast(now: datetime, citizens: int) -> None:
    assert cast_of(citizens, now) == cast_of(citizens, now)


def test_the_first_citizens_addresses_also_answer_for_others(now: datetime) -> None:
    cast = cast_of(25, now)
    own = {UNITS[booking.facility].logical_address for booking in firsts(25, now)}
    others = {
        UNITS[booking.facility].logical_address for booking in cast.bookings if booking.subject != cast.first.identity
    }
    assert own <= others


def test_the_first_citizens_answers_follow_the_contract_to_the_letter(now: datetime) -> None:
    assert not any(UNITS[booking.facility].system.writes_minutes_only for booking in firsts(25, now))


def test_some_have_several_visits_on_one_day_at_one_clinic(now: datetime) -> None:
    visits = [(b.subject, b.start_at.date(), UNITS[b.facility].clinic) for b in cast_of(25, now).bookings]
    assert len(set(visits)) < len(visits)


def test_the_people_are_well_formed_and_of_every_kind() -> None:
    everybody = people(MOST_CITIZENS)
    assert len({person.identity for person in everybody}) == MOST_CITIZENS
    assert all(_luhn_holds(person.identity[2:]) for person in everybody)
    first_25 = everybody[:25]
    assert {person.language for person in first_25} == {"sv", "en"}
    assert any(person.email and not person.phone for person in first_25)
    assert [person.is_protected for person in first_25].count(True) == 1
    assert [person.has_died for person in first_25].count(True) == 1
    assert "201801202381" in {person.identity for person in first_25 if person.guardians}
    phones = {person.phone for person in everybody} - {""}
    assert all("+46701740605" <= phone <= "+46701740649" for phone in phones)
    assert first_25[0].phone
    assert not first_25[0].is_protected
    assert not first_25[0].has_died
    assert not first_25[0].is_child


def test_guardians_are_among_the_first_people() -> None:
    everybody = {person.identity for person in people(25)}
    assert {guardian for person in people(25) for guardian in person.guardians} <= everybody


@pytest.mark.parametrize("citizens", [0, MOST_CITIZENS + 1])
def test_no_more_citizens_than_there_are_published_numbers(citizens: int) -> None:
    with pytest.raises(ValueError, match="citizens"):
        people(citizens)


def test_names_do_not_enter_a_log_by_way_of_a_repr(now: datetime) -> None:
    cast = cast_of(1, now)
    assert cast.first.identity not in repr(cast)
    assert cast.first.phone not in repr(cast)


def test_the_import_files_have_their_columns_and_parents_come_first(now: datetime) -> None:
    facilities = list(csv.DictReader(facilities_csv(FACILITIES).splitlines()))
    assert tuple(facilities[0]) == FACILITY_COLUMNS
    seen: set[str] = set()
    for row in facilities:
        assert row["parent"] in seen | {""}
        assert len(row["message_name"]) <= 30
        assert row["sensitive"] in ("yes", "no")
        seen.add(row["hsa_id"])
    assert {row["cancel_deadline"] for row in facilities} == {"", "hours:24", "hours:72", "weekdays:1", "weekdays:3"}
    assert "VIDEO|TELEFON" in {row["remote_time_types"] for row in facilities}
    subjects = list(csv.DictReader(subjects_csv(people(25), now).splitlines()))
    assert tuple(subjects[0]) == SUBJECT_COLUMNS
    as_of, *register = population_csv(people(25), now).splitlines()
    assert as_of == f"# as_of: {now.isoformat()}"
    assert tuple(csv.DictReader(register).fieldnames or ()) == POPULATION_COLUMNS
    assert len(register) == 26


def _luhn_holds(ten: str) -> bool:
    doubled = [int(digit) * (2 - place % 2) for place, digit in enumerate(ten)]
    return sum(value // 10 + value % 10 for value in doubled) % 10 == 0
