"""Status callbacks: signed as the provider signs, retried, in order, and never beyond this machine."""

import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl

import httpx
import pytest
from twilio.request_validator import RequestValidator

from tests.demo.conftest import wait_until
from worker.demo.accepted import Message
from worker.demo.providers import ProviderSettings, RunningProviders, start_providers
from worker.demo.twilio_receipts import post_callback
from worker.demo.twilio_wire import signature

TO = "+46701740605"


class Hook(ThreadingHTTPServer):
    """Takes callbacks; answers the statuses in `answers`, then 204."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Taker)
        self.taken: list[tuple[str, dict[str, str], str]] = []
        self.answers: list[int] = []
        self.url = f"http://127.0.0.1:{self.server_address[1]}"


class _Taker(BaseHTTPRequestHandler):
    server: Hook

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        fields = dict(parse_qsl(body, keep_blank_values=True))
        self.server.taken.append((self.server.url + self.path, fields, self.headers["X-Twilio-Signature"]))
        self.send_response(self.server.answers.pop(0) if self.server.answers else 204)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Says nothing: the address carries a token."""


@pytest.fixture
def hook() -> Iterator[Hook]:
    server = Hook()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def send(provider_http: httpx.Client, providers: RunningProviders, callback: str, to: str = TO) -> str:
    form = {"To": to, "MessagingServiceSid": "MG1", "Body": "Hej å", "StatusCallback": callback}
    answer = provider_http.post(f"/2010-04-01/Accounts/{providers.account.sid}/Messages.json", data=form)
    return str(answer.json()["sid"])


def test_the_providers_own_validator_accepts_every_callback(
    hook: Hook, providers: RunningProviders, provider_http: httpx.Client
) -> None:
    sid = send(provider_http, providers, f"{hook.url}/hooks/twilio/receipts/abc?x=1&y=%C3%A5")
    wait_until(lambda: len(hook.taken) == 2)
    assert [fields["MessageStatus"] for _, fields, _ in hook.taken] == ["sent", "delivered"]
    for url, fields, signed in hook.taken:
        assert RequestValidator(providers.account.token).validate(url, fields, signed)
        assert not RequestValidator("another").validate(url, fields, signed)
        assert (fields["MessageSid"], fields["SmsSid"], fields["To"]) == (sid, sid, TO)
        assert (fields["AccountSid"], fields["From"]) == (providers.account.sid, "Kallelse")
        assert "ErrorCode" not in fields


def test_a_callback_is_tried_again_until_it_is_taken(
    hook: Hook, providers: RunningProviders, provider_http: httpx.Client
) -> None:
    hook.answers = [500, 503]
    send(provider_http, providers, f"{hook.url}/r/1")
    wait_until(lambda: len(hook.taken) == 4)
    assert sorted(fields["MessageStatus"] for _, fields, _ in hook.taken)[-2:] == ["sent", "sent"]


@pytest.mark.parametrize(("to", "code"), [("+46701740690", "30003"), ("+46701740691", "30005")])
def test_some_numbers_are_reported_undelivered_later(
    hook: Hook, providers: RunningProviders, provider_http: httpx.Client, to: str, code: str
) -> None:
    send(provider_http, providers, f"{hook.url}/r/1", to)
    wait_until(lambda: len(hook.taken) == 2)
    assert [fields.get("ErrorCode") for _, fields, _ in hook.taken] == [None, code]
    assert providers.messages()[0].status == "undelivered"


def test_what_was_not_reported_before_a_restart_is_reported_after_it(
    hook: Hook, provider_settings: ProviderSettings, message: Message
) -> None:
    first = start_providers(provider_settings, lambda: message.accepted_at)
    details = {**message.details, "status_callback": f"{hook.url}/r/1"}
    first._accepted.accept(replace(message, details=details))
    first.stop()
    assert hook.taken == []
    second = start_providers(provider_settings, lambda: message.accepted_at)
    wait_until(lambda: len(hook.taken) == 2)
    second.stop()


@pytest.mark.parametrize("url", ["http://kallelse.example.com/r/1", "https://127.0.0.1/r/1", "ftp://127.0.0.1/x"])
def test_nobody_beyond_this_machine_is_ever_called(message: Message, url: str) -> None:
    assert post_callback(replace(message, details={**message.details, "status_callback": url}), "t")


def test_a_hook_that_is_down_is_not_an_error(message: Message, hook: Hook) -> None:
    hook.answers = [500]
    there = replace(message, details={**message.details, "status_callback": f"{hook.url}/r"})
    nowhere = replace(message, details={**message.details, "status_callback": "http://127.0.0.1:1/r"})
    assert [post_callback(there, "t"), post_callback(there, "t"), post_callback(nowhere, "t")] == [False, True, False]


def test_the_signature_is_the_one_in_the_providers_documentation() -> None:
    fields = {
        "To": "+18005551212",
        "Digits": "1234",
        "Caller": "+14158675310",
        "From": "+14158675310",
        "CallSid": "CA1",
    }
    url = "https://example.com/myapp?foo=1&bar=2"
    assert signature("12345", url, fields) == RequestValidator("12345").compute_signature(url, fields)
