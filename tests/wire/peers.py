"""What every stand-in at the network shares: a real socket on the loopback, one thread per connection, and the ways in
which a real peer goes wrong."""

import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import Enum
from functools import partial
from types import TracebackType
from typing import Self

WAIT = 10.0  # seconds after which a test that waits has failed


class Mishap(Enum):
    """What a peer may do in place of an answer."""

    HANG = "hang"
    RESET = "reset"
    CLOSE = "close"


class Peer:
    """A server whose `talk` is run for each connection. `hold` is set when the peer stops: a hang waits for it."""

    def __init__(self, talk: Callable[[socket.socket, "Peer"], None]) -> None:
        self._talk = talk
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._threads: list[threading.Thread] = []
        self.hold = threading.Event()
        self.port: int = self._listener.getsockname()[1]

    def __enter__(self) -> Self:
        self._start(self._accept)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.hold.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join(WAIT)

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            connection.settimeout(WAIT)
            self._start(partial(self._serve, connection))

    def _serve(self, connection: socket.socket) -> None:
        with connection:
            try:
                self._talk(connection, self)
            except (OSError, ValueError):  # gone, or not speaking our protocol
                return

    def _start(self, target: Callable[[], None]) -> None:
        thread = threading.Thread(target=target, daemon=True)
        self._threads.append(thread)
        thread.start()


def go_wrong(connection: socket.socket, peer: Peer, mishap: Mishap) -> None:
    if mishap is Mishap.HANG:
        peer.hold.wait(WAIT)
    if mishap is Mishap.RESET:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


@contextmanager
def refused_port() -> Iterator[int]:
    """A port where nobody listens, kept from others meanwhile."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


@contextmanager
def full_port() -> Iterator[int]:
    """A port whose queue of unanswered connections is full: connecting to it hangs."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        waiting = [_knock(listener.getsockname()) for _ in range(4)]
        yield listener.getsockname()[1]
        for connection in waiting:
            connection.close()


def _knock(address: tuple[str, int]) -> socket.socket:
    connection = socket.socket()
    connection.settimeout(0)
    connection.connect_ex(address)
    return connection
