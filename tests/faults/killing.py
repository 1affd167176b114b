"""kill -9 of `kallelse up` again and again while deliveries are due, and what the ledger and the provider's own list
say afterwards. The provider is another process, whose list is synced to disk before it answers."""

import json
import random
import re
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from store import ledger
from store.database import Sessions, open_database
from tests.faults.programs import KALLELSE, Program, free_port, is_listening, running
from tests.faults.promises import due_codes, states
from tests.faults.waiting import wait_until
from worker.commands.running import bring_up
from worker.demo.twilio_api import TwilioAccount
from worker.settings import read_settings
from worker.wiring import open_vault

MOVING = ("queued", "sending")
REST_SECONDS = 120.0
_READY = re.compile(r"ready (http://\S+) smtp")


@dataclass(frozen=True)
class Message:
    """One message that the provider took. `token` is the attempt's, from its StatusCallback."""

    to: str
    body: str
    token: str


@dataclass(frozen=True)
class Outcome:
    """What is left when everything is at rest."""

    deliveries: int
    by_state: Counter[str]
    reasons: Counter[str]  # of deliveries that ended otherwise than delivered
    messages: int
    lost: int  # neither told nor listed as uncertain
    doubled: int
    unlisted: int  # uncertain, and not in what `kallelse ledger --state uncertain` prints
    kills: int
    seconds: float

    def line(self, seed: int) -> str:
        found = ", ".join(f"{number} {state}" for state, number in sorted(self.by_state.items()))
        reasons = ", ".join(f"{number} {reason}" for reason, number in sorted(self.reasons.items()) if reason)
        return (
            f"kill: seed {seed}: {self.deliveries} deliveries, {self.kills} kills: {self.lost} lost, "
            f"{self.doubled} doubled; {found}{f' ({reasons})' if reasons else ''}; {self.messages} messages; "
            f"{self.unlisted} uncertain unlisted; {self.seconds:.1f} s"
        )


@dataclass
class Ground:
    """Where it happens: a folder with the database and the provider's list, and what the product is told."""

    folder: Path
    environment: dict[str, str]
    sessions: Sessions
    seen: "AcceptedFile" = field(init=False)

    def __post_init__(self) -> None:
        self.seen = AcceptedFile(self.folder / "providers" / "accepted.jsonl")

    @property
    def provider_url(self) -> str:
        return self.environment["KALLELSE_TWILIO_API_BASE_URL"]

    @property
    def port(self) -> int:
        return int(self.environment["KALLELSE_PORT"])

    def counts(self) -> dict[str, int]:
        return states(self.sessions)

    def is_moving(self) -> bool:
        return any(self.counts().get(state) for state in MOVING)

    def tokens(self) -> dict[str, tuple[str, str]]:
        """Each attempt's public id with its delivery's id and state."""
        return {
            attempt.public_id: (str(entry.delivery.id), str(entry.delivery.state))
            for entry in self._entries()
            for attempt in entry.attempts
        }

    def uncertain(self) -> set[str]:
        return {str(entry.delivery.id) for entry in self._entries() if entry.delivery.state == "uncertain"}

    def listed(self) -> set[str]:
        """The ids of the uncertain ones that the operator's own command prints."""
        log = self.folder / "ledger.log"
        with running([KALLELSE, "ledger", "--state", "uncertain"], self.environment, log) as command:
            wait_until(lambda: command.exit_code is not None, "the ledger to be printed")
            assert command.exit_code == 0, command.last_words()
        # Beside the JSON lines there may be a word on standard error, that there are none.
        return {json.loads(line)["id"] for line in command.said().splitlines() if line.startswith("{")}

    def reasons(self) -> Counter[str]:
        return Counter(entry.delivery.reason for entry in self._entries())

    def _entries(self) -> list[ledger.LedgerEntry]:
        vault = open_vault(read_settings(self.environment))
        with self.sessions.reading() as session:
            return list(ledger.entries(session, vault))


