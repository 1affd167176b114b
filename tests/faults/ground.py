"""Where programs are killed: a folder with the provider's list, a database in which deliveries are due, and what the
product is told. The provider is another process, whose list is synced to disk before it answers."""

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlmodel import and_, col, or_, select, update

from notifier import ready_texts
from store.database import Sessions, open_database
from store.deliveries import Attempt, Delivery, DeliveryPart
from store.vault import Vault
from tests.conftest import NOW
from tests.faults.business_time import BusinessTime
from tests.faults.forked import PRODUCT, PROVIDERS, Forked, forked, printed
from tests.faults.invariants import Message, Promise
from tests.faults.procfile import settings_for
from tests.faults.promises import due_of_both_sorts, states
from tests.faults.waiting import wait_until
from worker.demo.elks_api import ElksAccount
from worker.settings import read_settings
from worker.wiring import open_vault

MOVING = ("queued", "sending", "uncertain")
_LOST = ("undelivered", "failed")  # as the providers say it
_SPEED = 10.0  # of business time: half a minute's wait for a provider that could not be reached is three seconds
_READY = re.compile(r"ready (http://\S+) smtp (\S+):(\d+)")


@dataclass
class Ground:
    folder: Path
    environment: dict[str, str]
    sessions: Sessions
    vault: Vault
    time: BusinessTime
    seen: "AcceptedFile" = field(init=False)
    programs: ExitStack = field(default_factory=ExitStack)

    def __post_init__(self) -> None:
        self.seen = AcceptedFile(self.folder / "providers" / "accepted.jsonl")

    @property
    def provider_url(self) -> str:
        return self.environment["KALLELSE_TWILIO_API_BASE_URL"]

    @property
    def port(self) -> int:
        return int(self.environment["KALLELSE_PORT"])

    def start(self, command: str, **settings: object) -> Forked:
        """One of the product's programs, with some settings of its own; it ends with the ground."""
        own = {f"KALLELSE_{name.upper()}": str(value) for name, value in settings.items()}
        log = self.folder / f"{command}.log"
        return self.programs.enter_context(forked(PRODUCT, [command], {**self.environment, **own}, log, self.time))

    def put_off(self) -> None:
        """Nothing is due before `make_due`."""
        with self.sessions.writing() as session:
            session.exec(update(Delivery).values(next_attempt_at=col(Delivery.useful_until)))

    def make_due(self, count: int) -> list[str]:
        """So many of what was put off, from now on; their ids."""
        waits = col(Delivery.next_attempt_at) == col(Delivery.useful_until)
        with self.sessions.writing() as session:
            ids = session.exec(select(Delivery.id).where(waits).order_by(col(Delivery.id)).limit(count)).all()
            session.exec(update(Delivery).where(col(Delivery.id).in_(ids)).values(next_attempt_at=self.time.now()))
        return [str(one) for one in ids]

    def counts(self) -> dict[str, int]:
        return states(self.sessions)

    def is_moving(self) -> bool:
        """Whether anything is left to send or to settle, or has failed and is to go on by another channel."""
        goes_on = and_(col(Delivery.state) == "failed", col(Delivery.follow_at) <= self.time.now())
        moving = or_(col(Delivery.state).in_(MOVING), goes_on)
        with self.sessions.reading() as session:
            return session.exec(select(Delivery.id).where(moving).limit(1)).first() is not None

    def awaits_receipts(self) -> bool:
        """Whether an SMS was taken and nobody has said what became of it."""
        unheard = (col(Delivery.state) == "accepted", col(Delivery.channel) == "sms")
        with self.sessions.reading() as session:
            return session.exec(select(Delivery.id).where(*unheard).limit(1)).first() is not None

    def promises(self) -> list[Promise]:
        """Every delivery, the oldest first."""
        with self.sessions.reading() as session:
            occasions: dict[str, list[str]] = {}
            for part in session.exec(select(DeliveryPart.delivery_id, DeliveryPart.occasion)):
                occasions.setdefault(str(part[0]), []).append(part[1])
            attempts: dict[str, list[Attempt]] = {}
            for one in session.exec(select(Attempt).order_by(col(Attempt.id))):
                attempts.setdefault(str(one.delivery_id), []).append(one)
            rows = session.exec(select(Delivery).order_by(col(Delivery.id)))
            return [Promise.of(row, attempts.get(str(row.id), []), occasions.get(str(row.id), [])) for row in rows]

    def listed(self, state: str) -> set[str]:
        """The ids of those in a state that the operator's own command prints."""
        said = printed(["ledger", "--state", state], self.environment, self.folder / "ledger.log")
        # Beside the JSON lines there may be a word on standard error, that there are none.
        return {json.loads(line)["id"] for line in said.splitlines() if line.startswith("{")}


