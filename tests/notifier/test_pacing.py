"""A backlog goes out at a steady pace, per provider, in visit order (check 7)."""

from dataclasses import replace
from datetime import timedelta

from notifier.pacing import Pace
from tests.notifier.conftest import Provider, Scene
from tests.notifier.test_dispatch import DAY_BEFORE_AT, reminded


class Watch:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.at = 0.0
        self.slept: list[float] = []

    def now(self) -> float:
        return self.at

    def sleep(self, seconds: float) -> None:
        self.slept.append(round(seconds, 6))
        self.at += seconds


def test_check_07_messages_to_one_provider_keep_their_distance() -> None:
    watch = Watch()
    pace = Pace(4, watch.now, watch.sleep)
    for _ in range(5):
        pace.wait_turn("twilio")

    assert watch.slept == [0.25] * 4


def test_one_providers_backlog_does_not_hold_up_another() -> None:
    watch = Watch()
    pace = Pace(1, watch.now, watch.sleep)
    pace.wait_turn("twilio")
    pace.wait_turn("smtp")

    assert watch.slept == []


def test_a_pause_saves_up_no_burst() -> None:
    watch = Watch()
    pace = Pace(2, watch.now, watch.sleep)
    pace.wait_turn("twilio")
    watch.at += 60
    pace.wait_turn("twilio")
    pace.wait_turn("twilio")

    assert watch.slept == [0.5]


def test_check_07_dispatch_waits_its_turn_before_each_send(scene: Scene, provider: Provider) -> None:
    watch = Watch()
    reminded(scene)
    pace = Pace(1, watch.now, watch.sleep)
    pace.wait_turn("twilio")
    paced = replace(scene, dispatch=replace(scene.dispatch, pace=pace))

    paced.send(provider.channels, DAY_BEFORE_AT)

    assert watch.slept == [1]
    assert "accepted" in [state for state, _ in scene.states()]


def worked(pace: Pace, *, trouble: int, fine: int = 0) -> list[bool]:
    """So many outcomes, the troubled first: whether each sent the provider to rest."""
    return [pace.note("twilio", is_trouble=number < trouble) for number in range(trouble + fine)]


def test_a_provider_in_trouble_is_sent_less_and_the_pace_returns_minute_by_minute() -> None:
    watch = Watch()
    pace = Pace(10, watch.now, watch.sleep)
    worked(pace, trouble=2)
    waits = []
    for _ in range(4):
        pace.wait_turn("twilio")
        before = watch.at
        pace.wait_turn("twilio")
        waits.append(round(watch.at - before, 6))
        watch.at += 60

    assert waits == [0.4, 0.2, 0.1, 0.1]


def test_a_provider_that_only_fails_is_left_alone_and_then_tried_slowly() -> None:
    watch = Watch()
    pace = Pace(10, watch.now, watch.sleep)
    assert worked(pace, trouble=10) == [False] * 9 + [True]
    assert pace.rests_for("twilio") == timedelta(seconds=30)
    assert pace.rests_for("smtp") == timedelta()

    watch.at += 31
    assert pace.rests_for("twilio") == timedelta()
    pace.wait_turn("twilio")
    before = watch.at
    pace.wait_turn("twilio")
    assert round(watch.at - before, 6) == 1.0  # a tenth of the full pace


def test_a_few_failures_among_many_successes_stop_nobody() -> None:
    pace = Pace(1000)
    for _ in range(20):
        assert not any(worked(pace, trouble=1, fine=3))


def test_while_a_provider_rests_deliveries_wait_and_none_is_attempted(scene: Scene, provider: Provider) -> None:
    reminded(scene)
    pace = Pace(1000)
    worked(pace, trouble=10)
    resting = replace(scene, dispatch=replace(scene.dispatch, pace=pace))

    resting.send(provider.channels, DAY_BEFORE_AT)
    assert ("queued", "") in scene.states()
    assert scene.attempts() == []

    scene.send(provider.channels, DAY_BEFORE_AT + timedelta(minutes=1))
    assert ("accepted", "") in scene.states()
