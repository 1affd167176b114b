"""A worker that stands still in the middle of a transaction holds up what it has in its hands, and nothing else."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlmodel import col, select, update

from notifier import dispatch
from notifier.uncertainty import Patience
from store.columns import lease_clock
from store.database import open_database
from store.deliveries import Delivery
from store.vault import Vault
from tests.conftest import NOW
from tests.faults.promises import due_reminders, states

pytestmark = pytest.mark.fault


def test_what_other_dead_workers_left_is_recovered_meanwhile(postgresql_url: str, vault: Vault) -> None:
    sessions = open_database(postgresql_url)
    due_reminders(sessions, vault, NOW, 2)
    with sessions.writing() as session:
        session.exec(update(Delivery).values(state="sending", claimed_until=lease_clock(-1)))
    with ThreadPoolExecutor(1) as pool, sessions.writing() as standing_still:
        standing_still.exec(select(Delivery).order_by(col(Delivery.id)).limit(1).with_for_update()).one()
        recovered = pool.submit(dispatch.recover, sessions, Patience(first_look=timedelta(hours=1)))
        assert recovered.result(60) == 1
        assert states(sessions) == {"sending": 1, "uncertain": 1}
    sessions.close()
