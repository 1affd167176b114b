"""The CalDAV account by server CPU per request and by latency, beside a bare handler, Radicale and Xandikos.

Ours looks up the password at each request, as production does. The neighbours know no login, which is kind to them.
"""

import statistics
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import astuple, dataclass, fields, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Generic, TypeVar
from uuid import UUID

from feeds.subscribing import NewDevice, make_device
from store.database import migrate, open_database
from store.vault import Vault, make_key_file, read_key_file
from tests.bench import neighbours
from tests.bench.databases import postgresql
from tests.bench.load import Request, WrongAnswer
from tests.bench.multistatus import Collection, basic
from tests.bench.rows import Row, in_turns, medians
from tests.bench.servers import CONNECTIONS, Served, bare, our_web
from tests.feeds.world import World

VISITS = 10
_MANY_VISITS = 2000
_REQUESTS = 2400
_NEIGHBOUR_REQUESTS = 320
_LATENCIES = 3200
_NEIGHBOUR_LATENCIES = 400
T = TypeVar("T")
_NOW = datetime(2026, 11, 24, 8, 55, tzinfo=UTC)


@dataclass(frozen=True)
class _Latency:
    """Milliseconds at the client, under load."""

    p50: float
    p99: float

    def __str__(self) -> str:
        return f"p50 {self.p50:.1f} ms, p99 {self.p99:.1f} ms"


@dataclass(frozen=True)
class _Asked:
    """A question put to one server, which has answered it rightly once."""

    served: Served
    request: Request
    size: int

    def cpu(self, requests: int) -> float:
        return self.served.cpu_per_request(self.request, requests)

    def latency(self, requests: int) -> _Latency:
        cuts = statistics.quantiles(self.served.latencies(self.request, requests), n=100)
        return _Latency(cuts[49], cuts[98])


@dataclass(frozen=True)
class _Everybody(Generic[T]):
    """The same of each server."""

    sqlite: T
    postgresql: T
    radicale: T
    xandikos: T


@dataclass(frozen=True)
class _Question:
    """Something that calendar programs ask, and how many visits must be in the answer."""

    name: str
    put: Callable[[Collection], Request]
    visits: int
    at_least: float  # times cheaper than Radicale

    def asked_of(self, collections: _Everybody[Collection]) -> _Everybody[_Asked]:
        return _Everybody(*(self._asked_of(getattr(collections, one.name)) for one in fields(collections)))

    def _asked_of(self, collection: Collection) -> _Asked:
        request = self.put(collection)
        answer = collection.answer(request)
        if len(answer.hrefs) != self.visits:
            raise WrongAnswer(f"{len(answer.hrefs)} visits instead of {self.visits} to {self.name}")
        return _Asked(collection.served, request, answer.size)


@dataclass(frozen=True)
class _Account:
    """A calendar with visits, and a device of its CalDAV account."""

    database_url: str
    keys: Path
    world: World
    first_visit_id: UUID
    device: NewDevice

    @contextmanager
    def served(self, folder: Path) -> Iterator[Collection]:
        """By a web process of its own."""
        login = basic(self.device.account, self.device.password)
        with our_web(self.database_url, self.keys, folder) as served:
            yield Collection(served, f"/dav/calendars/{self.device.account}/visits/", login)

    def move_first_visit(self) -> None:
        self.world.change(self.first_visit_id, start_at=_NOW + timedelta(days=2), sequence=1, time_version=2)


def _no_change(collection: Collection) -> Request:
    return collection.sync(collection.answer(collection.sync()).token)


def _all_of_them(collection: Collection) -> Request:
    return collection.multiget(collection.answer(collection.listing()).hrefs)


_QUESTIONS = (
    _Question("PROPFIND depth 1", Collection.listing, VISITS, at_least=20),
    _Question("sync-collection without change", _no_change, 0, at_least=12),
    _Question(f"multiget of {VISITS}", _all_of_them, VISITS, at_least=15),
)


def rows(folder: Path) -> Iterator[Row]:
    """Everybody runs at once, and is asked in turns."""
    with ExitStack() as running:
        small = running.enter_context(_made(f"sqlite:///{folder}/small.db", folder / "small.keys", VISITS))
        postgresql_url = running.enter_context(postgresql(folder))
        on_postgresql = running.enter_context(_made(postgresql_url, folder / "postgresql.keys", VISITS))
        content = small.world.body()
        radicale = running.enter_context(neighbours.radicale(content, folder))
        xandikos = running.enter_context(neighbours.xandikos(content, folder))
        collections = _Everybody(
            running.enter_context(small.served(folder)),
            running.enter_context(on_postgresql.served(folder)),
            Collection(radicale, neighbours.RADICALE_PATH),
            Collection(xandikos, neighbours.XANDIKOS_PATH),
        )
        least = running.enter_context(bare(folder))
        for question in _QUESTIONS:
            asked = question.asked_of(collections)
            yield from _cost(question, asked, least)
            yield from _waits(question, asked)
        yield from _size(collections.sqlite, folder)


