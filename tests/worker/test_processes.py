"""The product's processes as they run for real: worker and clock over Redis on PostgreSQL, and all of the Procfile."""

import os
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlmodel import col, func, select

from store.bookings import Booking
from store.database import Sessions, open_database
from store.deliveries import Delivery
from store.engagements import Engagement
from store.subjects import Subject
from store.vault import make_key_file
from tests.faults.programs import KALLELSE, ROOT, Program, free_port, is_listening, running
from tests.faults.promises import due_codes, states
from tests.faults.redis_server import redis_url as redis_url
from tests.faults.waiting import wait_until
from tests.faults.wired import set_faults
from tests.stories.town import StillClock, town
from worker.clock import BusinessClock
from worker.commands.running import bring_up
from worker.demo.progress import all_answered
from worker.demo.providers import ProviderSettings, RunningProviders, start_providers
from worker.demo.region import start_region
from worker.demo.twilio_api import TwilioAccount
from worker.settings import read_settings
from worker.wiring import open_vault

pytestmark = pytest.mark.fault
STOPS_IN = 10  # seconds
PROCFILE = ("web", "worker", "clock")


@dataclass
class Place:
    """Where processes run: their settings, their database, and the provider they send to."""

    folder: Path
    environment: dict[str, str]
    sessions: Sessions
    providers: RunningProviders

    def due_codes(self, count: int) -> None:
        vault = open_vault(read_settings(self.environment))
        due_codes(self.sessions, vault, datetime.now(UTC), count)

    def claimed(self) -> int:
        """How many rows of any kind a worker still holds."""
        with self.sessions.reading() as session:
            return sum(
                session.exec(select(func.count()).select_from(table).where(col(table.claimed_until).is_not(None))).one()
                for table in (Delivery, Engagement, Subject)
            )

    def start(self, parts: ExitStack, command: str) -> Program:
        return parts.enter_context(running([KALLELSE, command], self.environment, self.folder / f"{command}.log"))


@pytest.fixture
def place(postgresql_url: str, redis_url: str, tmp_path: Path) -> Iterator[Place]:
    """PostgreSQL, Redis and a provider that takes a fifth of a second for each message."""
    account = TwilioAccount(slow_for=timedelta(seconds=0.2))
    providers = start_providers(ProviderSettings(tmp_path / "providers", account=account), BusinessClock().now)
    port = free_port()
    settings = {
        "DATABASE_URL": postgresql_url,
        "BROKER_URL": redis_url,
        "KEYS": str(tmp_path / "keys.json"),
        "PUBLIC_URL": f"http://127.0.0.1:{port}",
        "PORT": str(port),
        "TICK_SECONDS": "0.2",
        "TWILIO_ACCOUNT_SID": account.sid,
        "TWILIO_AUTH_TOKEN": account.token,
        "TWILIO_SENDER": account.sender,
        "TWILIO_API_BASE_URL": providers.url,
    }
    environment = {f"KALLELSE_{name}": value for name, value in settings.items()}
    make_key_file(tmp_path / "keys.json")
    bring_up(read_settings(environment))
    sessions = open_database(postgresql_url, pool_size=4)
    yield Place(tmp_path, environment, sessions, providers)
    sessions.close()
    providers.stop()


def test_a_worker_and_a_clock_send_what_is_due_and_a_worker_told_to_stop_leaves_nothing_in_its_hands(
    place: Place,
) -> None:
    set_faults(place.providers.url, slow=1)
    place.due_codes(24)
    with ExitStack() as parts:
        worker, clock = place.start(parts, "worker"), place.start(parts, "clock")
        taken = place.providers.messages
        wait_until(lambda: has_come_so_far(len(taken()) >= 3, worker, clock), "some to be sent", seconds=60)
        began = time.monotonic()
        assert worker.terminate() == 0
        took = time.monotonic() - began
        left = states(place.sessions)
        assert place.claimed() == 0
        assert set(left) <= {"queued", "accepted", "delivered"}
        assert left["queued"] > 0

        place.start(parts, "worker")
        wait_until(lambda: "queued" not in states(place.sessions), "another worker to send the rest", seconds=60)
        assert clock.terminate() == 0

    assert took < STOPS_IN
    assert set(Counter((one.to, one.body) for one in place.providers.messages()).values()) == {1}
    assert len(place.providers.messages()) == 24


def test_a_worker_and_a_clock_do_the_polls_of_a_small_town(place: Place) -> None:
    clock = StillClock(datetime.now(UTC))
    region = start_region(BusinessClock().now, citizens=5)
    with ExitStack() as parts:
        parts.callback(region.stop)
        url = place.environment["KALLELSE_DATABASE_URL"]
        here = town(url, place.folder, region, place.providers, clock)
        parts.callback(here.wiring.close)
        here.enrol(5)
        sources = {"KALLELSE_SOURCES": "sources.toml", "KALLELSE_POPULATION": "population.csv"}
        place.environment.update({name: str(place.folder / file) for name, file in sources.items()})
        programs = [place.start(parts, command) for command in ("worker", "clock")]
        wait_until(lambda: has_come_so_far(all_answered(place.sessions), *programs), "all to be polled", seconds=60)
        assert [program.terminate() for program in programs] == [0, 0]

    with place.sessions.reading() as session:
        known = session.exec(select(func.count()).select_from(Booking)).one()
    assert known >= 5
    assert place.claimed() == 0


@pytest.mark.slow
def test_the_procfile_runs_as_it_stands(place: Place) -> None:
    place.due_codes(5)
    path = f"{Path(KALLELSE).parent}{os.pathsep}{os.environ['PATH']}"
    command = [sys.executable, "-m", "honcho", "-f", str(ROOT / "Procfile"), "--no-colour", "start", *PROCFILE]
    with running(command, {**place.environment, "PATH": path}, place.folder / "honcho.log") as honcho:
        try:
            port = int(place.environment["KALLELSE_PORT"])
            wait_until(lambda: is_listening(port), "the web process to listen", seconds=60)
            wait_until(lambda: states(place.sessions) == {"delivered": 5}, "receipts to come by the web", seconds=60)
        finally:
            honcho.terminate()
        said, shown = honcho.said(), honcho.last_words()

    assert said.count('"event": "stopping"') == said.count(" stopped (rc=") == len(PROCFILE), shown
    assert "SIGKILL" not in said, shown
    assert place.claimed() == 0


def has_come_so_far(is_reached: bool, *programs: Program) -> bool:  # noqa: FBT001 - what was just looked at
    """Whether it is reached; a program that has ended meanwhile fails the test with what it said last."""
    for program in programs:
        assert program.exit_code is None, program.last_words()
    return is_reached
