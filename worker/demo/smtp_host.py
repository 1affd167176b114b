"""A simulated SMTP host on loopback: takes every mail, and says so when it is on disk."""

import asyncio
import secrets
import socket
from collections.abc import Callable
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from aiosmtpd.smtp import SMTP, Envelope

from worker.demo.accepted import AcceptedList, Message


class SmtpHost:
    """Handles mail by aiosmtpd's protocol: one accepted message per recipient."""

    def __init__(self, accepted: AcceptedList, now: Callable[[], datetime]) -> None:
        self._accepted = accepted
        self._now = now

    async def listen(self, listener: socket.socket) -> asyncio.Server:
        """Serves on a bound socket in the running loop."""
        loop = asyncio.get_running_loop()
        return await loop.create_server(lambda: self._protocol(loop), sock=listener)

    async def handle_DATA(self, _server: SMTP, _session: Any, envelope: Envelope) -> str:
        """Called by name by aiosmtpd."""
        mail = message_from_bytes(envelope.original_content or b"", policy=policy.default)
        queue_id = f"EM{secrets.token_hex(16)}"
        for number, recipient in enumerate(envelope.rcpt_tos):
            self._accepted.accept(self._message(f"{queue_id}{number or ''}", recipient, mail))
        return f"250 2.0.0 Ok: queued as {queue_id}"

    def _protocol(self, loop: asyncio.AbstractEventLoop) -> SMTP:
        return SMTP(self, enable_SMTPUTF8=True, hostname="localhost", ident="Simulated SMTP host", loop=loop)

    def _message(self, message_id: str, recipient: str, mail: EmailMessage) -> Message:
        return Message(
            id=message_id,
            channel="email",
            to=recipient,
            body=_body(mail),
            accepted_at=self._now().astimezone(UTC),
            status="accepted",
            subject=str(mail["subject"] or ""),
            details={name: str(mail[name]) for name in ("from", "message-id", "auto-submitted") if mail[name]},
        )


def _body(mail: EmailMessage) -> str:
    """The plain text, or the HTML where there is no other."""
    body = mail.get_body(preferencelist=("plain", "html"))
    return "" if body is None else str(body.get_content()).replace("\r\n", "\n").rstrip("\n")
