"""Doorbells: they never pile up, old ones are dropped, and a broker that is away or forgets everything costs a tick."""

import gc
import logging
import time
import warnings
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from uuid import UUID

import pytest
import redis
from dramatiq.errors import ConnectionClosed
from sqlmodel import col, select, update
from structlog.testing import capture_logs

from store.database import Sessions
from store.deliveries import Delivery
from tests.faults.conftest import Wire
from tests.faults.conftest import clock as clock
from tests.faults.conftest import providers as providers
from tests.faults.conftest import wire_one as wire_one
from tests.faults.programs import free_port
from tests.faults.promises import due_reminders, states
from tests.faults.servers import Broker
from tests.faults.servers import broker as broker
from tests.faults.servers import rabbitmq_broker as rabbitmq_broker
from tests.faults.servers import rabbitmq_of_the_session as rabbitmq_of_the_session
from tests.faults.servers import redis_broker as redis_broker
from tests.faults.waiting import wait_until
from tests.faults.wired import process, working
from tests.stories.town import StillClock
from worker import actors
from worker.actors import Kind
from worker.broker import ConsumersLoss, Line, MarksInProcess, answers, open_broker
from worker.clock import Metronome
from worker.demo.providers import RunningProviders
from worker.settings import SettingsInvalid

AGE = 0.3  # seconds


@pytest.fixture(autouse=True)
def _sockets_of_connections_that_came_to_nothing() -> Iterator[None]:
    """pika leaves them to the collector, which would else complain of them in whatever test it happens to run."""
    yield
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """What becomes of bells does not depend on the database."""
    return sqlite_url


def test_a_bell_that_rings_is_not_rung_again_until_it_is_answered() -> None:
    marks = MarksInProcess(AGE, lambda: 0.0)
    assert marks.set("poll")
    assert not marks.set("poll")
    assert marks.set("plan")
    marks.clear("poll")
    assert marks.set("poll")


def test_a_bell_that_nobody_answers_is_rung_again_after_a_while() -> None:
    times = iter([0.0, AGE - 0.01, AGE])
    marks = MarksInProcess(AGE, lambda: next(times))
    assert [marks.set("poll") for _ in range(3)] == [True, False, True]


def test_a_bell_answered_twice_is_no_fault() -> None:
    marks = MarksInProcess(AGE, lambda: 0.0)
    marks.clear("poll")
    marks.clear("poll")
    assert marks.set("poll")


@pytest.mark.parametrize(
    "url",
    ["127.0.0.1:6379", "memory", "kafka://h", "redis://:hemligt@h:x/0", "amqp://hemligt@h/v", "amqp://h/v?hemligt=1"],
)
def test_what_is_no_brokers_address_is_refused_by_the_settings_name_and_not_repeated(url: str) -> None:
    with pytest.raises(SettingsInvalid, match="KALLELSE_BROKER_URL") as refused:
        open_broker(url, max_age=10)
    assert "hemligt" not in str(refused.value)


def test_a_broker_that_runs_answers(broker: Broker) -> None:
    assert answers(broker.url)


@pytest.mark.parametrize("scheme", ["redis", "amqp"])
def test_a_broker_that_does_not_run_does_not_answer(scheme: str) -> None:
    assert not answers(f"{scheme}://127.0.0.1:{free_port()}")


def test_a_hundred_rings_are_one_message(wire_one: Wire, broker: Broker) -> None:
    opened, marks = open_broker(broker.url, max_age=60)
    bells = actors.declare(opened, marks, wire_one(), lambda: False)
    for _ in range(100):
        bells.ring(Kind.DISPATCH)

    assert broker.waiting(Kind.DISPATCH) == 1
    opened.close()


def test_a_message_holds_no_id_and_no_content(wire_one: Wire, broker: Broker) -> None:
    opened, marks = open_broker(broker.url, max_age=60)
    actors.declare(opened, marks, wire_one(), lambda: False).ring(Kind.DISPATCH)

    (content,) = broker.messages(Kind.DISPATCH)
    assert b'"args":[],"kwargs":{}' in content
    opened.close()


def test_an_old_bell_is_dropped_and_the_next_one_is_answered(
    wire_one: Wire, providers: RunningProviders, clock: StillClock, broker: Broker
) -> None:
    wiring = wire_one()
    due_reminders(wiring.sessions, wiring.vault, clock.now(), 2)
    opened, marks = open_broker(broker.url, max_age=AGE)
    bells = actors.declare(opened, marks, wiring, lambda: False)
    bells.ring(Kind.DISPATCH)
    time.sleep(2 * AGE)  # the bell grows old
    with working(opened, 2):
        wait_until(lambda: broker.waiting(Kind.DISPATCH) == 0, "the old bell to be taken")
        bells.answered(Kind.DISPATCH)
        assert providers.messages() == []
        bells.ring(Kind.DISPATCH)
        wait_until(lambda: len(providers.messages()) == 2, "the next bell to be answered")


