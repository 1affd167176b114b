"""Fixtures of the feeds' tests."""

from datetime import datetime

import pytest

from store.database import Sessions
from store.vault import Vault
from tests.feeds.world import World


@pytest.fixture
def world(sessions: Sessions, vault: Vault, now: datetime) -> World:
    """Anna, a facility and an engagement, on each database."""
    return World(sessions, vault, now)
