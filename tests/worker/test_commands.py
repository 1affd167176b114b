"""The command line, as an operator meets it: help that teaches, refusals that name the remedy, exit codes, no trace-
back, and never a person's number on the screen."""

import json
import logging
import re
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import pytest
import structlog
import typer.main

from store import calendars
from store.database import open_database
from store.vault import make_key_file
from tests.worker.shell import Shell, sources_file
from worker.__main__ import app
from worker.demo.people import people
from worker.demo.region import RunningRegion, start_region
from worker.settings import read_settings

SECRET = "hemligt-4711"
NOBODY = "00000000-0000-0000-0000-000000000000"
FORMER = "19700101-0000"


@pytest.fixture(autouse=True)
def _logs_as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    structlog.reset_defaults()
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.fixture
def region() -> Iterator[RunningRegion]:
    running = start_region(lambda: datetime.now(UTC), citizens=4)
    yield running
    running.stop()


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shell:
    """A shell in an empty folder, with no setting but the register and a dry run."""
    monkeypatch.chdir(tmp_path)
    return Shell(tmp_path, {"KALLELSE_POPULATION": "files/population.csv", "KALLELSE_PAPER_FOLDER": "paper"})


@pytest.fixture
def deployed(shell: Shell, region: RunningRegion, request: pytest.FixtureRequest) -> Shell:
    """Four citizens of the simulated region, imported; on SQLite unless asked for on the other."""
    shell.environment["KALLELSE_SOURCES"] = sources_file(shell.folder, region)
    if getattr(request, "param", "sqlite") == "postgresql":
        shell.environment["KALLELSE_DATABASE_URL"] = request.getfixturevalue("postgresql_url")
        shell.environment["KALLELSE_KEYS"] = "kallelse.keys"
        shell.done("keys", "make", "kallelse.keys")
    shell.seeded()
    return shell


on_both = pytest.mark.parametrize("deployed", ["sqlite", "postgresql"], indirect=True)


def every_command() -> list[tuple[str, ...]]:
    root = typer.main.get_command(app)
    found: list[tuple[str, ...]] = []
    for name, command in root.commands.items():  # type: ignore[attr-defined]
        parts = getattr(command, "commands", None)
        found += [(name, part) for part in parts] if parts else [(name,)]
    return found


def test_every_promised_command_is_there() -> None:
    promised = {"demo", "up", "web", "worker", "clock", "migrate", "check", "ledger", "seed", "poll", "send-test"}

    assert promised | {"facilities", "subjects"} <= {words[0] for words in every_command()}


@pytest.mark.parametrize("words", every_command(), ids=" ".join)
def test_every_help_says_when_to_use_it_and_shows_an_example(shell: Shell, words: tuple[str, ...]) -> None:
    shown = " ".join(re.sub(r"[^\w\s`'/.:-]", " ", shell.done(*words, "--help")).split())

    assert f"kallelse {' '.join(words)}" in shown
    assert "Example:" in shown
    assert "Use it" in shown


@on_both
def test_a_deployment_comes_up_by_the_commands_that_seed_prints(deployed: Shell) -> None:
    assert deployed.done("subjects", "import", "files/subjects.csv") == "4 subjects imported.\n"
    clinic = "Björkängens vårdcentral"
    told = deployed.done("clinic", "decide", clinic, "--reference", "RS 1", "--by", "Chefen", "--on", "2026-01-02")
    assert told == f"{clinic}: decision RS 1 is recorded; its messages may go out.\n"
    assert "4 asked about, 4 answered" in deployed.done("poll")

    listed = deployed.done("subjects", "list").splitlines()
    assert [line.split()[1:3] for line in listed[1:]] == [
        ["sv", "full"],
        ["sv", "clinic"],
        ["sv", "visit"],
        ["en", "clinic"],
    ]
    assert all(int(line.split()[3]) > 0 and line.split()[4:] == ["stands", "known"] for line in listed[1:])
    address = deployed.done("subjects", "link", deployed.ids()[0], "--level", "busy").strip()
    assert re.fullmatch(r"http://127\.0\.0\.1:8000/f/[\w-]{43}\.ics", address)
    assert deployed.done("subjects", "list").splitlines()[1].split()[2] == "busy"
    assert deployed("ledger").err == "No deliveries yet.\n"
    assert deployed.done("facilities", "silent") == "Everybody who has been asked answers.\n"


