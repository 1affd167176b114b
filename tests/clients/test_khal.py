"""khal, a calendar in the terminal, on the folder that vdirsyncer keeps."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.clients.conftest import Account
from tests.clients.test_vdirsyncer import set_up, vdirsyncer
from tests.stories.town import SWEDEN

PROGRAM = Path(sys.executable).with_name("khal")
CONFIGURATION = """
[calendars]
[[visits]]
path = {folder}/copies/*
type = discover
readonly = True
[locale]
timeformat = %H:%M
dateformat = %Y-%m-%d
longdateformat = %Y-%m-%d
datetimeformat = %Y-%m-%d %H:%M
longdatetimeformat = %Y-%m-%d %H:%M
local_timezone = Europe/Stockholm
default_timezone = Europe/Stockholm
[sqlite]
path = {folder}/khal.db
"""


def khal(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [PROGRAM, "--no-color", "--config", folder / "khal", *words],
        env={**os.environ, "HOME": str(folder), "LC_ALL": "C.UTF-8"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def shown(folder: Path) -> set[tuple[str, str]]:
    """When and what, as it tells a person."""
    form = ("--notstarted", "--format", "{start}|{title}", "--day-format", "")
    listed = khal(folder, "list", *form, "2026-01-01", "500d")
    assert listed.returncode == 0, listed.stderr
    return {tuple(line.split("|", 1)) for line in listed.stdout.splitlines() if "|" in line}


def expected(account: Account) -> set[tuple[str, str]]:
    return {
        (f"{event['DTSTART'].dt.astimezone(SWEDEN):%Y-%m-%d %H:%M}", str(event["SUMMARY"]))
        for event in account.visits().values()
    }


@pytest.fixture
def folder(account: Account, tmp_path: Path) -> Path:
    set_up(tmp_path, account, read_only=True)
    vdirsyncer(tmp_path, "sync", "visits")
    (tmp_path / "khal").write_text(CONFIGURATION.format(folder=tmp_path))
    return tmp_path


def test_it_shows_every_visit_and_after_a_change_the_new_time(account: Account, folder: Path) -> None:
    before = expected(account)
    assert shown(folder) == before

    account.move_a_visit()
    vdirsyncer(folder, "sync", "visits")

    assert shown(folder) == expected(account) != before


def test_a_reminder_of_ones_own_is_refused_and_no_file_is_made(folder: Path) -> None:
    files = set(folder.rglob("*.ics"))
    (name, *_) = khal(folder, "printcalendars").stdout.split("\n")
    refused = khal(folder, "new", "-a", name, "2027-01-01", "10:00", "11:00", "Eget")

    assert refused.returncode != 0
    assert "read-only" in refused.stderr
    assert set(folder.rglob("*.ics")) == files