def _cost(question: _Question, asked: _Everybody[_Asked], least: Served) -> Iterator[Row]:
    ours = asked.sqlite
    stored = _Asked(least, replace(ours.request, path=f"/207/{ours.size}"), ours.size)
    sqlite, bare_207, on_postgresql, radicale, xandikos = medians(
        lambda: ours.cpu(_REQUESTS),
        lambda: stored.cpu(_REQUESTS),
        lambda: asked.postgresql.cpu(_REQUESTS),
        lambda: asked.radicale.cpu(_NEIGHBOUR_REQUESTS),
        lambda: asked.xandikos.cpu(_NEIGHBOUR_REQUESTS),
    )
    what, us = f"{question.name}, login included, {{}}: times {{}}".format, "{}: {:.0f} us".format
    beside = us("Radicale without login", radicale)
    yield Row(what("SQLite", "cheaper"), f"{sqlite:.0f} us", beside, radicale / sqlite, question.at_least)
    xandikos_too = us("Xandikos without login", xandikos)
    yield Row(what("SQLite", "cheaper"), f"{sqlite:.0f} us", xandikos_too, xandikos / sqlite)
    least_of_all = us(f"bare ASGI handler, {ours.size} bytes", bare_207)
    yield Row(what("SQLite", "dearer"), f"{sqlite:.0f} us", least_of_all, sqlite / bare_207)
    yield Row(what("PostgreSQL", "cheaper"), f"{on_postgresql:.0f} us", beside, radicale / on_postgresql)


def _waits(question: _Question, asked: _Everybody[_Asked]) -> Iterator[Row]:
    turns = in_turns(
        lambda: asked.sqlite.latency(_LATENCIES),
        lambda: asked.postgresql.latency(_LATENCIES),
        lambda: asked.radicale.latency(_NEIGHBOUR_LATENCIES),
        rounds=3,
    )
    sqlite, on_postgresql, radicale = map(_median, turns)
    beside = f"Radicale, {asked.radicale.served.connections} connections: {radicale}"
    for name, ours, at_most in (("SQLite", sqlite, 1.0), ("PostgreSQL", on_postgresql, None)):
        what = f"{question.name}, {CONNECTIONS} connections, {name}: p99, share of Radicale's median"
        yield Row(what, str(ours), beside, ours.p99 / radicale.p50, at_most=at_most)


def _size(small: Collection, folder: Path) -> Iterator[Row]:
    """A large calendar beside the small one: a poll without change, and one after a single visit has moved."""
    with (
        _made(f"sqlite:///{folder}/large.db", folder / "large.keys", _MANY_VISITS) as account,
        account.served(folder) as large,
    ):
        poll, small_poll = _no_change(large), _no_change(small)
        unchanged, beside = medians(
            lambda: large.served.cpu_per_request(poll, _REQUESTS),
            lambda: small.served.cpu_per_request(small_poll, _REQUESTS),
        )
        account.move_first_visit()
        answer = large.answer(poll)
        changed = large.served.cpu_per_request(poll, _REQUESTS)
    if not answer.hrefs:
        raise WrongAnswer("the visit that moved is not in the answer")
    yield Row(
        f"sync-collection without change, {_MANY_VISITS:,} visits, SQLite: times dearer",
        f"{unchanged:.0f} us",
        f"{VISITS} visits: {beside:.0f} us",
        unchanged / beside,
        at_most=1.2,
    )
    yield Row(
        f"sync-collection after one visit of {_MANY_VISITS:,} moved, SQLite: visits in the answer",
        f"{answer.size} bytes, {changed:.0f} us",
        "",
        len(answer.hrefs),
        at_most=1,
    )


def _median(latencies: list[_Latency]) -> _Latency:
    return _Latency(*(statistics.median(values) for values in zip(*map(astuple, latencies), strict=True)))


@contextmanager
def _made(database_url: str, keys: Path, visits: int) -> Iterator[_Account]:
    make_key_file(keys)
    with closing(open_database(database_url)) as sessions:
        migrate(sessions)
        world = World(sessions, Vault(read_key_file(keys)), _NOW)
        visit_ids = [world.add(_NOW + timedelta(days=3 + number)) for number in range(visits)]
        world.open()
        with sessions.writing() as session:
            device = make_device(session, world.vault, world.calendar_id, "Annas telefon", _NOW)
        yield _Account(database_url, keys, world, visit_ids[0], device)