def test_a_device_is_added_shown_and_removed_and_its_password_is_shown_once(deployed: Shell) -> None:
    deployed.done("poll")
    person = deployed.ids()[0]
    assert "there is no device yet" in deployed("subjects", "devices", person).err.lower()

    said = deployed.done("subjects", "add-device", person, "--name", "Annas telefon").splitlines()
    assert said[0] == "Server     http://127.0.0.1:8000/dav/"
    assert re.fullmatch("User name  [a-z2-7]{10}", said[1])
    password = said[2].removeprefix("Password   ")
    assert re.fullmatch("([a-z2-7]{4}-){6}[a-z2-7]{4}", password)

    listed = deployed.done("subjects", "devices", person)
    assert "never used" in listed
    assert "Annas telefon" in listed
    assert password not in listed
    device = listed.splitlines()[1].split()[0]
    assert deployed.done("subjects", "remove-device", device) == "Removed.\n"
    assert "removed " in deployed.done("subjects", "devices", person)
    assert "no longer in use" in deployed("subjects", "remove-device", device).err


def test_seed_prints_commands_that_name_what_it_wrote(shell: Shell) -> None:
    said = shell.done("seed", "a/b", "--citizens", "2")

    for name in ("facilities.csv", "subjects.csv", "population.csv", "sources.toml"):
        assert (shell.folder / "a/b" / name).is_file()
        assert f"a/b/{name}" in said


def test_seed_does_not_write_over_what_may_be_somebodys_own(shell: Shell) -> None:
    (shell.folder / "facilities.csv").write_text("mine")
    refused = shell("seed", ".")

    assert refused.code == 2
    assert "facilities.csv already: name another folder, or give --overwrite" in refused.err
    assert (shell.folder / "facilities.csv").read_text() == "mine"
    assert not (shell.folder / "subjects.csv").exists()
    shell.done("seed", ".", "--overwrite")
    assert (shell.folder / "facilities.csv").read_text() != "mine"


def test_migrate_may_be_repeated(shell: Shell) -> None:
    assert shell.done("migrate") == shell.done("migrate")


# What must be set right first: exit code 2, one plain sentence, the setting or field by name.
REFUSED = [
    (["ledger"], {}, "run `kallelse migrate`"),
    (["ledger"], {"KALLELSE_DATABASE_URL": "nonsense"}, "KALLELSE_DATABASE_URL is no address"),
    (["ledger"], {"KALLELSE_DATABASE_URL": f"mysql://u:{SECRET}@h/x"}, "KALLELSE_DATABASE_URL names mysql"),
    (["ledger"], {"KALLELSE_DATABASE_URL": f"postgresql://u:{SECRET}@127.0.0.1:1/x"}, "the database does not answer"),
    (
        ["migrate"],
        {"KALLELSE_DATABASE_URL": "sqlite:///no/such/k.db"},
        "the database does not answer or cannot be opened",
    ),
    (["migrate"], {"KALLELSE_KEYS": "none.keys"}, "set KALLELSE_KEYS to its path"),
    (["ledger"], {"KALLELSE_POTR": "1"}, "KALLELSE_POTR is not a setting"),
    (["up"], {"KALLELSE_LEASE_SECONDS": "0"}, "KALLELSE_LEASE_SECONDS: "),
    (["worker"], {}, "KALLELSE_BROKER_URL is not set"),
    (["clock"], {}, "KALLELSE_BROKER_URL is not set"),
    (["check"], {"KALLELSE_SOURCES": "none.toml"}, "KALLELSE_SOURCES: none.toml cannot be read"),
    (["facilities", "import", "none.csv"], {}, "does not exist"),
    (["facilities", "import", "."], {}, "is a directory"),
    (["subjects", "import", "none.csv"], {}, "does not exist"),
    (["ledger", "--state", "lost"], {}, "'uncertain'"),
    (["demo", "--now", "tomorrow"], {}, "2026-12-24T03:00"),
    (["demo", "--now", "0001-01-01"], {}, "2026-12-24T03:00"),
    (["demo", "--citizens", "46"], {}, "less than or equal to 45"),
    (["demo", "--citizens", "0"], {}, "greater than or equal to 1"),
    (["demo", "--ready-file", "no/such/ready.json"], {}, "its folder is not there"),
    (["seed", "files", "--citizens", "46"], {}, "less than or equal to 45"),
    (["send-test", "--to", "08-123 456 78"], {}, "--to: the phone number"),
    (["send-test", "--to", "a@localhost"], {}, "--to: the part after @"),
    (["send-test", "--to", "070-174 06 05"], {"KALLELSE_PAPER_FOLDER": ""}, "set KALLELSE_TWILIO_ACCOUNT_SID"),
    (["send-test", "--to", "a@example.se"], {"KALLELSE_PAPER_FOLDER": ""}, "set KALLELSE_SMTP_HOST"),
    (["nonsense"], {}, "No such command"),
]


