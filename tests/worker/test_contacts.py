"""Contact points, and who could not be reached, as a clinic's staff meet them: by our ids alone."""

from datetime import UTC, datetime, timedelta

import pytest
import structlog
from sqlmodel import col, select

from store import contact_points, unreached
from store.clinics import by_name
from store.database import Sessions, open_database
from store.purposes import Purpose
from store.subjects import ContactPoint, Subject
from store.unreached import Unreached
from tests.worker.shell import Shell
from tests.worker.test_commands import _logs_as_before as _logs_as_before
from tests.worker.test_commands import deployed as deployed
from tests.worker.test_commands import region as region
from tests.worker.test_commands import shell as shell

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
    assert line.split()[2:] == ["notice", "no_contact", str(subject), "-"]
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
