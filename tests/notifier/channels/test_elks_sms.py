"""SMS by 46elks over a real socket: what reaches it, what each way of failing is taken for, what its list proves."""

import base64
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from notifier.channels import Accepted, Channel, ChannelError, Message, Progress, Refused, Remedy, Unknown, Unreachable
from notifier.channels.elks_sms import ElksSettings, ElksSms
from notifier.channels.explaining import explained
from tests.conftest import NOW
from tests.contracts.test_channel import NetworkChannelContract, assert_nothing_personal, everything, message
from tests.faults.wired import set_faults
from tests.people import ANNA
from tests.wire.http_peer import Answer, Asked, HttpPeer, Raw, Reaction, answer_json
from tests.wire.peers import Mishap, refused_port
from worker.demo.providers import ProviderSettings, start_providers

ID = "s" + "0123456789abcdef" * 2
SECRET = "Hemlig-del-av-adressen"
TAKEN = answer_json(200, {"id": ID, "status": "created", "to": ANNA.phone, "created": "2026-11-24T08:55:00.123456"})


def settings(url: str, **values: object) -> ElksSettings:
    filled: dict[str, object] = {
        "username": "u1",
        "password": "hemlig-nyckel",
        "sender": "Kallelse",
        "hook_secret": SECRET,
        "public_url": "https://kallelse.example.se",
        "api_base_url": url,
        "connect_timeout": timedelta(seconds=0.5),
        "read_timeout": timedelta(seconds=0.5),
        **values,
    }
    return ElksSettings(**filled)  # type: ignore[arg-type]


@contextmanager
def running(url: str, **values: object) -> Iterator[ElksSms]:
    channel = ElksSms(settings(url, **values))
    yield channel
    channel.close()


@contextmanager
def answering(react: Reaction | Callable[[Asked], Reaction]) -> Iterator[tuple[ElksSms, HttpPeer]]:
    with HttpPeer(react) as peer, running(peer.url) as channel:
        yield channel, peer


def failure(react: Reaction) -> ChannelError:
    with answering(react) as (channel, peer), pytest.raises(ChannelError) as caught:
        channel.send(message())
    assert len(peer.asked) == 1  # nothing below us retried
    assert_nothing_personal(everything(caught.value))
    return caught.value


class TestElksIsAChannel(NetworkChannelContract):
    kind = "sms"

    def message(self) -> Message:
        return message()

    @contextmanager
    def accepting(self) -> Iterator[Channel]:
        with answering(TAKEN) as (channel, _):
            yield channel

    @contextmanager
    def unreachable(self) -> Iterator[Channel]:
        with refused_port() as port, running(f"http://127.0.0.1:{port}") as channel:
            yield channel

    @contextmanager
    def hanging(self) -> Iterator[Channel]:
        with answering(Mishap.HANG) as (channel, _):
            yield channel

    @contextmanager
    def resetting(self) -> Iterator[Channel]:
        with answering(Mishap.RESET) as (channel, _):
            yield channel


def test_a_message_is_one_form_post_that_asks_for_reports_at_a_secret_address() -> None:
    with answering(TAKEN) as (channel, peer):
        assert channel.send(message()) == Accepted(ID)
    (asked,) = peer.asked
    assert (asked.method, asked.path) == ("POST", "/a1/sms")
    assert base64.b64decode(asked.headers["authorization"].removeprefix("Basic ")) == b"u1:hemlig-nyckel"
    assert asked.form == {
        "from": "Kallelse",
        "to": "+46701740605",
        "message": "Påminnelse: tisdag 1 december kl. 13.30, Tandregleringen Ängsgatan.",
        "whendelivered": f"https://kallelse.example.se/hooks/elks/receipts/{SECRET}/Vx3nR0mQ_k-Zb7yPq2sT1A",
    }


def test_no_reports_are_asked_for_without_a_public_address() -> None:
    with HttpPeer(TAKEN) as peer, running(peer.url, public_url="", hook_secret="") as channel:
        channel.send(message())
        assert "whendelivered" not in peer.asked[0].form


