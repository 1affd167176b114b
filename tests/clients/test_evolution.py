"""Evolution Data Server, the engine of GNOME's calendars, on a D-Bus of its own."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import icalendar
import pytest

from tests.clients.conftest import Account
from tests.clients.readers import DEBIAN_PYTHON, HERE, described_missing, missing
from tests.clients.sitting import Sitting, sitting
from tests.stories.test_demo import within

REGISTRY = "/usr/libexec/evolution-source-registry"
LIBRARIES = (("EDataServer", "1.2"), ("ECal", "2.0"), ("ICalGLib", "3.0"))


@pytest.fixture
def evolution(account: Account, tmp_path: Path) -> Iterator[Sitting]:
    if why := missing(REGISTRY, "dbus-run-session") or described_missing(*LIBRARIES):
        pytest.skip(why)
    folders = {"HOME": tmp_path, "XDG_RUNTIME_DIR": tmp_path / "run"}
    folders |= {f"XDG_{name}_HOME": tmp_path / name.lower() for name in ("CONFIG", "DATA", "CACHE")}
    (tmp_path / "run").mkdir(mode=0o700)
    environment = {**account.environment(), **{name: str(path) for name, path in folders.items()}}
    environment["GSETTINGS_BACKEND"] = "memory"
    command = ["dbus-run-session", "--", DEBIAN_PYTHON, HERE / "evolution_session.py", account.url]
    with sitting(command, environment) as made:
        yield made


def starts(events: dict[str, str]) -> dict[str, datetime]:
    read = {uid: icalendar.Event.from_ical(text) for uid, text in events.items()}
    return {uid: event["DTSTART"].dt.astimezone(UTC) for uid, event in read.items()}


def test_it_finds_the_calendar_knows_that_it_may_not_write_and_follows_a_change(
    account: Account, evolution: Sitting
) -> None:
    ((name, _),) = evolution.found
    assert name == "Bokade tider"
    within(20, lambda: starts(evolution.told("list")["events"]) == account.starts())
    known = evolution.told("list")
    assert known["is_readonly"]

    moved = account.move_a_visit()
    evolution.told("sync")
    within(20, lambda: starts(evolution.told("list")["events"]) == account.starts())
    synced = evolution.told("list")["events"]
    assert [uid for uid in synced if synced[uid] != known["events"][uid]] == [moved]

    before = account.feed().content
    refused = evolution.told("write")
    assert set(refused) == {"create", "update", "delete"}
    assert all(words.endswith("Permission denied") for words in refused.values())
    assert account.feed().content == before
