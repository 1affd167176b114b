"""SMS over the real SDK and a real socket: what reaches Twilio, and what each way of failing is taken for."""

import json
import logging
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta

import pytest

from notifier.channels import Accepted, Channel, ChannelError, Message, Refused, Remedy, Unknown, Unreachable
from notifier.channels.twilio_sms import TwilioSettings, TwilioSms
from tests.conftest import NOW
from tests.contracts.test_channel import NetworkChannelContract, assert_nothing_personal, everything, message
from tests.wire.http_peer import Answer, Asked, HttpPeer, Raw, Reaction, answer_json
from tests.wire.peers import Mishap, full_port, refused_port

ACCOUNT = "AC" + "0" * 31 + "1"
SID = "SM" + "0123456789abcdef" * 2
TAKEN = answer_json(201, {"sid": SID, "status": "queued", "date_created": "Tue, 24 Nov 2026 08:55:00 +0000"})


def settings(url: str, **values: object) -> TwilioSettings:
    filled: dict[str, object] = {
        "account_sid": ACCOUNT,
        "auth_token": "hemlig-nyckel",
        "messaging_service_sid": "MG" + "2" * 32,
        "public_url": "https://kallelse.example.se",
        "api_base_url": url,
        "connect_timeout": timedelta(seconds=0.5),
        "read_timeout": timedelta(seconds=0.5),
        **values,
    }
    return TwilioSettings(**filled)  # type: ignore[arg-type]


@contextmanager
def running(url: str, **values: object) -> Iterator[TwilioSms]:
    channel = TwilioSms(settings(url, **values))
    yield channel
    channel.close()


@contextmanager
def answering(react: Reaction | Callable[[Asked], Reaction]) -> Iterator[tuple[TwilioSms, HttpPeer]]:
    with HttpPeer(react) as peer, running(peer.url) as channel:
        yield channel, peer


def error(code: int, status: int = 400, **headers: str) -> Answer:
    """As Twilio writes it, with the number in the message as it does."""
    text = f"The 'To' number +46701740605 is not valid. {code}"
    return answer_json(status, {"code": code, "message": text, "more_info": "https://x", "status": status}, **headers)


def failure(react: Reaction) -> ChannelError:
    with answering(react) as (channel, peer), pytest.raises(ChannelError) as caught:
        channel.send(message())
    assert len(peer.asked) == 1  # nothing below us retried
    assert_nothing_personal(everything(caught.value))
    return caught.value


class TestTwilioIsAChannel(NetworkChannelContract):
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


def test_a_message_is_one_form_post_that_asks_for_receipts_at_its_own_address() -> None:
    with answering(TAKEN) as (channel, peer):
        assert channel.send(message()) == Accepted(SID)
    (asked,) = peer.asked
    assert (asked.method, asked.path) == ("POST", f"/2010-04-01/Accounts/{ACCOUNT}/Messages.json")
    assert asked.headers["authorization"].startswith("Basic ")
    assert asked.form == {
        "To": "+46701740605",
        "Body": "Påminnelse: tisdag 1 december kl. 13.30, Tandregleringen Ängsgatan.",
        "MessagingServiceSid": "MG" + "2" * 32,
        "ValidityPeriod": str(3 * 3600),
        "StatusCallback": "https://kallelse.example.se/hooks/twilio/receipts/Vx3nR0mQ_k-Zb7yPq2sT1A",
    }


def test_a_named_sender_is_used_and_no_receipts_are_asked_for_without_a_public_address() -> None:
    with HttpPeer(TAKEN) as peer:
        with running(peer.url, messaging_service_sid="", sender="Kallelse", public_url="") as channel:
            channel.send(message())
        assert peer.asked[0].form["From"] == "Kallelse"
        assert not {"MessagingServiceSid", "StatusCallback"} & set(peer.asked[0].form)


def test_a_base_address_may_have_a_path_of_its_own() -> None:
    with HttpPeer(TAKEN) as peer, running(peer.url + "/twilio/") as channel:
        channel.send(message())
        assert peer.asked[0].path.startswith("/twilio/2010-04-01/Accounts/")


