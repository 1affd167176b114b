"""The subscription address by server CPU per request, beside a bare handler on the same server and beside Radicale."""

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


def rows(folder: Path) -> Iterator[Row]:
    """On each database, in one run with both neighbours."""
    with bare(folder) as least, postgresql(folder) as postgresql_url:
        on_sqlite = _made(f"sqlite:///{folder}/feed.db", folder / "sqlite.keys")
        on_postgresql = _made(postgresql_url, folder / "postgresql.keys")
        with neighbours.radicale(on_sqlite.content, folder) as radicale:
            yield from _compared(on_sqlite, "SQLite", 40, least, radicale, folder)
            yield from _compared(on_postgresql, "PostgreSQL", 20, least, radicale, folder)


def _compared(  # noqa: PLR0917
    feed: _Feed, name: str, target: float, least: Served, radicale: Served, folder: Path
) -> Iterator[Row]:
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
    yield _cheaper(f"feed unchanged (304), {name}", "Radicale, conditional GET", unchanged, radicale_304, target)
    yield _dearer(f"feed unchanged (304), {name}", unchanged, bare_304)
    yield _cheaper(f"feed of {VISITS} visits (200), {name}", "Radicale, GET", whole, radicale_200, None)
    yield _dearer(f"feed of {VISITS} visits (200), {name}", whole, bare_200)


def _cheaper(what: str, beside: str, ours: float, theirs: float, target: float | None) -> Row:
    return Row(f"{what}: times cheaper", f"{ours:.0f} us", f"{beside}: {theirs:.0f} us", theirs / ours, at_least=target)


def _dearer(what: str, ours: float, least: float) -> Row:
    return Row(f"{what}: times dearer", f"{ours:.0f} us", f"bare ASGI handler: {least:.0f} us", ours / least)


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
