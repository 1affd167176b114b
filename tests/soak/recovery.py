"""How long it takes, at the product's default settings, until what a killed worker or a flushed broker left behind goes
on. Receipts are lost all the while: they would only make it quicker."""

import random
import tempfile
import time
from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from pathlib import Path

from tests.conftest import NOW
from tests.faults.business_time import BusinessTime
from tests.faults.ground import Ground, ground
from tests.faults.invariants import Promise
from tests.faults.killing import Fleet, Say, from_procfile
from tests.faults.programs import free_port
from tests.faults.servers import Broker, Redis, started
from tests.faults.waiting import wait_until
from tests.faults.wired import set_faults
from tests.soak.kill import postgresql

_CLAIMED, _TRIED, _FLUSHED = 90.0, 300.0, 40.0  # seconds, for 99 of 100
_ROUNDS = 2  # of each way, of killed workers with attempts: each leaves some
_CROWD, _AT_ONCE = 400, 8  # due at once, so that every thread has a batch of its own, and so many are under way
_FLUSHES, _FLUSHED_FOR, _BETWEEN_FLUSHES = 40, 6.0, 0.05  # seconds at most, and between two
_BATCH = 50
_DELIVERIES = _FLUSHES + 2 * _ROUNDS * _CROWD + _BATCH
_DEFAULTS = (
    "tick_seconds", "lease_seconds", "provider_connect_seconds", "provider_read_seconds", "uncertain_seconds",
    "second_proof_seconds", "give_up_seconds", "receipt_seconds", "messages_per_second",
)  # fmt: skip
_LONG = 600.0


def run(seed: int, say: Say) -> bool:
    """Whether all three were quick enough."""
    with tempfile.TemporaryDirectory(prefix="kallelse-soak-") as name:
        folder = Path(name)
        database, broker = folder / "database", folder / "broker"
        database.mkdir(mode=0o700)
        broker.mkdir()
        with started(Redis(broker)) as doorbells, postgresql(database) as server:
            settings = {**dict.fromkeys(_DEFAULTS, ""), "public_url": f"http://127.0.0.1:{free_port()}"}
            settings["broker_url"] = doorbells.url
            time_of_day = BusinessTime(NOW, datetime.now(UTC))
            with ground(folder, _DELIVERIES, settings, database_url=server.url, time=time_of_day) as here:
                return _measured(here, doorbells, random.Random(seed), seed, say)


def _measured(here: Ground, broker: Broker, draws: random.Random, seed: int, say: Say) -> bool:
    here.put_off()
    fleet = from_procfile(here)
    fleet.start()
    met = [_is_met(say, seed, "broker flushed, until handed over", _flushed(here, broker, draws), _FLUSHED)]
    met.append(_is_met(say, seed, "worker killed with an attempt, until settled", _with_attempts(here, fleet), _TRIED))
    fleet.end()
    met.append(_is_met(say, seed, "worker killed with claims, until tried", _with_claims(here), _CLAIMED))
    return all(met)


def _flushed(here: Ground, broker: Broker, draws: random.Random) -> list[float]:
    """The bells of each delivery are lost for some seconds after it became due."""
    due_at: dict[str, datetime] = {}
    for _ in range(_FLUSHES):
        due_at.update(dict.fromkeys(here.make_due(1), datetime.now(UTC)))
        ends_at = time.monotonic() + _FLUSHED_FOR * draws.random()
        while time.monotonic() < ends_at:
            broker.flush()
            time.sleep(_BETWEEN_FLUSHES)
    return _until_tried(here, due_at)


def _with_attempts(here: Ground, fleet: Fleet) -> list[float]:
    """Of what the provider took, and of what it did not."""
    killed_at: dict[str, datetime] = {}
    for way in ("hang", "drop") * _ROUNDS:
        set_faults(here.provider_url, **{way: 1})
        due = set(here.make_due(_CROWD))
        wait_until(lambda: len(_sending(here, due)) >= _AT_ONCE, "some to be under way", seconds=_LONG)  # noqa: B023
        fleet.end()
        killed_at.update(dict.fromkeys(_sending(here, due), datetime.now(UTC)))
        set_faults(here.provider_url, ok=1)
        fleet.start()
    ended = _handed_over(here, killed_at)
    return [_seconds(_real(here, ended[name].settled_at), at) for name, at in killed_at.items()]


def _with_claims(here: Ground) -> list[float]:
    """A worker dies before it has tried any of a whole batch."""
    here.make_due(_BATCH)
    victim = here.start("up", failpoint="C5:kill", broker_url="")
    wait_until(lambda: victim.exit_code is not None, "the worker to die", seconds=_LONG)
    killed_at = dict.fromkeys((one.id for one in here.promises() if one.is_claimed), datetime.now(UTC))
    from_procfile(here).start()
    return _until_tried(here, killed_at)


def _until_tried(here: Ground, since: dict[str, datetime]) -> list[float]:
    tried = _handed_over(here, since)
    return [_seconds(tried[name].tries[0].began_at, at) for name, at in since.items()]


def _handed_over(here: Ground, names: Collection[str]) -> dict[str, Promise]:
    """These, when the provider has each."""

    def found() -> dict[str, Promise]:
        return {one.id: one for one in here.promises() if one.id in names}

    wait_until(lambda: all(one.state == "accepted" for one in found().values()), "all to be accepted", seconds=_LONG)
    return found()


def _sending(here: Ground, names: Collection[str]) -> list[str]:
    return [one.id for one in here.promises() if one.state == "sending" and one.id in names]


def _real(here: Ground, business: datetime | None) -> datetime:
    """Business time goes at real speed here."""
    assert business is not None
    return business - here.time.starts_at + here.time.since


def _seconds(later: datetime, earlier: datetime) -> float:
    return (later - earlier).total_seconds()


def _is_met(say: Say, seed: int, what: str, found: Sequence[float], target: float) -> bool:
    p50, p95, p99 = (_percentile(found, share) for share in (0.5, 0.95, 0.99))
    say(
        f"recovery: seed {seed}: {what}: {len(found)} measured, p50 {p50:.1f} s, p95 {p95:.1f} s, p99 {p99:.1f} s,"
        f" longest {max(found):.1f} s; target p99 {target:.0f} s"
    )
    return p99 <= target


def _percentile(found: Sequence[float], share: float) -> float:
    return sorted(found)[min(len(found) - 1, int(share * len(found)))]
