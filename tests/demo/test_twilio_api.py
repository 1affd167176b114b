"""The simulated Twilio, driven by the provider's own SDK: a difference here would hide a fault in our channel."""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from twilio.base.exceptions import TwilioRestException
from twilio.http import HttpClient
from twilio.http.response import Response
from twilio.rest import Client

from tests.demo.conftest import wait_until
from worker.demo.providers import RunningProviders
from worker.demo.twilio_api import TwilioAccount

TO = "+46701740605"
SERVICE = "MG00000000000000000000000000000000"


class _ToTheSimulation(HttpClient):
    """Sends the SDK's requests to another host, as there is no setting for it."""

    def __init__(self, base: str, http: httpx.Client) -> None:
        super().__init__(None, is_async=False, timeout=None)
        self._base = httpx.URL(base)
        self._http = http

    def request(  # type: ignore[no-untyped-def]  # the SDK's own signature has no types
        self, method, uri, params=None, data=None, headers=None, auth=None, timeout=None, **_
    ):
        url = httpx.URL(uri).copy_with(scheme=self._base.scheme, host=self._base.host, port=self._base.port)
        answer = self._http.request(method, url, params=params or None, data=data, headers=headers, auth=auth)
        return Response(answer.status_code, answer.text, answer.headers)


@pytest.fixture
def sdk(providers: RunningProviders) -> Iterator[Client]:
    with httpx.Client(trust_env=False, timeout=5) as http:
        client = _ToTheSimulation(providers.url, http)
        yield Client(providers.account.sid, providers.account.token, http_client=client, environment={"_": ""})


def set_faults(provider_http: httpx.Client, **mix: float) -> None:
    assert provider_http.put("/faults", json={name.lstrip("_"): weight for name, weight in mix.items()}).is_success


def test_the_sdk_can_send_and_find_a_message_with_swedish_letters(sdk: Client, providers: RunningProviders) -> None:
    sent = sdk.messages.create(to=TO, messaging_service_sid=SERVICE, body="Välkommen på återbesök", validity_period=600)
    assert sent.status == "accepted"
    assert (sent.num_segments, sent.error_code) == ("0", None)  # nobody knows yet from where
    assert sdk.messages(sent.sid).fetch().body == "Välkommen på återbesök"
    wait_until(lambda: providers.messages()[0].status == "delivered")
    [accepted] = providers.messages()
    assert (accepted.id, accepted.to, accepted.segments) == (sent.sid, TO, 1)
    assert sdk.messages(sent.sid).fetch().num_segments == "1"


def test_lists_are_paged_newest_first_and_filtered_by_recipient(sdk: Client) -> None:
    sids = [sdk.messages.create(to=TO, from_="Kallelse", body=f"Text {number}").sid for number in range(7)]
    sdk.messages.create(to="+46701740606", from_="Kallelse", body="Till en annan")
    assert [message.sid for message in sdk.messages.list(to=TO, page_size=3)] == sids[::-1]
    assert len(sdk.messages.list(page_size=5)) == 8


def test_date_filters_see_only_what_has_been_sent(sdk: Client, providers: RunningProviders) -> None:
    sent = sdk.messages.create(to=TO, from_="Kallelse", body="Text")
    wait_until(lambda: providers.messages()[0].status == "delivered")
    now = datetime.now(UTC)
    hour = timedelta(hours=1)
    assert [m.sid for m in sdk.messages.list(to=TO, date_sent_after=now - hour, date_sent_before=now + hour)] == [
        sent.sid
    ]
    assert sdk.messages.list(to=TO, date_sent_after=now + hour) == []
    assert sdk.messages.list(to=TO, date_sent_before=now - hour) == []
    [listed] = sdk.messages.list(date_sent=now.date())
    assert listed.status == "delivered"


