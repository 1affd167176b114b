"""Fixtures of the account's tests."""

from collections.abc import Iterator

import pytest

from tests.feeds.caldav.account import Account
from tests.feeds.world import DAY, World


@pytest.fixture
def account(world: World) -> Iterator[Account]:
    """An account with three visits, a day apart, on each database."""
    for day in (1, 2, 3):
        world.add(world.now + day * DAY)
    world.open()
    opened = Account(world)
    yield opened
    opened.close()
