"""Reports of hundreds of messages come in any order, repeated, while workers apply them and others still send: every
delivery must come to the one end that follows from what was said. 10,000 of them: `python -m tests.soak receipts`."""

import random
from datetime import datetime

from store.database import Sessions
from store.vault import Vault
from tests.notifier.receipt_histories import STARTS, make, tell

HISTORIES = 200


def test_check_17_random_histories_end_in_the_one_state_that_follows_from_what_was_said(
    sessions: Sessions, vault: Vault, now: datetime
) -> None:
    chance = random.Random(17)
    histories = make(HISTORIES, chance)
    assert {one.start for one in histories} == set(STARTS)

    outcome = tell(sessions, vault, histories, chance, now)

    assert outcome.wrong == []
    assert (outcome.left_over, outcome.moved_twice) == (0, 0)
    assert outcome.stored < outcome.told
