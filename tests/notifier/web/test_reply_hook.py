"""Texts over a real web server: what Twilio did not sign for us, word for word, is heard by nobody, and no text passes
itself off as another one's, though its words are its sender's own."""

import http.client
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree
from prometheus_client import REGISTRY
from starlette.applications import Starlette
from structlog.testing import capture_logs
from twilio.request_validator import RequestValidator

from notifier import replies
from notifier.channels.inbound import ReceivedText
from notifier.channels.twilio_replies import REPLIES_PATH, ReplyReader
from notifier.channels.twilio_signed import HookRefused
from notifier.web.hooks import HookSettings, reply_routes
from store.database import Sessions, open_database
from store.intents import Intent
from store.vault import Vault
from tests.contracts.test_channel import assert_nothing_personal
from tests.notifier.web.test_hooks import ACCOUNT, FORM_TYPE, PUBLIC, SID, TOKEN, Web, served, sign

URL = PUBLIC + REPLIES_PATH
AT = datetime(2026, 11, 24, 8, 55, tzinfo=UTC)
FORM = {
    "AccountSid": ACCOUNT,
    "ApiVersion": "2010-04-01",
    "Body": "Stopp å ä ö 👍",
    "From": "+46701740605",
    "FromCity": "",
    "FromCountry": "SE",
    "MessageSid": SID,
    "NumMedia": "0",
    "SmsMessageSid": SID,
    "To": "+46701740689",
    "ToCountry": "SE",
}
TAKEN = ReceivedText("twilio", SID, "+46701740605", "Stopp å ä ö 👍", None, is_answered_by_provider=False)
SETTINGS = HookSettings(PUBLIC, ACCOUNT, TOKEN, "+46701740688")


@pytest.fixture(scope="module")
def server() -> Iterator[tuple[Web, list[ReceivedText]]]:
    heard: list[ReceivedText] = []

    def take(one: ReceivedText) -> str:
        heard.append(one)
        return "Svar <åäö> & mer"

    with served(Starlette(routes=reply_routes(SETTINGS, take))) as port:
        yield Web(port, []), heard


@pytest.fixture
def web(server: tuple[Web, list[ReceivedText]]) -> Web:
    server[1].clear()
    return server[0]


@pytest.fixture
def heard(server: tuple[Web, list[ReceivedText]]) -> list[ReceivedText]:
    return server[1]


def deliver(web: Web, form: dict[str, str], signature: str | None = None, path: str = REPLIES_PATH) -> int:
    return web.deliver(form, sign(form, URL) if signature is None else signature, path)


def test_a_text_is_heard_and_answered_with_what_twilio_understands(web: Web, heard: list[ReceivedText]) -> None:
    status, answer = asked(web)
    root = etree.fromstring(answer)
    assert (status, heard) == (200, [TAKEN])
    assert [root.tag, *((one.tag, one.text) for one in root)] == ["Response", ("Message", "Svar <åäö> & mer")]


def asked(web: Web) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", web.port, timeout=10)
    headers = {"Content-Type": FORM_TYPE, "X-Twilio-Signature": sign(FORM, URL)}
    connection.request("POST", REPLIES_PATH, urlencode(FORM), headers)
    answer = connection.getresponse()
    assert answer.headers["Content-Type"].startswith("text/xml")
    read = answer.read()
    connection.close()
    return answer.status, read


def without(name: str) -> dict[str, str]:
    return {one: value for one, value in FORM.items() if one != name}


REFUSED: dict[str, tuple[dict[str, str], str | None, str]] = {
    "no signature": (FORM, "", REPLIES_PATH),
    "not ASCII": (FORM, "å" * 28, REPLIES_PATH),
    "another token": (FORM, sign(FORM, URL, "gammal"), REPLIES_PATH),
    "another host": (FORM, sign(FORM, "https://evil.example.com" + REPLIES_PATH), REPLIES_PATH),
    "another scheme": (FORM, sign(FORM, URL.replace("https", "http")), REPLIES_PATH),
    "the receipts' address": (FORM, sign(FORM, PUBLIC + "/hooks/twilio/receipts/"), REPLIES_PATH),
    "another algorithm": (FORM, sign(FORM, URL, digest="sha256"), REPLIES_PATH),
    "a query": (FORM, None, REPLIES_PATH + "?x=1"),
    "altered words": ({**FORM, "Body": "START"}, sign(FORM, URL), REPLIES_PATH),
    "altered sender": ({**FORM, "From": "+46701740606"}, sign(FORM, URL), REPLIES_PATH),
    "another account": ({**FORM, "AccountSid": "AC" + "9" * 32}, None, REPLIES_PATH),
    "a call's sid": ({**FORM, "MessageSid": "CA" + "0" * 32}, None, REPLIES_PATH),
    "a sid in capitals": ({**FORM, "MessageSid": "SM" + "ABCDEF01" * 4}, None, REPLIES_PATH),
    "a recipient that is none": ({**FORM, "To": "Kallelse"}, None, REPLIES_PATH),
    **{
        f"no {name}": (without(name), None, REPLIES_PATH) for name in ("AccountSid", "Body", "From", "MessageSid", "To")
    },
}


