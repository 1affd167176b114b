"""What the simulated providers have accepted: a list on disk that survives a killed process.

One JSON object a line, synced before `accept` returns, so that no caller is told of what could be lost.
"""

import json
import os
import threading
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One accepted message. `status` is the provider's own word; `details` what its protocol needs besides."""

    id: str
    channel: str
    to: str = field(repr=False)
    body: str = field(repr=False)
    accepted_at: datetime  # by the demo's clock
    taken_at: datetime = field(default_factory=lambda: datetime.now(UTC))  # by the provider's own: real time
    status: str
    segments: int = 1
    subject: str | None = field(default=None, repr=False)
    sent_at: datetime | None = None
    error_code: int | None = None
    details: dict[str, str] = field(default_factory=dict, repr=False)

    def shown(self) -> dict[str, Any]:
        """As `/messages` lists it."""
        listed: dict[str, Any] = {
            "id": self.id,
            "channel": self.channel,
            "to": self.to,
            "body": self.body,
            "accepted_at": self.accepted_at.isoformat(),
            "status": self.status,
            "segments": self.segments,
        }
        return listed if self.subject is None else {**listed, "subject": self.subject}


class AcceptedList:
    """Accepted messages, oldest first. Safe from several threads; one process at a time."""

    def __init__(self, path: Path) -> None:
        self._lock = threading.Lock()
        self._messages: dict[str, Message] = {}
        self._ids_to: defaultdict[str, list[str]] = defaultdict(list)
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        _sync_folder(path.parent)
        for line in _whole_lines(self._file, path):
            self._apply(json.loads(line))

    def close(self) -> None:
        os.close(self._file)

    def accept(self, message: Message) -> None:
        """Returns when the message is on disk."""
        with self._lock:
            self._write({"accepted": _stored(message)})
            os.fsync(self._file)

    def progress(
        self, message_id: str, status: str, *, sent_at: datetime | None, error_code: int | None = None
    ) -> None:
        """Notes a message's next status, unsynced: one that is lost comes again. `sent_at` None leaves the time."""
        at = sent_at.isoformat() if sent_at else None
        with self._lock:
            self._write({"progress": message_id, "status": status, "sent_at": at, "error_code": error_code})

    def messages(self) -> list[Message]:
        with self._lock:
            return list(self._messages.values())

    def messages_to(self, recipient: str) -> list[Message]:
        """Those to one address, oldest first."""
        with self._lock:
            return [self._messages[one] for one in self._ids_to.get(recipient, ())]

    def find(self, message_id: str) -> Message | None:
        with self._lock:
            return self._messages.get(message_id)

    def _write(self, entry: dict[str, Any]) -> None:
        os.write(self._file, json.dumps(entry, ensure_ascii=False).encode() + b"\n")
        self._apply(entry)

    def _apply(self, entry: dict[str, Any]) -> None:
        if "accepted" in entry:
            message = _loaded(entry["accepted"])
            self._messages[message.id] = message
            self._ids_to[message.to].append(message.id)
            return
        before = self._messages[entry["progress"]]
        sent_at = datetime.fromisoformat(entry["sent_at"]) if entry["sent_at"] else before.sent_at
        after = replace(before, status=entry["status"], sent_at=sent_at, error_code=entry["error_code"])
        self._messages[before.id] = after


def _whole_lines(file: int, path: Path) -> Iterator[str]:
    """The list's lines. What a kill cut off in the middle was never answered for, and is taken away."""
    content = path.read_bytes()
    whole = content.rfind(b"\n") + 1
    if whole < len(content):
        os.ftruncate(file, whole)
    yield from content[:whole].decode().split("\n")[:-1]  # splitlines would also break at U+2028 within a text


def _sync_folder(folder: Path) -> None:
    entry = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(entry)
    finally:
        os.close(entry)


def _stored(message: Message) -> dict[str, Any]:
    return {**message.shown(), "taken_at": message.taken_at.isoformat(), "details": message.details}


def _loaded(stored: dict[str, Any]) -> Message:
    moments: dict[str, Any] = {
        name: datetime.fromisoformat(stored[name]) for name in ("accepted_at", "taken_at") if name in stored
    }
    return Message(**(stored | moments))
