"""A text from a phone, through the simulated 46elks, to the product's own hook, which asks 46elks, and
back to the phone."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from sqlmodel import col, select
from starlette.applications import Starlette

from notifier import replies
from notifier.channels.elks_replies import REPLIES_PATH
from notifier.channels.elks_sms import ElksSettings, ElksSms
from notifier.channels.inbound import ReceivedText
from notifier.reply_texts import answer
from notifier.web.hooks import ElksHooks, elks_routes
from store import deliveries
from store.database import Sessions, open_database
from store.intents import Intent
from store.purposes import Purpose
from store.replies import Reply
from store.subjects import ContactKind
from store.vault import Vault
from tests.faults.wired import set_faults
from tests.notifier.web.test_hooks import served
from worker.demo.elks_api import ElksAccount
from worker.demo.providers import ProviderSettings, RunningProviders, start_providers

PHONE, CLINICS_OWN = "+46701740605", "+46701740687"
SECRET = "Hemlig-del-av-adressen"
NOW = datetime(2026, 11, 24, 8, 55, tzinfo=UTC)


@dataclass
class Line:
    providers: RunningProviders
    http: httpx.Client
    sessions: Sessions

    def text(self, body: str, *, by: str = PHONE, **values: str) -> dict[str, object]:
        sent = {"provider": "46elks", "from": by, "body": body, **values}
        return dict(self.http.post("/inbound", json=sent).json())

    @property
    def shown(self) -> list[str]:
        return [one.body for one in self.providers.messages()]

    @property
    def intents(self) -> list[str]:
        with self.sessions.reading() as session:
            return [str(one.intent) for one in session.exec(select(Reply).order_by(col(Reply.id)))]


@pytest.fixture
def line(sqlite_url: str, vault: Vault, tmp_path: Path) -> Iterator[Line]:
    sessions = open_database(sqlite_url)
    app = Starlette()
    with served(app) as port:
        account = ElksAccount(sms_url=f"http://127.0.0.1:{port}{REPLIES_PATH}{SECRET}")
        providers = start_providers(ProviderSettings(tmp_path / "providers", elks=account), lambda: NOW)
        channel = ElksSms(
            ElksSettings(account.username, account.password, "Kallelse", SECRET, "", api_base_url=providers.url)
        )
        hooks = ElksHooks(
            SECRET, channel.progress, lambda _: None, channel.received, lambda one: take(sessions, vault, one)
        )
        app.router.routes.extend(elks_routes(hooks))
        with httpx.Client(base_url=providers.url, timeout=10) as client:
            yield Line(providers, client, sessions)
        channel.close()
        providers.stop()
    sessions.close()


def take(sessions: Sessions, vault: Vault, one: ReceivedText) -> str:
    return replies.take(sessions, vault, one, datetime.now(UTC), NOW, "https://kallelse.example.se")


@pytest.mark.parametrize(("words", "intent"), [("STOPP", Intent.STOP), ("stop", Intent.STOP), ("Hjälp", Intent.HELP)])
def test_a_text_is_understood_and_answered_on_the_phone_once(line: Line, words: str, intent: Intent) -> None:
    first = line.text(words)
    again = line.text(words, sid=str(first["sid"]))
    assert (first["hook_status"], again["hook_status"]) == (200, 204)
    assert line.shown == [answer(intent, "sv")]
    assert line.intents == [intent.value]


def test_a_stranger_is_not_answered_what_is_said_to_those_we_know(line: Line) -> None:
    assert line.text("Fel person")["hook_status"] == 200
    assert line.text("JA")["hook_status"] == line.text("AVBOKA")["hook_status"] == 204
    assert line.intents == ["wrong_person", "confirm", "cancel"]


def test_a_text_from_no_phone_is_heard_by_nobody(line: Line) -> None:
    assert [line.text("STOPP", by=one)["hook_status"] for one in ("Kliniken", "72456", CLINICS_OWN)] == [204] * 3
    assert (line.shown, line.intents) == ([], [])


def test_a_text_waits_at_46elks_while_it_cannot_be_asked_and_is_heard_when_it_is_brought_again(line: Line) -> None:
    set_faults(line.providers.url, provider="46elks", ok=1, lookups=0)
    first = line.text("STOPP")
    assert (first["hook_status"], line.intents) == (503, [])
    set_faults(line.providers.url, provider="46elks", ok=1)
    assert line.text("STOPP", sid=str(first["sid"])) == {**first, "hook_status": 200}
    assert line.shown == [answer(Intent.STOP, "sv")]


def test_a_wish_that_is_brought_again_late_does_not_undo_a_later_one(line: Line, vault: Vault) -> None:
    """46elks brings a text for hours: a START must not lift the STOPP that was sent after it."""
    set_faults(line.providers.url, provider="46elks", ok=1, lookups=0)
    first = line.text("START")
    set_faults(line.providers.url, provider="46elks", ok=1)
    line.text("STOPP")
    assert line.text("START", sid=str(first["sid"]))["hook_status"] == 204
    digest = vault.digest(ContactKind.PHONE, PHONE)
    with line.sessions.reading() as session:
        assert (digest, "sms") in deliveries.suppressions(session, [digest], Purpose.REMINDER)


def test_whoever_learns_the_address_cannot_stop_another_persons_messages(line: Line) -> None:
    """The form claims somebody's number and a text of theirs, about a message that 46elks does not have."""
    hook = line.providers.elks.sms_url
    claimed = {"direction": "incoming", "id": "s" + "0" * 32, "from": PHONE, "to": CLINICS_OWN, "message": "STOPP"}
    assert httpx.post(hook, data=claimed, trust_env=False).status_code == 403
    assert line.intents == []