@pytest.mark.parametrize(
    ("left", "expected"),
    [
        (timedelta(days=3), "36000"),
        (timedelta(hours=10), "36000"),
        (timedelta(seconds=90, milliseconds=900), "90"),
        (timedelta(seconds=1), "1"),
    ],
)
def test_twilio_may_not_deliver_a_reminder_after_it_has_lost_its_use(left: timedelta, expected: str) -> None:
    with answering(TAKEN) as (channel, peer):
        channel.send(message(useful_until=NOW + left))
    assert peer.asked[0].form["ValidityPeriod"] == expected


@pytest.mark.parametrize(
    ("values", "code", "remedy"),
    [
        ({"useful_until": NOW}, "too_late", Remedy.NEXT_CHANNEL),
        ({"useful_until": NOW - timedelta(hours=1)}, "too_late", Remedy.NEXT_CHANNEL),
        ({"to": "0701740605"}, "bad_number", Remedy.BAD_CONTACT),
        ({"to": "+46701740605\r\nBcc: x"}, "bad_number", Remedy.BAD_CONTACT),
        ({"to": "+46701740605,+46701740606"}, "bad_number", Remedy.BAD_CONTACT),
        ({"to": "+４６701740605"}, "bad_number", Remedy.BAD_CONTACT),
        ({"to": "whatsapp:+46701740605"}, "bad_number", Remedy.BAD_CONTACT),
        ({"text": ""}, "bad_text", Remedy.NEXT_CHANNEL),
        ({"text": "half \ud83d"}, "bad_text", Remedy.NEXT_CHANNEL),
    ],
)
def test_what_twilio_would_refuse_or_send_too_late_is_never_asked(
    values: dict[str, object], code: str, remedy: Remedy
) -> None:
    with answering(TAKEN) as (channel, peer), pytest.raises(Refused) as caught:
        channel.send(message(**values))
    assert peer.asked == []
    assert (caught.value.code, caught.value.remedy) == (code, remedy)
    assert_nothing_personal(everything(caught.value))


ERROR_MAP = [
    (21211, Remedy.BAD_CONTACT),
    (21217, Remedy.BAD_CONTACT),
    (21614, Remedy.NEXT_CHANNEL),
    (30006, Remedy.NEXT_CHANNEL),
    (21610, Remedy.SUPPRESS),
    (21408, Remedy.OPERATOR),
    (21612, Remedy.OPERATOR),
    (30003, Remedy.NEXT_CHANNEL),
    (30005, Remedy.NEXT_CHANNEL),
    (30004, Remedy.NEXT_CHANNEL),
    (30007, Remedy.NEXT_CHANNEL),
    (30008, Remedy.NEXT_CHANNEL),
    (30032, Remedy.OPERATOR),
    (30034, Remedy.OPERATOR),
    (30036, Remedy.NEXT_CHANNEL),
    (21606, Remedy.OPERATOR),
    (21609, Remedy.OPERATOR),
    (21617, Remedy.NEXT_CHANNEL),
    (90007, Remedy.OPERATOR),
]


@pytest.mark.parametrize(("code", "remedy"), ERROR_MAP)
def test_each_refusal_of_the_error_map_calls_for_its_own_remedy(code: int, remedy: Remedy) -> None:
    refused = failure(error(code))
    assert isinstance(refused, Refused)
    assert (refused.code, refused.remedy) == (str(code), remedy)


@pytest.mark.parametrize(("code", "status"), [(20003, 401), (20404, 404), (20003, 403), (20005, 401)])
def test_a_refused_account_stops_for_a_person_instead_of_marking_peoples_numbers(code: int, status: int) -> None:
    refused = failure(error(code, status))
    assert isinstance(refused, Refused)
    assert refused.remedy is Remedy.OPERATOR


@pytest.mark.parametrize("status", [401, 402, 403, 404])
def test_a_refusal_of_the_account_without_a_code_is_one_too(status: int) -> None:
    refused = failure(Answer(status, b"<html>no</html>"))
    assert isinstance(refused, Refused)
    assert (refused.code, refused.remedy) == (f"http_{status}", Remedy.OPERATOR)


@pytest.mark.parametrize("code", [21999, 63999, 9999])
def test_a_code_nobody_has_heard_of_goes_to_the_next_channel_and_is_kept(code: int) -> None:
    refused = failure(error(code))
    assert isinstance(refused, Refused)
    assert (refused.code, refused.remedy) == (str(code), Remedy.NEXT_CHANNEL)


