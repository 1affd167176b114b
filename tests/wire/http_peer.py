"""A small HTTP server that answers as told, byte for byte, or goes wrong as told."""

import json
import re
import socket
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import BinaryIO
from urllib.parse import parse_qsl

from tests.wire.peers import Mishap, Peer, go_wrong

_REQUEST_LINE = re.compile(rb"[A-Z]+ \S+ HTTP/1\.[01]\r\n")


@dataclass(frozen=True)
class Asked:
    """One request as it came."""

    method: str
    path: str
    headers: dict[str, str]  # names in lower case
    body: bytes

    @property
    def form(self) -> dict[str, str]:
        return dict(parse_qsl(self.body.decode(), keep_blank_values=True))


@dataclass(frozen=True)
class Answer:
    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    missing: int = 0  # octets that Content-Length promises and the body lacks: the answer is cut off


@dataclass(frozen=True)
class Raw:
    """Octets that need not be HTTP. With a pause (seconds) between them, the answer drips."""

    content: bytes
    pause: float = 0


Reaction = Answer | Raw | Mishap


class HttpPeer(Peer):
    """`react` says what each request gets. `asked` holds the requests that came, in order."""

    def __init__(self, react: Reaction | Callable[[Asked], Reaction]) -> None:
        super().__init__(lambda connection, _: self._converse(connection))
        self._react = react if callable(react) else lambda _: react
        self.asked: list[Asked] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def _converse(self, connection: socket.socket) -> None:
        with connection.makefile("rb") as incoming:
            while True:
                line = incoming.readline()
                if not _REQUEST_LINE.fullmatch(line):
                    return  # closed, or a handshake: its random octets may hold spaces and line ends
                asked = _request(line, incoming)
                self.asked.append(asked)
                if not self._answer(connection, self._react(asked)):
                    return

    def _answer(self, connection: socket.socket, reaction: Reaction) -> bool:
        """Whether the connection goes on."""
        if isinstance(reaction, Mishap):
            go_wrong(connection, self, reaction)
            return False
        if isinstance(reaction, Raw):
            self._drip(connection, reaction)
            return False
        connection.sendall(_head(reaction) + reaction.body)
        return reaction.missing == 0

    def _drip(self, connection: socket.socket, raw: Raw) -> None:
        step = 1 if raw.pause else len(raw.content)
        for start in range(0, len(raw.content), step):
            connection.sendall(raw.content[start : start + step])
            if self.hold.wait(raw.pause):
                return


def answer_json(status: int, content: object, **headers: str) -> Answer:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(status, json.dumps(content).encode(), {"Content-Type": "application/json", **named})


def _request(line: bytes, incoming: BinaryIO) -> Asked:
    method, path, _ = line.decode("latin-1").split(" ", 2)
    headers: dict[str, str] = {}
    while (row := incoming.readline().decode("latin-1").strip()) != "":
        name, _, value = row.partition(":")
        headers[name.lower()] = value.strip()
    body = incoming.read(int(headers.get("content-length", "0")))
    return Asked(method, path, headers, body)


def _head(answer: Answer) -> bytes:
    length = len(answer.body) + answer.missing
    lines = [f"HTTP/1.1 {answer.status} X", f"Content-Length: {length}"]
    lines += [f"{name}: {value}" for name, value in answer.headers.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")
