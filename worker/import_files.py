"""Reading the files that feed a deployment: facilities and subjects, as UTF-8 CSV, checked line by line.

A file is read whole; each fault names line and field, never a value. Knows no table.
"""

import csv
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import TypeVar

from notifier import languages
from notifier.fields import LONGEST_NAME
from notifier.recipients import InvalidEmail, InvalidPhone, parse_email, parse_phone
from notifier.swedish_days import InvalidPolicy, require_policy
from store.identifiers import HsaId, InvalidIdentifier, SubjectId, parse_hsa_id, parse_subject_id
from store.level import Level

FACILITY_COLUMNS = (
    "hsa_id",
    "parent",
    "display_name",
    "message_name",
    "sensitive",
    "phone",
    "address",
    "clinic",
    "cancel_deadline",
    "remote_time_types",
    "show_end",
)
SUBJECT_COLUMNS = ("identity", "language", "phone", "email", "consent_given_on", "consent_version", "level")
_Row = TypeVar("_Row")


class ImportRefused(ValueError):
    """A file that cannot be imported; every fault found, one a line."""


@dataclass(frozen=True, slots=True)
class FacilityRow:
    """One line of a facilities file."""

    hsa_id: HsaId
    spelling: str
    parent: HsaId | None
    display_name: str
    message_name: str
    is_sensitive: bool
    phone: str
    address: str
    clinic: str
    cancel_deadline: str
    remote_time_types: tuple[str, ...]
    shows_end: bool


@dataclass(frozen=True, slots=True)
class SubjectRow:
    """One line of a subjects file."""

    subject: SubjectId
    language: str
    phone: str = field(repr=False)
    email: str = field(repr=False)
    consent_given_on: date
    consent_version: str
    level: Level | None  # of the calendar to open; None: none yet


def read_facilities(path: Path) -> list[FacilityRow]:
    """The facilities in a CSV file. Raises ImportRefused."""
    return _read(path, FACILITY_COLUMNS, _facility_row, lambda row: row.hsa_id)


def read_subjects(path: Path, today: date) -> list[SubjectRow]:
    """The subjects in a CSV file. Raises ImportRefused."""
    return _read(path, SUBJECT_COLUMNS, lambda cells: _subject_row(cells, today), lambda row: row.subject)


def _read(
    path: Path,
    columns: Sequence[str],
    parse: Callable[[dict[str, str]], _Row],
    key: Callable[[_Row], Hashable],
) -> list[_Row]:
    """Every line parsed; the first column names what the line is about, which may stand once."""
    rows: dict[Hashable, _Row] = {}
    faults = []
    for number, cells in _lines(path, columns):
        try:
            row = parse(_plain(cells))
        except ImportRefused as fault:
            faults.append(f"line {number}, {fault}")
            continue
        if key(row) in rows:
            faults.append(f"line {number}, {columns[0]}: the same one stands on an earlier line too")
        rows[key(row)] = row
    if faults:
        raise ImportRefused("\n".join(faults))
    return list(rows.values())


def _plain(cells: dict[str, str]) -> dict[str, str]:
    """Cells without a line break, a control or a direction override: these texts come to stand in messages."""
    for name, text in cells.items():
        if not text.replace("\u00a0", " ").replace("\u202f", " ").replace("\u2009", " ").isprintable():
            raise ImportRefused(f"{name}: holds a line break or another character that cannot be seen")
    return cells


def _lines(path: Path, columns: Sequence[str]) -> Iterator[tuple[int, dict[str, str]]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, strict=True)
            if tuple(reader.fieldnames or ()) != tuple(columns):
                raise ImportRefused(f"line 1: the header must be {','.join(columns)}")
            for row in reader:
                if None in row or None in row.values():
                    raise ImportRefused(f"line {reader.line_num}: there must be {len(columns)} fields")
                yield reader.line_num, {name: value.strip() for name, value in row.items()}
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ImportRefused(f"the file cannot be read as UTF-8 CSV ({type(error).__name__})") from None


def _facility_row(cells: dict[str, str]) -> FacilityRow:
    message_name = cells["message_name"] or cells["display_name"]
    if not cells["display_name"]:
        raise ImportRefused("display_name: is empty")
    if len(message_name) > LONGEST_NAME:
        raise ImportRefused(f"message_name: has {len(message_name)} characters; {LONGEST_NAME} fit in an SMS")
    return FacilityRow(
        hsa_id=_hsa_id(cells["hsa_id"], "hsa_id"),
        spelling=cells["hsa_id"],
        parent=_hsa_id(cells["parent"], "parent") if cells["parent"] else None,
        display_name=cells["display_name"],
        message_name=message_name,
        is_sensitive=_yes_or_no(cells["sensitive"], "sensitive"),
        phone=cells["phone"],
        address=cells["address"],
        clinic=cells["clinic"],
        cancel_deadline=_policy(cells["cancel_deadline"]),
        remote_time_types=tuple(one for one in cells["remote_time_types"].split("|") if one),
        shows_end=_yes_or_no(cells["show_end"] or "no", "show_end"),
    )


def _subject_row(cells: dict[str, str], today: date) -> SubjectRow:
    if not languages.is_known(cells["language"]):
        raise ImportRefused("language: must be a code such as sv, en, ar or so")
    if not cells["consent_version"]:
        raise ImportRefused("consent_version: is empty; without a consent nobody is asked about")
    return SubjectRow(
        subject=_subject_id(cells["identity"], today),
        language=cells["language"],
        phone=_contact(cells["phone"], "phone", parse_phone),
        email=_contact(cells["email"], "email", parse_email),
        consent_given_on=_day(cells["consent_given_on"], today),
        consent_version=cells["consent_version"],
        level=_level(cells["level"]),
    )


def _hsa_id(text: str, name: str) -> HsaId:
    try:
        return parse_hsa_id(text)
    except InvalidIdentifier as fault:
        raise ImportRefused(f"{name}: {fault}") from None


def _subject_id(text: str, today: date) -> SubjectId:
    try:
        return parse_subject_id(text, today=today)
    except InvalidIdentifier as fault:
        raise ImportRefused(f"identity: {fault}") from None


def _contact(text: str, name: str, parse: Callable[[str], str]) -> str:
    try:
        return parse(text) if text else ""
    except (InvalidPhone, InvalidEmail) as fault:
        raise ImportRefused(f"{name}: {fault}") from None


def _policy(text: str) -> str:
    try:
        require_policy(text)
    except InvalidPolicy as fault:
        raise ImportRefused(f"cancel_deadline: {fault}") from None
    return text


def _level(text: str) -> Level | None:
    if text and text not in set(Level):
        raise ImportRefused(f"level: must be empty or one of {', '.join(Level)}")
    return Level(text) if text else None


def _day(text: str, today: date) -> date:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise ImportRefused("consent_given_on: must be a date such as 2026-11-23") from None
    if day > today:
        raise ImportRefused("consent_given_on: is in the future")
    return day


def _yes_or_no(text: str, name: str) -> bool:
    if text not in ("yes", "no"):
        raise ImportRefused(f"{name}: must be yes or no")
    return text == "yes"