@pytest.mark.parametrize(("words", "settings", "told"), REFUSED, ids=[f"{' '.join(w)} {s}" for w, s, _ in REFUSED])
def test_what_must_be_set_right_is_told_in_a_sentence(
    shell: Shell, words: list[str], settings: dict[str, str], told: str
) -> None:
    shell.environment |= settings
    refused = shell(*words)

    assert refused.code == 2
    assert told in unframed(refused.err)
    assert "Traceback" not in refused.all
    assert SECRET not in refused.all
    assert refused.out == ""


def unframed(text: str) -> str:
    return " ".join(text.replace("│", " ").split())


REFUSED_ONCE_DEPLOYED = [
    (["subjects", "link", FORMER, "--level", "visit"], "this is not one of our ids"),
    (["subjects", "withdraw", FORMER], "this is not one of our ids"),
    (["poll", "--subject", FORMER], "this is not one of our ids"),
    (["subjects", "link", NOBODY, "--level", "visit"], "there is no subject with this id"),
    (["subjects", "withdraw", NOBODY], "there is no subject with this id"),
    (["subjects", "add-device", NOBODY, "--name", "x"], "there is no subject with this id"),
    (["subjects", "devices", FORMER], "this is not one of our ids"),
    (["subjects", "remove-device", NOBODY], "no longer in use"),
    (["poll", "--subject", NOBODY], "there is no subject with this id"),
    (["subjects", "link", NOBODY, "--level", "most"], "'busy', 'visit', 'clinic', 'full'"),
    (["subjects", "link", NOBODY, "--level", "busy", "--language", "fi"], "'sv', 'en'"),
    (["subjects", "link", NOBODY, "--level", "busy", "--alarm", "soon"], "--alarm"),
    (
        ["facilities", "decide", "Ingen", "--reference", "1", "--by", "x", "--on", "2026-01-01"],
        "no clinic named 'Ingen'",
    ),
    (["facilities", "decide", "X", "--reference", "1", "--by", "x", "--on", "2999-01-01"], "--on: "),
    (["facilities", "decide", "X", "--reference", " ", "--by", "x", "--on", "2026-01-01"], "--reference and --by"),
    (["facilities", "decide", "X", "--reference", "1", "--by", "x", "--on", "1/1"], "2026"),
]


