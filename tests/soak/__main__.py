"""The long runs: `python -m tests.soak` lists and runs them all, `python -m tests.soak NAME [--seed N]` runs one.

Each prints how far it has come and ends with one line of figures; the exit code is 1 if a target was missed.
"""

import argparse
import random
import sys
from collections.abc import Callable
from dataclasses import dataclass

from tests.soak import kill, receipts, recovery

Say = Callable[[str], None]


@dataclass(frozen=True)
class Run:
    """A long run: what it is, its target, and what does it. It returns whether the target was met."""

    target: str
    start: Callable[[argparse.Namespace, Say], bool]


def _kill(options: argparse.Namespace, say: Say) -> bool:
    wanted = kill.Options(options.deliveries, options.kills, options.broker, options.deaf)
    return kill.kill(options.seed, wanted, say)


RUNS = {
    "kill": Run(
        "kill -9 of the Procfile's processes at random moments, the database restarted, the broker restarted and "
        "flushed, providers that go wrong, one out for a third of the run, e-mail behind them: 0 lost, 0 doubled, "
        "what nobody knows is listed",
        _kill,
    ),
    "receipts": Run(
        "10,000 random histories of a provider's reports on each database: all end in the state that follows from "
        "what was said, 0 left over, 0 delivered twice",
        lambda options, say: receipts.run(options.seed, say),
    ),
    "recovery": Run(
        "at default settings (about ten minutes): a killed worker's claims are due again within 90 s, its attempts "
        "settled within 5 min, and a flushed broker delays by 40 s at most (99 of 100)",
        lambda options, say: recovery.run(options.seed, say),
    ),
}


def main() -> int:
    options = _options()
    names = [options.run] if options.run else list(RUNS)
    for name in names:
        say(f"{name}: {RUNS[name].target}")
    met = [RUNS[name].start(options, say) for name in names]
    return 0 if all(met) else 1


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("run", nargs="?", choices=list(RUNS), help="one of them; without it, all")
    parser.add_argument("--seed", type=int, default=random.randrange(100_000), help="repeats a run's random moments")
    usual = kill.Options()
    parser.add_argument("--deliveries", type=int, default=usual.deliveries, help="of the run kill")
    parser.add_argument("--kills", type=int, default=usual.kills, help="of the run kill")
    parser.add_argument("--broker", choices=list(kill.BROKERS), default=usual.broker, help="of the run kill")
    parser.add_argument("--deaf", action="store_true", help="kill: neither receipts nor questions tell of messages")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
