"""kill -9 of the one process at 10 random moments while 500 deliveries are due."""

import tempfile
from collections.abc import Callable
from pathlib import Path

from tests.faults import killing

DELIVERIES = 500
KILLS = 10


def run(seed: int, say: Callable[[str], None]) -> bool:
    """Whether nothing was lost, doubled or left out of the list of uncertain ones."""
    with (
        tempfile.TemporaryDirectory(prefix="kallelse-soak-") as folder,
        killing.ground(Path(folder), DELIVERIES) as here,
    ):
        outcome = killing.run(here, DELIVERIES, KILLS, seed, say)
    say(outcome.line(seed))
    return (outcome.lost, outcome.doubled, outcome.unlisted) == (0, 0, 0)
