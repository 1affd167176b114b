"""The servers under measurement, each a process of its own on another core than the load, and their CPU time."""

import os
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from tests.bench.load import Request, WrongAnswer, connections, exchange, latencies
from tests.faults.programs import free_port, is_listening, running
from tests.faults.waiting import wait_until

CONNECTIONS = 16
_CORES = sorted(os.sched_getaffinity(0))
_BARE_SIZE = 6000


@dataclass(frozen=True)
class Served:
    """A running server."""

    port: int
    pid: int
    connections: int = CONNECTIONS

    def cpu_per_request(self, request: Request, requests: int) -> float:
        """Microseconds of the server's CPU for one request, over several kept connections at once."""
        with connections(self.port, self.connections) as opened:
            exchange(opened, request)
            rounds = max(1, requests // self.connections)
            before = cpu_of(self.pid)
            for _ in range(rounds):
                exchange(opened, request)
            return (cpu_of(self.pid) - before) / (rounds * self.connections) * 1e6

    def latencies(self, request: Request, requests: int) -> list[float]:
        """Milliseconds until each whole answer, as the client sees it, while all connections are kept asking."""
        with connections(self.port, self.connections) as opened:
            return latencies(opened, request, requests)


@contextmanager
def program(
    command: Sequence[str], environment: Mapping[str, str], folder: Path, port: int, connections: int = CONNECTIONS
) -> Iterator[Served]:
    """A server for as long as this lasts, kept on another core than the load where there are two."""
    with running(command, environment, folder / f"server-{port}.log") as process:
        wait_until(lambda: is_listening(port) or process.exit_code is not None, "the server to listen")
        if process.exit_code is not None:
            raise WrongAnswer(f"the server did not start: {process.last_words()}")
        _keep_apart(process.pid)
        yield Served(port, process.pid, connections)


@contextmanager
def our_web(database_url: str, keys: Path, folder: Path) -> Iterator[Served]:
    """`kallelse web`, as production runs it."""
    port = free_port()
    environment = {"KALLELSE_DATABASE_URL": database_url, "KALLELSE_KEYS": str(keys), "KALLELSE_PORT": str(port)}
    with program([sys.executable, "-m", "worker", "web"], environment, folder, port) as served:
        yield served


@contextmanager
def bare(folder: Path) -> Iterator[Served]:
    """The least that can answer, on the same server as ours."""
    port = free_port()
    code = f"from tests.bench.servers import serve_bare; serve_bare({port})"
    with program([sys.executable, "-c", code], {}, folder, port) as served:
        yield served


def serve_bare(port: int) -> None:
    """Serves until killed: no look-up, no decision."""
    from worker.processes import serving

    with serving(_bare_app, "127.0.0.1", port):
        while True:
            time.sleep(60)


def cpu_of(pid: int) -> float:
    """Seconds of CPU that a process has used: its CPU-time clock (clock_getcpuclockid(3)), finer than /proc's ticks."""
    return time.clock_gettime((~pid << 3) | 2)


async def _bare_app(scope: Any, receive: Any, send: Any) -> None:  # noqa: ANN401
    """/304 is unchanged; /200 and /207/1234 are stored answers, of 1234 bytes, after reading what was sent."""
    while scope["method"] != "GET" and (await receive())["more_body"]:
        pass
    status, _, size = scope["path"][1:].partition("/")
    body = b"" if status == "304" else _stored(int(size or _BARE_SIZE))
    headers = [(b"content-length", str(len(body)).encode())] if body else [(b"etag", b'"x"')]
    await send({"type": "http.response.start", "status": int(status), "headers": headers})
    await send({"type": "http.response.body", "body": body})


@cache
def _stored(size: int) -> bytes:
    return b"x" * size


def _keep_apart(pid: int) -> None:
    for thread in os.listdir(f"/proc/{pid}/task"):
        os.sched_setaffinity(int(thread), _CORES[:1])
    os.sched_setaffinity(0, _CORES[1:] or _CORES)
