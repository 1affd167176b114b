"""A town on each database."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from tests.conftest import NOW
from tests.stories.town import StillClock, Town, town
from worker.demo.providers import ProviderSettings, start_providers
from worker.demo.region import Waits, start_region


@pytest.fixture
def here(database_url: str, tmp_path: Path) -> Iterator[Town]:
    """An empty region's town: the story makes the bookings. It is 09:55 on Tuesday 24 November 2026."""
    clock = StillClock(NOW)
    region = start_region(clock.now, citizens=1, waits=Waits(timedelta(seconds=0.2), timedelta(seconds=5)))
    for booking in region.cast.bookings:
        region.state.cancel(booking.id)
    for invitation in region.cast.invitations:
        region.state.withdraw(invitation.id)
    providers = start_providers(ProviderSettings(tmp_path / "providers"), clock.now)
    made = town(database_url, tmp_path, region, providers, clock)
    yield made
    made.wiring.close()
    providers.stop()
    region.stop()
