"""Whether a claim stays as cheap when the ledger is long, when somebody holds an old snapshot, and beside a second
worker. Long: it writes a million deliveries into each database.
"""

import statistics
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from sqlalchemy import text

from store.database import open_database
from store.delivery_states import DeliveryState
from store.sending import Floor
from tests.bench.copies import settle_down
from tests.bench.databases import new_database, postgresql
from tests.bench.ledger import Ledger, claim, mark
from tests.bench.rows import Row, medians
from tests.faults.programs import running
from tests.faults.waiting import wait_until

FEW, MANY = 10_000, 1_000_000
_BATCH = 50  # as dispatch claims
_BATCHES = 40  # a round
_ROUNDS = 7
_DRAINED = 200  # batches, behind an old snapshot
_LAST = 20
_SHARED = 20_000  # deliveries for one worker, or for two
_READY = "ready"


def rows(folder: Path) -> Iterator[Row]:
    """On each database, a short ledger beside a long one. Most is settled; as much is due in both."""
    yield from _compared("SQLite", f"sqlite:///{folder}/few.db", f"sqlite:///{folder}/many.db", folder)
    with postgresql(folder) as few_url:
        yield from _compared("PostgreSQL", few_url, new_database(few_url, "many"), folder)


def _compared(name: str, few_url: str, many_url: str, folder: Path) -> Iterator[Row]:
    few, many = _filled(few_url, FEW, folder), _filled(many_url, MANY, folder)
    short, long = medians(lambda: _claim_cost(few), lambda: _claim_cost(many), rounds=_ROUNDS)
    what = f"claim of {_BATCH} among {MANY:,}, {name}: times dearer"
    yield Row(what, f"{long:.2f} ms", f"among {FEW:,}: {short:.2f} ms", long / short, at_most=1.2)
    if many.sessions.on_postgresql:
        yield _behind_an_old_snapshot(few, many)
    one, two = medians(lambda: _workers_rate(few, 1, folder), lambda: _workers_rate(few, 2, folder), rounds=3)
    yield Row(f"two workers, {name}: times one's", f"{two:.0f}/s", f"one worker: {one:.0f}/s", two / one, at_least=1)
    few.close()
    many.close()


def _behind_an_old_snapshot(few: Ledger, many: Ledger) -> Row:
    """Nothing that is claimed meanwhile can be tidied away."""
    free = _last_claims_cost(few)
    with _old_snapshot(many):
        held = _last_claims_cost(many)
    what = f"the last of {_DRAINED} claims behind an old snapshot, {MANY:,} rows: times dearer"
    return Row(what, f"{held:.2f} ms", f"among {FEW:,}, no snapshot: {free:.2f} ms", held / free, at_most=1.2)


def _filled(url: str, size: int, folder: Path) -> Ledger:
    ledger = Ledger(url, folder)
    ledger.add_settled(size - _BATCH * _BATCHES)
    return ledger


def _claim_cost(ledger: Ledger) -> float:
    """Milliseconds for a batch, in the middle of a round that leaves nothing due."""
    return statistics.median(_claimed(ledger, _BATCHES))


def _last_claims_cost(ledger: Ledger) -> float:
    return statistics.median(_claimed(ledger, _DRAINED)[-_LAST:])


def _claimed(ledger: Ledger, batches: int) -> list[float]:
    ledger.add(_BATCH * batches, DeliveryState.QUEUED)
    settle_down(ledger.sessions)
    floor, spent = Floor(), []
    for _ in range(batches):
        began = time.perf_counter()
        claims = claim(ledger.sessions, _BATCH, floor)
        spent.append((time.perf_counter() - began) * 1000)
        mark(ledger.sessions, claims)
    return spent


@contextmanager
def _old_snapshot(ledger: Ledger) -> Iterator[None]:
    with ledger.sessions.engine.connect().execution_options(isolation_level="REPEATABLE READ") as connection:
        connection.execute(text("select 1 from deliveries limit 1"))
        yield
        connection.rollback()


def _workers_rate(ledger: Ledger, workers: int, folder: Path) -> float:
    """Deliveries a second, claimed and marked by so many processes until none is due."""
    command = [sys.executable, "-m", "tests.bench.claims", ledger.url]
    with ExitStack() as started:
        programs = []
        for number in range(workers):
            log = folder / f"worker-{number}.log"
            log.unlink(missing_ok=True)
            programs.append(started.enter_context(running(command, {}, log)))
        wait_until(lambda: all(_READY in one.said() for one in programs), "the workers to start")
        ledger.add(_SHARED, DeliveryState.QUEUED)
        began = time.perf_counter()
        wait_until(lambda: not ledger.has_queued(), "the workers to finish", seconds=120)
        return _SHARED / (time.perf_counter() - began)


def _work(url: str) -> None:
    """A worker that only claims and marks, until it is killed."""
    sessions, floor = open_database(url), Floor()
    claim(sessions, _BATCH, floor)
    sys.stdout.write(_READY)
    sys.stdout.flush()
    while True:
        claims = claim(sessions, _BATCH, floor)
        if claims:
            mark(sessions, claims)
        else:
            time.sleep(0.01)


if __name__ == "__main__":
    _work(sys.argv[1])