class AcceptedFile:
    """The provider's list as it lies on disk, read from where the last look ended."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._read = 0
        self.messages: list[Message] = []

    def look(self) -> list[Message]:
        """Everything accepted so far."""
        content = self._path.read_bytes()[self._read :] if self._path.exists() else b""
        whole = content[: content.rfind(b"\n") + 1]
        self._read += len(whole)
        lines = [json.loads(line) for line in whole.splitlines()]
        self.messages += [_message(line["accepted"]) for line in lines if "accepted" in line]
        return self.messages


@contextmanager
def ground(folder: Path, deliveries: int, *, receipts_to: str = "") -> Iterator[Ground]:
    """A provider that runs, and a database in which so many deliveries are due. Receipts come to the program itself,
    unless they are to go astray."""
    with ExitStack() as parts:
        command = [sys.executable, "-m", "worker.demo.providers", "--dir", str(folder / "providers")]
        provider = parts.enter_context(running(command, {}, folder / "provider.log"))
        wait_until(lambda: _READY.search(provider.said()) is not None, "the provider to start")
        ready = _READY.search(provider.said())
        assert ready is not None
        environment = _environment(folder, ready[1], receipts_to)
        configuration = read_settings(environment)
        bring_up(configuration)
        sessions = open_database(configuration.settings.database_url)
        parts.callback(sessions.close)
        due_codes(sessions, open_vault(configuration), datetime.now(UTC), deliveries)
        yield Ground(folder, environment, sessions)


@contextmanager
def up(here: Ground) -> Iterator[Program]:
    """`kallelse up`, running."""
    with running([KALLELSE, "up"], here.environment, here.folder / "up.log") as product:
        yield product


def run(here: Ground, deliveries: int, kills: int, seed: int, say: Callable[[str], None]) -> Outcome:
    """Kills at `kills` moments drawn by the seed while messages go out, restarts each time, and waits for rest."""
    began = time.monotonic()
    draws = random.Random(seed)
    after = sorted(draws.randrange(deliveries * 9 // 10) for _ in range(kills))
    for number, drawn in enumerate(after, 1):
        count = max(drawn, len(here.seen.look()) + 1)  # a program that is killed has sent something
        with up(here) as product:
            wait_until(lambda: _has_come_to(here, product, count), f"{count} messages", seconds=REST_SECONDS)  # noqa: B023
            time.sleep(draws.random() * 0.05)  # the moment itself: anywhere within the sending of a message
            product.kill()
        say(f"  kill {number} of {kills}: {len(here.seen.look())} messages, {_shown(here.counts())}")
    with up(here) as product:
        wait_until(lambda: _is_at_rest(here, product), "everything to come to rest", seconds=REST_SECONDS)
        wait_until(lambda: is_listening(here.port), "the program to be up")  # else SIGTERM ends it as it starts
        assert product.terminate() == 0
    return _outcome(here, deliveries, kills, time.monotonic() - began)


def _environment(folder: Path, provider_url: str, receipts_to: str) -> dict[str, str]:
    """Leases and time-outs short, so that what a kill left behind is taken up within seconds; nobody is polled."""
    account, port = TwilioAccount(), free_port()
    settings = {
        "DATABASE_URL": f"sqlite:///{folder / 'kallelse.db'}",
        "PUBLIC_URL": receipts_to or f"http://127.0.0.1:{port}",
        "PORT": str(port),
        "TWILIO_ACCOUNT_SID": account.sid,
        "TWILIO_AUTH_TOKEN": account.token,
        "TWILIO_SENDER": account.sender,
        "TWILIO_API_BASE_URL": provider_url,
        "TICK_SECONDS": "0.2",
        "LEASE_SECONDS": "4",
        "PROVIDER_CONNECT_SECONDS": "0.5",
        "PROVIDER_READ_SECONDS": "1",
    }
    return {f"KALLELSE_{name}": value for name, value in settings.items()}


def _has_come_to(here: Ground, product: Program, count: int) -> bool:
    assert product.exit_code is None, product.last_words()
    return len(here.seen.look()) >= count or not here.is_moving()


def _is_at_rest(here: Ground, product: Program) -> bool:
    """Nothing is left to send or to settle. Receipts may still be missing: the provider gives up reporting in time."""
    assert product.exit_code is None, product.last_words()
    return not here.is_moving()


def _outcome(here: Ground, deliveries: int, kills: int, seconds: float) -> Outcome:
    messages, tokens, by_state = here.seen.look(), here.tokens(), Counter(here.counts())
    per_delivery = Counter(tokens[one.token][0] if one.token in tokens else "nobody's" for one in messages)
    per_text = Counter((one.to, one.body) for one in messages)
    doubled = max(sum(number - 1 for number in counts.values()) for counts in (per_delivery, per_text))
    told = by_state["accepted"] + by_state["delivered"] + by_state["uncertain"]
    return Outcome(
        deliveries=deliveries,
        by_state=by_state,
        reasons=here.reasons(),
        messages=len(messages),
        lost=deliveries - told,
        doubled=doubled + per_delivery["nobody's"],
        unlisted=len(here.uncertain() - here.listed()),
        kills=kills,
        seconds=seconds,
    )


def _message(accepted: dict[str, object]) -> Message:
    details = accepted["details"]
    assert isinstance(details, dict)
    return Message(str(accepted["to"]), str(accepted["body"]), str(details["status_callback"]).rsplit("/", 1)[1])


def _shown(counts: dict[str, int]) -> str:
    return ", ".join(f"{number} {state}" for state, number in sorted(counts.items()))
