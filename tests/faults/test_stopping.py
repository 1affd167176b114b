"""SIGTERM in the middle of the work: what is begun is finished, what is claimed is given back, nothing is uncertain."""

import socket
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from store.database import Sessions, open_database
from tests.faults.procfile import Product, is_running, settings_for
from tests.faults.programs import KALLELSE, running
from tests.faults.promises import claimed, due_codes, states
from tests.faults.servers import Redis
from tests.faults.servers import redis_broker as redis_broker
from tests.faults.waiting import wait_until
from tests.faults.wired import set_faults
from worker.clock import BusinessClock
from worker.commands.running import bring_up
from worker.demo.providers import ProviderSettings, RunningProviders, start_providers
from worker.demo.twilio_api import TwilioAccount
from worker.settings import read_settings
from worker.wiring import open_vault

pytestmark = [pytest.mark.fault, pytest.mark.timeout(600)]
MANY = 40
PATIENCE = 120.0
ENDS = {"accepted", "delivered", "queued"}


@pytest.fixture
def providers(tmp_path: Path) -> Iterator[RunningProviders]:
    """A provider that takes two seconds for each message."""
    account = TwilioAccount(slow_for=timedelta(seconds=2))
    started = start_providers(ProviderSettings(tmp_path / "providers", account=account), BusinessClock().now)
    set_faults(started.url, slow=1)
    yield started
    started.stop()


@dataclass
class Place:
    """A database with many deliveries due, and the settings of whoever is to send them."""

    folder: Path
    environment: dict[str, str]
    sessions: Sessions
    providers: RunningProviders

    def await_messages_under_way(self) -> None:
        wait_until(lambda: len(self.providers.messages()) >= 2, "messages to be under way", seconds=PATIENCE)

    def require_all_in_order(self) -> None:
        """Nothing is claimed, nothing is left half done, and nobody was told twice."""
        left = states(self.sessions)
        assert set(left) <= ENDS, left
        assert left["queued"] > 0, left
        assert claimed(self.sessions) == 0
        told = Counter((one.to, one.body) for one in self.providers.messages())
        assert set(told.values()) == {1}
        assert len(told) == MANY - left["queued"]


@pytest.fixture
def place(database_url: str, redis_broker: Redis, providers: RunningProviders, tmp_path: Path) -> Iterator[Place]:
    slow = {"provider_read_seconds": 8, "lease_seconds": 30, "worker_threads": 8}
    environment = settings_for(tmp_path, database_url, redis_broker.url, providers.url, **slow)
    bring_up(read_settings(environment))
    sessions = open_database(database_url, pool_size=2)
    due_codes(sessions, open_vault(read_settings(environment)), datetime.now(UTC), MANY)
    yield Place(tmp_path, environment, sessions, providers)
    sessions.close()


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_a_worker_told_to_stop_finishes_the_messages_under_way_and_gives_back_the_rest(place: Place) -> None:
    processes = Product(place.environment, place.folder)
    try:
        processes.start("worker.1")
        processes.start("clock.1")
        place.await_messages_under_way()
        ends = processes.terminate()  # which waits for half a minute: a service manager is told to allow as much
    finally:
        processes.kill_all()

    assert ends == {"worker.1": 0, "clock.1": 0}
    place.require_all_in_order()


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_all_in_one_process_does_the_same(place: Place) -> None:
    environment = {**place.environment, "KALLELSE_BROKER_URL": ""}
    with running([KALLELSE, "up"], environment, place.folder / "up.log") as product:
        place.await_messages_under_way()
        assert product.terminate() == 0, product.last_words()

    place.require_all_in_order()


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_web_process_told_to_stop_answers_the_request_under_way_and_takes_no_other(place: Place) -> None:
    """A provider's receipt, half of it here: cut off, it would have to be sent again."""
    processes = Product(place.environment, place.folder)
    port = int(place.environment["KALLELSE_PORT"])
    try:
        web = processes.start("web.1")
        wait_until(lambda: is_running(web), "the web process to run", seconds=PATIENCE)
        with socket.create_connection(("127.0.0.1", port), timeout=30) as caller:
            caller.sendall(RECEIPT_BEGUN)
            assert caller.recv(1000).startswith(b"HTTP/1.1 100 ")  # it waits for the rest
            web.tell_to_stop()
            caller.sendall(RECEIPT_REST)
            answer = caller.recv(1000)
        ends = processes.terminate() or {"web.1": web.wait()}
    finally:
        processes.kill_all()

    assert answer.startswith(b"HTTP/1.1 403 "), answer  # as its signature deserves
    assert ends == {"web.1": 0}
    with pytest.raises(OSError, match="refused"):
        socket.create_connection(("127.0.0.1", port), timeout=5).close()


RECEIPT_REST = b"delivered"
RECEIPT_BEGUN = (
    b"POST /hooks/twilio/receipts/nobodys-token HTTP/1.1\r\nHost: 127.0.0.1\r\nExpect: 100-continue\r\n"
    b"X-Twilio-Signature: nobodys\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 23\r\n\r\n"
    b"MessageStatus="
)
