"""The load that every server under measurement gets alike: one request, again and again, over a few connections."""

import select
import socket
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass

_LONGEST_SECONDS = 30.0


class WrongAnswer(Exception):
    """A server answered something else than what is to be measured."""


@dataclass(frozen=True)
class Request:
    """What is asked for, again and again, and the status that must come back."""

    path: str
    headers: Mapping[str, str]
    status: int
    method: str = "GET"
    body: bytes = b""

    def octets(self) -> bytes:
        sent = {"host": "127.0.0.1", **self.headers}
        if self.body:
            sent["content-length"] = str(len(self.body))
        lines = "".join(f"{name}: {text}\r\n" for name, text in sent.items())
        return f"{self.method} {self.path} HTTP/1.1\r\n{lines}\r\n".encode() + self.body


class Connection:
    """A kept connection; opened anew where the server closes it after its answer."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._socket: socket.socket | None = None
        self._answer = _Answer()

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def fileno(self) -> int:
        return self._open().fileno()

    def ask(self, octets: bytes) -> None:
        self._answer = _Answer()
        self._open().sendall(octets)

    def status(self) -> int:
        """Reads one whole answer."""
        while (status := self.read()) is None:
            pass
        return status

    def read(self) -> int | None:
        """Takes what has come: the status as soon as the answer is whole."""
        if not self._answer.take(self._open().recv(65536)):
            return None
        if self._answer.is_last:
            self.close()
        return self._answer.status

    def _open(self) -> socket.socket:
        if self._socket is None:
            self._socket = socket.create_connection(("127.0.0.1", self._port), timeout=_LONGEST_SECONDS)
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return self._socket


class _Answer:
    """One answer as it arrives: by length, in chunks, or until the connection ends."""

    def __init__(self) -> None:
        self.status = 0
        self.is_last = False
        self._received = b""
        self._length: int | None = None
        self._is_chunked = False

    def take(self, octets: bytes) -> bool:
        """Whether it is whole now. Nothing at all is the connection's end."""
        self._received += octets
        head, ended, content = self._received.partition(b"\r\n\r\n")
        if not ended:
            if not octets:
                raise WrongAnswer("the server closed the connection instead of answering")
            return False
        if not self.status:
            self._read(head.lower().split(b"\r\n"))
        return self._is_whole(content) or not octets

    def _read(self, lines: Sequence[bytes]) -> None:
        self.status = int(lines[0].split(b" ")[1])
        headers = {name: text.strip() for name, _, text in (line.partition(b":") for line in lines[1:])}
        self.is_last = lines[0].startswith(b"http/1.0") or headers.get(b"connection") == b"close"
        self._is_chunked = headers.get(b"transfer-encoding") == b"chunked"
        length = b"0" if self.status == 304 else headers.get(b"content-length")
        self._length = None if length is None else int(length)

    def _is_whole(self, content: bytes) -> bool:
        if self._is_chunked:
            return _have_ended(content)
        return self._length is not None and len(content) >= self._length


@contextmanager
def connections(port: int, number: int) -> Iterator[list[Connection]]:
    with ExitStack() as opened:
        yield [opened.enter_context(closing(Connection(port))) for _ in range(number)]


def exchange(opened: Sequence[Connection], request: Request) -> None:
    """One request on each connection, all under way together."""
    octets = request.octets()
    for one in opened:
        one.ask(octets)
    for one in opened:
        _require(request, one.status())


def latencies(opened: Sequence[Connection], request: Request, requests: int) -> list[float]:
    """Milliseconds until each whole answer, when every connection asks again as soon as it is answered."""
    octets, taken, asked_at = request.octets(), [], {}
    waiting, to_ask = list(opened), requests
    for one in waiting:
        to_ask, asked_at[one] = to_ask - 1, time.perf_counter()
        one.ask(octets)
    while waiting:
        for one in _ready(waiting):
            if (status := one.read()) is None:
                continue
            taken.append((time.perf_counter() - asked_at[one]) * 1000)
            _require(request, status)
            if to_ask <= 0:
                waiting.remove(one)
                continue
            to_ask, asked_at[one] = to_ask - 1, time.perf_counter()
            one.ask(octets)
    return taken


def _ready(waiting: Sequence[Connection]) -> list[Connection]:
    ready, _, _ = select.select(waiting, [], [], _LONGEST_SECONDS)
    if not ready:
        raise WrongAnswer(f"no answer in {_LONGEST_SECONDS:.0f} seconds")
    return ready


def _require(request: Request, status: int) -> None:
    if status != request.status:
        raise WrongAnswer(f"{status} instead of {request.status} to {request.method} {request.path}")


def _have_ended(chunks: bytes) -> bool:
    at = 0
    while (line_ends := chunks.find(b"\r\n", at)) >= 0:
        size = int(chunks[at:line_ends].partition(b";")[0], 16)
        at = line_ends + 2 + size + 2
        if size == 0:
            return at <= len(chunks)
    return False
