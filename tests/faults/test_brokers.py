"""Broker and database lose all that they may lose while messages go out: no message is lost, none is doubled."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from store.database import OperationalError, Sessions, open_database
from tests.faults.procfile import Product, product, settings_for
from tests.faults.promises import due_codes, states
from tests.faults.servers import Broker, Postgresql
from tests.faults.servers import broker as broker
from tests.faults.servers import postgresql as postgresql
from tests.faults.servers import rabbitmq_broker as rabbitmq_broker
from tests.faults.servers import rabbitmq_of_the_session as rabbitmq_of_the_session
from tests.faults.servers import redis_broker as redis_broker
from tests.faults.waiting import wait_until
from worker.clock import BusinessClock
from worker.demo.providers import ProviderSettings, RunningProviders, start_providers
from worker.settings import read_settings
from worker.wiring import open_vault

pytestmark = [pytest.mark.fault, pytest.mark.timeout(600)]
MANY = 240
PATIENCE = 120.0


@dataclass
class Rush:
    """Web, two workers and a clock, with many deliveries due."""

    processes: Product
    sessions: Sessions
    providers: RunningProviders

    def await_messages(self, count: int) -> None:
        """Until the provider has taken so many, and not all."""
        wait_until(lambda: len(self.providers.messages()) >= count, f"{count} messages", seconds=PATIENCE)
        self.processes.require_alive()

    def await_all(self) -> None:
        wait_until(lambda: self._states() == {"delivered": MANY}, "every receipt", seconds=PATIENCE)

    def doubled(self) -> list[tuple[str, str]]:
        """Each text is one person's own."""
        told = Counter((one.to, one.body) for one in self.providers.messages())
        return [text for text, times in told.items() if times > 1]

    def _states(self) -> dict[str, int]:
        self.processes.require_alive()
        try:
            return states(self.sessions)
        except OperationalError:
            return {}  # the database is starting


@pytest.fixture
def providers(tmp_path: Path) -> Iterator[RunningProviders]:
    started = start_providers(ProviderSettings(tmp_path / "providers"), BusinessClock().now)
    yield started
    started.stop()


@pytest.fixture
def rush(postgresql: Postgresql, broker: Broker, providers: RunningProviders, tmp_path: Path) -> Iterator[Rush]:
    settling = {"uncertain_seconds": 2, "second_proof_seconds": 1}
    environment = settings_for(tmp_path, postgresql.url, broker.url, providers.url, **settling)
    with product(environment, tmp_path) as processes:
        sessions = open_database(postgresql.url, pool_size=2)
        due_codes(sessions, open_vault(read_settings(environment)), datetime.now(UTC), MANY)
        yield Rush(processes, sessions, providers)
        sessions.close()


def test_a_broker_flushed_emptied_of_its_queues_and_restarted_and_a_database_restarted_lose_and_double_nothing(
    rush: Rush, broker: Broker, postgresql: Postgresql
) -> None:
    """One after the other in a single rush: each start of the processes costs as much as all of it. At the end both are
    gone for good, and the processes stop as they should all the same."""
    rush.await_messages(MANY // 8)
    broker.flush()
    broker.forget()
    rush.await_messages(MANY // 4)
    broker.restart()
    rush.await_messages(MANY // 2)
    postgresql.restart()
    rush.await_all()

    assert rush.doubled() == []
    assert len(rush.providers.messages()) == MANY
    broker.kill()
    postgresql.kill()
    assert rush.processes.terminate() == {"web.1": 0, "worker.1": 0, "worker.2": 0, "clock.1": 0}
