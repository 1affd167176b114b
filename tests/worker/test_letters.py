"""Letters as a clinic's staff print them: into files of their own, written down as handed over, never over another."""

import csv
import io
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta

import pytest
import structlog
from pypdf import PdfReader
from sqlmodel import update

from store import unreached
from store.bookings import Booking
from store.database import Sessions, open_database
from store.purposes import Purpose
from store.standing import Standing
from store.unreached import Unreached
from tests import build
from tests.people import ANNA, BERTIL, DAVID, Person
from tests.worker.shell import Shell
from tests.worker.test_commands import _logs_as_before as _logs_as_before
from tests.worker.test_commands import shell as shell
from worker.settings import read_settings
from worker.wiring import open_vault

CLINIC = "Björkängens vårdcentral"
PEOPLE = (ANNA, BERTIL, DAVID)
BY = ("--by", "Sköterska Lind")
FILES = ("--csv", "brev.csv", "--pdf", "brev.pdf")


@pytest.fixture
def waiting(shell: Shell) -> int:
    """How many letters wait: visits in the weeks to come, with nothing to reach anybody by."""
    shell.done("migrate")
    vault, now = open_vault(read_settings(shell.environment)), datetime.now(UTC)
    with _sessions() as sessions, sessions.writing() as session:
        clinic = build.clinic(session, now, name=CLINIC)
        build.facility(session, clinic_id=clinic.id)
        for weeks, person in enumerate(PEOPLE, 3):
            subject = build.subject(session, vault, now, Person(person.number, language=person.language))
            visit_at = now + timedelta(weeks=weeks)
            visit = build.booking(session, vault, build.engagement(session, subject.id, now), visit_at)
            row = Unreached(
                clinic_id=clinic.id, subject_id=subject.id, recipient_id=subject.id, purpose=Purpose.REMINDER,
                occasion=f"rule:x/booking:{visit.id}/time:1", booking_id=visit.id, visit_at=visit_at,
                reason="no_contact", at=now,
            )  # fmt: skip
            unreached.note(session, row)
    return len(PEOPLE)


@contextmanager
def _sessions() -> Iterator[Sessions]:
    structlog.reset_defaults()
    with closing(open_database("sqlite:///kallelse.db")) as sessions:
        yield sessions


def table(shell: Shell, name: str = "brev.csv") -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO((shell.folder / name).read_text(encoding="utf-8-sig"))))


def test_letters_lie_in_files_for_their_owner_alone_and_no_number_is_on_the_screen(shell: Shell, waiting: int) -> None:
    said = shell("letters", CLINIC, *FILES, *BY)

    assert (said.code, waiting > 0) == (0, True)
    rows = table(shell)
    assert len(rows) == waiting
    numbers = {f"{one.number[:8]}-{one.number[8:]}" for one in PEOPLE}
    assert {one["identity_number"] for one in rows} == numbers
    pages = [page.extract_text() for page in PdfReader("brev.pdf").pages]
    for row, page in zip(rows, pages, strict=True):
        assert f"{row['letter']}" in page
        assert row["subject_line"] in page
    for number in numbers:
        assert number[:8] not in said.all + "".join(pages)
    for name in ("brev.csv", "brev.pdf"):
        assert (shell.folder / name).stat().st_mode & 0o777 == 0o600


def test_a_letter_is_printed_once_and_a_lost_one_again_under_its_number(shell: Shell, waiting: int) -> None:
    shell.done("letters", CLINIC, *FILES, *BY)
    assert f"letter {datetime.now(UTC):%Y-}" in shell.done("subjects", "unreached", CLINIC)
    again = shell("letters", CLINIC, "--csv", "ny.csv", *BY)
    assert (again.code, (shell.folder / "ny.csv").exists()) == (0, False)

    number = table(shell)[0]["letter"]
    shell.done("letters", CLINIC, "--again", number, "--csv", "en.csv", "--by", "Ann")
    assert [one["letter"] for one in table(shell, "en.csv")] == [number]
    day = shell.done("letters", CLINIC, "--printed").splitlines()[1][:10]
    shell.done("letters", CLINIC, "--again", day, "--csv", "alla.csv", "--by", "Ann")
    assert {one["letter"] for one in table(shell, "alla.csv")} == {one["letter"] for one in table(shell)}
    handed = [line.split(maxsplit=4)[2:] for line in shell.done("letters", CLINIC, "--printed").splitlines()[1:]]
    assert handed == [[str(waiting)] * 2 + ["Ann"], ["1", "1", "Ann"], [str(waiting), "0", BY[1]]]

    _all_are_off()
    off = shell("letters", CLINIC, "--again", number, "--csv", "av.csv", "--by", "Ann")
    assert ("overtaken" in off.out, (shell.folder / "av.csv").exists()) == (True, False)


def _all_are_off() -> None:
    with _sessions() as sessions, sessions.writing() as session:
        session.exec(update(Booking).values(standing=Standing.GONE))


REFUSED = [
    (("--pdf", "a.pdf"), "give --csv too"),
    (("--csv", "a.csv"), "--by"),
    (("--csv", "kallelse.keys", *BY), "is there already"),
    (("--csv", "nowhere/a.csv", *BY), "cannot be written"),
    (("--again", "2026-01-01", "--csv", "a.csv", *BY), "no letter of 2026-01-01"),
    (("--again", "igår"), "a day as"),
]


def test_what_cannot_be_done_is_refused_and_nothing_is_marked_as_printed(shell: Shell, waiting: int) -> None:
    before = (shell.folder / "kallelse.keys").read_bytes()
    for words, said in REFUSED:
        refused = shell("letters", CLINIC, *words)
        assert (refused.code, said in refused.err) == (2, True), refused.err

    assert (shell.folder / "kallelse.keys").read_bytes() == before
    assert f"{waiting} to print" in shell("letters", CLINIC).err


def test_while_sending_is_paused_or_undecided_no_letter_is_printed(shell: Shell, waiting: int) -> None:
    shell.done("pause", "--clinic", CLINIC)
    assert "paused" in shell("letters", CLINIC, "--csv", "a.csv", *BY).err
    shell.done("clinic", "add", "Ny", "--administrator", "a@example.se")
    assert "clinic decide" in shell("letters", "Ny").err


def test_c18_letters_whose_printing_died_before_it_was_written_down_come_again_under_the_same_numbers(
    shell: Shell, waiting: int
) -> None:
    shell.environment["KALLELSE_FAILPOINT"] = "C18:kill"
    assert shell.process("letters", CLINIC, *FILES, *BY).code == -9
    first = {one["letter"] for one in table(shell)}
    del shell.environment["KALLELSE_FAILPOINT"]

    assert len(first) == waiting
    shell.done("letters", CLINIC, "--csv", "ny.csv", *BY)
    assert {one["letter"] for one in table(shell, "ny.csv")} == first
