"""Asks the population register about everybody we hold, whenever there is a newer one. Only what it says explicitly
may empty a calendar; a bad or missing file changes nothing, and what we know grows stale by itself."""

from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

import structlog

from store import subjects
from store.calendars import wake_calendars_about
from store.database import Session, Sessions
from store.identifiers import SubjectId
from store.subjects import Subject
from store.vault import KeyDestroyed, Vault
from worker.guardians import keep_guardians
from worker.sources.population import InvalidPopulation, PersonRecord, PopulationFile, PopulationRegister

log = structlog.get_logger()

_BATCH = 200
_CLOCKS_DIFFER = timedelta(hours=1)


class PopulationWatch:
    """The newest readable register. A file that cannot be read keeps the one before, and is complained of once."""

    def __init__(self, path: Path | None, now: Callable[[], datetime]) -> None:
        self._path = path
        self._now = now
        self._version: tuple[int, int] | None = None
        self._register: PopulationFile | None = None
        self._problem = ""
        self.news: deque[SubjectId] = deque()  # of whom the newest says something else: they come first, once

    def current(self) -> PopulationRegister | None:
        """The register as last read; the file is read again when it has been written anew."""
        if self._path is None:
            return None
        try:
            self._look(self._path)
        except InvalidPopulation as error:
            self._complain(str(error))
        except OSError:
            self._version = None
            self._complain("the file cannot be read")
        return self._register

    def _look(self, path: Path) -> None:
        found = path.stat()
        if (found.st_mtime_ns, found.st_size) == self._version:
            return
        self._version = (found.st_mtime_ns, found.st_size)
        register = PopulationFile(path)
        require_not_ahead(register.as_of, self._now())
        self.news = deque(register.news_since(self._register))
        self._register, self._problem = register, ""

    def _complain(self, problem: str) -> None:
        if problem != self._problem:
            log.error("population_unreadable", setting="KALLELSE_POPULATION", meaning=problem)
        self._problem = problem


def require_not_ahead(as_of: datetime, now: datetime) -> None:
    """Raises InvalidPopulation: a register dated ahead would never grow stale, and hide all that come after it."""
    if as_of > now + _CLOCKS_DIFFER:
        raise InvalidPopulation("line 1, as_of: lies in the future")


@dataclass(frozen=True, slots=True)
class Asking:
    """Against what to compare: the register, when it is, after how long what we know is stale, and whom it has news of:
    a protection must not wait until a million others have been asked about."""

    register: PopulationRegister
    now: datetime
    stale_after: timedelta
    news: deque[SubjectId] = field(default_factory=deque, repr=False)


def anybody_unasked(session: Session, register: PopulationRegister | None) -> bool:
    return register is not None and bool(subjects.unasked_since(session, register.as_of, 1))


def ask_due(sessions: Sessions, vault: Vault, asking: Asking) -> int:
    """Compares one batch of subjects with the register; returns how many."""
    news = _known_of_news(sessions, vault, asking)
    with sessions.writing() as session:
        rows = subjects.unasked_since(session, asking.register.as_of, _BATCH, among=news)
        _compare(session, vault, asking, rows)
    return len(rows)


def _known_of_news(sessions: Sessions, vault: Vault, asking: Asking) -> list[UUID] | None:
    """Those of the next people in the news whom we know and have not asked about; None when there is no more news."""
    while asking.news:
        numbers = [asking.news.popleft() for _ in range(min(_BATCH, len(asking.news)))]
        with sessions.reading() as session:
            known = [row.id for row in subjects.by_numbers(session, vault, numbers).values()]
            if known and subjects.unasked_since(session, asking.register.as_of, 1, among=known):
                return known
    return None


def _compare(session: Session, vault: Vault, asking: Asking, rows: Sequence[Subject]) -> None:
    numbers = _numbers(session, vault, rows)
    records = asking.register.records(numbers.values())
    changed = [row.id for row in rows if _update(row, _record(records, numbers.get(row.id)), asking)]
    session.flush()
    guarded_anew = keep_guardians(session, vault, asking.register, numbers)
    subjects.wake_planning(session, changed, asking.now)
    wake_calendars_about(session, guarded_anew.union(changed), asking.now)


def _numbers(session: Session, vault: Vault, rows: Iterable[Subject]) -> dict[UUID, SubjectId]:
    found = ((row.id, _number(session, vault, row)) for row in rows)
    return {subject_id: number for subject_id, number in found if number is not None}


def _number(session: Session, vault: Vault, row: Subject) -> SubjectId | None:
    """None for somebody erased: their key is gone, and nobody knows their number any more."""
    try:
        return subjects.number_of(row, subjects.cipher_of(session, vault, row.id))
    except KeyDestroyed:
        return None


def _record(records: Mapping[SubjectId, PersonRecord], number: SubjectId | None) -> PersonRecord | None:
    return None if number is None else records.get(number)


def _update(row: Subject, record: PersonRecord | None, asking: Asking) -> bool:
    """True when what we may do for the person has changed: explicit flags, or an end of holding."""
    row.population_asked_as_of = asking.register.as_of
    if record is None:
        row.population_as_of = None
        return False
    held = row.population_as_of is None or asking.now - row.population_as_of > asking.stale_after
    before = (row.protected_on, row.deceased_on)
    row.population_as_of = asking.register.as_of
    row.protected_on = (row.protected_on or asking.now.date()) if record.protected else None
    row.deceased_on = record.deceased_on
    return held or before != (row.protected_on, row.deceased_on)
