"""What the population register says of people: protected, deceased, guardians. Knows no table and no booking.

Only what a register says explicitly may empty a calendar; not knowing, or knowing only something old, holds.
"""

import csv
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from store.identifiers import InvalidIdentifier, SubjectId, parse_subject_id

COLUMNS = ("identity", "protected", "deceased_on", "guardians")

_AS_OF = "# as_of:"
_YES_OR_NO = {"yes": True, "true": True, "1": True, "no": False, "false": False, "0": False}
_BETWEEN_GUARDIANS = re.compile(r"[|;\s]+")


class PopulationStanding(StrEnum):
    """Whether what the register says of a person may be acted upon."""

    KNOWN = "known"
    HOLD = "hold"  # unknown or stale: no messages, the calendar stays as it is, no new links


@dataclass(frozen=True, slots=True)
class PersonRecord:
    """One person as the register knows them."""

    protected: bool
    deceased_on: date | None
    guardians: tuple[SubjectId, ...]


class PopulationRegister(Protocol):
    """A register of the population. Anyone it does not know is left out of its answer."""

    @property
    def as_of(self) -> datetime:
        """When the register was as it says."""
        ...

    def records(self, subjects: Iterable[SubjectId]) -> Mapping[SubjectId, PersonRecord]: ...

    def children(self, guardians: Iterable[SubjectId]) -> Mapping[SubjectId, Sequence[SubjectId]]:
        """Whose guardians these people are, those who are nobody's left out."""
        ...


class InvalidPopulation(ValueError):
    """A population file that cannot be used; the message names line and field and never repeats a value."""


class PopulationFile:
    """A register read from a file: UTF-8 CSV, first the line `# as_of: 2026-11-23T04:00:00+01:00`, then the header
    `identity,protected,deceased_on,guardians`. `protected` is yes or no; several guardians stand with `|` between. An
    empty `guardians` says nothing: every child has one, so that it is more likely left out than meant.

    The file is read once: whoever wants a newer one makes a new PopulationFile.
    """

    def __init__(self, path: Path) -> None:
        """Raises InvalidPopulation, and OSError where there is no such file."""
        self._as_of, self._people = _read(path)
        self._children: dict[SubjectId, list[SubjectId]] = {}
        for person, record in self._people.items():
            for guardian in record.guardians:
                self._children.setdefault(guardian, []).append(person)

    @property
    def as_of(self) -> datetime:
        return self._as_of

    def records(self, subjects: Iterable[SubjectId]) -> Mapping[SubjectId, PersonRecord]:
        return {subject: self._people[subject] for subject in subjects if subject in self._people}

    def children(self, guardians: Iterable[SubjectId]) -> Mapping[SubjectId, Sequence[SubjectId]]:
        return {guardian: self._children[guardian] for guardian in guardians if guardian in self._children}

    def news_since(self, before: "PopulationFile | None") -> list[SubjectId]:
        """Of whom it says something else than the one before did; without one, who is protected or has died."""
        if before is None:
            return [person for person, record in self._people.items() if record.protected or record.deceased_on]
        return [person for person, record in self._people.items() if before._people.get(person) != record]


def read_as_of(path: Path) -> datetime:
    """When the register is, by its first line alone. Raises as PopulationFile does."""
    try:
        with path.open(encoding="utf-8-sig") as lines:
            return _as_of(lines.readline())
    except UnicodeDecodeError:
        raise _not_utf8() from None


def standing_of(
    record: PersonRecord | None, as_of: datetime, now: datetime, stale_after: timedelta = timedelta(days=7)
) -> PopulationStanding:
    """Unknown or stale holds. Data exactly `stale_after` old still counts."""
    if record is None or now - as_of > stale_after:
        return PopulationStanding.HOLD
    return PopulationStanding.KNOWN


def _read(path: Path) -> tuple[datetime, dict[SubjectId, PersonRecord]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as lines:
            as_of = _as_of(lines.readline())
            return as_of, _people(csv.reader(lines, strict=True), as_of.date())
    except UnicodeDecodeError:
        raise _not_utf8() from None


def _not_utf8() -> InvalidPopulation:
    return InvalidPopulation("the population file is not UTF-8")


def _as_of(line: str) -> datetime:
    try:
        if not line.startswith(_AS_OF):
            raise ValueError
        as_of = datetime.fromisoformat(line.removeprefix(_AS_OF).strip().rstrip(","))
    except ValueError:
        raise InvalidPopulation(f"line 1: must read `{_AS_OF} 2026-11-23T04:00:00+01:00`") from None
    if as_of.tzinfo is None:
        raise InvalidPopulation("line 1, as_of: the instant needs its offset from UTC, such as +01:00")
    return as_of


def _people(rows: Iterator[list[str]], today: date) -> dict[SubjectId, PersonRecord]:
    people: dict[SubjectId, PersonRecord] = {}
    for number, row in _numbered(rows):
        if len(row) != len(COLUMNS):
            raise InvalidPopulation(f"line {number}: has {len(row)} fields; there must be {len(COLUMNS)}")
        identity, protected, deceased_on, guardians = (text.strip() for text in row)
        subject = _subject(identity, today, f"line {number}, identity")
        if subject in people:
            raise InvalidPopulation(f"line {number}, identity: the person stands on an earlier line too")
        people[subject] = PersonRecord(
            protected=_yes_or_no(protected, f"line {number}, protected"),
            deceased_on=_day(deceased_on, f"line {number}, deceased_on"),
            guardians=_guardians(guardians, today, f"line {number}, guardians"),
        )
    return people


def _numbered(rows: Iterator[list[str]]) -> Iterator[tuple[int, list[str]]]:
    """The rows below the header, each with the number of its line; empty lines are left out."""
    try:
        header = next(rows, [])
        if tuple(name.strip() for name in header) != COLUMNS:
            raise InvalidPopulation(f"line 2: the header must be {','.join(COLUMNS)}")
        yield from ((number, row) for number, row in enumerate(rows, start=3) if row)
    except csv.Error:
        raise InvalidPopulation("the population file is not CSV: a quotation mark is out of place") from None


def _subject(text: str, today: date, where: str) -> SubjectId:
    try:
        return parse_subject_id(text, today=today)
    except InvalidIdentifier as fault:
        raise InvalidPopulation(f"{where}: {fault}") from None


def _yes_or_no(text: str, where: str) -> bool:
    if text.lower() not in _YES_OR_NO:
        raise InvalidPopulation(f"{where}: must be yes or no")
    return _YES_OR_NO[text.lower()]


def _day(text: str, where: str) -> date | None:
    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise InvalidPopulation(f"{where}: must be a date such as 2026-11-23, or empty") from None


def _guardians(text: str, today: date, where: str) -> tuple[SubjectId, ...]:
    return tuple(_subject(one, today, where) for one in _BETWEEN_GUARDIANS.split(text) if one)
