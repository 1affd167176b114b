"""A RIV-TA platform on this machine: a real HTTP server whose behaviour each test chooses. Knows no adapter."""

import gzip
import socket
import ssl
import struct
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self


@dataclass(frozen=True)
class Question:
    path: str
    headers: Message
    content: bytes


Behaviour = Callable[["Handler"], None]


@dataclass
class Platform:
    """Use as a context. `behave` may be changed between questions; `questions` is what came."""

    behave: Behaviour
    tls: ssl.SSLContext | None = None
    questions: list[Question] = field(default_factory=list)
    closing: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> Self:
        self._server = Server(("127.0.0.1", 0), Handler)
        self._server.platform = self
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.closing.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    @property
    def url(self) -> str:
        scheme = "http" if self.tls is None else "https"
        return f"{scheme}://127.0.0.1:{self._server.server_address[1]}/vp"


class Server(ThreadingHTTPServer):
    platform: Platform
    daemon_threads = False  # joined at the end, so that no test leaves a socket behind

    def finish_request(self, request: Any, client_address: Any) -> None:
        if self.platform.tls is None:
            return super().finish_request(request, client_address)
        try:
            with self.platform.tls.wrap_socket(request, server_side=True) as wrapped:
                return super().finish_request(wrapped, client_address)
        except (ssl.SSLError, ConnectionError):
            return None  # what the test is about: the caller sees it

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A caller that hangs up is nothing to print about."""


class Handler(BaseHTTPRequestHandler):
    server: Server
    protocol_version = "HTTP/1.1"
    timeout = 10

    def do_POST(self) -> None:
        content = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.platform.questions.append(Question(self.path, self.headers, content))
        self.close_connection = True
        self.server.platform.behave(self)

    def log_message(self, format: str, *args: object) -> None:
        """Silent."""


def answering(content: bytes, status: int = 200, **headers: str) -> Behaviour:
    """A whole answer. Header names are written with underscores."""

    def behave(handler: Handler) -> None:
        _head(handler, status, {"Content-Length": str(len(content)), **headers})
        handler.wfile.write(content)

    return behave


def cut_off(content: bytes) -> Behaviour:
    """Half of the bytes that were promised, and then the connection ends."""

    def behave(handler: Handler) -> None:
        _head(handler, 200, {"Content-Length": str(len(content))})
        handler.wfile.write(content[: len(content) // 2])

    return behave


def resetting(handler: Handler) -> None:
    """The connection is torn down without a word."""
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    handler.connection.close()


def hanging(handler: Handler) -> None:
    """Nothing ever comes."""
    handler.server.platform.closing.wait(20)


def dripping(handler: Handler) -> None:
    """An answer without an end, a few bytes at a time."""
    _head(handler, 200, {"Content-Length": "1000000"})
    while not handler.server.platform.closing.wait(0.02):
        handler.wfile.write(b" ")


def endless(handler: Handler) -> None:
    """Chunks for ever."""
    _head(handler, 200, {"Transfer-Encoding": "chunked"})
    block = b"10000\r\n" + b"<" * 0x10000 + b"\r\n"
    while not handler.server.platform.closing.is_set():
        handler.wfile.write(block)


def gzipped(content: bytes) -> Behaviour:
    return answering(gzip.compress(content), Content_Encoding="gzip")


def _head(handler: Handler, status: int, headers: dict[str, str]) -> None:
    handler.send_response(status)
    for name, value in {"Content-Type": "text/xml; charset=utf-8", "Connection": "close", **headers}.items():
        handler.send_header(name.replace("_", "-"), value)
    handler.end_headers()
