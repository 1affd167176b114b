"""A town on each database."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from notifier.channels.twilio_replies import REPLIES_PATH
from tests.conftest import NOW
from tests.stories.town import StillClock, Town, town
from worker.demo.providers import ProviderSettings, start_providers
from worker.demo.region import Waits, start_region
from worker.demo.twilio_api import TwilioAccount


@pytest.fixture
def here(database_url: str, tmp_path: Path) -> Iterator[Town]:
    """An empty region's town: the story makes the bookings. It is 09:55 on Tuesday 24 November 2026."""
    with opened(database_url, tmp_path) as made:
        yield made


@contextmanager
def opened(database_url: str, folder: Path, public_url: str = "") -> Iterator[Town]:
    """The same. `public_url`: where its providers reach it; empty: nowhere."""
    clock = StillClock(NOW)
    region = start_region(clock.now, citizens=1, waits=Waits(timedelta(seconds=0.2), timedelta(seconds=5)))
    for booking in region.cast.bookings:
        region.state.cancel(booking.id)
    for invitation in region.cast.invitations:
        region.state.withdraw(invitation.id)
    account = TwilioAccount(sms_url=f"{public_url}{REPLIES_PATH}" if public_url else "")
    providers = start_providers(ProviderSettings(folder / "providers", account=account), clock.now)
    reachable = {"public_url": public_url} if public_url else {}
    made = town(database_url, folder, region, providers, clock, **reachable)
    yield made
    made.wiring.close()
    providers.stop()
    region.stop()
