"""Fixtures of the feeds' tests."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest

from store.database import Sessions, open_database
from store.vault import Vault
from tests.conftest import NOW
from tests.feeds.caldav.account import Account, with_three_visits
from tests.feeds.world import World


@pytest.fixture
def world(sessions: Sessions, vault: Vault, now: datetime) -> World:
    """Anna, a facility and an engagement, on each database."""
    return World(sessions, vault, now)


@pytest.fixture(scope="module")
def reader(sqlite_template: Path, vault: Vault, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    """A CalDAV account with three visits for tests that only read: SQLite, as no SQL differs, opened once a module."""
    path = tmp_path_factory.mktemp("reader") / "kallelse.db"
    path.write_bytes(sqlite_template.read_bytes())
    sessions = open_database(f"sqlite:///{path}")
    opened = with_three_visits(World(sessions, vault, NOW))
    yield opened
    opened.close()
    sessions.close()
