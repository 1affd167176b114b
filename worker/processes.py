"""Running processes: web, worker, clock, or all three in one. Each starts, waits to be told to stop, and stops cleanly.

uvicorn runs in a thread of its own: in the main thread it would die of SIGTERM before our shutdown (recipes, 2).
"""

import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import structlog
import uvicorn
from dramatiq import Worker

from feeds.web.ics import Feeds
from worker import actors
from worker.actors import Bells
from worker.broker import open_broker
from worker.clock import Metronome
from worker.wiring import Wiring

log = structlog.get_logger()

_STOP_SECONDS = 25.0
_START_SECONDS = 20.0
_DOORBELL_MILLISECONDS = 100  # how long a worker waits for a bell before it looks at the next queue


class CannotStart(Exception):
    """A process could not start; the message names the remedy."""


def run(wiring: Wiring, app: Feeds | None, *, works: bool, ticks: bool) -> None:
    """Runs the wanted parts until SIGTERM or SIGINT: web where there is an `app`, worker, clock."""
    stopping = threading.Event()
    with ExitStack() as parts:
        parts.enter_context(signals(stopping))
        parts.enter_context(running(wiring, app, stopping, works=works, ticks=ticks))
        stopping.wait()
        log.info("stopping")


@contextmanager
def running(
    wiring: Wiring,
    app: Feeds | None,
    stopping: threading.Event,
    *,
    works: bool,
    ticks: bool,
) -> Iterator[Bells]:
    """The wanted parts, running: the web first, as it may find its port taken. Stops web, clock, worker, broker."""
    settings = wiring.settings
    broker, marks = open_broker(settings.broker_url, max_age=2 * settings.tick_seconds)
    bells = actors.declare(broker, marks, wiring, stopping.is_set)
    with ExitStack() as parts, ExitStack() as web:
        parts.callback(broker.close)
        if app is not None:
            web.callback(app.close)
            web.enter_context(serving(app, settings.host, settings.port))
        if works:
            parts.enter_context(_worker(broker, actors.answers_at_once(settings)))
        if ticks:
            parts.enter_context(_metronome(wiring, bells))
        web.callback(stopping.set)
        yield bells


@contextmanager
def serving(app: Any, host: str, port: int) -> Iterator[int]:  # noqa: ANN401 - any ASGI application
    """A web server in a thread; gives the port it listens on. Raises CannotStart."""
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        loop="uvloop",
        http="httptools",
        lifespan="off",
        access_log=False,
        server_header=False,
        log_config=None,
        timeout_graceful_shutdown=3,
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, name="web", daemon=True)
    thread.start()
    _await(lambda: server.started or not thread.is_alive())
    if not server.started:
        raise CannotStart(f"nothing can listen on {host} port {port}: choose another with KALLELSE_PORT or --port")
    try:
        yield int(server.servers[0].sockets[0].getsockname()[1])
    finally:
        server.should_exit = True
        thread.join(_STOP_SECONDS)


@contextmanager
def _worker(broker: Any, threads: int) -> Iterator[None]:  # noqa: ANN401 - dramatiq leaves it untyped
    worker = Worker(broker, worker_timeout=_DOORBELL_MILLISECONDS, worker_threads=threads)
    worker.start()
    try:
        yield
    finally:
        worker.stop(timeout=int(_STOP_SECONDS * 1000))


@contextmanager
def _metronome(wiring: Wiring, bells: Bells) -> Iterator[None]:
    metronome = Metronome(wiring.sessions, wiring.now, actors.ticks(wiring), bells.ring, wiring.settings.tick_seconds)
    metronome.start()
    try:
        yield
    finally:
        metronome.stop()


@contextmanager
def signals(stopping: threading.Event) -> Iterator[None]:
    """SIGTERM and SIGINT set the event, for as long as this lasts. Only in the main thread."""
    before = {one: signal.signal(one, lambda *_: stopping.set()) for one in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)


def _await(condition: Callable[[], bool]) -> None:
    ends_at = time.monotonic() + _START_SECONDS
    while not condition() and time.monotonic() < ends_at:
        time.sleep(0.01)
