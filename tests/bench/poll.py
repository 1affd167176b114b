"""A poll by our CPU, all of it, beside the same question over plain HTTP with a hash of the answer.

The simulated region is a process of its own. `python -m tests.bench.poll` prints these rows alone.
"""

import hashlib
import logging
import re
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import httpx

from store import engagements
from store.database import migrate, open_database
from tests.bench.databases import postgresql
from tests.bench.rows import Row, medians, table
from tests.faults.programs import running
from tests.faults.waiting import wait_until
from tests.stories.town import CENTRE, SWEDEN, StillClock, Town, town
from worker.demo.people import people
from worker.demo.providers import ProviderSettings, start_providers
from worker.logs import configure_logs
from worker.polling import poll_due

CITIZENS = 41  # one of them has died, and is not asked about
VISITS = 10
CHANGED = 2  # of 40: 5 %
_NOW = datetime(2026, 11, 24, 8, 55, tzinfo=UTC)
_LEASE = timedelta(minutes=2)
_ROUNDS = 15  # many and short: what else the machine does weighs on all alike
_TURNS = 4  # of everybody, in one round
_READY = re.compile(r"ready (http://\S+)")
_QUESTION = (Path(__file__).parent / "question.xml").read_bytes()


def rows(folder: Path) -> Iterator[Row]:
    """On each database."""
    with _region(folder) as url, postgresql(folder) as postgresql_url:
        for name, database_url in (("SQLite", f"sqlite:///{folder}/poll.db"), ("PostgreSQL", postgresql_url)):
            with _polled(database_url, url, folder / name) as polled:
                measured = (polled.unchanged, polled.some_changed, polled.plainly)
                unchanged, some_changed, least = medians(*measured, rounds=_ROUNDS)
            yield _row(f"poll unchanged, {name}", unchanged, least, 1.3)
            yield _row(f"poll, {CHANGED / (CITIZENS - 1):.0%} changed, {name}", some_changed, least, None)


def _row(what: str, ours: float, least: float, target: float | None) -> Row:
    beside = f"plain HTTP + hash: {least:.0f} us"
    return Row(f"{what}: times dearer", f"{ours:.0f} us", beside, ours / least, at_most=target)


@dataclass
class _Polled:
    """A town in which everybody has been polled before. What is measured is microseconds of this process's CPU."""

    here: Town
    region_url: str
    rooms: int = 0

    def unchanged(self) -> float:
        return sum(self._everybody() for _ in range(_TURNS)) / _TURNS

    def some_changed(self) -> float:
        spent = 0.0
        for _ in range(_TURNS):
            for place in range(CHANGED):
                self._change(place)
            spent += self._everybody()
        return spent / _TURNS

    def plainly(self) -> float:
        url = f"{self.region_url}/vp/GetSubjectOfCareSchedule/1/rivtabp21"
        questions = [_QUESTION.replace(b"SUBJECT", one.identity.encode()) for one in people(CITIZENS)]
        with httpx.Client(trust_env=False) as client:
            client.get(f"{self.region_url}/control/calls").raise_for_status()  # the connection is there in both cases
            began = time.process_time()
            for question in questions * _TURNS:
                answer = client.post(url, content=question, headers={"content-type": "text/xml"})
                hashlib.blake2b(answer.content).digest()
            return (time.process_time() - began) / len(questions) / _TURNS * 1e6

    def _everybody(self) -> float:
        syncing = self.here.wiring.syncing
        with syncing.sessions.writing() as session:
            engagements.wake_all(session, self.here.now)
        began, count = time.process_time(), 0
        while count < CITIZENS - 1 and (polled := poll_due(syncing, _LEASE, lambda: False)):
            count += polled
        return (time.process_time() - began) / count * 1e6

    def _change(self, place: int) -> None:
        self.rooms += 1
        room = {"resource": f"Rum {self.rooms}"}
        url = f"{self.region_url}/control/bookings/B{place}-0"
        httpx.patch(url, json=room, trust_env=False).raise_for_status()


@contextmanager
def _region(folder: Path) -> Iterator[str]:
    """Nobody has anything yet."""
    command = [sys.executable, "-m", "worker.demo.region", "--citizens", str(CITIZENS), "--now", _NOW.isoformat()]
    with running(command, {}, folder / "region.log") as region:
        wait_until(lambda: _READY.search(region.said()) is not None, "the region to start")
        ready = _READY.search(region.said())
        assert ready is not None
        with httpx.Client(base_url=ready[1], trust_env=False) as client:
            for booking in client.get("/control/bookings").json():
                client.delete(f"/control/bookings/{booking['id']}").raise_for_status()
            for place, person in enumerate(people(CITIZENS)):
                for number in range(VISITS):
                    client.post("/control/bookings", json=_visit(person.identity, place, number)).raise_for_status()
        yield ready[1]


def _visit(subject: str, place: int, number: int) -> dict[str, object]:
    start_at = datetime(2026, 12, 1 + number, 9, tzinfo=SWEDEN)
    return {
        "id": f"B{place}-{number}",
        "subject": subject,
        "facility": CENTRE,
        "start": start_at.strftime("%Y-%m-%dT%H:%M:%S"),
        "time_type": "LAKARE",
    }


@contextmanager
def _polled(database_url: str, region_url: str, folder: Path) -> Iterator[_Polled]:
    folder.mkdir()
    sessions = open_database(database_url)
    migrate(sessions)
    sessions.close()
    clock = StillClock(_NOW)
    providers = start_providers(ProviderSettings(folder / "providers"), clock.now)
    providers.stop()  # nobody is told anything here
    here = town(database_url, folder, SimpleNamespace(url=region_url), providers, clock)  # type: ignore[arg-type]
    here.enrol(CITIZENS)
    polled = _Polled(here, region_url)
    for _ in range(8):  # known, then known again by its octets; and the batches have found their size
        polled._everybody()
    yield polled
    here.wiring.close()


def main() -> None:
    configure_logs("json", logging.WARNING)
    with tempfile.TemporaryDirectory() as folder:
        sys.stdout.write(table(rows(Path(folder))))


if __name__ == "__main__":
    main()
