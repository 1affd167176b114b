"""The long runs: `python -m tests.soak` lists and runs them all, `python -m tests.soak NAME [--seed N]` runs one.

Each prints how far it has come and ends with one line of figures; the exit code is 1 if a target was missed.
"""

import argparse
import random
import sys
from collections.abc import Callable
from dataclasses import dataclass

from tests.soak import kill


@dataclass(frozen=True)
class Run:
    """A long run: what it is, its target, and what does it. It returns whether the target was met."""

    target: str
    start: Callable[[int, Callable[[str], None]], bool]


RUNS = {
    "kill": Run(
        "kill -9 at 10 random moments while 500 deliveries are due: 0 lost, 0 doubled, all else listed", kill.run
    ),
}


def main() -> int:
    options = _options()
    names = [options.run] if options.run else list(RUNS)
    for name in names:
        say(f"{name}: {RUNS[name].target}")
    met = [RUNS[name].start(options.seed, say) for name in names]
    return 0 if all(met) else 1


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("run", nargs="?", choices=list(RUNS), help="one of them; without it, all")
    parser.add_argument("--seed", type=int, default=random.randrange(100_000), help="repeats a run's random moments")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