def test_a_calendar_gets_the_alarms_and_the_period_that_were_asked_for(deployed: Shell) -> None:
    somebody = deployed.ids()[0]
    wished = ("subjects", "link", somebody, "--level", "visit")
    deployed.done(*wished, "--alarm", "1440", "--alarm", "60", "--past-days", "7")

    assert _calendar(deployed) == ([60, 1440], 7)
    for bent, told in [(("--alarm", "60", "--alarm", "-1"), "40320 minutes"), (("--past-days", "400"), "366 days")]:
        refused = deployed(*wished, *bent)
        assert (refused.code, refused.out) == (2, "")
        assert f"0 to {told}" in unframed(refused.err)
    assert _calendar(deployed) == ([60, 1440], 7)
    deployed.done(*wished)
    assert _calendar(deployed) == ([], 30)


def _calendar(deployed: Shell) -> tuple[list[int], int]:
    """The alarms and days of the first subject's calendar."""
    database_url = read_settings(deployed.environment).settings.database_url
    with closing(open_database(database_url)) as sessions, sessions.reading() as session:
        (row,) = calendars.locked_of_subject(session, UUID(deployed.ids()[0]))
        return row.alarms, row.past_days


def test_a_mistyped_id_name_or_day_changes_nothing_and_is_told(deployed: Shell) -> None:
    before = deployed.done("subjects", "list")
    for words, told in REFUSED_ONCE_DEPLOYED:
        refused = deployed(*words)
        assert refused.code == 2, words
        assert told in unframed(refused.err) or told == "2026", words
        assert FORMER not in refused.all, "what was typed may be somebody's number"
    assert deployed.done("subjects", "list") == before


def test_a_fault_in_an_import_names_line_and_field_and_imports_nothing(deployed: Shell) -> None:
    file = deployed.folder / "files/subjects.csv"
    lines = file.read_text().splitlines()
    file.write_text("\n".join([lines[0], lines[1].replace("sv", "xx"), lines[2].replace(people(2)[1].identity, "x")]))
    refused = deployed("subjects", "import", "files/subjects.csv")

    assert refused.code == 2
    assert refused.err.splitlines()[0].startswith("kallelse: line 2, language: must be a code such as")
    assert refused.err.splitlines()[1].startswith("line 3, identity: ")


def test_an_import_without_sources_or_register_says_what_is_missing(shell: Shell) -> None:
    shell.environment["KALLELSE_POPULATION"] = ""
    shell.seeded(2)
    said = shell.done("subjects", "import", "files/subjects.csv")

    assert "set KALLELSE_SOURCES and import again" in said
    assert "2 calendars were not opened" in said
    assert "KALLELSE_POPULATION" in said
    assert "held" in shell.done("subjects", "list")
    assert shell("poll").code == 2


def test_an_old_file_says_whom_it_left_alone(deployed: Shell) -> None:
    deployed.done("subjects", "withdraw", deployed.ids()[0])

    said = deployed.done("subjects", "import", "files/subjects.csv")
    assert said.startswith("3 subjects imported.\n1 have withdrawn their consent")
    assert deployed.done("subjects", "list").splitlines()[1].split()[4] == "none"


@on_both
def test_find_reads_the_number_from_standard_input_and_never_shows_it(deployed: Shell) -> None:
    identity = people(1)[0].identity
    found = deployed("subjects", "find", typed=f"{identity[:8]}-{identity[8:]}\n")

    assert found.code == 0
    assert found.out.splitlines()[1].split()[0] == deployed.ids()[0]
    assert identity not in found.all
    assert identity[8:] not in found.err
    unknown = deployed("subjects", "find", typed="191212121212\n")
    assert (unknown.code, unknown.err) == (1, "kallelse: nobody with this number is enrolled\n")
    wrong = deployed("subjects", "find", typed="19121212-1213\n")
    assert wrong.code == 2
    assert "1213" not in wrong.all
    assert deployed("subjects", "find", typed="").code == 2


def test_poll_asks_about_the_one_person_it_was_told(deployed: Shell) -> None:
    last = deployed.ids()[-1]
    assert "1 asked about, 1 answered" in deployed.done("poll", "--subject", last)

    coming = {line.split()[0]: int(line.split()[3]) for line in deployed.done("subjects", "list").splitlines()[1:]}
    assert coming.pop(last) > 0
    assert set(coming.values()) == {0}


