"""10,000 random histories of what a provider reports, on each database, told and applied by several threads at once."""

import random
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from store.database import migrate, open_database
from store.vault import Vault, make_key_file, read_key_file
from tests.bench.databases import postgresql
from tests.notifier.receipt_histories import Outcome, make, tell

HISTORIES = 10_000


def run(seed: int, say: Callable[[str], None]) -> bool:
    """Whether every delivery came to the one end that follows from what was said of it."""
    with tempfile.TemporaryDirectory(prefix="kallelse-soak-") as folder, postgresql(Path(folder)) as address:
        keys = Path(folder) / "keys.json"
        make_key_file(keys)
        vault = Vault(read_key_file(keys))
        return all([_run_on(url, vault, seed, say) for url in (f"sqlite:///{folder}/kallelse.db", address)])


def _run_on(url: str, vault: Vault, seed: int, say: Callable[[str], None]) -> bool:
    chance, began = random.Random(seed), time.monotonic()
    sessions = open_database(url)
    migrate(sessions)
    outcome = tell(sessions, vault, make(HISTORIES, chance), chance, datetime.now(UTC))
    sessions.close()
    say(f"{_line(outcome, seed)} on {url.partition(':')[0]}; {time.monotonic() - began:.0f} s")
    return (len(outcome.wrong), outcome.left_over, outcome.moved_twice) == (0, 0, 0)


def _line(outcome: Outcome, seed: int) -> str:
    ends = ", ".join(f"{number} {state}" for state, number in sorted(outcome.by_state.items()))
    return (
        f"receipts: seed {seed}: {HISTORIES} histories, {outcome.told} things told, {outcome.stored} reports stored: "
        f"{len(outcome.wrong)} ended wrongly, {outcome.left_over} left over, {outcome.moved_twice} delivered twice; "
        f"{ends}"
    )