@pytest.mark.parametrize(("form", "signature", "path"), REFUSED.values(), ids=REFUSED.keys())
def test_b62_what_was_not_signed_for_us_is_refused_and_heard_by_nobody(
    web: Web, heard: list[ReceivedText], form: dict[str, str], signature: str | None, path: str
) -> None:
    assert deliver(web, form, signature, path) == 403
    assert heard == []


RAW = {
    "doubled text": urlencode(FORM).encode() + b"&Body=STOPP",
    "doubled sender": urlencode(FORM).encode() + b"&From=%2B46701740606",
    "half a letter": b"Body=%ff",
    "empty": b"",
    "a thousand fields": b"&".join(b"a%d=" % number for number in range(1000)),
    "too long": urlencode({**FORM, "Body": "x" * 70_000}).encode(),
}


@pytest.mark.parametrize("body", RAW.values(), ids=RAW.keys())
def test_b63_a_body_that_is_no_form_of_one_meaning_is_refused(web: Web, heard: list[ReceivedText], body: bytes) -> None:
    headers = [("Content-Type", FORM_TYPE), ("X-Twilio-Signature", sign(FORM, URL))]
    assert web.post(body, headers, REPLIES_PATH) == 403
    assert web.post(body, [*headers, headers[1]], REPLIES_PATH) == 403
    assert web.post(urlencode(FORM).encode(), headers[1:], REPLIES_PATH) == 403
    assert web.post(b"{}", [("Content-Type", "application/json"), headers[1]], REPLIES_PATH) == 403
    assert heard == []


@pytest.mark.parametrize(
    "sender", ["72456", "Kallelse", "", "anonymous", "whatsapp:+46701740605", FORM["To"], "+46701740688"]
)
def test_b22_what_no_phone_sent_is_taken_and_heard_by_nobody(web: Web, heard: list[ReceivedText], sender: str) -> None:
    """Names, short codes, numbers of our own: a loop. Not refused, else the provider would bring it again."""
    assert deliver(web, {**FORM, "From": sender}) == 200
    assert heard == []


def read(form: dict[str, str]) -> ReceivedText | None:
    return ReplyReader(PUBLIC, ACCOUNT, TOKEN, "+46701740688").read(sign(form, URL), urlencode(form).encode())


def heard_as(form: dict[str, str]) -> tuple[str, Intent | None, bool]:
    found = read(form)
    assert found is not None
    return found.text, found.provider_understood, found.is_answered_by_provider


@pytest.mark.parametrize(
    ("values", "wanted"),
    [
        ({"Body": "👍" * 800}, ("👍" * 800, None, False)),
        ({"Body": "", "NumMedia": "1", "MediaUrl0": "https://x.example/1", "MediaContentType0": "text/x-vcard",
          "MessageSid": SID.replace("SM", "MM")}, ("", None, False)),
        ({"Body": "STOPP", "NumMedia": "1", "MediaUrl0": "https://x.example/1"}, ("STOPP", None, False)),
        ({"Body": " Start "}, (" Start ", None, True)),
        ({"Body": "STOP"}, ("STOP", None, False)),
        ({"Body": "sluta", "OptOutType": "STOP"}, ("sluta", Intent.STOP, True)),
        ({"Body": "STOPP", "OptOutType": "stop"}, ("STOPP", None, False)),
        ({"Body": "STOPP", "Button": "x", "ÅNew": "x"}, ("", None, False)),  # it may be the rest of a text
        ({"Body": "STOPP", "Zone": "x"}, ("STOPP", None, False)),
        ({"Body": "Torsdag passar"}, ("", None, False)),  # holds the name `To`; asks for nothing anyhow
    ],
)  # fmt: skip
def test_b22_texts_are_read_as_they_came(values: dict[str, str], wanted: tuple[str, Intent | None, bool]) -> None:
    assert heard_as({**FORM, **values}) == wanted


