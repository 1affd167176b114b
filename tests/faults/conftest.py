"""One provider, a clock that stands still, and as many wirings of one database as a test wants."""

import logging
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.conftest import NOW
from tests.faults.wired import wired
from tests.stories.conftest import here as here
from tests.stories.town import StillClock
from worker.demo.providers import ProviderSettings, RunningProviders, start_providers
from worker.wiring import Wiring

logging.getLogger("apscheduler").setLevel(logging.ERROR)  # as the product's own set-up has it: overruns are harmless

Wire = Callable[..., Wiring]


@pytest.fixture
def clock() -> StillClock:
    """09:55 on Tuesday 24 November 2026 until a test moves it."""
    return StillClock(NOW)


@pytest.fixture
def providers(tmp_path: Path, clock: StillClock) -> Iterator[RunningProviders]:
    started = start_providers(ProviderSettings(tmp_path / "providers"), clock.now)
    yield started
    started.stop()


@pytest.fixture
def wire_one(database_url: str, tmp_path: Path, providers: RunningProviders, clock: StillClock) -> Iterator[Wire]:
    """Wires one more process to the test's database, provider and clock; settings may be given."""
    made: list[Wiring] = []

    def make(**settings: object) -> Wiring:
        made.append(wired(database_url, tmp_path, providers, clock, **settings))
        return made[-1]

    yield make
    for wiring in made:
        wiring.close()