def test_poll_says_who_was_not_asked_about(deployed: Shell) -> None:
    deployed.done("subjects", "withdraw", deployed.ids()[0])
    said = deployed.done("poll")

    assert "3 asked about, 3 answered" in said
    assert "1 not asked about: no consent stands, or the person has died." in said


def test_poll_ends_with_1_when_a_source_did_not_answer(deployed: Shell, region: RunningRegion) -> None:
    deployed.done("poll")
    region.stop()
    failed = deployed("poll")

    assert failed.code == 1
    assert "4 asked about, 0 answered" in failed.out
    assert "kallelse: no answer: 4 unreachable" in failed.err
    assert "the source itself: no answer (unreachable) since 20" in deployed.done("facilities", "silent")


def test_poll_without_its_source_set_does_not_stop_anybodys_polling(deployed: Shell) -> None:
    sources = deployed.environment.pop("KALLELSE_SOURCES")
    refused = deployed("poll")
    assert refused.code == 2
    assert "asked about at region, which KALLELSE_SOURCES does not name" in refused.err

    deployed.environment["KALLELSE_SOURCES"] = sources
    assert "4 asked about, 4 answered" in deployed.done("poll")


def test_a_test_message_goes_to_paper_in_a_dry_run(shell: Shell) -> None:
    assert "paper took it as " in shell.done("send-test", "--to", "070-174 06 05")
    (letter,) = (shell.folder / "paper").iterdir()
    assert "Det här är ett prov från Kallelse" in letter.read_text()
    assert (shell.folder / "paper").stat().st_mode & 0o077 == 0


def test_a_provider_that_cannot_be_reached_ends_a_test_message_with_1(shell: Shell) -> None:
    shell.environment |= {
        "KALLELSE_PAPER_FOLDER": "",
        "KALLELSE_TWILIO_ACCOUNT_SID": "AC" + "0" * 32,
        "KALLELSE_TWILIO_AUTH_TOKEN": SECRET,
        "KALLELSE_TWILIO_SENDER": "Kallelse",
        "KALLELSE_TWILIO_API_BASE_URL": f"http://127.0.0.1:{closed_port()}",
    }
    failed = shell("send-test", "--to", "070-174 06 05")

    assert failed.code == 1
    assert "twilio did not take it (connect" in failed.err
    assert SECRET not in failed.all
    assert "1740605" not in failed.all


def closed_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def test_check_shows_settings_with_their_origin_and_no_secret(shell: Shell) -> None:
    (shell.folder / "token").write_text(SECRET)
    shell.environment |= {
        "KALLELSE_DATABASE_URL": f"postgresql://kallelse:{SECRET}@127.0.0.1:1/kallelse",
        "KALLELSE_BROKER_URL": f"redis://:{SECRET}@127.0.0.1:1/0",
        "KALLELSE_TWILIO_AUTH_TOKEN_FILE": "token",
        "KALLELSE_SMTP_PASSWORD": SECRET,
        "KALLELSE_SMTP_STARTTLS": "yes",
    }
    said = shell("check")

    assert said.code == 2
    assert SECRET not in said.all
    shown = {line.split()[0]: line.split()[1:] for line in said.out.splitlines() if line.startswith("  KALLELSE_")}
    assert shown["KALLELSE_DATABASE_URL"] == ["environment", "postgresql://kallelse:***@127.0.0.1:1/kallelse"]
    assert shown["KALLELSE_TWILIO_AUTH_TOKEN"] == ["file", "***"]
    assert shown["KALLELSE_SMTP_STARTTLS"] == ["environment", "true"]
    assert shown["KALLELSE_PORT"] == ["default", "8000"]
    assert re.search(r"NOT +database +no connection", said.out)
    assert re.search(r"NOT +broker +no answer", said.out)


