"""Which broker carries the doorbells, and how they are kept from piling up. The database is the queue; this is not."""

import logging
import threading
import time
from collections.abc import Callable
from typing import Any, Protocol

import pika
import redis
import structlog
from dramatiq import Broker
from dramatiq.brokers.rabbitmq import RabbitmqBroker
from dramatiq.brokers.redis import RedisBroker
from dramatiq.brokers.stub import StubBroker
from dramatiq.errors import BrokerConnectionError
from dramatiq.middleware import AgeLimit, Middleware, Retries, ShutdownNotifications
from pika.exceptions import AMQPError
from redis.backoff import NoBackoff
from redis.retry import Retry

from worker.settings import SettingsInvalid

log = structlog.get_logger()

_LOST = (BrokerConnectionError, redis.RedisError, AMQPError, OSError)
_NAMESPACE = "kallelse"
_SILENCE_SECONDS = 5.0  # a broker that keeps us waiting for longer is as good as gone: the clock has others to ring for
_ADDRESSES = "redis://HOST:PORT/0 or amqp://USER:PASSWORD@HOST:PORT/VHOST"


class Marks(Protocol):
    """Remembers for a short while that a bell has been rung and not yet answered. Nothing here needs to be exact."""

    def set(self, kind: str) -> bool:
        """False if the bell is already ringing."""
        ...

    def clear(self, kind: str) -> None: ...


def open_broker(url: str, max_age: float) -> tuple[Broker, Marks]:
    """The broker named by the settings, and its marks; connects to nothing yet. A doorbell older than `max_age` seconds
    is dropped. Raises SettingsInvalid."""
    middleware = [AgeLimit(max_age=int(max_age * 1000)), ShutdownNotifications(), Retries(max_retries=0)]
    if not url:
        return StubBroker(middleware=middleware), MarksInProcess(max_age, time.monotonic)
    require_known(url)
    if url.startswith("redis"):
        return _on_redis(url, middleware)
    return _on_rabbitmq(url, middleware)


def require_known(url: str) -> None:
    """Raises SettingsInvalid unless it is the address of a Redis or a RabbitMQ. Never repeats it: it may hold a
    password."""
    if not url.startswith(("redis://", "rediss://", "amqp://", "amqps://")):
        raise SettingsInvalid(f"KALLELSE_BROKER_URL must be empty, or as {_ADDRESSES} (with TLS rediss://, amqps://)")
    try:
        _ = redis_client(url) if url.startswith("redis") else rabbitmq_parameters(url)
    except (ValueError, TypeError):  # TypeError: a user without a password
        raise SettingsInvalid(f"KALLELSE_BROKER_URL cannot be read: write it as {_ADDRESSES}") from None


def redis_client(url: str) -> redis.Redis:
    """A client that gives up on a silent server, and tries a lost connection again once, at once: the library's own
    patience would keep the clock from its other bells. Raises ValueError."""
    return redis.Redis.from_url(
        url,
        socket_connect_timeout=_SILENCE_SECONDS,
        socket_timeout=_SILENCE_SECONDS,
        retry=Retry(NoBackoff(), 1),
    )


def rabbitmq_parameters(url: str) -> pika.URLParameters:
    """How to connect, giving up on a silent server, also on one that is out of memory or disk. Raises ValueError."""
    parameters = pika.URLParameters(url)
    parameters.socket_timeout = _SILENCE_SECONDS
    parameters.stack_timeout = _SILENCE_SECONDS
    parameters.blocked_connection_timeout = _SILENCE_SECONDS
    return parameters


