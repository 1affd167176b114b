"""Running processes: web, worker, clock, or all three in one. Each starts, waits to be told to stop, and stops cleanly.

uvicorn runs in a thread of its own: in the main thread it would die of SIGTERM before our shutdown (recipes, 2).
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Any

import structlog
import uvicorn
from dramatiq import Worker

from store.heartbeats import Part
from worker import actors
from worker.actors import Bells
from worker.broker import ConsumersLoss, Line, open_broker
from worker.clock import Metronome
from worker.heartbeat import VERSION, beating
from worker.stopping import signals, wait_for
from worker.web.access_log import AccessLog
from worker.wiring import Wiring

log = structlog.get_logger()

_WEB_STOP_SECONDS = 5.0
_WORKER_STOP_SECONDS = 15.0  # a message under way takes at most both provider time-outs. All parts together: under 25 s
_START_SECONDS = 20.0
_DOORBELL_MILLISECONDS = 100  # how long a worker waits for a bell before it looks at the next queue


class CannotStart(Exception):
    """A process could not start; the message names the remedy."""


def run(wiring: Wiring, app: AccessLog | None, *, works: bool, ticks: bool) -> None:
    """Runs the wanted parts until SIGTERM or SIGINT: web where there is an `app`, worker, clock."""
    stopping = threading.Event()
    with ExitStack() as parts:
        parts.enter_context(signals(stopping))
        parts.enter_context(running(wiring, app, stopping, works=works, ticks=ticks))
        log.info("running", process=_named(serves=app is not None, works=works, ticks=ticks), version=VERSION)
        wait_for(stopping)
        log.info("stopping")
    log.info("stopped")


@contextmanager
def running(
    wiring: Wiring,
    app: AccessLog | None,
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
        parts.callback(wiring.heart.stop)
        if app is not None:
            web.callback(app.close)
            turned = threading.Event()
            web.enter_context(beating(wiring.heart, Part.WEB, turned))
            web.enter_context(serving(app, settings.host, settings.port, turned))
        if works:
            parts.enter_context(_worker(broker, bells.line, actors.answers_at_once(settings)))
        if ticks:
            parts.enter_context(_metronome(wiring, bells))
        web.callback(stopping.set)
        yield bells


@contextmanager
def serving(
    app: Any,  # noqa: ANN401 - any ASGI application
    host: str,
    port: int,
    turned: threading.Event | None = None,
) -> Iterator[int]:
    """A web server in a thread; gives the port it listens on, and sets `turned` whenever its loop has gone round.

    Raises CannotStart.
    """
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
    server = _Server(config, turned or threading.Event())
    thread = threading.Thread(target=server.run, name="web", daemon=True)
    thread.start()
    _await(lambda: server.started or not thread.is_alive())
    if not server.started:
        raise CannotStart(f"nothing can listen on {host} port {port}: choose another with KALLELSE_PORT or --port")
    try:
        yield int(server.servers[0].sockets[0].getsockname()[1])
    finally:
        server.should_exit = True
        thread.join(_WEB_STOP_SECONDS)


class _Server(uvicorn.Server):
    """Tells when its loop has gone round."""

    def __init__(self, config: uvicorn.Config, turned: threading.Event) -> None:
        super().__init__(config)
        self._turned = turned

    async def on_tick(self, counter: int) -> bool:
        self._turned.set()
        return await super().on_tick(counter)


@contextmanager
def _worker(broker: Any, line: Line, threads: int) -> Iterator[None]:  # noqa: ANN401 - dramatiq leaves it untyped
    worker = Worker(broker, worker_timeout=_DOORBELL_MILLISECONDS, worker_threads=threads)
    worker.start()
    for consumer in worker.consumers.values():
        consumer.logger.addFilter(ConsumersLoss(line))
    try:
        yield
    finally:
        worker.stop(timeout=int(_WORKER_STOP_SECONDS * 1000))


@contextmanager
def _metronome(wiring: Wiring, bells: Bells) -> Iterator[None]:
    seconds, heart = wiring.settings.tick_seconds, wiring.heart
    ticks = actors.ticks(wiring)
    metronome = Metronome(wiring.sessions, wiring.now, ticks, bells.ring, seconds, partial(heart.beat, Part.CLOCK))
    metronome.start()
    try:
        yield
    finally:
        metronome.stop()


def _named(*, serves: bool, works: bool, ticks: bool) -> str:
    parts = {Part.WEB: serves, Part.WORKER: works, Part.CLOCK: ticks}
    return "up" if all(parts.values()) else " ".join(part for part, runs in parts.items() if runs)


def _await(condition: Callable[[], bool]) -> None:
    ends_at = time.monotonic() + _START_SECONDS
    while not condition() and time.monotonic() < ends_at:
        time.sleep(0.01)
