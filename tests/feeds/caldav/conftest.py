"""Fixtures of the account's tests."""

from collections.abc import Iterator
from datetime import datetime

import pytest

from store.database import open_database
from store.vault import Vault
from tests.feeds.caldav.account import Account, with_three_visits
from tests.feeds.world import World


@pytest.fixture
def account(world: World) -> Iterator[Account]:
    """An account with three visits, a day apart, on each database."""
    opened = with_three_visits(world)
    yield opened
    opened.close()


@pytest.fixture
def local(sqlite_url: str, vault: Vault, now: datetime) -> Iterator[Account]:
    """The same on SQLite alone, for what no database has a part in."""
    sessions = open_database(sqlite_url)
    opened = with_three_visits(World(sessions, vault, now))
    yield opened
    opened.close()
    sessions.close()
