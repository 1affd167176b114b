"""When a booking is in a calendar, and when time alone changes it."""

from datetime import UTC, date, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from feeds.periods import Access, CalendarRules, Register, Timing, access, is_shown, leaves_at, next_change_at
from store.standing import Standing

NOW = datetime(2026, 11, 24, 8, 55, tzinfo=UTC)
RULES = CalendarRules()
PAST = timedelta(days=30)
DAY = timedelta(days=1)


def test_check_30_a_cancelled_visit_is_shown_for_14_days_then_gone() -> None:
    timing = Timing(NOW + 60 * DAY, Standing.CANCELLED, NOW)

    assert is_shown(timing, NOW + 14 * DAY - timedelta(seconds=1), PAST, RULES)
    assert not is_shown(timing, NOW + 14 * DAY, PAST, RULES)


def test_a_passed_visit_stays_for_its_period() -> None:
    timing = Timing(NOW, Standing.PASSED, NOW)

    assert is_shown(timing, NOW + 30 * DAY - timedelta(seconds=1), PAST, RULES)
    assert not is_shown(timing, NOW + 30 * DAY, PAST, RULES)


def test_a_candidate_waits_for_its_counterpart_but_not_for_ever() -> None:
    timing = Timing(NOW + 5 * DAY, Standing.BOOKED, NOW, candidate_until=NOW + timedelta(minutes=15))

    assert not is_shown(timing, NOW, PAST, RULES)
    assert next_change_at([timing], [], NOW, PAST, RULES) == NOW + timedelta(minutes=15)
    assert is_shown(timing, NOW + timedelta(minutes=15), PAST, RULES)


def test_only_an_explicit_flag_empties() -> None:
    assert access(Register(None, None, NOW), NOW, RULES) is Access.OPEN
    assert access(Register(None, None, None), NOW, RULES) is Access.HELD
    assert access(Register(None, None, NOW - 8 * DAY), NOW, RULES) is Access.HELD
    assert access(Register(date(2026, 11, 1), None, None), NOW, RULES) is Access.EMPTIED
    assert access(Register(None, date(2026, 11, 1), NOW), NOW, RULES) is Access.EMPTIED


INSTANTS = st.integers(-60 * 24, 60 * 24).map(lambda hours: NOW + timedelta(hours=hours))
TIMINGS = st.lists(st.builds(Timing, INSTANTS, st.sampled_from(Standing), INSTANTS, st.none() | INSTANTS), max_size=6)


@given(TIMINGS, st.integers(0, 90 * 24))
def test_nothing_changes_by_time_alone_before_the_announced_instant(timings: list[Timing], hours: int) -> None:
    at = next_change_at(timings, [], NOW, PAST, RULES)
    later = NOW + timedelta(hours=hours)
    if at is None or later < at:
        assert [is_shown(one, later, PAST, RULES) for one in timings] == [
            is_shown(one, NOW, PAST, RULES) for one in timings
        ]


@given(TIMINGS)
def test_the_announced_instant_lies_ahead(timings: list[Timing]) -> None:
    at = next_change_at(timings, [], NOW, PAST, RULES)
    assert at is None or at > NOW
    assert all(leaves_at(one, PAST, RULES) <= one.start_at + PAST for one in timings)
