"""calcurse-caldav, which brings an account into a calendar in the terminal."""

import os
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.clients.conftest import Account
from tests.clients.readers import DEBIAN_PYTHON, missing

CONFIGURATION = """
[General]
Hostname = {host}
Path = {path}
HTTPS = No
DryRun = No
Verbose = Yes
[Auth]
Username = {user}
"""
OWN = """BEGIN:VCALENDAR
VERSION:2.0
BEGIN:VEVENT
UID:own
DTSTART:20270101T100000Z
DTEND:20270101T110000Z
SUMMARY:Eget
END:VEVENT
END:VCALENDAR
"""


class Calcurse:
    def __init__(self, account: Account, folder: Path) -> None:
        self.folder = folder
        (folder / "data").mkdir()
        address = urlsplit(account.calendar_url())
        written = CONFIGURATION.format(host=address.netloc, path=address.path, user=account.user)
        (folder / "caldav").write_text(written)
        self.environment = {**os.environ, "HOME": str(folder), "TZ": "Europe/Stockholm", "LC_ALL": "C.UTF-8"}
        self.environment["CALCURSE_CALDAV_PASSWORD"] = account.password

    def sync(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Debian's program, on Debian's Python."""
        command = [DEBIAN_PYTHON, "/usr/bin/calcurse-caldav", "--config", self.folder / "caldav"]
        command += ["--datadir", self.folder / "data", "--lockfile", self.folder / "lock"]
        return self._run(*command, "--syncdb", self.folder / "known", *words)

    def shown(self) -> list[tuple[datetime, str]]:
        listed = self._run(
            "calcurse", "-D", self.folder / "data", "-Q", "--from", "01/01/2026", "--days", "500",
            "--filter-type", "apt", "--format-apt", r"%s|%m\n",
        )  # fmt: skip
        lines = [line.split("|", 1) for line in listed.stdout.splitlines() if "|" in line]
        return sorted((datetime.fromtimestamp(int(seconds), UTC), summary) for seconds, summary in lines)

    def add(self, calendar: str) -> None:
        (self.folder / "own.ics").write_text(calendar)
        self._run("calcurse", "-D", self.folder / "data", "-q", "-i", self.folder / "own.ics")

    def _run(self, *command: str | Path) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command, env=self.environment, capture_output=True, timeout=60, check=False, encoding="utf-8"
        )


@pytest.fixture
def calcurse(account: Account, tmp_path: Path) -> Calcurse:
    if why := missing("calcurse", "/usr/bin/calcurse-caldav", "/usr/lib/python3/dist-packages/httplib2"):
        pytest.skip(why)
    return Calcurse(account, tmp_path)


def expected(account: Account) -> list[tuple[datetime, str]]:
    visits = account.visits().values()
    return sorted((event["DTSTART"].dt.astimezone(UTC), str(event["SUMMARY"])) for event in visits)


def test_it_lists_fetches_what_changed_and_says_that_it_may_not_write(account: Account, calcurse: Calcurse) -> None:
    first = calcurse.sync("--init=keep-remote")
    assert first.returncode == 0, first.stderr
    assert calcurse.shown() == expected(account)

    account.move_a_visit()
    second = calcurse.sync()
    assert second.returncode == 0, second.stderr
    assert second.stdout.count("Replacing object") == 1
    assert "Importing" not in second.stdout
    assert calcurse.shown() == expected(account)

    before = account.feed().content
    calcurse.add(OWN)
    refused = calcurse.sync()
    assert refused.returncode != 0
    assert "403" in refused.stderr
    assert "Eget" in [summary for _, summary in calcurse.shown()]
    assert account.feed().content == before
