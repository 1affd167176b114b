"""Full dispatch to the loopback provider beside the provider's client alone: messages a second, one thread of one
process, the simulated provider in a process of its own. And with a channel that does nothing: what a promise costs.
"""

import re
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

from notifier.channels import Accepted, Channel, Message
from notifier.channels.twilio_sms import TwilioSettings, TwilioSms
from notifier.dispatch import DispatchSettings, send_due
from store.database import Sessions, migrate, open_database
from store.sending import Floor
from store.vault import Vault, make_key_file, read_key_file
from tests.bench.databases import postgresql
from tests.bench.rows import Row, medians
from tests.faults import promises
from tests.faults.programs import running
from tests.faults.waiting import wait_until
from worker.demo.twilio_api import TwilioAccount

_NOW = datetime(2026, 11, 24, 8, 55, tzinfo=UTC)
_MESSAGES = 150  # a round
_ROUNDS = 5
_READY = re.compile(r"ready (http://\S+)")


class _NoOp:
    """Takes everything at once."""

    name = "sms"
    provider = "none"

    def send(self, message: Message) -> Accepted:
        return Accepted(str(uuid4()))


def rows(folder: Path) -> Iterator[Row]:
    with _provider(folder) as sms, postgresql(folder) as postgresql_url:
        for name, url in (("SQLite", f"sqlite:///{folder}/dispatch.db"), ("PostgreSQL", postgresql_url)):
            here = _Dispatching(url, folder / f"{name}.keys")
            whole, alone, nothing = medians(
                lambda here=here: here.messages_a_second({"sms": sms}),  # type: ignore[misc]
                lambda: _alone(sms),
                lambda here=here: here.messages_a_second({"sms": _NoOp()}),  # type: ignore[misc]
                rounds=_ROUNDS,
            )
            here.sessions.close()
            beside = f"provider client alone: {alone:.0f}/s"
            yield Row(
                f"full dispatch, {name}: share of the client's", f"{whole:.0f}/s", beside, whole / alone, at_least=0.7
            )
            what = f"full dispatch to a no-op channel, {name}"
            yield Row(f"{what}: times the client's", f"{nothing:.0f}/s", beside, nothing / alone)


class _Dispatching:
    """People with due reminders, dispatched as a worker would, unpaced."""

    def __init__(self, database_url: str, keys: Path) -> None:
        self.sessions: Sessions = open_database(database_url)
        migrate(self.sessions)
        make_key_file(keys)
        self._vault = Vault(read_key_file(keys))
        with self.sessions.writing() as session:
            count = _MESSAGES * 2 * (_ROUNDS + 1)
            promises.add_due(session, self._vault, _NOW, count, promises.reminders(session, _NOW))
        self._settings = DispatchSettings(batch=50, lease=timedelta(minutes=10), floor=Floor())

    def messages_a_second(self, channels: Mapping[str, Channel]) -> float:
        began, sent = time.perf_counter(), 0
        while sent < _MESSAGES:
            became = send_due(self.sessions, self._vault, channels, lambda: _NOW, self._settings)
            if set(became) != {"accepted"}:
                raise RuntimeError(f"not all were accepted: {dict(became)}")
            sent += became.total()
        return sent / (time.perf_counter() - began)


def _alone(sms: TwilioSms) -> float:
    messages = [_message() for _ in range(_MESSAGES)]
    began = time.perf_counter()
    for message in messages:
        sms.send(message)
    return _MESSAGES / (time.perf_counter() - began)


def _message() -> Message:
    return Message(
        to=f"+{promises.FIRST_PHONE}",
        subject_line="",
        text="Påminnelse: tisdag 1 december kl. 13.30, Ekens vårdcentral. https://www.1177.se",
        html="",
        language="sv",
        delivery_id=str(uuid4()),
        attempt_id=uuid4().hex,
        useful_until=_NOW + timedelta(days=1),
        now=_NOW,
    )


@contextmanager
def _provider(folder: Path) -> Iterator[TwilioSms]:
    """The channel, to a simulated provider that accepts everything."""
    account = TwilioAccount()
    command = [sys.executable, "-m", "worker.demo.providers", "--dir", str(folder / "providers")]
    with running([*command, "--now", _NOW.isoformat()], {}, folder / "providers.log") as provider:
        wait_until(lambda: _READY.search(provider.said()) is not None, "the provider to start")
        ready = _READY.search(provider.said())
        assert ready is not None
        sms = TwilioSms(
            TwilioSettings(
                account_sid=account.sid, auth_token=account.token, sender=account.sender, api_base_url=ready[1]
            )
        )
        yield sms
        sms.close()