@pytest.mark.parametrize(
    ("answer", "wait"),
    [
        (error(20429, 429, Retry_After="7"), timedelta(seconds=7)),
        (error(20429, 429), None),
        (Answer(429, b"slow down", {"Retry-After": "120"}), timedelta(minutes=2)),
        (error(20429, 429, Retry_After="Wed, 25 Nov 2026 08:00:00 GMT"), None),
        (error(20429, 429, Retry_After="99999999999999999999"), None),
        (error(20429, 429, Retry_After="-5"), None),
        (error(21611, 400), None),
        (error(14107, 400), None),
    ],
)
def test_too_many_requests_means_not_taken_and_to_come_back(answer: Answer, wait: timedelta | None) -> None:
    unreachable = failure(answer)
    assert isinstance(unreachable, Unreachable)
    assert unreachable.retry_after == wait


UNCLEAR: dict[str, Reaction] = {
    "500 with json": error(20500, 500),
    "500 that blames the number": error(21211, 500),
    "500 that claims a limit": error(20429, 503),
    "502 html": Answer(502, b"<html>bad gateway</html>"),
    "503 empty": Answer(503),
    "504": Answer(504, b""),
    "408": Answer(408, b""),
    "302": Answer(302, b"", {"Location": "http://127.0.0.1:1/"}),
    "307": Answer(307, b"", {"Location": "http://127.0.0.1:1/"}),
    "200 empty": Answer(200),
    "200 html": Answer(200, b"<html>hej</html>"),
    "201 cut json": Answer(201, b'{"sid": "SM01'),
    "201 empty object": answer_json(201, {}),
    "201 null": answer_json(201, None),
    "201 list": answer_json(201, [SID]),
    "201 text": answer_json(201, SID),
    "201 sid null": answer_json(201, {"sid": None}),
    "201 sid empty": answer_json(201, {"sid": ""}),
    "201 sid number": answer_json(201, {"sid": 7}),
    "201 sid of a call": answer_json(201, {"sid": "CA" + "0" * 32}),
    "201 sid in capitals": answer_json(201, {"sid": SID.upper()}),
    "201 junk dates": answer_json(201, {"sid": SID, "date_created": 7}),
    "201 wrong charset": Answer(201, b'\xff\xfe{"sid"', {"Content-Type": "application/json; charset=nonsense"}),
    "201 false gzip": Answer(201, b"not gzip", {"Content-Encoding": "gzip"}),
    "201 deep": Answer(201, b"[" * 100_000),
    "201 endless": Answer(201, b" " * 400_000),
    "204": Answer(204),
    "cut body": Answer(201, json.dumps({"sid": SID}).encode(), missing=10),
    "closed": Mishap.CLOSE,
    "reset": Mishap.RESET,
    "no answer": Mishap.HANG,
    "not http": Raw(b"SSH-2.0-OpenSSH_9.2\r\n"),
    "two lengths": Raw(b"HTTP/1.1 201 X\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}"),
    "half a status line": Raw(b"HTTP/1.1 20"),
}


@pytest.mark.parametrize("reaction", UNCLEAR.values(), ids=UNCLEAR.keys())
def test_an_answer_that_does_not_say_leaves_it_unknown_so_that_nobody_gets_two(reaction: Reaction) -> None:
    assert isinstance(failure(reaction), Unknown)


def test_an_answer_that_drips_ends_at_the_deadline_and_not_when_the_lease_is_long_gone() -> None:
    head = b"HTTP/1.1 201 X\r\nContent-Length: 1000\r\n\r\n"
    unknown = failure(Raw(head + b" " * 1000, pause=0.02))
    assert isinstance(unknown, Unknown)
    assert unknown.code == "timeout"  # and not what it would have been after the last octet


def test_twilios_newer_error_form_is_read_like_the_older() -> None:
    newer = {"type": "https://x", "title": "Unsubscribed +46701740605", "status": 400, "code": 21610, "detail": "no"}
    refused = failure(answer_json(400, newer))
    assert isinstance(refused, Refused)
    assert (refused.code, refused.remedy) == ("21610", Remedy.SUPPRESS)