HOSTILE = "STOPPFrom+46701740606FromCityHejOptOutTypeSTOPTo+46701740689"
REST = HOSTILE.removeprefix("STOPPFrom+46701740606FromCity") + "From" + FORM["From"] + "FromCity"
CUTS = {
    "another's number": (HOSTILE, {"Body": "STOPP", "From": "+46701740606", "FromCity": REST}),
    "the rest under a name of its own": ("STOPPDet blir fel", {"Body": "STOPP", "Det blir fel": ""}),
}


@pytest.mark.parametrize(("said", "cut"), CUTS.values(), ids=CUTS.keys())
def test_t17_a_text_that_looks_like_fields_is_cut_to_nothing(said: str, cut: dict[str, str]) -> None:
    assert sign({**FORM, **cut}, URL) == sign({**FORM, "Body": said}, URL)  # the attack: one signature, other fields
    assert heard_as({**FORM, **cut}) == ("", None, False)


@given(data=st.data())
def test_t17_however_a_signed_text_is_cut_it_says_the_same_or_nothing(data: st.DataObject) -> None:
    said = {
        **FORM,
        "Body": data.draw(st.sampled_from(["STOPP inte", "STOPPDet går", HOSTILE, "STOPPC", "Fel personCity"])),
    }
    whole = [piece for name in sorted(said) for piece in (name, said[name])]
    first = data.draw(st.integers(0, len(whole) - 2))
    glued = whole[first] + whole[first + 1]
    border = data.draw(st.integers(0, len(glued)))
    cut = [*whole[:first], glued[:border], glued[border:], *whole[first + 2 :]]
    at = data.draw(st.integers(0, len("".join(whole))))
    cut = data.draw(st.sampled_from([cut, split(cut, at)]))
    form = dict(zip(cut[::2], cut[1::2], strict=True))
    if not RequestValidator(TOKEN).validate(URL, form, sign(said, URL)):
        return  # the pieces are no longer in order
    try:
        found = ReplyReader(PUBLIC, ACCOUNT, TOKEN).read(sign(said, URL), urlencode(form).encode())
    except HookRefused:
        return
    assert found is None or found.text == "" or (found.sender, found.text) == (said["From"], said["Body"])


def split(pieces: list[str], at: int) -> list[str]:
    """One field more: the piece that `at` falls into is cut in three, the middle one empty."""
    for place, piece in enumerate(pieces):
        if at <= len(piece):
            return [*pieces[:place], piece[:at], piece[at:], "", *pieces[place + 1 :]]
        at -= len(piece)
    return pieces


def test_a_text_that_cannot_be_stored_is_not_acknowledged(vault: Vault, caplog: pytest.LogCaptureFixture) -> None:
    sessions = open_database("sqlite:////nowhere/at/all.db")
    with capture_logs() as lines, served(Starlette(routes=reply_routes(SETTINGS, taking(sessions, vault)))) as port:
        assert deliver(Web(port, []), FORM) == 503
    assert [line["event"] for line in lines] == ["reply_not_stored"]
    assert_nothing_personal(caplog.text + str(lines))


def taking(sessions: Sessions, vault: Vault) -> Callable[[ReceivedText], str]:
    return lambda one: replies.take(sessions, vault, one, AT, AT, PUBLIC)


def test_refusals_are_counted_and_logged_without_what_was_sent(web: Web) -> None:
    def count() -> float:
        labels = {"provider": "twilio", "reason": "signature"}
        return REGISTRY.get_sample_value("kallelse_replies_refused_total", labels) or 0

    before = count()
    with capture_logs() as lines:
        deliver(web, FORM, "x" * 28)
    assert lines == [{"event": "reply_refused", "log_level": "warning", "provider": "twilio", "reason": "signature"}]
    assert count() == before + 1
    assert_nothing_personal(f"{TAKEN!r} {ReplyReader(PUBLIC, ACCOUNT, TOKEN)!r}")


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE"])
def test_only_a_post_is_a_text(web: Web, heard: list[ReceivedText], method: str) -> None:
    headers = [("Content-Type", FORM_TYPE), ("X-Twilio-Signature", sign(FORM, URL))]
    assert web.post(urlencode(FORM).encode(), headers, REPLIES_PATH, method) == 405
    assert heard == []
