"""The subscription address by server CPU per request, beside a bare handler on the same server and beside Radicale."""

import statistics
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx

from store.database import migrate, open_database
from store.vault import Vault, make_key_file, read_key_file
from tests.bench import neighbours
from tests.bench.databases import postgresql
from tests.bench.load import Request
from tests.bench.rows import Row, medians
from tests.bench.servers import Served, bare, our_web
from tests.feeds.world import World

VISITS = 10
_REQUESTS = 4000
_RADICALE_REQUESTS = 320
_NOW = datetime(2026, 11, 24, 8, 55, tzinfo=UTC)


@dataclass(frozen=True)
class _Feed:
    """A calendar to fetch, and where its database lies."""

    database_url: str
    keys: Path
    path: str
    content: bytes


@dataclass(frozen=True)
class _Goal:
    """Times cheaper than Radicale for an unchanged and a whole feed; times dearer than the least that can answer."""

    database: str
    unchanged: float
    whole: float | None = None
    beside_bare: float | None = None


_ON_SQLITE = _Goal("SQLite", unchanged=40, whole=25, beside_bare=1 / 0.8)
_ON_POSTGRESQL = _Goal("PostgreSQL", unchanged=20)


def rows(folder: Path) -> Iterator[Row]:
    """On each database, in one run with both neighbours."""
    with bare(folder) as least, postgresql(folder) as postgresql_url:
        on_sqlite = _made(f"sqlite:///{folder}/feed.db", folder / "sqlite.keys")
        on_postgresql = _made(postgresql_url, folder / "postgresql.keys")
        with neighbours.radicale(on_sqlite.content, folder) as radicale:
            yield from _compared(on_sqlite, _ON_SQLITE, least, radicale, folder)
            yield from _compared(on_postgresql, _ON_POSTGRESQL, least, radicale, folder)


def _compared(feed: _Feed, goal: _Goal, least: Served, radicale: Served, folder: Path) -> Iterator[Row]:
    with our_web(feed.database_url, feed.keys, folder) as ours:
        etag = httpx.get(f"http://127.0.0.1:{ours.port}{feed.path}", trust_env=False).headers["etag"]
        conditional = {"if-none-match": etag, "accept-encoding": "identity"}
        asked = Request(feed.path, conditional, 304)
        unchanged, bare_304, radicale_304 = medians(
            lambda: ours.cpu_per_request(asked, _REQUESTS),
            lambda: least.cpu_per_request(Request("/304", conditional, 304), _REQUESTS),
            lambda: radicale.cpu_per_request(Request(neighbours.RADICALE_PATH, conditional, 200), _RADICALE_REQUESTS),
        )
        plain = {"accept-encoding": "identity"}
        whole, bare_200, radicale_200 = medians(
            lambda: ours.cpu_per_request(Request(feed.path, plain, 200), _REQUESTS),
            lambda: least.cpu_per_request(Request("/200", plain, 200), _REQUESTS),
            lambda: radicale.cpu_per_request(Request(neighbours.RADICALE_PATH, plain, 200), _RADICALE_REQUESTS),
        )
        packed = {"accept-encoding": "gzip"}
        gzipped, radicale_gzip = medians(
            lambda: ours.cpu_per_request(Request(feed.path, packed, 200), _REQUESTS),
            lambda: radicale.cpu_per_request(Request(neighbours.RADICALE_PATH, packed, 200), _RADICALE_REQUESTS),
        )
        slowest, usual = medians(
            lambda: statistics.quantiles(ours.latencies(Request(feed.path, plain, 200), _REQUESTS), n=100)[98],
            lambda: statistics.median(
                radicale.latencies(Request(neighbours.RADICALE_PATH, plain, 200), _RADICALE_REQUESTS)
            ),
        )
    what = f"feed unchanged (304), {goal.database}"
    yield _cheaper(what, "Radicale, conditional GET", unchanged, radicale_304, goal.unchanged)
    yield _dearer(what, unchanged, bare_304, goal.beside_bare)
    what = f"feed of {VISITS} visits (200), {goal.database}"
    yield _cheaper(what, "Radicale, GET", whole, radicale_200, goal.whole)
    yield _dearer(what, whole, bare_200, None)
    what = f"feed of {VISITS} visits (200, gzip as programs ask for it), {goal.database}"
    yield _cheaper(what, "Radicale, the same GET", gzipped, radicale_gzip, None)
    yield Row(
        f"feed 200, p99 at {ours.connections} connections, {goal.database}: share of Radicale's median",
        f"{slowest:.1f} ms",
        f"Radicale, median at {radicale.connections}: {usual:.1f} ms",
        slowest / usual,
        at_most=1,
    )


def _cheaper(what: str, beside: str, ours: float, theirs: float, target: float | None) -> Row:
    return Row(f"{what}: times cheaper", f"{ours:.0f} us", f"{beside}: {theirs:.0f} us", theirs / ours, at_least=target)


def _dearer(what: str, ours: float, least: float, target: float | None) -> Row:
    beside = f"bare ASGI handler: {least:.0f} us"
    return Row(f"{what}: times dearer", f"{ours:.0f} us", beside, ours / least, at_most=target)


def _made(database_url: str, keys: Path) -> _Feed:
    make_key_file(keys)
    sessions = open_database(database_url)
    migrate(sessions)
    world = World(sessions, Vault(read_key_file(keys)), _NOW)
    for number in range(VISITS):
        world.add(_NOW + timedelta(days=3 + number))
    world.open()
    made = _Feed(database_url, keys, world.path, world.body())
    sessions.close()
    return made
