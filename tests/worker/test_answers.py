"""Who wants to cancel, and who wants no messages: the commands, as an operator meets them."""

from datetime import UTC, datetime
from uuid import UUID

import pytest
import structlog
from sqlmodel import select

from store import clinics, visit_answers
from store.audit import AuditEntry
from store.database import Sessions, open_database
from store.deliveries import Suppression
from store.identifiers import new_id
from store.purposes import SUPPRESSIBLE
from store.subjects import ContactPoint
from store.visit_answers import AnswerKind, VisitAnswer
from tests.worker.shell import Shell
from tests.worker.test_commands import _logs_as_before as _logs_as_before
from tests.worker.test_commands import deployed as deployed
from tests.worker.test_commands import region as region
from tests.worker.test_commands import shell as shell

CLINIC = "Björkängens vårdcentral"
NOW = datetime(2026, 11, 25, 9, tzinfo=UTC)


@pytest.fixture
def sessions(deployed: Shell) -> Sessions:
    structlog.reset_defaults()
    return open_database("sqlite:///kallelse.db")


def asked(sessions: Sessions, subject: UUID) -> UUID:
    """A request to cancel, made just now."""
    with sessions.writing() as session:
        clinic = clinics.by_name(session, CLINIC)
        assert clinic is not None
        row = VisitAnswer(
            kind=AnswerKind.CANCEL, booking_id=new_id(), time_version=1, subject_id=subject, recipient_id=subject,
            clinic_id=clinic.id, way="sms", answered_at=NOW,
        )  # fmt: skip
        visit_answers.add(session, row)
        return row.id


def audit(sessions: Sessions) -> list[tuple[str, str, str, str]]:
    with sessions.reading() as session:
        return [(row.actor, row.name, str(row.act), row.way) for row in session.exec(select(AuditEntry))]


def test_requests_are_listed_by_our_ids_until_somebody_has_handled_them(deployed: Shell, sessions: Sessions) -> None:
    assert deployed.done("requests", CLINIC) == "Nobody waits to have a visit cancelled.\n"
    deployed.done("subjects", "import", "files/subjects.csv")
    with sessions.reading() as session:
        contact = session.exec(select(ContactPoint)).first()
        assert contact is not None
    request = asked(sessions, contact.subject_id)
    assert f"{request}  {contact.subject_id}" in deployed.done("requests", CLINIC)
    assert deployed("requests", CLINIC, "--handled", str(request)).code == 2  # by whom?
    told = deployed.done("requests", CLINIC, "--handled", str(request), "--by", "Lind")
    assert told == "Marked as handled.\nNobody waits to have a visit cancelled.\n"
    again = deployed("requests", CLINIC, "--handled", str(request), "--by", "Lind")
    assert (again.code, "no open request" in again.err) == (2, True)
    assert "there is no clinic named" in deployed("requests", "Finns inte").err
    assert audit(sessions) == [("staff", "Lind", "cancel_handled", "command")]


def test_check_15_16_staff_spare_an_address_by_command_and_lift_it_again(deployed: Shell, sessions: Sessions) -> None:
    deployed.done("subjects", "import", "files/subjects.csv")
    with sessions.reading() as session:
        contact = session.exec(select(ContactPoint).where(ContactPoint.kind == "phone")).first()
        assert contact is not None
    words = ("spare", str(contact.subject_id), "--channel", "sms", "--by", "Lind")
    assert deployed.done(*words) == "sms: 1 addresses are spared.\n"
    assert spared(sessions) == {(contact.digest, purpose) for purpose in SUPPRESSIBLE}
    assert deployed.done(*words, "--lift") == "sms: 1 addresses are told again.\n"
    assert spared(sessions) == set()
    assert audit(sessions) == [("staff", "Lind", "opted_out", "command"), ("staff", "Lind", "opted_in", "command")]


def spared(sessions: Sessions) -> set[tuple[str, str]]:
    with sessions.reading() as session:
        rows = session.exec(select(Suppression))
        return {(row.contact_digest, row.purpose) for row in rows if row.lifted_at is None}
