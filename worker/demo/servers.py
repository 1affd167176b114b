"""Runs a simulated system's web application in a thread, and can leave a caller without an answer as real networks do.

Knows no contract and no provider.
"""

import asyncio
import signal
import socket
import struct
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

LOOPBACK = "127.0.0.1"
_START_LIMIT = timedelta(seconds=15)
_STOP_LIMIT = timedelta(seconds=10)
_LOOK_UP = 0.5  # seconds between looks at whether we are told to stop
_LOOK_AT_CALLER = 0.05  # seconds between looks at whether the caller has hung up
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)


class NoAnswer(Response):
    """Keeps the caller waiting for `wait`, then breaks the connection without a byte: with a TCP reset if `reset`."""

    def __init__(self, *, wait: timedelta = timedelta(), reset: bool = False) -> None:
        super().__init__()
        self._wait = wait
        self._reset = reset

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._hold(Request(scope, receive))
        transport: asyncio.Transport = scope["state"]["transport"]
        if self._reset:
            peer = transport.get_extra_info("socket")
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        transport.abort()
        await asyncio.sleep(0)  # lets uvicorn notice, else it would try to answer 500 on its own

    async def _hold(self, request: Request) -> None:
        until = time.monotonic() + self._wait.total_seconds()
        while time.monotonic() < until and not request.app.state.stopping.is_set():
            if await request.is_disconnected():
                return
            await asyncio.sleep(_LOOK_AT_CALLER)


@dataclass(frozen=True, slots=True)
class RunningServer:
    """A web application being served. `stop()` ends every connection, waiting ones too."""

    url: str
    _server: uvicorn.Server
    _thread: threading.Thread
    _stopping: threading.Event

    def stop(self) -> None:
        self._stopping.set()
        self._server.should_exit = True
        self._thread.join(_STOP_LIMIT.total_seconds())


def serve(app: Starlette, port: int = 0) -> RunningServer:
    """Serves on loopback; port 0 takes a free one. Returns when it answers; raises OSError if the port is taken."""
    listener = loopback_socket(port)
    app.state.stopping = threading.Event()
    server = uvicorn.Server(_config(app))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, name="demo server", daemon=True)
    thread.start()
    _wait_until_started(server, thread)
    return RunningServer(f"http://{LOOPBACK}:{listener.getsockname()[1]}", server, thread, app.state.stopping)


def loopback_socket(port: int) -> socket.socket:
    """A socket bound to loopback, so that its number is known before anybody serves on it."""
    # The protocol is named since asyncio turns Nagle's algorithm off only then: otherwise 40 ms an answer.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((LOOPBACK, port))
    except OSError:
        listener.close()
        raise
    return listener


def clock_from(start: datetime | None) -> Callable[[], datetime]:
    """A business clock that shows `start` now and goes at the usual speed; without a start, the real time."""
    if start is None:
        return lambda: datetime.now(UTC)
    began = time.monotonic()
    return lambda: start + timedelta(seconds=time.monotonic() - began)


def heeding_signals() -> Callable[[], None]:
    """From now on SIGTERM and SIGINT are heeded; gives what waits for one. Only for the main thread.

    The wait looks up now and then: a signal that another thread got does not wake one without end.
    """
    told = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: told.set())

    def wait() -> None:
        while not told.wait(_LOOK_UP):
            pass

    return wait


class _ReachableConnection(H11Protocol):
    """Hands the connection to the application, which otherwise could not break it."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn narrows it
        super().connection_made(transport)
        self.app_state = {**self.app_state, "transport": transport}


def _config(app: Starlette) -> uvicorn.Config:
    # No access log: the control endpoint's addresses hold identity numbers.
    return uvicorn.Config(
        app,
        loop="asyncio",
        http=_ReachableConnection,
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=2,
    )


def _wait_until_started(server: uvicorn.Server, thread: threading.Thread) -> None:
    until = time.monotonic() + _START_LIMIT.total_seconds()
    while not server.started:
        if not thread.is_alive() or time.monotonic() > until:
            raise OSError("the simulated system could not start")
        time.sleep(0.005)
