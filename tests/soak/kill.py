"""kill -9 of the Procfile's processes at random moments while thousands of deliveries go out on PostgreSQL and a
broker, which are restarted and flushed meanwhile; by two SMS providers, one of them out for a third of the run,
and by e-mail where no SMS arrives."""

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from store.database import migrate, open_database
from tests.faults.ground import Ground, ground
from tests.faults.killing import MIX, Plan, Say, from_procfile, run
from tests.faults.programs import free_port
from tests.faults.servers import Broker, Postgresql, Rabbitmq, Redis, started
from tests.faults.wired import set_faults

BROKERS: dict[str, type[Redis] | type[Rabbitmq]] = {"redis": Redis, "rabbitmq": Rabbitmq}
OUT = {"429": 40, "500_before": 40, "500_after": 10, "reset": 5, "drop": 5}  # of Twilio
_REST_SECONDS = 900.0
_WAITS = {
    "lease_seconds": 12, "provider_connect_seconds": 1, "provider_read_seconds": 3, "tick_seconds": 1,
    "uncertain_seconds": 5, "second_proof_seconds": 3, "give_up_seconds": 90, "receipt_seconds": 60,
}  # fmt: skip
_DEAF = {"give_up_seconds": 10, "receipt_seconds": 900}


@dataclass(frozen=True)
class Options:
    """`is_deaf`: neither receipts nor questions tell what became of a message; by one provider then, and no e-mail."""

    deliveries: int = 20_000
    kills: int = 50
    broker: str = "redis"
    is_deaf: bool = False


def kill(seed: int, options: Options, say: Say) -> bool:
    """Whether nothing was lost, doubled beyond what is allowed, or left out of the lists."""
    with tempfile.TemporaryDirectory(prefix="kallelse-soak-") as folder:
        database, broker = Path(folder) / "database", Path(folder) / "broker"
        database.mkdir(mode=0o700)
        broker.mkdir()
        with started(BROKERS[options.broker](broker)) as doorbells, postgresql(database) as server:
            return _killed(seed, options, Path(folder), server, doorbells, say)


@contextmanager
def postgresql(folder: Path) -> Iterator[Postgresql]:
    """A server with a migrated database."""
    with ExitStack() as parts:
        server = Postgresql(folder)
        parts.callback(server.close)
        sessions = open_database(server.url)
        parts.callback(sessions.close)
        migrate(sessions)
        yield server


def _killed(  # noqa: PLR0913 - what runs, and where
    seed: int, options: Options, folder: Path, database: Postgresql, broker: Broker, say: Say
) -> bool:
    with _ground(options, folder, database, broker, say) as here:
        outage = () if options.is_deaf else (
            (0.2, "Twilio out", lambda: set_faults(here.provider_url, provider="twilio", **OUT)),
            (0.55, "Twilio back", lambda: set_faults(here.provider_url, provider="twilio", **MIX)),
        )  # fmt: skip
        plan = Plan(
            seed, options.deliveries, options.kills, can_ask=not options.is_deaf, hears=not options.is_deaf,
            upsets=(
                (0.3, "database restarted", database.restart),
                (0.5, "broker restarted", broker.restart),
                (0.7, "broker flushed", broker.flush),
                *outage,
            ),
            goes_on=not options.is_deaf,
            rest_seconds=_REST_SECONDS,
        )  # fmt: skip
        outcome = run(here, from_procfile(here), plan, say)
    say(outcome.report())
    return not outcome.wrong


@contextmanager
def _ground(options: Options, folder: Path, database: Postgresql, broker: Broker, say: Say) -> Iterator[Ground]:
    astray = {**_DEAF, "public_url": f"http://127.0.0.1:{free_port()}"} if options.is_deaf else {}
    several = {} if options.is_deaf else {"sms_by": "both", "by_email": True}
    settings: dict[str, object] = {**_WAITS, "broker_url": broker.url, **astray, **several}
    say(f"  making {options.deliveries} deliveries")
    with ground(folder, options.deliveries, settings, database_url=database.url) as here:
        yield here
