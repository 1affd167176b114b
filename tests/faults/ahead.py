"""`kallelse` itself, with business time ahead of real time by the seconds in the file AHEAD names, read anew each time.

Processes have no setting for this: nobody but a test may move what they decide by. Run it as `kallelse` is run.
"""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

from worker import clock, wiring
from worker.__main__ import main

AHEAD = "TESTS_AHEAD_FILE"


class AheadClock(clock.BusinessClock):
    """Business time of all processes that read one file."""

    def __init__(self, start_at: datetime | None = None) -> None:
        super().__init__(start_at)
        self._file = Path(os.environ[AHEAD])

    def now(self) -> datetime:
        return datetime.now(UTC) + timedelta(seconds=float(self._file.read_text()))


if __name__ == "__main__":
    wiring.BusinessClock = AheadClock  # type: ignore[misc]
    main()
