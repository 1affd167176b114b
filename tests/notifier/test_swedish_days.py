"""A deadline counted over the wrong days costs somebody a fee; a time told in the wrong zone costs the visit."""

from datetime import UTC, date, datetime, time, timedelta

import pytest

from notifier.swedish_days import (
    InvalidPolicy,
    cancel_deadline,
    is_weekday,
    local,
    require_policy,
    wall_clock,
    weekdays_before,
)


def stockholm(text: str) -> datetime:
    on, clock = text.split()
    return wall_clock(date.fromisoformat(on), time.fromisoformat(clock))


@pytest.mark.parametrize(
    "day",
    [
        "2026-06-19",  # midsommarafton
        "2026-12-24",
        "2026-12-31",
        "2026-12-25",
        "2027-01-06",
        "2027-03-26",  # långfredagen
        "2027-03-29",  # annandag påsk
        "2027-05-06",  # Kristi himmelsfärdsdag
        "2026-11-28",  # a Saturday
        "2026-11-29",
    ],
)
def test_eves_and_holidays_are_no_weekdays(day: str) -> None:
    assert not is_weekday(date.fromisoformat(day))


@pytest.mark.parametrize("day", ["2026-11-30", "2027-05-07", "2027-03-25", "2026-12-23"])
def test_ordinary_days_are_weekdays(day: str) -> None:
    assert is_weekday(date.fromisoformat(day))


@pytest.mark.parametrize(
    ("start", "policy", "deadline"),
    [
        ("2027-03-30 09:00", "weekdays:1", "2027-03-25 09:00"),  # Tuesday after Easter Monday -> Maundy Thursday
        ("2026-12-01 13:30", "weekdays:1", "2026-11-30 13:30"),
        ("2026-11-30 13:30", "weekdays:1", "2026-11-27 13:30"),
        ("2026-11-30 13:30", "weekdays:3", "2026-11-25 13:30"),
        ("2026-12-28 10:00", "weekdays:1", "2026-12-23 10:00"),  # over Christmas
        ("2027-03-29 09:00", "hours:24", "2027-03-28 09:00"),
        ("2026-12-01 13:30", "clock:1:08.30", "2026-11-30 08:30"),
    ],
)
def test_check_12_the_deadline_is_counted_in_whole_swedish_weekdays(start: str, policy: str, deadline: str) -> None:
    assert cancel_deadline(stockholm(start), policy) == stockholm(deadline)


def test_a_deadline_across_the_clock_change_keeps_the_clock_time() -> None:
    deadline_at = cancel_deadline(stockholm("2027-03-29 09:00"), "weekdays:1")  # Easter Monday itself

    assert deadline_at == stockholm("2027-03-25 09:00")
    assert cancel_deadline(stockholm("2026-10-26 09:00"), "weekdays:1") == stockholm("2026-10-23 09:00")


def test_a_facility_without_a_policy_has_no_deadline() -> None:
    assert cancel_deadline(stockholm("2026-12-01 13:30"), "") is None


@pytest.mark.parametrize(
    "policy", ["weekdays", "weekdays:0", "weekday:1", "hours:x", "clock:1:25.00", "clock:1", "24h"]
)
def test_an_unreadable_policy_is_refused_with_the_forms_that_can_be_read(policy: str) -> None:
    with pytest.raises(InvalidPolicy, match="weekdays:1"):
        require_policy(policy)


def test_a_time_that_does_not_exist_moves_forward() -> None:
    assert local(wall_clock(date(2027, 3, 28), time(2, 30))).time() == time(3, 30)


def test_a_time_that_occurs_twice_means_the_first() -> None:
    assert wall_clock(date(2026, 10, 25), time(2, 30)) == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)


def test_no_weekdays_before_is_the_day_itself() -> None:
    assert weekdays_before(date(2026, 11, 29), 0) == date(2026, 11, 29)
    assert weekdays_before(date(2026, 11, 29), 1) == date(2026, 11, 27)
    assert wall_clock(date(2026, 12, 1), time(10)) - timedelta(days=1) == wall_clock(date(2026, 11, 30), time(10))
