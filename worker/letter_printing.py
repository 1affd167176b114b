"""Prints letters: composes them, writes the files, then writes them down.

In this order a process that dies in between leaves letters that are printed again, under the same number, never one
that is believed printed and is not.
"""

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from notifier.channels.letter_sheets import Sheet, as_pdf
from notifier.channels.paper import sync_folder, write_durably
from notifier.fallback import REPORTING
from notifier.letters import ComposedLetter, LeftOut, Letters, LetterSettings, compose_letters, grouped
from notifier.swedish_days import local
from store import letters, unreached
from store.clinics import Clinic
from store.database import Session, Sessions
from store.failpoints import CrashPoint, reached
from store.letters import Letter, PrintedElsewhere
from store.purposes import Purpose
from store.unreached import Unreached
from store.vault import Vault
from worker.spreadsheets import as_csv

COLUMNS = (
    "letter", "identity_number", "to_guardian", "language", "visit_date", "visit_time", "facility", "phone",
    "subject_line", "text",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Files:
    """Where letters go. Without `pdf` the clinic lays them out itself."""

    csv: Path
    pdf: Path | None = None


def new_letters(session: Session, vault: Vault, clinic: Clinic, settings: LetterSettings, now: datetime) -> Letters:
    """Those that can be printed now, and whom none is printed for."""
    rows = unreached.to_print(session, clinic.id, now, REPORTING)
    return compose_letters(session, vault, clinic, grouped(rows), settings, now)


def letters_again(  # noqa: PLR0913 - which, for whom, from what, how, when
    session: Session, vault: Vault, clinic: Clinic, lost: Sequence[Letter], settings: LetterSettings, now: datetime
) -> Letters:
    """The same ones, as far as they still hold, in the words that hold now."""
    of = letters.occasions(session, [one.id for one in lost])
    groups: dict[str, list[Unreached]] = {}
    numbers = {one.id: one.number for one in lost}
    for row in unreached.to_print_again(session, list(numbers), now, REPORTING):
        groups.setdefault(numbers[of[row.id]], []).append(row)
    made: list[ComposedLetter] = []
    left_out = [_overtaken(one) for one in lost if one.number not in groups]
    for number, rows in groups.items():
        done = compose_letters(session, vault, clinic, [rows], settings, now)
        for one in done.made:
            one.row.number = number
        made += done.made
        left_out += done.left_out
    return Letters(tuple(made), tuple(left_out))


def hand_over(sessions: Sessions, made: Sequence[ComposedLetter], files: Files, by: str) -> None:
    """Writes the files, and writes the letters down as printed. Raises PrintedElsewhere, FileExistsError, OSError."""
    written = _write_letters(made, files)
    reached(CrashPoint.C18)
    try:
        with sessions.writing() as session:
            letters.keep(session, [(one.row, one.occasions) for one in made], by)
    except PrintedElsewhere:
        _take_away(written)
        raise


def hand_over_again(
    sessions: Sessions, made: Sequence[ComposedLetter], lost: Sequence[Letter], files: Files, by: str
) -> None:
    """Writes the files once more, and who was handed them. Raises FileExistsError, OSError."""
    _write_letters(made, files)
    ids = {one.number: one.id for one in lost}
    with sessions.writing() as session:
        letters.keep_print(session, [ids[one.row.number] for one in made], by, made[0].row.made_at)


def _overtaken(one: Letter) -> LeftOut:
    return LeftOut(one.subject_id, one.booking_id, Purpose(one.purpose), None, "overtaken")


def _write_letters(made: Sequence[ComposedLetter], files: Files) -> list[Path]:
    """New files that their owner alone can read: all of them, or none."""
    contents = [(files.csv, _as_csv(made).encode())]
    if files.pdf is not None:
        contents.append((files.pdf, _as_pdf(made)))
    written: list[Path] = []
    try:
        for path, content in contents:
            _claim_name(path)
            written.append(path)
            _fill(path, content)
    except OSError:
        _take_away(written)
        raise
    return written


def _claim_name(path: Path) -> None:
    path.touch(mode=0o600, exist_ok=False)


def _fill(path: Path, content: bytes) -> None:
    """The name is ours by now. It stays empty until the whole content is on the disk."""
    hidden = path.with_name(f".{path.name}.part")
    write_durably(hidden, content)
    hidden.replace(path)
    sync_folder(path.parent)


def _take_away(paths: Sequence[Path]) -> None:
    for path in paths:
        with contextlib.suppress(OSError):
            path.unlink()


def _as_pdf(made: Sequence[ComposedLetter]) -> bytes:
    sheets = [Sheet(one.row.number, one.sender, one.phone, one.language, one.subject_line, one.text) for one in made]
    return as_pdf(sheets, made[0].row.made_at, local(made[0].row.made_at).date())


def _as_csv(made: Sequence[ComposedLetter]) -> str:
    return as_csv([COLUMNS, *(_line(one) for one in made)])


def _line(one: ComposedLetter) -> tuple[str, ...]:
    at = local(one.visit_at)
    return (
        one.row.number,
        _spelled(one.identity_number),
        "yes" if one.is_to_guardian else "no",
        one.language,
        f"{at:%Y-%m-%d}",
        f"{at:%H.%M}",
        one.sender,
        one.phone,
        one.subject_line,
        one.text,
    )


def _spelled(number: str) -> str:
    """With its hyphen: a spreadsheet takes twelve digits for an amount, and rounds it."""
    return f"{number[:8]}-{number[8:]}"
