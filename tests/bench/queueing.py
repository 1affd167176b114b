"""What it costs to be told "this one, now" and to write "done": our claims beside one job, and one message, each.

Nothing is sent. Throughput of one process, a second.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import dramatiq
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.jobstores.sqlalchemy import SQLAlchemyJobStore
from apscheduler.schedulers.background import BackgroundScheduler
from dramatiq import Worker
from dramatiq.brokers.redis import RedisBroker

from store.delivery_states import DeliveryState
from store.sending import Floor
from tests.bench.copies import settle_down
from tests.bench.databases import postgresql
from tests.bench.ledger import Ledger, claim, mark
from tests.bench.rows import Row, medians
from tests.faults.servers import Redis, started

BATCH = 500
_CLAIMED = 5000  # a round
_JOBS = 500
_MESSAGES = 2000
_THREADS = 8
_ROUNDS = 3


def rows(folder: Path) -> Iterator[Row]:
    """On each database; the messages go by Redis, as they would."""
    with started(Redis(folder)) as redis, postgresql(folder) as postgresql_url:
        for name, url in (("SQLite", f"sqlite:///{folder}/queue.db"), ("PostgreSQL", postgresql_url)):
            ledger = Ledger(url, folder)
            claimed, jobs, messages = medians(
                lambda ledger=ledger: _claims_a_second(ledger),  # type: ignore[misc]
                lambda ledger=ledger: _jobs_a_second(ledger),  # type: ignore[misc]
                lambda: _messages_a_second(redis.url),
                rounds=_ROUNDS,
            )
            ledger.close()
            yield _row(name, claimed, f"an APScheduler job each: {jobs:.0f}/s", claimed / jobs, 40)
            yield _row(name, claimed, f"a dramatiq message each: {messages:.0f}/s", claimed / messages, 10)


def _row(name: str, claimed: float, beside: str, ratio: float, target: float) -> Row:
    what = f"claim and mark, batches of {BATCH}, no-op channel, {name}: times faster"
    return Row(what, f"{claimed:.0f}/s", beside, ratio, at_least=target)


def _claims_a_second(ledger: Ledger) -> float:
    ledger.add(_CLAIMED, DeliveryState.QUEUED)
    settle_down(ledger.sessions)
    floor = Floor()
    began = time.perf_counter()
    for _ in range(_CLAIMED // BATCH):
        claims = claim(ledger.sessions, BATCH, floor)
        for _ in claims:
            _nothing()
        mark(ledger.sessions, claims)
    return _CLAIMED / (time.perf_counter() - began)


def _jobs_a_second(ledger: Ledger) -> float:
    """On the same database, with the same engine: each job stored beforehand, all due."""
    store = SQLAlchemyJobStore(engine=ledger.sessions.engine, tablename="bench_jobs")
    executor = ThreadPoolExecutor(_THREADS)
    scheduler = BackgroundScheduler(
        jobstores={"default": store}, executors={"default": executor}, job_defaults={"misfire_grace_time": None}
    )
    scheduler.start(paused=True)
    for _ in range(_JOBS):
        scheduler.add_job(_nothing_counted, "date", run_date=datetime.now(UTC))
    rate = _timed(_JOBS, scheduler.resume)
    scheduler.shutdown()
    return rate


def _messages_a_second(url: str) -> float:
    broker = RedisBroker(url=url)
    actor = dramatiq.actor(_nothing_counted, broker=broker, actor_name="nothing")
    for _ in range(_MESSAGES):
        actor.send()
    worker = Worker(broker, worker_threads=_THREADS)
    rate = _timed(_MESSAGES, worker.start)
    worker.stop()
    broker.close()
    return rate


def _timed(count: int, start: Callable[[], None]) -> float:
    _DONE.expect(count)
    began = time.perf_counter()
    start()
    _DONE.wait()
    return count / (time.perf_counter() - began)


class _Done:
    """Counts calls from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._all = threading.Event()
        self._missing = 0

    def expect(self, count: int) -> None:
        self._missing = count
        self._all.clear()

    def one(self) -> None:
        with self._lock:
            self._missing -= 1
            if self._missing == 0:
                self._all.set()

    def wait(self) -> None:
        if not self._all.wait(120):
            raise TimeoutError(f"{self._missing} were not run")


_DONE = _Done()
logging.getLogger("apscheduler").setLevel(logging.CRITICAL)


def _nothing() -> None:
    """The channel that does nothing."""


def _nothing_counted() -> None:
    _DONE.one()
