"""Twilio's own published description of its API (OpenAPI), its SDK and our channel against the simulated Twilio, with a
validating proxy from npm between them: a simulation that is wrong in the same way as we are would hide faults.
"""

import json
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import httpx
import pytest
from twilio.rest import Client

from notifier.channels import Refused
from notifier.channels.twilio_receipts import STATUSES
from notifier.channels.twilio_sms import TwilioSms
from tests.clients.readers import HERE, javascript_missing
from tests.conftest import NOW
from tests.contracts.test_channel import message
from tests.demo.conftest import wait_until
from tests.demo.test_twilio_api import SERVICE, TO, _ToTheSimulation
from tests.faults.programs import free_port, is_listening
from tests.faults.programs import running as running_program
from tests.notifier.channels.test_twilio_sms import TAKEN, answering, settings
from worker.demo.accepted import Message
from worker.demo.providers import RunningProviders
from worker.demo.twilio_wire import resource

pytestmark = pytest.mark.skipif(bool(javascript_missing()), reason=javascript_missing())

PUBLISHED = HERE / "node_modules/@twilio/cli-core/src/services/twilio-api/twilio_api_v2010.json"
PROXY = HERE / "node_modules/@stoplight/prism-cli/dist/index.js"
LONG_AGO = NOW - timedelta(days=400)
MESSAGES = "/2010-04-01/Accounts/{AccountSid}/Messages"


@pytest.fixture(scope="module")
def described() -> dict[str, Any]:
    """The description, of messages alone. Its list's addresses are relative in its own examples, and said to be whole
    ones in its schema: the examples count."""
    whole = json.loads(PUBLISHED.read_text())
    wanted = {f"{MESSAGES}.json", MESSAGES + "/{Sid}.json"}
    whole["paths"] = {path: what for path, what in whole["paths"].items() if path in wanted}
    for shown in listed(whole).values():
        if shown.get("format") == "uri":
            del shown["format"]
    return dict(whole)


def listed(description: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The fields of a list of messages."""
    answer = description["paths"][f"{MESSAGES}.json"]["get"]["responses"]["200"]
    return dict(answer["content"]["application/json"]["schema"]["properties"])


def one(description: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The fields of a message."""
    return dict(description["components"]["schemas"]["api.v2010.account.message"]["properties"])


def words(description: dict[str, Any], name: str) -> set[str]:
    return set(description["components"]["schemas"][name]["enum"])


@pytest.fixture
def between(described: dict[str, Any], providers: RunningProviders, tmp_path: Path) -> Iterator[str]:
    """The address of the proxy: what it passes on, both ways, is as described; anything else it answers itself."""
    path, port = tmp_path / "described.json", free_port()
    path.write_text(json.dumps(described))
    command = ["node", str(PROXY), "proxy", "--errors", "--host", "127.0.0.1", "--port", str(port), str(path)]
    with running_program([*command, providers.url], {}, tmp_path / "proxy.log"):
        wait_until(lambda: is_listening(port), limit=60)
        yield f"http://127.0.0.1:{port}"


def test_what_our_channel_and_the_sdk_ask_and_are_answered_is_as_published(
    between: str, providers: RunningProviders
) -> None:
    account = {"account_sid": providers.account.sid, "auth_token": providers.account.token, "api_base_url": between}
    patient = {"connect_timeout": timedelta(seconds=10), "read_timeout": timedelta(seconds=30)}
    for sender in ({}, {"messaging_service_sid": "", "sender": "Kallelse"}):
        with closing(TwilioSms(settings(between, **account, **patient, **sender))) as channel:
            sent = channel.send(message(to=TO))
            assert sent.provider_id in {one.provider_id for one in channel.taken(TO, LONG_AGO)}
            assert channel.progress(sent.provider_id) is not None
    with httpx.Client(trust_env=False, timeout=30) as http:
        http_client = _ToTheSimulation(between, http)
        sdk = Client(providers.account.sid, providers.account.token, http_client=http_client, environment={"_": ""})
        assert sdk.messages.create(to=TO, messaging_service_sid=SERVICE, body="Hej").status == "accepted"
        assert [one.to for one in sdk.messages.list(to=TO, page_size=2)] == [TO] * 3
        wait_until(lambda: providers.messages()[-1].status == "delivered")
        assert len(sdk.messages.list(date_sent_after=LONG_AGO)) == 3


def test_the_proxy_lets_nothing_else_through(between: str, providers: RunningProviders) -> None:
    """The control: else the test above would prove nothing."""
    account = {"account_sid": providers.account.sid, "auth_token": providers.account.token, "api_base_url": between}
    wrong = settings(between, **account, messaging_service_sid="MG1", read_timeout=timedelta(seconds=30))
    with closing(TwilioSms(wrong)) as channel, pytest.raises(Refused):
        channel.send(message(to=TO))
    assert providers.messages() == []


def test_each_field_of_an_answer_and_of_a_request_is_one_that_is_published(
    described: dict[str, Any], provider_http: httpx.Client, message: Message
) -> None:
    """Field by field, as the proxy does not mind fields that it has never heard of."""
    assert set(resource(message)) == set(one(described))
    account = "AC00000000000000000000000000000000"
    answer = provider_http.get(f"{MESSAGES}.json".format(AccountSid=account))
    assert set(answer.json()) == set(listed(described))
    assert {"delivered", "undelivered", "failed"} < words(described, "message_enum_status") >= STATUSES
    assert {"outbound-api", "outbound-reply"} < words(described, "message_enum_direction")


def test_our_channel_sends_only_parameters_that_are_published(described: dict[str, Any]) -> None:
    form = described["paths"][f"{MESSAGES}.json"]["post"]["requestBody"]["content"]["application/x-www-form-urlencoded"]
    with answering(TAKEN) as (channel, peer):
        channel.send(message())
    sent = dict(parse_qsl(peer.asked[0].body.decode()))
    assert set(sent) <= set(form["schema"]["properties"])
    assert {"To", "Body", "MessagingServiceSid", "StatusCallback", "ValidityPeriod"} <= set(sent)
