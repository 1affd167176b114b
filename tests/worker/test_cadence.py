"""When to ask again, and how much one source may be asked."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.cadence import Breaker, Budget, Pace, TokenBucket, next_look_at, next_poll_at

NOW = datetime(2026, 11, 23, 9, 55, tzinfo=UTC)
PACE = Pace()
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
JUST_UNDER_ONE = 0.999999

SPREADS = st.floats(0, 1, exclude_max=True)
STARTS = st.none() | st.timedeltas(-2 * DAY, 400 * DAY).map(lambda span: NOW + span)
CHANGES = st.none() | st.timedeltas(timedelta(), 60 * DAY).map(lambda span: NOW - span)


def waits(
    start_in: timedelta | None, changed: timedelta | None = None, failures: int = 0, spread: float = JUST_UNDER_ONE
) -> timedelta:
    start_at = None if start_in is None else NOW + start_in
    changed_at = None if changed is None else NOW - changed
    at = next_poll_at(NOW, start_at, changed_at, failures, PACE, spread)
    return timedelta(seconds=round((at - NOW).total_seconds()))


@pytest.mark.parametrize(
    ("start_in", "expected"),
    [
        (HOUR, PACE.near),
        (2 * DAY, PACE.near),
        (2 * DAY + timedelta(minutes=5), PACE.near),
        (2 * DAY + HOUR, HOUR),  # the poll falls where the visit draws near, not hours later
        (3 * DAY, PACE.usual),
        (14 * DAY, PACE.usual),
        (14 * DAY + 5 * HOUR, 5 * HOUR),
        (30 * DAY, PACE.far),
        (None, PACE.far),
        (-HOUR, PACE.near),
    ],
)
def test_a_change_close_to_the_visit_is_not_found_too_late(start_in: timedelta | None, expected: timedelta) -> None:
    assert waits(start_in) == expected


@pytest.mark.parametrize(
    ("changed", "expected"), [(timedelta(), PACE.near), (HOUR - timedelta(seconds=1), PACE.near), (HOUR, PACE.far)]
)
def test_a_booking_just_changed_is_looked_after_for_an_hour(changed: timedelta, expected: timedelta) -> None:
    assert waits(30 * DAY, changed) == expected


@pytest.mark.parametrize(("failures", "minutes"), [(1, 1), (2, 2), (3, 4), (6, 32), (7, 60), (100, 60), (10**6, 60)])
def test_a_failing_source_is_asked_ever_more_seldom_up_to_a_ceiling(failures: int, minutes: int) -> None:
    assert waits(HOUR, failures=failures) == timedelta(minutes=minutes)
    assert waits(HOUR, failures=failures, spread=0) == timedelta(minutes=minutes) / 2


@given(start_at=STARTS, changed_at=CHANGES, spread=SPREADS)
def test_nobody_is_forgotten_nor_asked_about_without_pause(
    start_at: datetime | None, changed_at: datetime | None, spread: float
) -> None:
    wait = next_poll_at(NOW, start_at, changed_at, 0, PACE, spread) - NOW
    assert PACE.near * 0.79 <= wait <= PACE.far


@given(failures=st.integers(1, 10**9), start_at=STARTS, spread=SPREADS)
def test_the_back_off_stays_within_its_bounds(failures: int, start_at: datetime | None, spread: float) -> None:
    wait = next_poll_at(NOW, start_at, None, failures, PACE, spread) - NOW
    assert PACE.backoff_first / 2 <= wait <= PACE.backoff_most


@given(nearer=st.timedeltas(timedelta(), 40 * DAY), by=st.timedeltas(timedelta(), 40 * DAY), spread=SPREADS)
def test_a_nearer_visit_is_never_asked_about_later(nearer: timedelta, by: timedelta, spread: float) -> None:
    first = next_poll_at(NOW, NOW + nearer, None, 0, PACE, spread)
    assert first <= next_poll_at(NOW, NOW + nearer + by, None, 0, PACE, spread)


def test_subjects_asked_together_drift_apart() -> None:
    assert len({next_poll_at(NOW, None, None, 0, PACE, spread / 10) for spread in range(10)}) == 10


@given(st.lists(st.floats(0, 5), max_size=60))
def test_a_source_never_gets_more_calls_than_its_pace_and_its_store(pauses: list[float]) -> None:
    bucket, at, calls = TokenBucket(per_second=2, most=3, tokens=3, filled_at=0), 0.0, 0
    for pause in pauses:
        at += pause
        if bucket.wait(at) == 0:
            bucket, calls = bucket.taken(at), calls + 1
    assert calls <= 3 + 2 * at + 1e-6


def test_an_empty_bucket_says_how_long_until_the_next_call() -> None:
    bucket = TokenBucket(per_second=2, most=1, tokens=1, filled_at=10)
    assert bucket.wait(10) == 0
    assert bucket.taken(10).wait(10) == pytest.approx(0.5)
    assert bucket.taken(10).wait(10.5) == 0
    assert bucket.taken(10).wait(9) == pytest.approx(0.5)  # never filled by a clock that goes back


def test_an_hours_calls_are_used_up_and_come_back_with_the_next_hour() -> None:
    budget = Budget(per_hour=2)
    for at in (100.0, 200.0):
        assert budget.allows(at)
        budget = budget.spent(at)
    assert not budget.allows(201)
    assert not budget.allows(3699)
    assert budget.allows(3700)
    assert budget.spent(3700) == Budget(2, 3700, 1)


def failing(calls: str) -> Breaker:
    breaker = Breaker()
    for at, call in enumerate(calls):
        breaker = breaker.recorded(float(at), ok=call == ".")
    return breaker


@pytest.mark.parametrize(
    ("calls", "is_open"),
    [
        ("x" * 19, False),
        ("x" * 20, True),
        ("." * 11 + "x" * 9, False),
        ("." * 10 + "x" * 10, True),
        ("x" * 9 + "." * 20 + "x" * 9, False),
        ("." * 100 + "x" * 10, True),
    ],
)
def test_a_source_that_fails_half_of_its_calls_is_left_alone(calls: str, *, is_open: bool) -> None:
    assert failing(calls).admits(float(len(calls))) is not is_open


def test_a_failing_source_gets_one_trial_call_every_thirty_seconds() -> None:
    breaker = failing("x" * 20)
    assert not breaker.admits(48)
    assert breaker.admits(49)
    trial = breaker.tried(49)
    assert not trial.admits(50)
    assert trial.admits(79), "a trial that never reports must not keep the source out for ever"


def test_a_trial_decides_between_open_and_closed() -> None:
    trial = failing("x" * 20).tried(49)
    assert trial.recorded(50, ok=True) == Breaker()
    again = trial.recorded(50, ok=False)
    assert not again.admits(79)
    assert again.admits(80)


def test_late_reports_of_earlier_calls_neither_close_nor_prolong_it() -> None:
    breaker = failing("x" * 20)
    assert breaker.recorded(25, ok=True) == breaker
    assert breaker.recorded(25, ok=False) == breaker


def test_a_call_through_a_closed_breaker_is_no_trial() -> None:
    assert Breaker().tried(5) == Breaker()


@pytest.mark.parametrize(
    ("again_in", "failures", "least", "most"),
    [
        (None, 0, 0.8 * PACE.invitations, PACE.invitations),
        (timedelta(minutes=10), 0, timedelta(minutes=10), timedelta(minutes=10)),
        (timedelta(minutes=10), 9, timedelta(minutes=10), timedelta(minutes=10)),
        (-HOUR, 0, timedelta(), timedelta()),
        (None, 1, 0.5 * PACE.backoff_first, PACE.backoff_first),
        (None, 1000, 0.5 * PACE.backoff_most, PACE.backoff_most),
    ],
)
def test_a_missed_invitation_is_looked_for_in_time_and_others_seldom(
    again_in: timedelta | None, failures: int, least: timedelta, most: timedelta
) -> None:
    again_at = None if again_in is None else NOW + again_in
    for spread in (0, JUST_UNDER_ONE):
        assert least <= next_look_at(NOW, again_at, failures, PACE, spread) - NOW <= most
