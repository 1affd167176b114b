"""SMTP hosts for tests: a real one (aiosmtpd) that keeps what it takes, and one that answers each command as told."""

import asyncio
import logging
import socket
import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from tests.wire.peers import WAIT, Mishap, Peer, go_wrong


@dataclass
class Host:
    """A running aiosmtpd: what it took (`envelopes`), and who logged in."""

    port: int = 0
    envelopes: list[Envelope] = field(default_factory=list)
    logins: list[tuple[bytes, bytes]] = field(default_factory=list)

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        self.envelopes.append(envelope)
        return "250 2.0.0 Ok: queued as 4F1B2"

    def authenticate(self, server: SMTP, session: Session, envelope: Envelope, way: str, data: Any) -> AuthResult:
        assert isinstance(data, LoginPassword)
        self.logins.append((data.login, data.password))
        return AuthResult(success=data.password == b"right", handled=False)


@contextmanager
def smtp_host(tls: ssl.SSLContext | None = None, *, asks_for_login: bool = False) -> Iterator[Host]:
    host = Host()
    logging.getLogger("mail.log").setLevel(logging.CRITICAL)  # the stand-in's own log, of all it hears
    options: dict[str, Any] = {"tls_context": tls, "require_starttls": tls is not None, "enable_SMTPUTF8": False}
    if asks_for_login:
        options |= {"auth_required": True, "authenticator": host.authenticate}
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    async def listen() -> asyncio.Server:
        return await loop.create_server(lambda: SMTP(host, hostname="mail.example.se", **options), "127.0.0.1", 0)

    server = asyncio.run_coroutine_threadsafe(listen(), loop).result(WAIT)
    host.port = server.sockets[0].getsockname()[1]
    yield host
    asyncio.run_coroutine_threadsafe(_stop(server), loop).result(WAIT)
    loop.call_soon_threadsafe(loop.stop)
    thread.join(WAIT)
    loop.close()


async def _stop(server: asyncio.Server) -> None:
    server.close()
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


_ORDINARY: dict[str, bytes | Mishap] = {
    "greeting": b"220 mail.example.se ESMTP",
    "EHLO": b"250-mail.example.se\r\n250-AUTH PLAIN LOGIN\r\n250 ENHANCEDSTATUSCODES",
    "MAIL": b"250 2.1.0 Ok",
    "RCPT": b"250 2.1.5 Ok",
    "DATA": b"354 End data with <CR><LF>.<CR><LF>",
    "dot": b"250 2.0.0 Ok: queued as 4F1B2",
    "QUIT": b"221 2.0.0 Bye",
}


class ScriptedHost(Peer):
    """Answers each command by its verb ("greeting" and "dot" are the connection and the end of the message), ordinarily
    unless told otherwise. `heard` holds the verbs, `taken` the messages as they came over the wire."""

    def __init__(self, replies: Mapping[str, bytes | Mishap] | None = None) -> None:
        super().__init__(lambda connection, _: self._converse(connection))
        self._replies = {**_ORDINARY, **(replies or {})}
        self.heard: list[str] = []
        self.taken: list[bytes] = []

    def _converse(self, connection: socket.socket) -> None:
        with connection.makefile("rb") as incoming:
            heard = "greeting"
            while self._reply(connection, heard):
                line = incoming.readline()
                if not line:
                    return
                if heard == "DATA" and self._replies["DATA"] == _ORDINARY["DATA"]:
                    self._take(line, incoming)
                    heard = "dot"
                else:
                    heard = line[:4].decode("ascii").upper().strip()
                self.heard.append(heard)

    def _take(self, line: bytes, incoming: Any) -> None:
        content = b""
        while line != b".\r\n":
            content += line
            line = incoming.readline()
            if not line:
                raise OSError("the message was cut off")
        self.taken.append(content)

    def _reply(self, connection: socket.socket, heard: str) -> bool:
        """Whether the conversation goes on."""
        reply = self._replies.get(heard, b"502 5.5.1 unknown command")
        if isinstance(reply, Mishap):
            go_wrong(connection, self, reply)
            return False
        connection.sendall(reply + b"\r\n")
        return heard != "QUIT"
