"""The table: one row for each thing measured, its target, and whether it was met."""

import os
import platform
import statistics
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from typing import TypeVar

T = TypeVar("T")
ROUNDS = 5
_NAMED = (
    "uvicorn",
    "httptools",
    "uvloop",
    "sqlalchemy",
    "psycopg",
    "httpx",
    "lxml",
    "radicale",
    "xandikos",
    "aiohttp",
    "apscheduler",
    "dramatiq",
)


@dataclass(frozen=True)
class Row:
    """One comparison. The ratio says how many times cheaper, faster or dearer, as `target` puts it."""

    what: str
    ours: str
    beside: str
    ratio: float
    at_least: float | None = None
    at_most: float | None = None

    @property
    def target(self) -> str:
        if self.at_least is not None:
            return f">= {self.at_least:g}"
        return "" if self.at_most is None else f"<= {self.at_most:g}"

    @property
    def is_met(self) -> bool:
        return self.ratio >= (self.at_least or 0) and (self.at_most is None or self.ratio <= self.at_most)


def medians(*measured: Callable[[], float], rounds: int = ROUNDS) -> list[float]:
    """The median of each."""
    return [statistics.median(values) for values in in_turns(*measured, rounds=rounds)]


def in_turns(*measured: Callable[[], T], rounds: int = ROUNDS) -> list[list[T]]:
    """What each measured, in turns, so that other work on the machine weighs on all alike; after one turn to warm."""
    turns = [[one() for one in measured] for _ in range(rounds + 1)]
    return [list(values) for values in zip(*turns[1:], strict=True)]


def heading() -> str:
    versions = ", ".join(f"{name} {version(name)}" for name in _NAMED)
    machine = f"{os.cpu_count()} cores, {_processor()}, Python {platform.python_version()}"
    return f"{datetime.now(UTC):%Y-%m-%d}, {machine}; {versions}\nMedians of alternating rounds.\n"


def table(rows: Iterable[Row]) -> str:
    lines = ["| what | ours | beside | ratio | target | met |", "| --- | ---: | ---: | ---: | ---: | --- |"]
    return "\n".join([*lines, *map(_line, rows)]) + "\n"


def _line(row: Row) -> str:
    met = ("yes" if row.is_met else "**no**") if row.target else ""
    return f"| {row.what} | {row.ours} | {row.beside} | {row.ratio:.2f} | {row.target} | {met} |"


def _processor() -> str:
    with open("/proc/cpuinfo") as lines:
        return next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), platform.machine())
