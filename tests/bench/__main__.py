"""What things cost beside the least they could cost, and beside well-known neighbours: ratios, all in one run.

`python -m tests.bench` prints the whole table; `python -m tests.bench feed` measures one part. Nothing leaves loopback.
Other work on the machine weighs on both sides of a ratio, but best let it be idle.
"""

import argparse
import logging
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.bench import caldav, claims, dispatch, feed, hooks, planning, poll, queueing
from tests.bench.databases import postgresql
from tests.bench.rows import Row, heading, table
from worker.logs import configure_logs

_LONGEST_MILLISECONDS = 50  # for a provider's receipt, at the 95th percentile


@dataclass(frozen=True)
class Part:
    """Something measured. A long one is left out of the whole table, and run by its name."""

    about: str
    rows: Callable[[Path], Iterator[Row]]
    is_long: bool = False


def _receipts(folder: Path) -> Iterator[Row]:
    for number, name in enumerate(("SQLite", "PostgreSQL")):
        (folder / name).mkdir()
        with postgresql(folder) as postgresql_url:
            url = postgresql_url if number else f"sqlite:///{folder}/receipts.db"
            measured = hooks.receipts(url, folder / name)
        p95 = measured.quantile(95)
        what = f"provider's receipt at {measured.per_second}/s, p95, {name}: share of {_LONGEST_MILLISECONDS} ms"
        yield Row(what, f"{p95:.1f} ms", "", p95 / _LONGEST_MILLISECONDS, at_most=1)


PARTS = {
    "feed": Part("the subscription address beside a bare ASGI handler and Radicale, by server CPU", feed.rows),
    "caldav": Part(
        "the CalDAV account beside a bare ASGI handler, Radicale and Xandikos, by server CPU and latency", caldav.rows
    ),
    "poll": Part("a poll beside plain HTTP and a hash, by our CPU", poll.rows),
    "queue": Part("claim and mark beside an APScheduler job and a dramatiq message each, by throughput", queueing.rows),
    "dispatch": Part("full dispatch beside the provider's client alone, by throughput", dispatch.rows),
    "receipts": Part("how soon a provider's receipt is answered", _receipts),
    "planning": Part("planning of whoever is due beside a bare commit each, by throughput", planning.rows),
    "growth": Part("planning among a million people, most of them not due", planning.growth, is_long=True),
    "claims": Part("claims in a long ledger, behind an old snapshot, by two workers", claims.rows, is_long=True),
}


def main() -> int:
    options = _options()
    configure_logs("console", logging.WARNING)
    names = options.parts or [name for name, part in PARTS.items() if not part.is_long]
    sys.stdout.write(f"{heading()}\n")
    rows = [row for name in names for row in _measured(name)]
    sys.stdout.write(table(rows))
    return 0 if all(row.is_met for row in rows) else 1


def _measured(name: str) -> list[Row]:
    sys.stderr.write(f"{name}: {PARTS[name].about} ...\n")
    with tempfile.TemporaryDirectory(prefix="kallelse-bench-") as folder:
        return list(PARTS[name].rows(Path(folder)))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.bench", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    known = "; ".join(f"{name}: {part.about}{' (long)' * part.is_long}" for name, part in PARTS.items())
    parser.add_argument("parts", nargs="*", metavar="PART", type=_name, help=f"all but the long ones; {known}")
    return parser.parse_args()


def _name(text: str) -> str:
    if text not in PARTS:
        raise argparse.ArgumentTypeError(f"there is no part {text}: choose from {', '.join(PARTS)}")
    return text


if __name__ == "__main__":
    sys.exit(main())
