"""A text from a phone, through the simulated Twilio, to the product's own hook and back to the phone."""

import http.client
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlencode

import httpx
import pytest
from starlette.applications import Starlette

from notifier import replies
from notifier.channels.inbound import ReceivedText
from notifier.channels.twilio_replies import REPLIES_PATH
from notifier.reply_texts import answer
from notifier.web.hooks import HookSettings, reply_routes
from store.database import Sessions, open_database
from store.intents import Intent
from store.vault import Vault
from tests.notifier.web.test_hooks import served
from worker.demo.providers import ProviderSettings, RunningProviders, start_providers
from worker.demo.twilio_api import TwilioAccount

PHONE = "+46701740605"
NOW = datetime(2026, 11, 24, 8, 55, tzinfo=UTC)


@dataclass
class Line:
    providers: RunningProviders
    http: httpx.Client

    def text(self, body: str, **values: str) -> dict[str, object]:
        answer = self.http.post("/inbound", json={"from": PHONE, "body": body, **values})
        return dict(answer.json())

    def send(self) -> int:
        """The answer to a message to the phone: 201, or Twilio's error code."""
        account = self.providers.account
        answer = self.http.post(
            f"/2010-04-01/Accounts/{account.sid}/Messages.json",
            data={"To": PHONE, "From": "Kallelse", "Body": "Påminnelse"},
            auth=(account.sid, account.token),
        )
        return int(answer.json().get("code", answer.status_code))

    @property
    def shown(self) -> list[str]:
        return [one.body for one in self.providers.messages()]


@pytest.fixture
def line(sqlite_url: str, vault: Vault, tmp_path: Path) -> Iterator[Line]:
    sessions = open_database(sqlite_url)
    app = Starlette()
    with served(app) as port:
        account = TwilioAccount(sms_url=f"http://127.0.0.1:{port}{REPLIES_PATH}")
        providers = start_providers(ProviderSettings(tmp_path / "providers", account=account), lambda: NOW)
        hooks = HookSettings(f"http://127.0.0.1:{port}", account.sid, account.token, account.sender)
        app.router.routes.extend(reply_routes(hooks, lambda one: take(sessions, vault, one)))
        with httpx.Client(base_url=providers.url, timeout=10) as client:
            yield Line(providers, client)
        providers.stop()
    sessions.close()


def take(sessions: Sessions, vault: Vault, one: ReceivedText) -> str:
    return replies.take(sessions, vault, one, datetime.now(UTC), NOW, "https://kallelse.example.se")


def test_stopp_is_answered_on_the_phone_once(line: Line) -> None:
    first = line.text("STOPP")
    again = line.text("STOPP", sid=str(first["sid"]))
    assert (first["hook_status"], again) == (200, first)
    assert line.shown == [answer(Intent.STOP, "sv")]
    assert line.send() == 201  # the word is Swedish: Twilio lets through


def test_stop_start_and_help_are_twilios_own_words_and_answered_once(line: Line) -> None:
    line.text("Stop")
    assert line.send() == 21610
    line.text("START")
    line.text("HELP")
    assert [text.split()[0] for text in line.shown] == ["You", "You", "Reply"]
    assert line.send() == 201


def test_the_phones_buttons_send_a_text(line: Line) -> None:
    assert line.send() == 201
    assert 'name="body" value="FEL PERSON"' in line.http.get("/inbox").text
    pressed = line.http.post("/inbound", data={"from": PHONE, "body": "HJÄLP"})
    assert (pressed.status_code, pressed.headers["Location"]) == (303, "/inbox?to=%2B46701740605")
    assert answer(Intent.HELP, "sv") in line.shown


def test_a_text_that_is_none_is_refused_and_nobody_beyond_this_machine_is_called(line: Line, tmp_path: Path) -> None:
    for wrong in (b"[]", b"{", b'{"from": 1, "body": "x"}', b'{"body": "x"}'):
        answered = line.http.post("/inbound", content=wrong, headers={"Content-Type": "application/json"})
        assert answered.status_code == 422
    account = TwilioAccount(sms_url="http://192.0.2.1/hook")
    elsewhere = start_providers(ProviderSettings(tmp_path / "elsewhere", account=account), lambda: NOW)
    connection = http.client.HTTPConnection(elsewhere.url.removeprefix("http://"), timeout=5)
    connection.request(
        "POST",
        "/inbound",
        urlencode({"from": PHONE, "body": "x"}),
        {"Content-Type": "application/x-www-form-urlencoded"},
    )
    assert connection.getresponse().status == 303
    connection.close()
    elsewhere.stop()
