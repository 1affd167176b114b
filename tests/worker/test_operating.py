"""Pause, resume, frozen: the commands, as an operator meets them."""

from datetime import UTC, datetime, timedelta

import pytest
import structlog

from store import facilities, heartbeats, installation
from store.database import Sessions, open_database
from store.facilities import Facility
from store.heartbeats import Part
from store.identifiers import new_id
from tests import build
from tests.people import ANNA
from tests.worker.shell import Shell
from tests.worker.test_commands import _logs_as_before as _logs_as_before
from tests.worker.test_commands import deployed as deployed
from tests.worker.test_commands import region as region
from tests.worker.test_commands import shell as shell
from worker.settings import read_settings
from worker.wiring import open_vault

CLINIC = "Björkängens vårdcentral"
CENTRE = "SE2321000016-1A01"
on_both = pytest.mark.parametrize("deployed", ["sqlite", "postgresql"], indirect=True)


@pytest.fixture
def sessions(deployed: Shell) -> Sessions:
    structlog.reset_defaults()
    return open_database(deployed.environment.get("KALLELSE_DATABASE_URL", "sqlite:///kallelse.db"))


def finding(shell: Shell, what: str) -> str:
    """The line of `kallelse check` about it."""
    return next(line for line in shell("check").out.splitlines() if line[7:].startswith(what))


@on_both
def test_everything_is_paused_and_resumed(deployed: Shell) -> None:
    assert finding(deployed, "sending").split() == ["ok", "sending", "not", "paused"]
    assert "nothing is sent until `kallelse resume`." in deployed.done("pause")
    assert finding(deployed, "sending").startswith("  see")
    assert "paused since" in finding(deployed, "sending")

    assert deployed.done("resume") == "Sending goes on; 0 messages that waited are due now.\n"
    assert "not paused" in finding(deployed, "sending")


@on_both
def test_a_clinic_is_paused_and_resumed_by_its_name(deployed: Shell) -> None:
    told = deployed.done("pause", "--clinic", CLINIC)
    assert told == f'{CLINIC} is paused: nothing is sent until `kallelse resume --clinic "{CLINIC}"`.\n'
    deployed.done("resume")
    assert "1 clinics are paused" in finding(deployed, "sending")
    deployed.done("resume", "--clinic", CLINIC)
    assert "not paused" in finding(deployed, "sending")


@pytest.mark.parametrize("command", ["pause", "resume"])
def test_a_clinic_that_there_is_not_is_refused(deployed: Shell, command: str) -> None:
    refused = deployed(command, "--clinic", "Ingenstans")

    assert (refused.code, "there is no clinic named 'Ingenstans'" in refused.err) == (2, True)


def test_pausing_twice_keeps_the_first_time(deployed: Shell, sessions: Sessions) -> None:
    deployed.done("pause")
    with sessions.reading() as session:
        first = installation.paused_at(session)
    deployed.done("pause")
    with sessions.reading() as session:
        assert installation.paused_at(session) == first
    sessions.close()


def froze(deployed: Shell, sessions: Sessions) -> None:
    """Somebody's visit is missing at a frozen facility."""
    now = datetime.now(UTC)
    vault = open_vault(read_settings(deployed.environment))
    with sessions.writing() as session:
        (centre,) = facilities.by_ids(session, [CENTRE]).values()
        centre.frozen_at = now
        session.add(centre)
        engagement = build.engagement(session, build.subject(session, vault, now, ANNA).id, now + timedelta(days=1))
        build.booking(session, vault, engagement, now + timedelta(days=2), at=CENTRE, missed_at=now)


@on_both
def test_a_frozen_facility_is_listed_and_released(deployed: Shell, sessions: Sessions) -> None:
    assert deployed.done("frozen") == "No facility is frozen.\n"
    froze(deployed, sessions)
    assert "1 visits of 1 people are missing" in deployed.done("frozen")
    assert "1 facilities" in finding(deployed, "frozen")

    said = deployed.done("frozen", "--release", CENTRE.lower())
    assert said.splitlines()[-1] == "No facility is frozen."
    with sessions.reading() as session:
        released = session.get_one(Facility, CENTRE)
    assert released.frozen_at is None
    assert released.released_at is not None
    assert "asked about" in deployed.done("poll"), "those concerned are due"
    sessions.close()


def test_only_a_frozen_facility_can_be_released(deployed: Shell) -> None:
    refused = deployed("frozen", "--release", CENTRE)

    assert (refused.code, "no frozen facility has this HSA-id" in refused.err) == (2, True)


def test_a_system_at_rest_is_told_as_one_and_a_killed_one_is_not_well(deployed: Shell, sessions: Sessions) -> None:
    assert finding(deployed, "processes").startswith("  see")
    with sessions.writing() as session:
        heartbeats.note(session, new_id(), Part.WEB, "1.0")
    assert finding(deployed, "clock").startswith("  NOT")
    assert "start `kallelse clock`" in finding(deployed, "clock")
    assert finding(deployed, "web").startswith("  ok")
    sessions.close()


def test_an_operator_sees_and_steers_how_two_providers_share_the_messages(
    deployed: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "there are not two SMS providers" in deployed("providers").err
    monkeypatch.delitem(deployed.environment, "KALLELSE_PAPER_FOLDER", raising=False)
    for name, value in {
        "TWILIO_ACCOUNT_SID": "AC1", "TWILIO_AUTH_TOKEN": "t", "TWILIO_SENDER": "Kallelse", "ELKS_USERNAME": "u1",
        "ELKS_PASSWORD": "p", "ELKS_SENDER": "Kallelse", "ELKS_HOOK_SECRET": "Hemlig-del-av-adressen",
    }.items():  # fmt: skip
        monkeypatch.setitem(deployed.environment, f"KALLELSE_{name}", value)

    def shown(*words: str) -> list[list[str]]:
        return [line.split(None, 1) for line in deployed.done("providers", *words).splitlines()]

    assert shown() == [["twilio", "50 of 100"], ["46elks", "50 of 100"]]
    assert sorted(shown("--weight", "46elks=80")) == [["46elks", "80 of 100"], ["twilio", "20 of 100"]]
    assert sorted(shown("--stop", "twilio")) == [["46elks", "80 of 100"], ["twilio", "stopped"]]
    assert finding(deployed, "sms providers").startswith("  see")
    for refused in (("--stop", "46elks"), ("--stop", "sinch"), ("--weight", "46elks=101"), ("--weight", "46elks")):
        assert deployed("providers", *refused).code == 2
    assert sorted(shown("--start", "twilio")) == [["46elks", "80 of 100"], ["twilio", "20 of 100"]]
