"""Letters, and development without a provider: each message becomes one JSON file in a folder for others to fetch."""

import contextlib
import json
import os
import re
from pathlib import Path

from notifier.channels import Accepted, ChannelError, Message, Refused, Remedy, Unknown, Unreachable

_FILE_STEM = re.compile(r"[A-Za-z0-9_-]{1,64}")


class Paper:
    """Writes messages into `folder`, which must exist. Files are readable by the owner only."""

    name = "paper"
    provider = "paper"

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def send(self, message: Message) -> Accepted:
        """The id is the file's name. A second file never arises: an attempt's name is its own."""
        if not _FILE_STEM.fullmatch(message.attempt_id):
            raise Refused("bad_attempt_id", "the attempt's id cannot be a file name", Remedy.OPERATOR)
        name = f"{message.attempt_id}.json"
        problem = self._put(name, _content(message))
        if problem:
            raise problem
        return Accepted(name)

    def _put(self, name: str, content: bytes) -> ChannelError | None:
        hidden = self._folder / f".{name}.part"
        try:
            write_durably(hidden, content)
            hidden.rename(self._folder / name)
        except OSError as error:
            with contextlib.suppress(OSError):
                hidden.unlink()
            return Unreachable(_code(error), "the folder for letters cannot be written")
        try:
            sync_folder(self._folder)
        except OSError as error:
            return Unknown(_code(error), "the letter was written, but may not survive a power cut")
        return None


def write_durably(path: Path, content: bytes) -> None:
    """A file that its owner alone can read, on the disk when this returns: its name is given afterwards."""
    path.unlink(missing_ok=True)  # a dead process's, or somebody else's
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def sync_folder(folder: Path) -> None:
    """So that the names in it outlast a power cut."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _content(message: Message) -> bytes:
    letter = {
        "to": message.to,
        "subject_line": message.subject_line,
        "text": message.text,
        "html": message.html,
        "language": message.language,
        "delivery_id": message.delivery_id,
        "attempt_id": message.attempt_id,
        "useful_until": message.useful_until.isoformat(),
        "written_at": message.now.isoformat(),
    }
    return json.dumps(letter, ensure_ascii=False, indent=2).encode("utf-8", errors="replace") + b"\n"


def _code(error: OSError) -> str:
    return f"errno_{error.errno}"