def test_a_flush_costs_one_tick_and_no_message(
    wire_one: Wire, providers: RunningProviders, clock: StillClock, broker: Broker
) -> None:
    wiring = wire_one()
    due_reminders(wiring.sessions, wiring.vault, clock.now(), 5)
    opened, marks = open_broker(broker.url, max_age=60)
    bells = actors.declare(opened, marks, wiring, lambda: False)
    metronome = Metronome(wiring.sessions, clock.now, actors.ticks(wiring), bells.ring, 60)
    metronome.tick()
    assert broker.waiting(Kind.DISPATCH) == 1
    broker.flush()

    with working(opened, 4):
        metronome.tick()
        wait_until(lambda: states(wiring.sessions) == {"accepted": 5}, "everything to be sent")

    assert len(providers.messages()) == 5


@pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")
def test_a_worker_hears_its_broker_when_it_comes_and_again_when_it_comes_back(
    wire_one: Wire, providers: RunningProviders, clock: StillClock, broker: Broker
) -> None:
    """Started before it, and after it has lost its queues. A worker once deaf would stay so until somebody noticed."""
    broker.kill()
    ticking, working = wire_one(broker_url=broker.url), wire_one(broker_url=broker.url)
    due_reminders(ticking.sessions, ticking.vault, clock.now(), 10)
    later = put_off(ticking.sessions, 5, clock.now())
    with process(working, ticks=False), process(ticking, works=False):
        broker.start()
        wait_until(lambda: states(ticking.sessions) == {"accepted": 5, "queued": 5}, "the first to be sent", seconds=60)
        broker.restart()
        broker.forget()
        make_due(ticking.sessions, later, clock.now())
        wait_until(lambda: states(ticking.sessions) == {"accepted": 10}, "the rest to be sent", seconds=60)

    assert len(providers.messages()) == 10
    gc.collect()  # pika leaves a lost connection's own sockets to it: here, so that no other test is blamed


def test_a_lost_broker_is_told_once_and_so_is_its_return(wire_one: Wire, broker: Broker) -> None:
    """Nobody reads a log in which ten bells complain at every tick of a long night."""
    broker.kill()
    opened, marks = open_broker(broker.url, max_age=AGE)
    bells = actors.declare(opened, marks, wire_one(tick_seconds=0.001), lambda: False)
    with capture_logs() as lines:
        for _ in range(3):
            for kind in (Kind.POLL, Kind.PLAN):
                bells.ring(kind)
                bells.answered(kind)
        broker.start()
        wait_until(lambda: bells.ring(Kind.POLL) or broker.waiting(Kind.POLL) == 1, "the broker to be found again")

    assert [line["event"] for line in lines] == ["broker_lost", "broker_back"]
    opened.close()


def test_a_broker_that_is_away_is_left_alone_for_a_while() -> None:
    """One that does not answer at all makes each attempt wait for seconds, and there are ten bells."""
    times = iter([0.0, 0.0, 1.0, 2.0, 2.0])
    line, attempts = Line(2.0, lambda: next(times)), []

    def ring() -> None:
        attempts.append(1)
        raise redis.TimeoutError

    line.attempt(ring)
    line.attempt(ring)
    assert len(attempts) == 1
    line.attempt(ring)
    assert len(attempts) == 2


def test_what_its_consumers_say_of_a_lost_broker_is_told_on_the_line_and_the_rest_is_let_through() -> None:
    loss = ConsumersLoss(Line(1.0, time.monotonic))

    with capture_logs() as lines:
        heard = [loss.filter(record("connection error: %s", ConnectionClosed(""))) for _ in range(20)]
        other = loss.filter(record("something else: %s", ValueError()))

    assert (set(heard), other) == ({False}, True)
    assert [line["event"] for line in lines] == ["broker_lost"]


def put_off(sessions: Sessions, count: int, now: datetime) -> list[UUID]:
    """Some deliveries are due tomorrow."""
    with sessions.writing() as session:
        later = list(session.exec(select(Delivery.id).limit(count)))
    make_due(sessions, later, now + timedelta(days=1))
    return later


def make_due(sessions: Sessions, some: Sequence[UUID], at: datetime) -> None:
    with sessions.writing() as session:
        session.exec(update(Delivery).where(col(Delivery.id).in_(some)).values(next_attempt_at=at))


def record(text: str, error: Exception) -> logging.LogRecord:
    return logging.LogRecord("dramatiq", logging.CRITICAL, "", 0, text, (error,), None)
