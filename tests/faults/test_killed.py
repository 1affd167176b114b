"""kill -9 at random moments, and a provider that goes wrong in every way: nobody is forgotten, nobody is told twice,
and what nobody knows is said to be unknown."""

import os
import shutil
from pathlib import Path

import pytest

from tests.faults.ground import ground
from tests.faults.killing import FAILING, Plan, from_procfile, one_process, run
from tests.faults.programs import free_port
from tests.faults.servers import Broker
from tests.faults.servers import broker as broker
from tests.faults.servers import rabbitmq_broker as rabbitmq_broker
from tests.faults.servers import rabbitmq_of_the_session as rabbitmq_of_the_session
from tests.faults.servers import redis_broker as redis_broker

pytestmark = pytest.mark.fault

SEED = int(os.environ.get("SEED") or int.from_bytes(os.urandom(2)))
"""A seed that fails is to be kept: SEED=... repeats its draws. The full run is `make soak-kill`."""


@pytest.fixture
def folder(tmp_path: Path, sqlite_template: Path) -> Path:
    shutil.copy(sqlite_template, tmp_path / "kallelse.db")
    return tmp_path


def test_one_process_killed_at_random_moments_while_an_sms_provider_fails_tells_everybody_once(folder: Path) -> None:
    """What Twilio may have never goes by 46elks; what no phone has got goes on by e-mail, once."""
    plan = Plan(SEED, deliveries=80, kills=3, worse=FAILING, goes_on=True)
    said: list[str] = []
    with ground(folder, plan.deliveries, {"sms_by": "both", "by_email": True}) as here:
        outcome = run(here, one_process(here), plan, said.append)
    assert outcome.wrong == [], "\n".join([*said, outcome.report()])
    assert outcome.found.lost == outcome.found.copies.total() == 0, outcome.report()


def test_processes_killed_at_random_moments_lose_nothing_and_double_nothing(
    tmp_path: Path, postgresql_url: str, broker: Broker
) -> None:
    plan = Plan(SEED, deliveries=80, kills=5)
    said: list[str] = []
    with ground(tmp_path, plan.deliveries, {"broker_url": broker.url}, database_url=postgresql_url) as here:
        outcome = run(here, from_procfile(here), plan, said.append)
    assert outcome.wrong == [], "\n".join([*said, outcome.report()])
    assert outcome.found.lost == outcome.found.copies.total() == 0, outcome.report()


def test_when_only_receipts_tell_of_messages_nothing_is_doubled(folder: Path) -> None:
    plan = Plan(SEED, deliveries=40, kills=2, can_ask=False)
    said: list[str] = []
    with ground(folder, plan.deliveries) as here:
        outcome = run(here, one_process(here), plan, said.append)
    assert outcome.wrong == [], "\n".join([*said, outcome.report()])
    assert outcome.found.copies.total() == 0, outcome.report()


def test_when_nobody_can_tell_what_must_arrive_has_one_copy_at_most_and_all_else_none(folder: Path) -> None:
    """Receipts and questions are dead: what nobody knows is failed (unknown), and `kallelse ledger` lists it."""
    plan = Plan(SEED, deliveries=60, kills=3, can_ask=False, hears=False)
    settings = {"give_up_seconds": 3, "public_url": f"http://127.0.0.1:{free_port()}"}
    said: list[str] = []
    with ground(folder, plan.deliveries, settings) as here:
        outcome = run(here, one_process(here), plan, said.append)
    assert outcome.wrong == [], "\n".join([*said, outcome.report()])
