"""One source's trouble stays its own."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest

from worker.sources import SourceUnavailable
from worker.sources.gate import Gate, Limits


class Clock:
    """Monotonic seconds that pass only when somebody sleeps."""

    def __init__(self) -> None:
        self.at = 1000.0

    def __call__(self) -> float:
        return self.at

    def sleep(self, seconds: float) -> None:
        self.at += seconds


def gate(clock: Clock, **limits: float) -> Gate:
    return Gate(Limits(**limits), clock, clock.sleep)  # type: ignore[arg-type]


def refusal(call: Callable[[], object]) -> str:
    with pytest.raises(SourceUnavailable) as caught:
        call()
    return caught.value.code


def enter(gate: Gate) -> None:
    with gate.admitted():
        pass


def fail(gate: Gate, times: int) -> None:
    for _ in range(times):
        with gate.admitted():
            gate.record(ok=False)


def test_a_slow_source_holds_no_more_threads_than_its_share() -> None:
    busy = Gate(Limits(at_once=2, patience=0.01))
    entered, leave = threading.Barrier(3), threading.Event()

    def call() -> None:
        with busy.admitted():
            entered.wait(10)
            leave.wait(10)

    with ThreadPoolExecutor(2) as pool:
        calls = [pool.submit(call) for _ in range(2)]
        entered.wait(10)
        assert refusal(lambda: enter(busy)) == "busy"
        leave.set()
        for one in calls:
            one.result(10)
    enter(busy)


def test_a_call_that_raises_gives_its_place_back() -> None:
    clock = Clock()
    only_one = gate(clock, at_once=1, patience=0.01)
    for _ in range(3):
        with pytest.raises(SourceUnavailable, match="timeout"), only_one.admitted():
            raise SourceUnavailable("timeout", "no answer")


def test_a_refused_call_gives_its_place_back() -> None:
    clock = Clock()
    poor = gate(clock, at_once=1, per_hour=1, patience=0.01)
    enter(poor)
    assert [refusal(lambda: enter(poor)) for _ in range(3)] == ["budget"] * 3


def test_a_failing_source_is_left_alone_and_tried_again() -> None:
    clock = Clock()
    guarded = gate(clock, burst=100)
    fail(guarded, 20)
    assert refusal(lambda: enter(guarded)) == "open"
    clock.sleep(30)
    with guarded.admitted():
        assert refusal(lambda: enter(guarded)) == "open"
        guarded.record(ok=True)
    enter(guarded)


def test_an_open_breaker_spends_no_budget() -> None:
    clock = Clock()
    guarded = gate(clock, burst=100, per_hour=21)
    fail(guarded, 20)
    for _ in range(50):
        assert refusal(lambda: enter(guarded)) == "open"
    clock.sleep(30)
    enter(guarded)


def test_calls_wait_their_turn_for_a_moment_and_no_longer() -> None:
    clock = Clock()
    paced = gate(clock, per_second=2, burst=1, patience=1)
    enter(paced)
    enter(paced)
    assert clock.at == pytest.approx(1000.5)
    slow = gate(clock, per_second=0.1, burst=1, patience=1)
    enter(slow)
    assert refusal(lambda: enter(slow)) == "busy"


def test_a_gate_within_another_spends_of_it_and_keeps_its_failures_to_itself() -> None:
    clock = Clock()
    outer = gate(clock, per_hour=21, burst=100)
    inner = Gate(Limits(burst=100), clock, clock.sleep, within=outer)
    fail(inner, 20)
    assert refusal(lambda: enter(inner)) == "open"
    enter(outer)
    clock.sleep(30)
    assert refusal(lambda: enter(inner)) == "budget"


def test_many_threads_together_keep_to_the_burst() -> None:
    clock = Clock()
    shared = gate(clock, at_once=50, per_second=0.001, burst=10, patience=0)
    admitted = []

    def call() -> None:
        with suppress(SourceUnavailable), shared.admitted():
            admitted.append(1)

    with ThreadPoolExecutor(16) as pool:
        for one in [pool.submit(call) for _ in range(200)]:
            one.result(10)
    assert len(admitted) == 10