@pytest.mark.parametrize(
    ("fields", "status", "code"),
    [
        ({"to": "+46701740694"}, 400, 21211),
        ({"to": "+46701740695"}, 400, 21610),
        ({"to": "+46701740696"}, 400, 21614),
        ({"to": "+46701740697"}, 400, 21408),
        ({"to": "+46701740698"}, 400, 21612),
        ({"to": "+46701740699"}, 429, 20429),
        ({"to": "0701740605"}, 400, 21211),
        ({"body": "å" * 1601}, 400, 21617),
        ({"body": ""}, 400, 21602),
        ({"from_": ""}, 400, 21603),
        ({"to": ""}, 400, 21604),
        ({"validity_period": 36001}, 400, 21624),
        ({"validity_period": 0}, 400, 21624),
        ({"status_callback": "inget"}, 400, 21609),
        ({"status_callback": "http://127.0.0.1:8000/å"}, 400, 21609),
        ({"status_callback": "http://127.0.0.1:x/r"}, 400, 21609),
    ],
)
def test_refusals_carry_the_providers_code(
    sdk: Client, providers: RunningProviders, fields: dict[str, object], status: int, code: int
) -> None:
    with pytest.raises(TwilioRestException) as refused:
        sdk.messages.create(**{"to": TO, "from_": "Kallelse", "body": "Text", **fields})
    assert (refused.value.status, refused.value.code) == (status, code)
    assert providers.messages() == []


def test_a_stranger_gets_nothing(providers: RunningProviders, provider_http: httpx.Client) -> None:
    path = f"/2010-04-01/Accounts/{providers.account.sid}/Messages.json"
    for auth in (("AC1", "x"), (providers.account.sid, "x")):
        answer = provider_http.get(path, auth=auth)
        assert (answer.status_code, answer.json()["code"]) == (401, 20003)
    other = provider_http.get("/2010-04-01/Accounts/AC1/Messages.json")
    assert (other.status_code, other.json()["code"]) == (404, 20404)
    unknown = provider_http.get(path.replace(".json", "/SM0.json"))
    assert (unknown.status_code, unknown.json()["code"]) == (404, 20404)


@pytest.mark.parametrize(
    ("way", "accepted", "status"),
    [
        ("ok", 1, 201),
        ("slow", 1, 201),
        ("429", 0, 429),
        ("500_before", 0, 500),
        ("500_after", 1, 500),
        ("junk", 1, 201),
    ],
)
def test_faults_with_an_answer(provider_http: httpx.Client, way: str, accepted: int, status: int) -> None:
    set_faults(provider_http, **{way: 1})
    answer = _send(provider_http)
    assert answer.status_code == status
    assert len(provider_http.get("/messages").json()) == accepted
    assert answer.headers["content-type"].startswith("text/html" if way == "junk" else "application/json")
    assert ("retry-after" in answer.headers) == (way == "429")


@pytest.mark.parametrize(
    ("way", "accepted", "error"),
    [
        ("reset", 1, (httpx.ReadError, httpx.RemoteProtocolError)),
        ("hang", 1, httpx.RemoteProtocolError),
        ("drop", 0, httpx.RemoteProtocolError),
    ],
)
def test_faults_without_an_answer(
    provider_http: httpx.Client, way: str, accepted: int, error: type[Exception] | tuple[type[Exception], ...]
) -> None:
    set_faults(provider_http, **{way: 1})
    with pytest.raises(error):
        _send(provider_http)
    assert len(provider_http.get("/messages").json()) == accepted


def test_a_seeded_mix_draws_by_weight_and_the_same_way_twice(provider_http: httpx.Client) -> None:
    draws = []
    for _ in range(2):
        assert provider_http.put("/faults", json={"ok": 3, "429": 1, "seed": 7}).json() == {"ok": 3, "429": 1}
        draws.append([_send(provider_http).status_code for _ in range(60)])
    assert draws[0] == draws[1]
    assert 5 <= Counter(draws[0])[429] <= 28


@pytest.mark.parametrize("mix", [{}, {"ok": 0}, {"ok": -1, "429": 2}, {"sometimes": 1}, {"ok": "x"}, [1]])
def test_a_mix_that_cannot_be_drawn_from_is_refused(provider_http: httpx.Client, mix: object) -> None:
    assert provider_http.put("/faults", json=mix).status_code == 422
    assert provider_http.get("/faults").json() == {"ok": 1.0}


def _send(provider_http: httpx.Client) -> httpx.Response:
    sid = TwilioAccount().sid
    form = {"To": TO, "From": "Kallelse", "Body": "Text"}
    return provider_http.post(f"/2010-04-01/Accounts/{sid}/Messages.json", data=form)
