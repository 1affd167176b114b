"""The servers under measurement, each a process of its own, the load that all of them get alike, and their CPU time."""

import os
import socket
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.faults.programs import free_port, is_listening, running
from tests.faults.waiting import wait_until

CONNECTIONS = 16
_CORES = sorted(os.sched_getaffinity(0))
BARE_BODY = b"x" * 6000


class WrongAnswer(Exception):
    """A server answered something else than what is to be measured."""


@dataclass(frozen=True)
class Request:
    """What is asked for, again and again, and the status that must come back."""

    path: str
    headers: Mapping[str, str]
    status: int

    def octets(self) -> bytes:
        lines = "".join(f"{name}: {text}\r\n" for name, text in self.headers.items())
        return f"GET {self.path} HTTP/1.1\r\nhost: 127.0.0.1\r\n{lines}\r\n".encode()


@dataclass(frozen=True)
class Served:
    """A running server."""

    port: int
    pid: int
    connections: int = CONNECTIONS

    def cpu_per_request(self, request: Request, requests: int) -> float:
        """Microseconds of the server's CPU for one request, over several kept connections at once."""
        octets = request.octets()
        with ExitStack() as opened:
            connections = [opened.enter_context(closing(_Connection(self.port))) for _ in range(self.connections)]
            _exchange(connections, octets, request.status)
            rounds = max(1, requests // self.connections)
            before = cpu_of(self.pid)
            for _ in range(rounds):
                _exchange(connections, octets, request.status)
            return (cpu_of(self.pid) - before) / (rounds * self.connections) * 1e6


class _Connection:
    """A kept connection; opened anew where the server closes it after its answer."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._socket: socket.socket | None = None

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def ask(self, octets: bytes) -> None:
        self._open().sendall(octets)

    def status(self) -> int:
        """Reads one whole answer."""
        head, _, content = self._until_head_ends().partition(b"\r\n\r\n")
        lines = head.lower().split(b"\r\n")
        status = int(lines[0].split(b" ")[1])
        length = _length(lines) if status != 304 else 0
        missing = None if length is None else length - len(content)
        while missing is None or missing > 0:
            received = self._open().recv(65536)
            if not received:
                break
            missing = None if missing is None else missing - len(received)
        if lines[0].startswith(b"http/1.0") or b"connection: close" in lines:
            self.close()
        return status

    def _open(self) -> socket.socket:
        if self._socket is None:
            self._socket = socket.create_connection(("127.0.0.1", self._port), timeout=30)
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return self._socket

    def _until_head_ends(self) -> bytes:
        received = b""
        while b"\r\n\r\n" not in received:
            more = self._open().recv(65536)
            if not more:
                raise WrongAnswer("the server closed the connection instead of answering")
            received += more
        return received


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


async def _bare_app(scope: Any, _receive: Any, send: Any) -> None:  # noqa: ANN401
    unchanged = scope["path"] == "/304"
    headers = [(b"etag", b'"x"')] if unchanged else [(b"content-length", str(len(BARE_BODY)).encode())]
    await send({"type": "http.response.start", "status": 304 if unchanged else 200, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if unchanged else BARE_BODY})


def _exchange(connections: Sequence[_Connection], octets: bytes, expected: int) -> None:
    """One request on each connection, all under way together."""
    for one in connections:
        one.ask(octets)
    for one in connections:
        status = one.status()
        if status != expected:
            raise WrongAnswer(f"{status} instead of {expected}")


def _length(lines: Sequence[bytes]) -> int | None:
    """None: the end of the connection is the end of the answer."""
    return next((int(line.split(b":")[1]) for line in lines if line.startswith(b"content-length")), None)


def _keep_apart(pid: int) -> None:
    for thread in os.listdir(f"/proc/{pid}/task"):
        os.sched_setaffinity(int(thread), _CORES[:1])
    os.sched_setaffinity(0, _CORES[1:] or _CORES)