class Line:
    """The line to the broker. Losing it is logged once, and so is having it back; after a loss it is left alone for
    `rest` seconds, as a silent broker makes every attempt wait. What is not rung meanwhile costs a tick."""

    def __init__(self, rest: float, clock: Callable[[], float]) -> None:
        self._rest = rest
        self._clock = clock
        self._rests_until = float("-inf")
        self._is_lost = False

    def attempt(self, act: Callable[[], object]) -> None:
        """Does it, unless the broker is away."""
        if self._clock() < self._rests_until:
            return
        try:
            act()
        except _LOST as error:
            self.lose(error)
        else:
            self._found()

    def lose(self, error: Exception) -> None:
        """Somebody met this error on the line."""
        self._rests_until = self._clock() + self._rest
        if not self._is_lost:
            self._is_lost = True
            log.warning("broker_lost", error=type(error).__name__)

    def _found(self) -> None:
        if self._is_lost:
            self._is_lost = False
            log.info("broker_back")


class ConsumersLoss(logging.Filter):
    """On a consumer's logger: tells the line of a lost connection, instead of each consumer telling of it every three
    seconds. Everything else it says is let through."""

    def __init__(self, line: Line) -> None:
        super().__init__()
        self._line = line

    def filter(self, record: logging.LogRecord) -> bool:
        error = _what_happened(record)
        if not isinstance(error, _LOST):
            return True
        self._line.lose(error)
        return False


def answers(url: str) -> bool:
    """Whether the broker lets us in. Raises SettingsInvalid when the address cannot be read."""
    require_known(url)
    try:
        _connect_once(url)
    except _LOST:
        return False
    return True


class MarksInProcess:
    """Marks for the embedded mode."""

    def __init__(self, max_age: float, clock: Callable[[], float]) -> None:
        self._max_age = max_age
        self._clock = clock
        self._lock = threading.Lock()
        self._rung_at: dict[str, float] = {}

    def set(self, kind: str) -> bool:
        with self._lock:
            now = self._clock()
            if now - self._rung_at.get(kind, float("-inf")) < self._max_age:
                return False
            self._rung_at[kind] = now
            return True

    def clear(self, kind: str) -> None:
        with self._lock:
            self._rung_at.pop(kind, None)


class MarksInRedis:
    """The queue itself: a bell rings as long as it waits there, and no longer when a worker has taken it."""

    def __init__(self, client: redis.Redis) -> None:
        self._client = client

    def set(self, kind: str) -> bool:
        return self._client.llen(f"{_NAMESPACE}:{kind}") == 0

    def clear(self, kind: str) -> None:
        """Nothing to do: the bell left the queue when it was taken."""


class MarksInRabbitmq:
    """The queue itself, as in Redis."""

    def __init__(self, broker: Any) -> None:  # noqa: ANN401 - dramatiq leaves its connections untyped
        self._broker = broker

    def set(self, kind: str) -> bool:
        try:
            return bool(self._broker.channel.queue_declare(kind, passive=True).method.message_count == 0)
        except AMQPError:  # the queue is not declared yet, or the connection is gone: sending mends both
            del self._broker.connection
            return True

    def clear(self, kind: str) -> None:
        """Nothing to do: the bell left the queue when it was taken."""


def _what_happened(record: logging.LogRecord) -> object:
    """The exception a line tells of: the one being handled, or one that its text is made of."""
    if record.exc_info:
        return record.exc_info[1]
    told = record.args if isinstance(record.args, tuple) else ()
    return next((one for one in told if isinstance(one, Exception)), None)


def _connect_once(url: str) -> None:
    if not url.startswith("redis"):
        pika.BlockingConnection(rabbitmq_parameters(url)).close()
        return
    with redis_client(url) as client:
        client.ping()


def _on_redis(url: str, middleware: list[Middleware]) -> tuple[Broker, Marks]:
    client = redis_client(url)
    broker = RedisBroker(client=client, namespace=_NAMESPACE, middleware=middleware)  # type: ignore[no-untyped-call]
    return broker, MarksInRedis(client)


def _on_rabbitmq(url: str, middleware: list[Middleware]) -> tuple[Broker, Marks]:
    broker = RabbitmqBroker(url=url, confirm_delivery=True, middleware=middleware)
    broker.parameters = rabbitmq_parameters(url)
    return broker, MarksInRabbitmq(broker)
