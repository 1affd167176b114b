"""A backlog goes out at a steady pace, per provider, in visit order (check 7)."""

from dataclasses import replace

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