def test_check_only_looks(shell: Shell) -> None:
    shell.environment["KALLELSE_PAPER_FOLDER"] = ""
    said = shell("check")

    assert said.code == 2
    assert "there is no kallelse.db yet: `kallelse migrate` makes it" in said.out
    assert list(shell.folder.iterdir()) == []


def test_check_is_content_with_a_deployment_that_is_complete(deployed: Shell) -> None:
    said = deployed("check")

    assert said.code == 0, said.all
    assert "NOT" not in said.out


def test_a_key_file_is_made_once_and_never_written_over(shell: Shell) -> None:
    shell.done("keys", "make", "k.keys")
    content = (shell.folder / "k.keys").read_bytes()

    assert shell("keys", "make", "k.keys").code == 2
    assert shell("keys", "make", "no/such/k.keys").code == 2
    assert (shell.folder / "k.keys").read_bytes() == content
    assert (shell.folder / "k.keys").stat().st_mode & 0o777 == 0o600


def test_a_database_restored_without_its_keys_is_not_given_new_ones(deployed: Shell) -> None:
    (deployed.folder / "kallelse.keys").rename(deployed.folder / "kept.keys")

    for words in (["migrate"], ["up"], ["subjects", "import", "files/subjects.csv"], ["ledger"]):
        refused = deployed(*words)
        assert refused.code == 2
        assert "key file" in refused.err
    assert not (deployed.folder / "kallelse.keys").exists()


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (lambda path: path.chmod(0o644), "chmod 600 it"),
        (lambda path: path.write_text("{}"), "restore it from its backup"),
        (lambda path: path.write_text('{"current": "w9"}'), "restore it from its backup"),
    ],
)
def test_a_key_file_that_cannot_be_used_is_told_without_its_keys(deployed: Shell, spoil: object, told: str) -> None:
    path = deployed.folder / "kallelse.keys"
    keys = json.loads(path.read_text())["wrapping"]["w1"]
    spoil(path)  # type: ignore[operator]
    refused = deployed("ledger")

    assert refused.code == 2
    assert told in refused.err
    assert keys not in refused.all


def test_another_deployments_keys_do_not_show_a_traceback(deployed: Shell) -> None:
    (deployed.folder / "kallelse.keys").unlink()
    make_key_file(deployed.folder / "kallelse.keys")
    refused = deployed("poll")

    assert refused.code == 2
    assert "does not open" in refused.err or "not in the key file" in refused.err


# Real processes: what only they can show.


def test_a_refusal_goes_to_standard_error_with_exit_code_2(shell: Shell) -> None:
    refused = shell.process("ledger")

    assert (refused.code, refused.out) == (2, "")
    assert refused.err.startswith("kallelse: ")
    assert refused.err.count("\n") == 1


def test_a_port_that_is_taken_is_told_with_the_remedy(shell: Shell) -> None:
    shell.done("migrate")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        refused = shell.process("web", "--port", str(taken.getsockname()[1]))

    assert refused.code == 2
    assert "choose another with KALLELSE_PORT or --port" in refused.err
    assert "Traceback" not in refused.err


def test_up_brings_an_empty_folder_up_and_stops_when_told(shell: Shell) -> None:
    port = closed_port()
    process = subprocess.Popen(  # noqa: S603 - our own command
        shell.command("up", "--port", str(port)),
        env=shell.whole_environment(),
        cwd=shell.folder,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        await_answer(port, process)
        process.send_signal(signal.SIGTERM)
        said = process.communicate(timeout=60)[1]
    finally:
        process.kill()

    assert said.startswith(f"Kallelse on http://127.0.0.1:{port}\n")
    assert process.returncode == 0, said
    assert "Traceback" not in said
    assert (shell.folder / "kallelse.db").is_file()
    assert (shell.folder / "kallelse.keys").stat().st_mode & 0o777 == 0o600


def await_answer(port: int, process: subprocess.Popen[str]) -> None:
    ends_at = time.monotonic() + 60
    while process.poll() is None and time.monotonic() < ends_at:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError("it does not answer")
