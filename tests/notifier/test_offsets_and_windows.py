"""A reminder that comes at night, after the deadline or after the visit is worse than none."""

from datetime import date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifier.offsets import InvalidOffset, parse_offset
from notifier.swedish_days import cancel_deadline, local, wall_clock
from notifier.windows import DAYTIME, EVERY_DAY, is_open, last_useful, next_open, within_window
from store.purposes import Purpose


def at(text: str) -> datetime:
    on, clock = text.split()
    return wall_clock(date.fromisoformat(on), time.fromisoformat(clock))


_YEARS = st.dates(date(2026, 1, 1), date(2028, 1, 1))
INSTANTS = st.builds(wall_clock, _YEARS, st.times())


@pytest.mark.parametrize("visit", ["2027-03-28 09:00", "2027-10-31 09:00", "2026-10-25 09:00"])
def test_check_10_the_day_before_at_16_is_16_on_swedish_clocks_around_a_clock_change(visit: str) -> None:
    fires_at = parse_offset("days:1:16.00").fires_at(at(visit), None)

    assert fires_at is not None
    assert local(fires_at).time() == time(16)
    assert local(fires_at).date() == local(at(visit)).date() - timedelta(days=1)


@given(INSTANTS, st.sampled_from(["weekdays:1", "weekdays:3", "hours:24", "clock:1:08.30"]))
def test_check_12_the_deadline_reminder_is_the_last_ten_o_clock_at_least_a_day_before_the_deadline(
    start_at: datetime, policy: str
) -> None:
    deadline_at = cancel_deadline(start_at, policy)
    assert deadline_at is not None

    fires_at = parse_offset("deadline:24h:10.00").fires_at(start_at, deadline_at)

    assert fires_at is not None
    assert local(fires_at).time() == time(10)
    assert fires_at <= deadline_at - timedelta(hours=24)
    following = wall_clock(local(fires_at).date() + timedelta(days=1), time(10))
    assert following > deadline_at - timedelta(hours=24)


def test_without_a_deadline_there_is_no_deadline_reminder() -> None:
    assert parse_offset("deadline:24h:10.00").fires_at(at("2026-12-01 09:00"), None) is None


@pytest.mark.parametrize(
    ("offset", "fires"),
    [
        ("days:5:10.00", "2026-11-26 10:00"),
        ("days:0:07.30", "2026-12-01 07:30"),
        ("weekdays:2:10.00", "2026-11-27 10:00"),
        ("hours:3", "2026-12-01 10:30"),
    ],
)
def test_offsets_count_back_from_the_visit(offset: str, fires: str) -> None:
    assert parse_offset(offset).fires_at(at("2026-12-01 13:30"), None) == at(fires)


@pytest.mark.parametrize(
    "text", ["", "days:1", "days:1:16:00", "days:1:24.00", "deadline:0h:10.00", "hours:0", "1 dag"]
)
def test_an_unreadable_offset_is_refused(text: str) -> None:
    with pytest.raises(InvalidOffset):
        parse_offset(text)


def test_check_14_a_night_time_moves_to_the_morning_while_that_is_of_use() -> None:
    moved = within_window(at("2026-12-01 03:10"), useful_until=at("2026-12-01 09:00"))

    assert moved == at("2026-12-01 08:00")


def test_check_14_a_night_time_is_pulled_to_the_evening_before_rather_than_past_its_use() -> None:
    moved = within_window(at("2026-12-01 03:10"), useful_until=at("2026-12-01 05:00"))

    assert moved == at("2026-11-30 19:00")


@given(INSTANTS, st.timedeltas(timedelta(minutes=1), timedelta(days=3)))
def test_check_14_no_reminder_ever_falls_outside_daytime(wanted: datetime, use: timedelta) -> None:
    moved = within_window(wanted, wanted + use)

    assert is_open(DAYTIME, moved)
    assert moved <= wanted + use


@given(INSTANTS)
def test_the_last_useful_hour_is_daytime_too(useful_until: datetime) -> None:
    assert is_open(DAYTIME, last_useful(useful_until))
    assert last_useful(useful_until) <= useful_until - timedelta(hours=1)


@pytest.mark.parametrize(
    ("purpose", "now", "visit", "opens"),
    [
        (Purpose.MOVED, "2026-12-01 22:30", "2026-12-02 09:00", "2026-12-02 06:30"),
        (Purpose.MOVED, "2026-12-01 21:30", "2026-12-02 09:00", "2026-12-01 21:30"),
        (Purpose.MOVED, "2026-12-01 21:30", "2026-12-02 11:00", "2026-12-02 08:00"),
        (Purpose.GONE, "2026-12-01 06:00", "2026-12-01 07:30", "2026-12-01 06:30"),
        (Purpose.REMINDER, "2026-12-01 21:30", "2026-12-02 09:00", "2026-12-02 08:00"),
        (Purpose.CONFIRMATION, "2026-12-01 20:00", "2026-12-02 09:00", "2026-12-02 08:00"),
        (Purpose.CODE, "2026-12-01 03:00", "2026-12-02 09:00", "2026-12-01 03:00"),
    ],
)
def test_a_change_before_the_next_ten_may_come_early_and_late(
    purpose: Purpose, now: str, visit: str, opens: str
) -> None:
    assert next_open(purpose, at(now), at(visit)) == at(opens)


def test_the_evening_before_is_the_same_evening_late_at_night() -> None:
    assert EVERY_DAY.last_open(at("2026-12-01 23:30")) == at("2026-12-01 19:00")
    assert EVERY_DAY.last_open(at("2026-12-01 06:00")) == at("2026-11-30 19:00")
