"""Letters as a clinic's staff print them: into files of their own, written down as handed over, never over another."""

import csv
import io
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import structlog
from pypdf import PdfReader
from sqlmodel import col, select

from store import unreached
from store.bookings import Booking
from store.clinics import by_name
from store.database import Sessions, open_database
from store.purposes import Purpose
from store.subjects import Subject
from store.unreached import Unreached
from tests.worker.shell import Shell
from tests.worker.test_commands import _logs_as_before as _logs_as_before
from tests.worker.test_commands import deployed as deployed
from tests.worker.test_commands import region as region
from tests.worker.test_commands import shell as shell
from worker.demo.people import people

CLINIC = "Björkängens vårdcentral"
BY = ("--by", "Sköterska Lind")
FILES = ("--csv", "brev.csv", "--pdf", "brev.pdf")


@pytest.fixture
def waiting(deployed: Shell) -> Iterator[int]:
    """How many letters wait: everybody's visits in the weeks to come, with nothing to reach anybody by."""
    deployed.done("clinic", "decide", CLINIC, "--reference", "RS 1", "--by", "Chefen", "--on", "2026-01-02")
    deployed.done("poll")
    structlog.reset_defaults()
    sessions = open_database("sqlite:///kallelse.db")
    yield _note(sessions)
    sessions.close()


def _note(sessions: Sessions) -> int:
    now = datetime.now(UTC)
    with sessions.writing() as session:
        clinic = by_name(session, CLINIC)
        assert clinic is not None
        found = session.exec(
            select(Booking)
            .join(Subject, col(Subject.id) == col(Booking.subject_id))
            .where(col(Booking.start_at) > now + timedelta(days=14))
        ).all()
        for one in found:
            row = Unreached(
                clinic_id=clinic.id, subject_id=one.subject_id, recipient_id=one.subject_id, purpose=Purpose.REMINDER,
                occasion=f"rule:x/booking:{one.id}/time:{one.time_version}", booking_id=one.id, visit_at=one.start_at,
                reason="no_contact", at=now,
            )  # fmt: skip
            unreached.note(session, row)
        return len(found)


def table(shell: Shell, name: str = "brev.csv") -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO((shell.folder / name).read_text(encoding="utf-8-sig"))))


def test_letters_lie_in_files_for_their_owner_alone_and_no_number_is_on_the_screen(
    deployed: Shell, waiting: int
) -> None:
    said = deployed("letters", CLINIC, *FILES, *BY)

    assert (said.code, waiting > 0) == (0, True)
    rows = table(deployed)
    assert len(rows) == waiting
    numbers = {f"{one.identity[:8]}-{one.identity[8:]}" for one in people(4)}
    assert {one["identity_number"] for one in rows} <= numbers
    pages = [page.extract_text() for page in PdfReader("brev.pdf").pages]
    for row, page in zip(rows, pages, strict=True):
        assert f"{row['letter']}" in page
        assert row["subject_line"] in page
    for number in numbers:
        assert number[:8] not in said.all + "".join(pages)
    for name in ("brev.csv", "brev.pdf"):
        assert (deployed.folder / name).stat().st_mode & 0o777 == 0o600


def test_a_letter_is_printed_once_and_a_lost_one_again_under_its_number(deployed: Shell, waiting: int) -> None:
    deployed.done("letters", CLINIC, *FILES, *BY)
    assert f"letter {datetime.now(UTC):%Y-}" in deployed.done("subjects", "unreached", CLINIC)
    again = deployed("letters", CLINIC, "--csv", "ny.csv", *BY)
    assert (again.code, (deployed.folder / "ny.csv").exists()) == (0, False)

    number = table(deployed)[0]["letter"]
    deployed.done("letters", CLINIC, "--again", number, "--csv", "en.csv", "--by", "Ann")
    assert [one["letter"] for one in table(deployed, "en.csv")] == [number]
    day = deployed.done("letters", CLINIC, "--printed").splitlines()[1][:10]
    deployed.done("letters", CLINIC, "--again", day, "--csv", "alla.csv", "--by", "Ann")
    assert {one["letter"] for one in table(deployed, "alla.csv")} == {one["letter"] for one in table(deployed)}
    handed = [line.split(maxsplit=4)[2:] for line in deployed.done("letters", CLINIC, "--printed").splitlines()[1:]]
    assert handed == [[str(waiting)] * 2 + ["Ann"], ["1", "1", "Ann"], [str(waiting), "0", BY[1]]]


REFUSED = [
    (("--pdf", "a.pdf"), "give --csv too"),
    (("--csv", "a.csv"), "--by"),
    (("--csv", "files/subjects.csv", *BY), "is there already"),
    (("--csv", "nowhere/a.csv", *BY), "cannot be written"),
    (("--again", "2026-01-01", "--csv", "a.csv", *BY), "no letter of 2026-01-01"),
    (("--again", "igår"), "a day as"),
]


def test_what_cannot_be_done_is_refused_and_nothing_is_marked_as_printed(deployed: Shell, waiting: int) -> None:
    before = (deployed.folder / "files/subjects.csv").read_bytes()
    for words, said in REFUSED:
        refused = deployed("letters", CLINIC, *words)
        assert (refused.code, said in refused.err) == (2, True), refused.err

    assert (deployed.folder / "files/subjects.csv").read_bytes() == before
    assert f"{waiting} to print" in deployed("letters", CLINIC).err


def test_while_sending_is_paused_or_undecided_no_letter_is_printed(deployed: Shell) -> None:
    assert "clinic decide" in deployed("letters", CLINIC).err
    deployed.done("clinic", "decide", CLINIC, "--reference", "RS 1", "--by", "Chefen", "--on", "2026-01-02")
    deployed.done("pause", "--clinic", CLINIC)

    assert "paused" in deployed("letters", CLINIC, "--csv", "a.csv", *BY).err


def test_c18_letters_whose_printing_died_before_it_was_written_down_come_again_under_the_same_numbers(
    deployed: Shell, waiting: int
) -> None:
    deployed.environment["KALLELSE_FAILPOINT"] = "C18:kill"
    assert deployed.process("letters", CLINIC, *FILES, *BY).code == -9
    first = {one["letter"] for one in table(deployed)}
    del deployed.environment["KALLELSE_FAILPOINT"]

    assert len(first) == waiting
    deployed.done("letters", CLINIC, "--csv", "ny.csv", *BY)
    assert {one["letter"] for one in table(deployed, "ny.csv")} == first