REFUSALS: dict[str, tuple[Answer, str, Remedy, bool]] = {
    "password": (Answer(401, b"Unauthorized"), "unauthorized", Remedy.OPERATOR, True),
    "credit": (answer_json(403, {"error": "Not enough credits"}), "no_credit", Remedy.OPERATOR, True),
    "credit, as text": (Answer(403, b"Not enough credits"), "no_credit", Remedy.OPERATOR, True),
    "payment": (Answer(402, b""), "no_credit", Remedy.OPERATOR, True),
    "number": (Answer(400, b"Invalid to number +46701740605"), "bad_to", Remedy.BAD_CONTACT, False),
    "number, as JSON": (answer_json(400, {"error": "Invalid to +46701740605"}), "bad_to", Remedy.BAD_CONTACT, False),
    "sender": (Answer(400, b"Invalid from number"), "bad_from", Remedy.OPERATOR, False),
    "text": (Answer(400, b"Missing key message"), "bad_message", Remedy.NEXT_CHANNEL, False),
    "reports": (Answer(400, b"Invalid whendelivered URL to 10.0.0.1"), "bad_whendelivered", Remedy.OPERATOR, False),
    "nobody has heard of it": (Answer(400, b"Nope"), "bad_request", Remedy.NEXT_CHANNEL, False),
    "no word of numbers": (Answer(400, b"You are not allowed to do so"), "bad_request", Remedy.NEXT_CHANNEL, False),
    "empty": (Answer(400, b""), "bad_request", Remedy.NEXT_CHANNEL, False),
    "path": (Answer(404, b"Not found"), "not_there", Remedy.OPERATOR, False),
    "method": (Answer(405, b""), "not_there", Remedy.OPERATOR, False),
}


@pytest.mark.parametrize("refusal", REFUSALS.values(), ids=REFUSALS.keys())
def test_check_19_each_refusal_of_46elks_calls_for_its_own_remedy(refusal: tuple[Answer, str, Remedy, bool]) -> None:
    answer, *expected = refusal
    refused = failure(answer)
    assert isinstance(refused, Refused)
    assert [refused.code, refused.remedy, refused.shuts_out] == expected
    assert explained("46elks", refused.code).remedy == refused.remedy


def test_check_19_too_many_requests_means_not_taken_and_to_come_back() -> None:
    unreachable = failure(Answer(429, b"", {"Retry-After": "7"}))
    assert isinstance(unreachable, Unreachable)
    assert unreachable.retry_after == timedelta(seconds=7)


UNCLEAR: dict[str, Reaction] = {
    "500 that blames the number": Answer(500, b"Invalid to number"),
    "502 html": Answer(502, b"<html>bad gateway</html>"),
    "408": Answer(408, b""),
    "302": Answer(302, b"", {"Location": "http://127.0.0.1:1/"}),
    "204": Answer(204),
    "202 with id": answer_json(202, {"id": ID}),
    "200 empty": Answer(200),
    "200 html": Answer(200, b"<html>hej</html>"),
    "200 cut json": Answer(200, b'{"id": "s01'),
    "200 without id": answer_json(200, {"status": "created"}),
    "200 list": answer_json(200, [{"id": ID}]),
    "200 id of an MMS": answer_json(200, {"id": "m" + "0" * 32}),
    "200 id null": answer_json(200, {"id": None}),
    "200 deep": Answer(200, b"[" * 100_000),
    "200 endless": Answer(200, b" " * 400_000),
    "cut body": Answer(200, json.dumps({"id": ID}).encode(), missing=10),
    "closed": Mishap.CLOSE,
    "not http": Raw(b"SSH-2.0-OpenSSH_9.2\r\n"),
}


@pytest.mark.parametrize("reaction", UNCLEAR.values(), ids=UNCLEAR.keys())
def test_check_19_an_answer_that_does_not_say_leaves_it_unknown_so_that_nobody_gets_two(reaction: Reaction) -> None:
    assert isinstance(failure(reaction), Unknown)


def test_an_answer_that_drips_ends_at_the_deadline_and_not_when_the_lease_is_long_gone() -> None:
    unknown = failure(Raw(b"HTTP/1.1 200 X\r\nContent-Length: 1000\r\n\r\n" + b" " * 1000, pause=0.02))
    assert (type(unknown), unknown.code) == (Unknown, "timeout")


def listed(number: int, **values: object) -> dict[str, object]:
    return {
        "id": f"s{number:032x}",
        "created": f"2026-11-24T08:{number:02}:00.000000",
        "direction": "outgoing",
        "from": "Kallelse",
        "to": ANNA.phone,
        "message": f"Text {number}",
        **values,
    }


SINCE = datetime(2026, 11, 24, 8, 10, tzinfo=UTC)


