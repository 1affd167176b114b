"""Doorbells: they never pile up, old ones are dropped, and a broker that forgets everything costs one tick."""

import time
from collections.abc import Iterator

import pytest

from tests.faults.conftest import Wire
from tests.faults.conftest import clock as clock
from tests.faults.conftest import providers as providers
from tests.faults.conftest import wire_one as wire_one
from tests.faults.promises import due_reminders, states
from tests.faults.redis_server import client_of
from tests.faults.redis_server import redis_url as redis_url
from tests.faults.waiting import wait_until
from tests.faults.wired import process, working
from tests.stories.town import StillClock
from worker import actors
from worker.actors import Kind
from worker.broker import Marks, MarksInProcess, MarksInRedis, open_broker
from worker.demo.providers import RunningProviders
from worker.settings import SettingsInvalid

AGE = 0.3  # seconds


@pytest.fixture(params=["process", "redis"])
def marks(request: pytest.FixtureRequest) -> Iterator[Marks]:
    """Marks that hold for AGE, of each kind."""
    if request.param == "process":
        yield MarksInProcess(AGE, time.monotonic)
        return
    with client_of(request.getfixturevalue("redis_url")) as client:
        yield MarksInRedis(client, AGE)


def test_a_bell_that_rings_is_not_rung_again_until_it_is_answered(marks: Marks) -> None:
    assert marks.set("poll")
    assert not marks.set("poll")
    assert marks.set("plan")
    marks.clear("poll")
    assert marks.set("poll")


def test_a_bell_that_nobody_answers_is_rung_again_after_a_while(marks: Marks) -> None:
    assert marks.set("poll")
    wait_until(lambda: marks.set("poll"), "the mark to run out", seconds=5)


def test_a_bell_answered_twice_is_no_fault(marks: Marks) -> None:
    marks.clear("poll")
    marks.clear("poll")
    assert marks.set("poll")


@pytest.mark.parametrize("url", ["amqp://127.0.0.1", "127.0.0.1:6379", "memory"])
def test_another_brokers_address_is_refused_by_the_settings_name(url: str) -> None:
    with pytest.raises(SettingsInvalid, match="KALLELSE_BROKER_URL"):
        open_broker(url, max_age=10)


def test_a_hundred_rings_are_one_message(wire_one: Wire, redis_url: str) -> None:
    wiring = wire_one()
    broker, marks = open_broker(redis_url, max_age=60)
    bells = actors.declare(broker, marks, wiring, lambda: False)
    for _ in range(100):
        bells.ring(Kind.DISPATCH)

    with client_of(redis_url) as client:
        assert client.llen("kallelse:dispatch") == 1
    broker.close()


def test_a_message_holds_no_id_and_no_content(wire_one: Wire, redis_url: str) -> None:
    broker, marks = open_broker(redis_url, max_age=60)
    bells = actors.declare(broker, marks, wire_one(), lambda: False)
    bells.ring(Kind.DISPATCH)

    with client_of(redis_url) as client:
        (content,) = client.hvals("kallelse:dispatch.msgs")
    assert b'"args":[],"kwargs":{}' in content
    broker.close()


def test_an_old_bell_is_dropped_and_the_next_one_is_answered(
    wire_one: Wire, providers: RunningProviders, clock: StillClock, redis_url: str
) -> None:
    wiring = wire_one()
    due_reminders(wiring.sessions, wiring.vault, clock.now(), 2)
    broker, marks = open_broker(redis_url, max_age=AGE)
    bells = actors.declare(broker, marks, wiring, lambda: False)
    bells.ring(Kind.DISPATCH)
    wait_until(lambda: marks.set("dispatch"), "the bell to grow old")
    marks.clear("dispatch")
    with working(broker, 2):
        broker.join(Kind.DISPATCH)
        assert providers.messages() == []
        bells.ring(Kind.DISPATCH)
        wait_until(lambda: len(providers.messages()) == 2, "the next bell to be answered")


def test_a_flushed_broker_costs_a_tick_and_no_message(
    wire_one: Wire, providers: RunningProviders, clock: StillClock, redis_url: str
) -> None:
    ticking, working = wire_one(broker_url=redis_url), wire_one(broker_url=redis_url)
    with process(working, ticks=False), process(ticking, works=False), client_of(redis_url) as client:
        for _ in range(5):
            client.flushall()
        due_reminders(ticking.sessions, ticking.vault, clock.now(), 20)
        for _ in range(5):
            client.flushall()
        wait_until(lambda: states(ticking.sessions) == {"accepted": 20}, "everything to be sent")

    assert len(providers.messages()) == 20
