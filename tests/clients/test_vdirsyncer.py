"""vdirsyncer, which keeps an account or an address as a folder of files for other programs."""

import os
import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import icalendar
import pytest

from tests.clients.conftest import Account

PROGRAM = Path(sys.executable).with_name("vdirsyncer")
CONFIGURATION = """
[general]
status_path = "{folder}/status"
[pair visits]
a = "account"
b = "copies"
collections = ["from a"]
[storage account]
type = "caldav"
url = "{account.url}"
username = "{account.user}"
password = "{account.password}"
item_types = ["VEVENT"]
{read_only}
[storage copies]
type = "filesystem"
path = "{folder}/copies"
fileext = ".ics"
[pair subscription]
a = "address"
b = "subscribed"
collections = null
[storage address]
type = "http"
url = "{feed}"
[storage subscribed]
type = "filesystem"
path = "{folder}/subscribed"
fileext = ".ics"
"""


def vdirsyncer(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [PROGRAM, "--config", folder / "config", *words],
        env={**os.environ, "HOME": str(folder)},
        input="y\n" * 8,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def set_up(folder: Path, account: Account, *, read_only: bool) -> None:
    written = CONFIGURATION.format(
        folder=folder,
        account=account,
        feed=account.ready["feed_url"],
        read_only="read_only = true" if read_only else "",
    )
    (folder / "config").write_text(written)
    for name in ("copies", "subscribed"):
        (folder / name).mkdir()
    found = vdirsyncer(folder, "discover")
    assert found.returncode == 0, found.stderr


def actions(synced: subprocess.CompletedProcess[str]) -> list[tuple[str, str]]:
    """What it did, each with the name it uses for the event."""
    assert synced.returncode == 0, synced.stderr
    return re.findall(r"(uploading|updating|Deleting)\)? item (\S+)", synced.stderr)


def copies(folder: Path) -> dict[str, Path]:
    """By UID."""
    return {uid_of(path): path for path in folder.rglob("*.ics")}


def uid_of(path: Path) -> str:
    return str(event_of(path)["UID"])


def event_of(path: Path) -> icalendar.Event:
    return next(iter(icalendar.Calendar.from_ical(path.read_bytes()).events))


def starts(folder: Path) -> dict[str, datetime]:
    return {uid: event_of(path)["DTSTART"].dt.astimezone(UTC) for uid, path in copies(folder).items()}


@pytest.fixture
def folder(account: Account, tmp_path: Path) -> Path:
    """Kept once, by account and by address."""
    set_up(tmp_path, account, read_only=True)
    synced = vdirsyncer(tmp_path, "sync")
    assert synced.returncode == 0, synced.stderr
    return tmp_path


def test_it_keeps_account_and_address_as_files_and_after_a_change_fetches_that_one(
    account: Account, folder: Path
) -> None:
    """By address it names events by their content, so a changed one is an old one that went and a new one."""
    expected = account.starts()
    assert starts(folder / "copies") == expected
    assert sorted(starts(folder / "subscribed").values()) == sorted(expected.values())

    moved = account.move_a_visit()
    synced = vdirsyncer(folder, "sync", "visits")
    subscribed = vdirsyncer(folder, "sync", "subscription")

    assert actions(synced) == [("updating", moved)]
    assert sorted(action for action, _ in actions(subscribed)) == ["Deleting", "uploading"]
    assert starts(folder / "copies") == account.starts() != expected
    assert sorted(starts(folder / "subscribed").values()) == sorted(account.starts().values())
    assert actions(vdirsyncer(folder, "sync")) == []


def test_an_edited_copy_is_refused_aloud_and_kept(account: Account, tmp_path: Path) -> None:
    set_up(tmp_path, account, read_only=False)
    assert vdirsyncer(tmp_path, "sync", "visits").returncode == 0
    before = account.feed().content
    path = next((tmp_path / "copies").rglob("*.ics"))
    edited = path.read_bytes().replace(b"SUMMARY:", b"SUMMARY:Min ")
    path.write_bytes(edited)
    synced = vdirsyncer(tmp_path, "sync", "visits")

    assert synced.returncode != 0
    assert "403" in synced.stderr
    assert path.read_bytes() == edited
    assert account.feed().content == before