@pytest.mark.parametrize("code", ["+46701740605", None, [21211], {"a": 1}, -1, 1.5, "21211; drop", "9" * 400])
def test_a_code_that_is_none_is_not_kept_as_one(code: object) -> None:
    refused = failure(answer_json(400, {"code": code, "message": "x"}))
    assert isinstance(refused, Refused)
    assert (refused.code, refused.remedy) == ("http_400", Remedy.NEXT_CHANNEL)


def test_a_server_that_does_not_speak_tls_was_sent_nothing() -> None:
    with HttpPeer(TAKEN) as peer, running(peer.url.replace("http", "https")) as channel:
        with pytest.raises(Unreachable):
            channel.send(message())
        assert peer.asked == []


def test_a_server_too_busy_to_connect_to_was_sent_nothing() -> None:
    with full_port() as port, running(f"http://127.0.0.1:{port}") as channel, pytest.raises(Unreachable) as caught:
        channel.send(message())
    assert caught.value.code == "connect_timeout"


def test_waiting_in_our_own_queue_for_a_connection_is_not_having_sent() -> None:
    started = threading.Event()

    def hang(_: Asked) -> Reaction:
        started.set()
        return Mishap.HANG

    longer = timedelta(seconds=2)
    with HttpPeer(hang) as peer, running(peer.url, connections=1, read_timeout=longer) as channel:
        with ThreadPoolExecutor(1) as other:
            first = other.submit(channel.send, message())
            assert started.wait(5)
            with pytest.raises(Unreachable) as caught:
                channel.send(message())
            assert isinstance(first.exception(), Unknown)
        assert caught.value.code == "pool_timeout"
        assert len(peer.asked) == 1


def test_a_connection_the_server_closed_meanwhile_is_replaced_and_the_message_arrives_once() -> None:
    with HttpPeer(Answer(201, TAKEN.body, {"Connection": "close"})) as peer, running(peer.url) as channel:
        for _ in range(3):
            channel.send(message())
        assert len(peer.asked) == 3


@pytest.fixture
def _hasty_threads() -> Iterator[None]:
    """Threads that take turns at almost every instruction."""
    ordinary = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(ordinary)


@pytest.mark.usefixtures("_hasty_threads")
def test_threads_do_not_get_each_others_answers() -> None:
    def react(asked: Asked) -> Reaction:
        wanted = int(asked.form["Body"])
        if wanted % 2:
            return error(20429, 429, Retry_After=str(wanted))
        return answer_json(201, {"sid": f"SM{wanted:032x}"})

    def send(wanted: int) -> tuple[int, object]:
        try:
            return wanted, channel.send(message(text=str(wanted))).provider_id
        except Unreachable as late:
            return wanted, late.retry_after

    with answering(react) as (channel, _), ThreadPoolExecutor(8) as threads:
        for wanted, got in threads.map(send, range(1, 201)):
            assert got == (timedelta(seconds=wanted) if wanted % 2 else f"SM{wanted:032x}")


def test_the_processs_environment_neither_redirects_nor_replaces_the_account(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    monkeypatch.setenv("TWILIO_ACCOUNT_SID", "AC" + "9" * 32)
    monkeypatch.setenv("TWILIO_REGION", "au1")
    with answering(TAKEN) as (channel, peer):
        channel.send(message())
    assert ACCOUNT in peer.asked[0].path


def test_nothing_personal_is_logged_even_at_debug(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with answering(TAKEN) as (channel, _):
        channel.send(message())
    failure(error(21211))
    assert_nothing_personal(caplog.text)
    assert_nothing_personal(repr(settings("http://127.0.0.1:1")))


@pytest.mark.parametrize(
    "values",
    [
        {"account_sid": ""},
        {"auth_token": ""},
        {"messaging_service_sid": ""},
        {"sender": "Kallelse"},
        {"api_base_url": "ftp://127.0.0.1"},
        {"api_base_url": "127.0.0.1:8000"},
    ],
)
def test_settings_that_cannot_work_fail_at_the_start_and_show_no_secret(values: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="Twilio") as caught:
        settings(str(values.pop("api_base_url", "http://127.0.0.1:1")), **values)
    assert_nothing_personal(str(caught.value))
