"""The servers under measurement, each a process of its own, and their CPU time."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

BODY = b"x" * 6000


@dataclass(frozen=True)
class Served:
    url: str
    port: int
    pid: int

    def cpu_per_request(self, path: str, headers: Mapping[str, str], requests: int) -> float:
        """Microseconds of the server's CPU for one request, over one kept connection."""
        lines = "".join(f"{name}: {text}\r\n" for name, text in headers.items())
        request = f"GET {path} HTTP/1.1\r\nhost: 127.0.0.1\r\n{lines}\r\n".encode()
        with socket.create_connection(("127.0.0.1", self.port)) as connection:
            _exchange(connection, request)
            before = self._cpu()
            for _ in range(requests):
                _exchange(connection, request)
            return (self._cpu() - before) / requests * 1e6

    def _cpu(self) -> float:
        fields = Path(f"/proc/{self.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def served(app: Callable[[str, str], Any], database: str, keys: str) -> Iterator[Served]:
    """The application in a process of its own."""
    code = f"from tests.bench.servers import {app.__name__}, serve; serve({app.__name__}({database!r}, {keys!r}))"
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)  # noqa: S603
    if process.stdout is None:
        raise RuntimeError("the server's output is not piped")
    try:
        port = int(process.stdout.readline())
        yield Served(f"http://127.0.0.1:{port}", port, process.pid)
    finally:
        process.terminate()
        process.wait()
        process.stdout.close()


def serve(app: Any) -> None:  # noqa: ANN401
    """Serves until terminated, exactly as `kallelse web` does."""
    from worker.processes import serving

    with serving(app, "127.0.0.1", 0) as port:
        sys.stdout.write(f"{port}\n")
        sys.stdout.flush()
        while True:
            time.sleep(60)


def feed_app(database: str, keys: str) -> Any:  # noqa: ANN401
    from feeds.serving import Serving
    from feeds.web.ics import Feeds
    from store.database import open_database
    from store.vault import Vault, read_key_file

    return Feeds(bare_app("", ""), Serving(open_database(database), Vault(read_key_file(Path(keys)))))


def bare_app(_database: str, _keys: str) -> Any:  # noqa: ANN401
    """The least that can answer: no look-up, no decision."""

    async def answer(scope: Any, _receive: Any, send: Any) -> None:  # noqa: ANN401
        unchanged = scope["path"] == "/304"
        headers = [(b"etag", b'"x"')] if unchanged else [(b"content-length", str(len(BODY)).encode())]
        await send({"type": "http.response.start", "status": 304 if unchanged else 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"" if unchanged else BODY})

    return answer


def _exchange(connection: socket.socket, request: bytes) -> None:
    connection.sendall(request)
    received = connection.recv(65536)
    head, _, body = received.partition(b"\r\n\r\n")
    length = next(
        (int(one.split(b":")[1]) for one in head.lower().split(b"\r\n") if one.startswith(b"content-length")), 0
    )
    if b" 304 " in head.split(b"\r\n", 1)[0]:
        return
    missing = length - len(body)
    while missing > 0:
        missing -= len(connection.recv(65536))