def test_the_list_is_read_to_its_end_so_that_nothing_taken_is_called_absent() -> None:
    def react(asked: Asked) -> Reaction:
        query = parse_qs(urlsplit(asked.path).query)
        if "start" not in query:
            return answer_json(
                200, {"data": [listed(30), listed(20, direction="incoming")], "next": "2026-11-24T08:15"}
            )
        assert query["start"] == ["2026-11-24T08:15"]
        return answer_json(200, {"data": [listed(12), listed(9)]})

    with answering(react) as (channel, peer):
        found = channel.taken(ANNA.phone, SINCE)
    assert [(one.provider_id, one.text) for one in found] == [(f"s{12:032x}", "Text 12"), (f"s{30:032x}", "Text 30")]
    assert parse_qs(urlsplit(peer.asked[0].path).query) == {
        "to": [ANNA.phone], "end": ["2026-11-24T08:09:59.000000"], "limit": ["100"],
    }  # fmt: skip


NO_PROOF: dict[str, Reaction] = {
    "500": Answer(500),
    "401": Answer(401),
    "404": Answer(404),
    "no JSON": Answer(200, b"<html>"),
    "no list": answer_json(200, {}),
    "list of nothing known": answer_json(200, {"data": [7]}),
    "a message kept out of the log": answer_json(200, {"data": [{**listed(1), "message": None}]}),
    "a date that is none": answer_json(200, {"data": [listed(1, created="igår")]}),
    "pages without end": answer_json(200, {"data": [], "next": "2026-11-24T08:15"}),
    "hangs": Mishap.HANG,
}


@pytest.mark.parametrize("reaction", NO_PROOF.values(), ids=NO_PROOF.keys())
def test_a_list_that_cannot_be_read_proves_nothing_absent(reaction: Reaction) -> None:
    with answering(reaction) as (channel, _), pytest.raises(Unreachable) as caught:
        channel.taken(ANNA.phone, SINCE)
    assert_nothing_personal(everything(caught.value))


def test_a_message_can_be_asked_about_and_one_that_is_none_is_no_failure() -> None:
    with answering(answer_json(200, listed(1, status="delivered"))) as (channel, peer):
        assert channel.progress(ID) == Progress("delivered")
        assert channel.progress("../../a1/me") is None
        assert [asked.path for asked in peer.asked] == [f"/a1/sms/{ID}"]
    with answering(Answer(404)) as (channel, _):
        assert channel.progress(ID) is None
    for unclear in (Answer(500), Answer(200), answer_json(200, {"status": ""})):
        with answering(unclear) as (channel, _), pytest.raises(Unreachable):
            channel.progress(ID)


@pytest.mark.parametrize(
    "values",
    [
        {"username": ""},
        {"password": ""},
        {"password": "lösenord"},
        {"sender": ""},
        {"sender": "Ekens VC"},
        {"sender": "2 many words"},
        {"hook_secret": ""},
        {"hook_secret": "kort"},
        {"hook_secret": "med/snedstreck" * 3},
        {"api_base_url": "ftp://127.0.0.1"},
    ],
)
def test_settings_that_cannot_work_fail_at_the_start_and_show_no_secret(values: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="46elks") as caught:
        settings(str(values.pop("api_base_url", "http://127.0.0.1:1")), **values)
    assert_nothing_personal(str(caught.value))


@pytest.mark.parametrize("fault", ["ok", "500_after", "reset", "junk"])
def test_the_simulated_46elks_takes_what_we_send_and_lists_it_as_we_read_it(tmp_path: Path, fault: str) -> None:
    providers = start_providers(ProviderSettings(tmp_path), lambda: NOW)
    since = datetime.now(UTC) - timedelta(seconds=1)
    try:
        account = {"username": providers.elks.username, "password": providers.elks.password, "public_url": ""}
        with running(providers.url, **account, read_timeout=timedelta(seconds=5)) as channel:
            set_faults(providers.url, **{fault: 1})
            try:
                channel.send(message())
            except Unknown:
                assert fault != "ok"
            (accepted,) = providers.messages()
            (found,) = channel.taken(ANNA.phone, since)
            assert (found.provider_id, found.text) == (accepted.id, message().text)
            assert channel.progress(accepted.id) in (Progress("created"), Progress("sent"), Progress("delivered"))
            with pytest.raises(Refused, match="bad_to"):
                channel.send(message(to="+46701740694"))
        with running(providers.url, **{**account, "password": "fel"}) as stranger, pytest.raises(Refused) as refused:
            stranger.send(message())
        assert refused.value.shuts_out
    finally:
        providers.stop()
