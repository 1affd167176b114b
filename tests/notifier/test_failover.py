"""Check 26: weights flee errors and slowness, never below a floor, never because of what all suffer, and drift back."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifier import failover
from notifier.failover import ALL, Change, Performance, Rules, Shares, after, decide, pick
from store.weight_causes import WeightCause

AT = datetime(2026, 11, 24, 9, tzinfo=UTC)
LONG_AGO = AT - timedelta(hours=1)
RESTING = {"46elks": 50, "twilio": 50}
RULES = Rules()
FAILS, SLOW, WELL = Performance(errors=51), Performance(accepted=20, slow=3), Performance(accepted=20, slow=2)


def shares(twilio: int = 50, *, changed_at: datetime = LONG_AGO, stopped: str = "") -> Shares:
    return Shares(
        {"46elks": ALL - twilio, "twilio": twilio}, frozenset({stopped} - {""}), changed_at, min(changed_at, AT)
    )


def judged(now: Shares, at: datetime = AT, **seen: Performance) -> Change | None:
    named = {name.replace("elks", "46elks"): one for name, one in seen.items()}
    return decide(now, named, RESTING, at, RULES)


def twilio_after(change: Change | None) -> int:
    assert change is not None
    return change.weights["twilio"]


@pytest.mark.parametrize(
    ("seen", "cause", "reason"),
    [
        (FAILS, WeightCause.ERRORS, "twilio: 51 errors in a minute"),
        (SLOW, WeightCause.SLOW, "twilio: 3 of 20 messages slow"),
    ],
)
def test_check_26_a_provider_in_trouble_loses_ten_points_with_its_reason(
    seen: Performance, cause: WeightCause, reason: str
) -> None:
    change = judged(shares(), twilio=seen, elks=WELL)
    assert change == Change({"46elks": 60, "twilio": 40}, frozenset(), cause, reason)


@pytest.mark.parametrize("seen", [Performance(errors=50), WELL, Performance(accepted=4, slow=4), Performance()])
def test_check_26_what_is_no_trouble_moves_nothing(seen: Performance) -> None:
    assert judged(shares(), twilio=seen) is None


@pytest.mark.parametrize("seen", [FAILS, SLOW])
def test_check_26_nobody_moves_where_all_suffer_the_same(seen: Performance) -> None:
    assert judged(shares(), twilio=seen, elks=seen) is None


def test_a_move_is_left_to_work_before_the_next() -> None:
    for seen, apart in ((FAILS, RULES.errors_apart), (SLOW, RULES.slow_apart)):
        now = shares(40, changed_at=AT)
        assert judged(now, AT + apart - timedelta(seconds=1), twilio=seen) is None
        assert twilio_after(judged(now, AT + apart, twilio=seen)) == 30


def test_a_provider_in_trouble_keeps_what_shows_when_it_is_well_again() -> None:
    assert twilio_after(judged(shares(10), twilio=FAILS)) == RULES.floor
    assert judged(shares(RULES.floor), twilio=FAILS) is None  # nor does it drift back while it fails


def test_a_standby_that_rests_at_nothing_may_fall_back_to_it() -> None:
    now = Shares({"46elks": 10, "twilio": 90}, frozenset(), LONG_AGO, LONG_AGO)
    change = decide(now, {"46elks": FAILS}, {"46elks": 0, "twilio": 100}, AT, RULES)
    assert change is not None
    assert change.weights == {"46elks": 0, "twilio": 100}


def test_a_stopped_provider_is_nobody_to_move_to() -> None:
    assert judged(shares(stopped="46elks"), twilio=FAILS) is None


def test_check_26_drift_begins_after_a_quiet_quarter_of_an_hour_ten_points_every_five_minutes() -> None:
    now, came = shares(20, changed_at=AT), []
    for minute in range(40):
        at = AT + timedelta(minutes=minute)
        change = judged(now, at)
        if change is not None:
            assert change.cause == WeightCause.DRIFT
            came.append((minute, change.weights["twilio"]))
            now = after(now, change, at)
    assert came == [(15, 30), (20, 40), (25, 50)]


def test_the_operators_weights_and_stops() -> None:
    assert failover.set_weight(shares(), "46elks", 80).weights == {"46elks": 80, "twilio": 20}
    stopped = failover.stopped(shares(), "twilio", WeightCause.OPERATOR, "")
    assert stopped is not None
    without = after(shares(), stopped, AT)
    assert failover.stopped(without, "46elks", WeightCause.SHUT_OUT, "") is None  # somebody must send
    started = failover.started(without, "twilio")
    assert started is not None
    assert (started.stopped, started.weights) == (frozenset(), RESTING)


def test_who_makes_an_attempt_goes_by_weight_among_those_who_can() -> None:
    drawn = [pick(shares(30), (), place / 100) for place in range(100)]
    assert (drawn.count("twilio"), drawn.count("46elks")) == (30, 70)
    assert {pick(shares(95), {"twilio"}, one / 10) for one in range(10)} == {"46elks"}
    assert {pick(shares(stopped="twilio"), {"46elks"}, one / 10) for one in range(10)} == {"46elks"}
    assert {pick(shares(0), {"46elks"}, one / 10) for one in range(10)} == {"twilio"}


PROVIDERS = ["46elks", "sinch", "twilio"]


@st.composite
def weights(draw: st.DrawFn) -> dict[str, int]:
    names = PROVIDERS[: draw(st.integers(2, 3))]
    cuts = sorted(draw(st.lists(st.integers(0, ALL), min_size=len(names) - 1, max_size=len(names) - 1)))
    return dict(zip(names, [b - a for a, b in zip([0, *cuts], [*cuts, ALL], strict=True)], strict=True))


performances = st.builds(Performance, st.integers(0, 120), st.integers(0, 40), st.integers(0, 40))


@given(weights(), st.data())
def test_check_26_weights_always_sum_to_a_hundred_and_none_is_negative(
    now: dict[str, int], data: st.DataObject
) -> None:
    resting = data.draw(weights().filter(lambda one: set(one) == set(now)))
    standing = Shares(now, frozenset(data.draw(st.sets(st.sampled_from(sorted(now)), max_size=1))), LONG_AGO, LONG_AGO)
    for step in range(12):
        seen = {one: data.draw(performances) for one in now}
        at = AT + step * timedelta(minutes=data.draw(st.integers(0, 6)))
        change = decide(standing, seen, resting, at, RULES)
        if change is None:
            continue
        assert sum(change.weights.values()) == ALL
        assert min(change.weights.values()) >= 0
        for one, weight in change.weights.items():
            lost = standing.weights[one] - weight
            assert lost <= RULES.step
            if change.cause != WeightCause.DRIFT and lost > 0:
                assert weight >= min(RULES.floor, resting[one])
        standing = after(standing, change, at)


@given(weights(), st.data())
def test_check_26_drift_ends_at_the_resting_points_and_stays(now: dict[str, int], data: st.DataObject) -> None:
    resting = data.draw(weights().filter(lambda one: set(one) == set(now)))
    standing, at = Shares(now, frozenset(), LONG_AGO, LONG_AGO), AT
    for _ in range(15):
        change = decide(standing, {}, resting, at, RULES)
        standing = standing if change is None else after(standing, change, at)
        at += RULES.drift_every
    assert dict(standing.weights) == resting
    assert decide(standing, {}, resting, at, RULES) is None


@given(weights(), st.integers(1, 40))
def test_check_26_nobody_moves_on_anothers_slowness_when_all_are_slow(now: dict[str, int], count: int) -> None:
    seen = {one: Performance(accepted=count + 5, slow=count + 5) for one in now}
    assert decide(Shares(now, frozenset(), LONG_AGO, LONG_AGO), seen, now, AT, RULES) is None


@given(weights(), st.integers(0, ALL), st.data())
def test_an_operator_cannot_make_more_or_less_than_a_hundred(
    now: dict[str, int], weight: int, data: st.DataObject
) -> None:
    one = data.draw(st.sampled_from(sorted(now)))
    change = failover.set_weight(Shares(now, frozenset(), LONG_AGO, LONG_AGO), one, weight)
    assert change.weights[one] == weight
    assert sum(change.weights.values()) == ALL
    assert min(change.weights.values()) >= 0


def test_other_providers_begin_at_their_own_resting_points() -> None:
    before = replace(shares(20, stopped="twilio"), weights={"sinch": 80, "twilio": 20})
    change = failover.fitted(before, RESTING)
    assert change is not None
    assert (change.weights, change.stopped) == (RESTING, frozenset({"twilio"}))
    assert failover.fitted(shares(20), RESTING) is None
