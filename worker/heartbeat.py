"""This process's signs of life. They say that it gets on with its work, not that it exists: each part of the process
calls `beat` from within its work."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from importlib.metadata import version
from uuid import UUID

import structlog

from store import heartbeats
from store.database import Sessions, SQLAlchemyError
from store.heartbeats import Part
from store.identifiers import new_id

log = structlog.get_logger()

VERSION = version("kallelse")
EVERY = timedelta(seconds=10)
_LOOK_SECONDS = 0.5


class Heart:
    """The signs of life of one process; safe to share between threads."""

    def __init__(self, sessions: Sessions, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._sessions = sessions
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._ids: dict[Part, UUID] = {}
        self._written_at: dict[Part, float] = {}

    def beat(self, part: Part) -> None:
        """The part gets on with its work. Written at most every ten seconds. A database that does not take it shows
        by that: the work itself is not disturbed."""
        if not self._is_time(part):
            return
        try:
            with self._sessions.writing() as session:
                heartbeats.note(session, self._ids[part], part, VERSION)
        except SQLAlchemyError as error:
            log.warning("heartbeat_not_written", process=part.value, error=type(error).__name__)

    def stop(self) -> None:
        """The process ends as it should. Nothing may beat any more."""
        with suppress(SQLAlchemyError), self._sessions.writing() as session:
            heartbeats.remove(session, self._ids.values())

    def _is_time(self, part: Part) -> bool:
        with self._lock:
            now = self._monotonic()
            self._ids.setdefault(part, new_id())
            if now - self._written_at.get(part, float("-inf")) < EVERY.total_seconds():
                return False
            self._written_at[part] = now
            return True


@contextmanager
def beating(heart: Heart, part: Part, moved: threading.Event) -> Iterator[None]:
    """For a part that may not write by itself: it sets `moved` now and then, and a thread beats for as long as it
    does."""
    ended = threading.Event()
    thread = threading.Thread(target=_beat_until, args=(heart, part, moved, ended), name="heartbeat", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def _beat_until(heart: Heart, part: Part, moved: threading.Event, ended: threading.Event) -> None:
    while not ended.wait(_LOOK_SECONDS):
        if moved.is_set():
            moved.clear()
            heart.beat(part)