class AcceptedFile:
    """The provider's list as it lies on disk, read from where the last look ended."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._read = 0
        self._messages: dict[str, Message] = {}  # by the provider's own id

    def look(self) -> list[Message]:
        """Everything accepted so far."""
        if not self._path.exists():
            return []
        with self._path.open("rb") as file:
            file.seek(self._read)
            content = file.read()
        whole = content[: content.rfind(b"\n") + 1]
        self._read += len(whole)
        lines = [json.loads(line) for line in whole.split(b"\n")[:-1]]
        for line in lines:
            self._apply(line)
        return list(self._messages.values())

    def _apply(self, line: dict[str, Any]) -> None:
        if "accepted" in line:
            self._messages[line["accepted"]["id"]] = _message(line["accepted"])
        elif line["status"] in _LOST:
            self._messages[line["progress"]] = replace(self._messages[line["progress"]], is_lost=True)


@contextmanager
def ground(
    folder: Path,
    deliveries: int,
    settings: Mapping[str, object] | None = None,
    *,
    database_url: str = "",
    time: BusinessTime | None = None,
) -> Iterator[Ground]:
    """A provider that runs, and a migrated database (by default `kallelse.db` in the folder) in which so many
    deliveries are due. Receipts come to the program itself, unless a `public_url` leads them astray. By business it
    is Tuesday, 09.55, unless `time` is given. `sms_by` among the settings: `twilio` (unless it is given), `46elks`, or
    `both`. With `by_email` what does not arrive goes on by e-mail, and some people have phones that none arrives at."""
    with ExitStack() as parts:
        provider = parts.enter_context(
            forked(PROVIDERS, ["--dir", str(folder / "providers")], {}, folder / "provider.log")
        )
        wait_until(lambda: _READY.search(provider.said()) is not None, "the provider to start")
        ready = _READY.search(provider.said())
        assert ready is not None
        url = database_url or f"sqlite:///{folder / 'kallelse.db'}"
        by_email = bool(settings and settings.get("by_email"))
        mail = {"smtp_host": ready[2], "smtp_port": ready[3]} if by_email else {}
        environment = _environment(folder, url, ready[1], {**mail, **(settings or {})})
        configuration = read_settings(environment)
        sessions = open_database(url)
        parts.callback(sessions.close)
        time = time or BusinessTime(NOW, datetime.now(UTC), _SPEED)
        here = Ground(folder, environment, sessions, open_vault(configuration), time)
        parts.enter_context(here.programs)
        with sessions.writing() as session:
            ready_texts.install(session, here.time.now())
        if deliveries:
            due_of_both_sorts(sessions, here.vault, here.time.now(), deliveries, also_by_email=by_email)
        yield here


def _environment(folder: Path, database_url: str, provider_url: str, settings: Mapping[str, object]) -> dict[str, str]:
    """Waits short, too, so that what a kill left behind is settled within seconds."""
    hasty = {
        "uncertain_seconds": 1, "second_proof_seconds": 0.5, "give_up_seconds": 20, "receipt_seconds": 2,
        "messages_per_second": 500,
    }  # fmt: skip
    given = {**hasty, **settings}
    by = given.pop("sms_by", "twilio")
    mail = {"smtp_starttls": "false", "smtp_sender": "kallelse@example.se"} if given.pop("by_email", False) else {}
    elks = {} if by == "twilio" else _elks(provider_url)
    alone = {"twilio_account_sid": ""} if by == "46elks" else {}
    return settings_for(folder, database_url, "", provider_url, **{**elks, **alone, **mail, **given})


def _elks(provider_url: str) -> dict[str, object]:
    account = ElksAccount()
    return {
        "elks_username": account.username,
        "elks_password": account.password,
        "elks_sender": "Kallelse",
        "elks_hook_secret": "Hemlig-del-av-adressen",
        "elks_api_base_url": provider_url,
    }


def _message(accepted: dict[str, str | dict[str, str]]) -> Message:
    details = accepted["details"]
    assert isinstance(details, dict)
    is_mail = accepted["channel"] == "email"
    mail_id = details["message-id"].strip("<>") if is_mail else ""
    token = mail_id.partition("@")[0] if is_mail else details["status_callback"].rsplit("/", 1)[1]
    return Message(
        id=mail_id or str(accepted["id"]),
        to=str(accepted["to"]),
        body=str(accepted["body"]),
        token=token,
        taken_at=datetime.fromisoformat(str(accepted["taken_at"])),
        channel=str(accepted["channel"]),
    )
