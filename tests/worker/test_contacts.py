"""Contact points, and who could not be reached, as a clinic's staff meet them: by our ids alone."""

from datetime import UTC, datetime, timedelta

import pytest
import structlog
from sqlmodel import col, select

from notifier import codes
from store import contact_points, unreached
from store.clinics import by_name
from store.contact_codes import ContactCode
from store.database import Sessions, open_database
from store.purposes import Purpose
from store.subjects import ContactPoint, Subject
from store.unreached import Unreached
from tests.worker.shell import Shell
from tests.worker.test_commands import _logs_as_before as _logs_as_before
from tests.worker.test_commands import deployed as deployed
from tests.worker.test_commands import region as region
from tests.worker.test_commands import shell as shell
from worker.settings import read_settings
from worker.wiring import open_vault

CLINIC = "Björkängens vårdcentral"


@pytest.fixture
def sessions(deployed: Shell) -> Sessions:
    structlog.reset_defaults()
    return open_database("sqlite:///kallelse.db")


def test_who_could_not_be_reached_is_listed_by_our_id_alone(deployed: Shell, sessions: Sessions) -> None:
    assert deployed("subjects", "unreached", CLINIC).err.startswith("Everybody")
    now = datetime.now(UTC)
    with sessions.writing() as session:
        subject = session.exec(select(Subject.id)).first()
        clinic = by_name(session, CLINIC)
        assert clinic is not None
        assert subject is not None
        row = Unreached(
            clinic_id=clinic.id, subject_id=subject, recipient_id=subject, purpose=Purpose.NOTICE, occasion="notice:x",
            visit_at=now + timedelta(days=1), reason="no_contact", at=now,
        )  # fmt: skip
        unreached.note(session, row)

    (line,) = deployed.done("subjects", "unreached", CLINIC).splitlines()[1:]
    assert line.split()[2:] == ["notice", "no_contact", "-", str(subject), "-"]
    refused = deployed("subjects", "unreached", "Ingenstans")
    assert (refused.code, "no clinic named" in refused.err) == (2, True)


def test_a_dead_number_is_listed_for_the_clinic_that_expects_the_person(deployed: Shell, sessions: Sessions) -> None:
    deployed.done("poll")
    assert deployed("subjects", "contact-problems", CLINIC).err.startswith("No number")
    with sessions.writing() as session:
        for row in session.exec(select(ContactPoint).order_by(col(ContactPoint.id))):
            contact_points.mark_dead(session, row.id, "unreachable", datetime.now(UTC))

    said = deployed.done("subjects", "contact-problems", CLINIC)
    assert "unreachable" in said
    assert "@" not in said
    assert "+46" not in said


def test_a_number_is_added_by_its_code_and_removed_again(deployed: Shell, sessions: Sessions) -> None:
    subject = deployed.ids()[0]
    asked = deployed("subjects", "verify-contact", subject, typed="070-174 06 09\n\n")
    contact = asked.out.split()[-1]
    assert "waits for its code" in deployed.done("subjects", "contacts", subject)
    refused = deployed("subjects", "verify-contact", subject, "--contact", contact, typed="abc\n")
    assert (refused.code, "not the code" in refused.err) == (1, True)

    vault = open_vault(read_settings(deployed.environment))
    with sessions.reading() as session:
        code = codes.code(vault, session.exec(select(ContactCode.id)).one())
    told = deployed.done("subjects", "verify-contact", subject, "--contact", contact, typed=f"{code}\n")
    assert told.startswith("Verified")
    (mine,) = [line for line in deployed.done("subjects", "contacts", subject).splitlines() if contact in line]
    assert "in use" in mine
    assert "+4670" not in mine

    assert deployed.done("subjects", "remove-contact", contact) == "Removed.\n"
    assert deployed("subjects", "remove-contact", contact).code == 2


@pytest.mark.parametrize("typed", ["0701\n", "08-465 01 01\n", "anna@@example\n", "\n"])
def test_an_address_that_is_none_is_refused_and_not_repeated(deployed: Shell, typed: str) -> None:
    refused = deployed("subjects", "verify-contact", deployed.ids()[0], typed=typed)

    assert refused.code == 2
    assert typed.strip() not in refused.all or not typed.strip()


def test_an_imported_number_tells_who_gave_it_and_when(deployed: Shell) -> None:
    deployed.done("subjects", "import", "files/subjects.csv", "--said-by", "listan", "--as-of", "2026-01-02")
    deployed.done("subjects", "import", "files/subjects.csv", "--said-by", "register", "--as-of", "2025-01-02")
    assert deployed("subjects", "import", "files/subjects.csv", "--as-of", "2099-01-02").code == 2

    told = deployed.done("subjects", "contacts", deployed.ids()[0])
    assert f"file {datetime.now(UTC):%Y-%m}" in told  # what is newest is kept
