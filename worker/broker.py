"""Which broker carries the doorbells, and how they are kept from piling up. The database is the queue; this is not."""

import threading
import time
from collections.abc import Callable
from typing import Protocol

import redis
from dramatiq import Broker
from dramatiq.brokers.redis import RedisBroker
from dramatiq.brokers.stub import StubBroker
from dramatiq.middleware import AgeLimit, Middleware, Retries, ShutdownNotifications

from worker.settings import SettingsInvalid

_NAMESPACE = "kallelse"


class Marks(Protocol):
    """Remembers for a short while that a bell has been rung and not yet answered. Nothing here needs to be exact."""

    def set(self, kind: str) -> bool:
        """False if the bell is already ringing."""
        ...

    def clear(self, kind: str) -> None: ...


def open_broker(url: str, max_age: float) -> tuple[Broker, Marks]:
    """The broker named by the settings, and its marks. A doorbell older than `max_age` seconds is dropped."""
    middleware = [AgeLimit(max_age=int(max_age * 1000)), ShutdownNotifications(), Retries(max_retries=0)]
    if not url:
        return StubBroker(middleware=middleware), MarksInProcess(max_age, time.monotonic)
    if url.startswith(("redis://", "rediss://")):
        return _redis_broker(url, middleware), MarksInRedis(redis.Redis.from_url(url), max_age)
    raise SettingsInvalid("KALLELSE_BROKER_URL must be empty or begin with redis://")


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
    """Marks shared by all processes on one Redis."""

    def __init__(self, client: redis.Redis, max_age: float) -> None:
        self._client = client
        self._milliseconds = int(max_age * 1000)

    def set(self, kind: str) -> bool:
        return bool(self._client.set(f"{_NAMESPACE}:bell:{kind}", 1, nx=True, px=self._milliseconds))

    def clear(self, kind: str) -> None:
        self._client.delete(f"{_NAMESPACE}:bell:{kind}")


def _redis_broker(url: str, middleware: list[Middleware]) -> Broker:
    return RedisBroker(url=url, namespace=_NAMESPACE, middleware=middleware)  # type: ignore[no-untyped-call]
