"""`make bench`: what things cost beside the least they could cost, as ratios in one run on one machine.

Medians of several rounds, alternating, so that other work on the machine weighs on both sides alike.
"""

import hashlib
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from pathlib import Path

import httpx

from store import engagements
from store.claims import claim_due
from store.database import migrate, open_database
from store.engagements import POLLING
from tests.bench.servers import bare_app, feed_app, served
from tests.stories.town import SWEDEN, StillClock, Town, town
from worker.demo.providers import ProviderSettings, start_providers
from worker.demo.region import start_region
from worker.sync import sync

ROUNDS = 5
REQUESTS = 1500
POLLS = 150
VISITS = 10


@dataclass(frozen=True)
class Row:
    what: str
    ours: float  # microseconds of CPU, one piece
    least: float
    beside: str


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        rows = [*_feed(Path(folder) / "feed"), _poll(Path(folder) / "poll")]
    _print(rows)


def _feed(folder: Path) -> list[Row]:
    """The subscription address, by server CPU per request, beside a bare ASGI handler on the same server."""
    here, stop = _town(folder)
    person = here.enrol(1)[0]
    for number in range(VISITS):
        start_at = datetime(2026, 12, 1 + number, 9, tzinfo=SWEDEN)
        here.book(person, start_at, f"B{number}")
    here.poll()
    path = here.address(person)
    database = here.wiring.settings.database_url
    stop()
    with served(feed_app, database, str(folder / "keys.json")) as ours, served(bare_app, "", "") as bare:
        etag = httpx.get(ours.url + path, trust_env=False).headers["etag"]
        cases = {
            "feed, unchanged (304)": ({"if-none-match": etag}, "/304"),
            f"feed, {VISITS} visits (200)": ({}, "/200"),
        }
        return [
            Row(
                what,
                *_alternating(
                    lambda headers=headers: ours.cpu_per_request(path, headers, REQUESTS),  # type: ignore[misc]
                    lambda plain=plain: bare.cpu_per_request(plain, {}, REQUESTS),  # type: ignore[misc]
                ),
                "bare ASGI handler, same server",
            )
            for what, (headers, plain) in cases.items()
        ]


def _poll(folder: Path) -> Row:
    """An unchanged poll, by our CPU, beside the same question over plain HTTP with a hash of the answer."""
    here, stop = _town(folder)
    person = here.enrol(1)[0]
    for number in range(VISITS):
        here.book(person, datetime(2026, 12, 1 + number, 9, tzinfo=SWEDEN), f"B{number}")
    here.poll()
    ours, least = _alternating(lambda: _polls(here), lambda: _plain_polls(here))
    stop()
    return Row("poll, unchanged", ours, least, "plain HTTP + hash")


def _polls(here: Town) -> float:
    began = time.thread_time()
    for _ in range(POLLS):
        with here.wiring.sessions.writing() as session:
            engagements.wake_all(session, here.now)
            (claim,) = claim_due(session, POLLING, here.now, timedelta(minutes=1), 1)
        sync(here.wiring.syncing, claim)
    return (time.thread_time() - began) / POLLS * 1e6


def _plain_polls(here: Town) -> float:
    recorded = (Path(__file__).parent / "question.xml").read_bytes()
    content = recorded.replace(b"SUBJECT", here.region.cast.first.identity.encode())
    url = f"{here.region.url}/vp/GetSubjectOfCareSchedule/1/rivtabp21"
    with httpx.Client(trust_env=False) as client:
        client.post(url, content=content, headers={"content-type": "text/xml"}).raise_for_status()
        began = time.thread_time()
        for _ in range(POLLS):
            answer = client.post(url, content=content, headers={"content-type": "text/xml"})
            hashlib.blake2b(answer.content).digest()
        return (time.thread_time() - began) / POLLS * 1e6


def _town(folder: Path) -> tuple[Town, Callable[[], None]]:
    folder.mkdir(parents=True)
    clock = StillClock(datetime(2026, 11, 24, 8, 55, tzinfo=UTC))
    region = start_region(clock.now, citizens=1)
    for booking in region.cast.bookings:
        region.state.cancel(booking.id)
    providers = start_providers(ProviderSettings(folder / "providers"), clock.now)
    url = f"sqlite:///{folder / 'kallelse.db'}"
    sessions = open_database(url)
    migrate(sessions)
    sessions.close()
    here = town(url, folder, region, providers, clock)

    def stop() -> None:
        here.wiring.close()
        providers.stop()
        region.stop()

    return here, stop


def _alternating(ours: Callable[[], float], least: Callable[[], float]) -> tuple[float, float]:
    ours(), least()  # warm
    pairs = [(ours(), least()) for _ in range(ROUNDS)]
    return statistics.median(one for one, _ in pairs), statistics.median(other for _, other in pairs)


def _print(rows: list[Row]) -> None:
    names = ("starlette", "uvicorn", "httptools", "httpx", "icalendar", "sqlalchemy", "lxml")
    sys.stdout.write(
        f"Python {platform.python_version()}, SQLite; " + ", ".join(f"{one} {version(one)}" for one in names)
    )
    sys.stdout.write(f"\nMedians of {ROUNDS} alternating rounds; microseconds of CPU for one.\n\n")
    sys.stdout.write("| what | ours | least | ratio | beside |\n| --- | ---: | ---: | ---: | --- |\n")
    for row in rows:
        ratio = row.ours / row.least
        sys.stdout.write(f"| {row.what} | {row.ours:.0f} | {row.least:.0f} | {ratio:.2f} | {row.beside} |\n")


if __name__ == "__main__":
    main()
