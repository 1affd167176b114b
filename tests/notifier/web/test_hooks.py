"""Check 18: receipts over a real web server. What Twilio did not sign for us, word for word, changes nothing."""

import base64
import hashlib
import hmac
import http.client
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import urlencode

import pytest
import uvicorn
from hypothesis import given
from hypothesis import strategies as st
from starlette.applications import Starlette

from notifier.channels.twilio_receipts import STATUSES, ReceiptReader, ReceivedReceipt
from notifier.channels.twilio_signed import HookRefused
from notifier.web.hooks import HookSettings, routes
from tests.contracts.test_channel import assert_nothing_personal
from tests.faults.waiting import wait_until

PUBLIC = "https://kallelse.example.se"
ACCOUNT = "AC" + "0" * 31 + "1"
TOKEN = "hemlig-nyckel"
ATTEMPT = "Vx3nR0mQ_k-Zb7yPq2sT1A"
PATH = f"/hooks/twilio/receipts/{ATTEMPT}"
SID = "SM" + "0123456789abcdef" * 2
FORM = {
    "AccountSid": ACCOUNT,
    "ApiVersion": "2010-04-01",
    "From": "Kallelse",
    "MessageSid": SID,
    "MessageStatus": "delivered",
    "MessagingServiceSid": "",  # blanks are signed as well
    "SmsSid": SID,
    "SmsStatus": "delivered",
    "To": "+46701740605",
}
TAKEN = ReceivedReceipt("twilio", SID, "delivered", "", ATTEMPT)
FORM_TYPE = "application/x-www-form-urlencoded"


def sign(form: dict[str, str], url: str = PUBLIC + PATH, token: str = TOKEN, digest: str = "sha1") -> str:
    """Twilio's signature, written here from its documentation and not by the code under test."""
    text = url + "".join(name + form[name] for name in sorted(form))
    return base64.b64encode(hmac.new(token.encode(), text.encode(), digest).digest()).decode()


@dataclass
class Web:
    port: int
    recorded: list[ReceivedReceipt]

    def post(self, body: bytes, headers: list[tuple[str, str]], path: str = PATH, method: str = "POST") -> int:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        connection.putrequest(method, path, skip_accept_encoding=True)
        for name, value in headers:
            connection.putheader(name, value.encode("utf-8"))
        connection.putheader("Content-Length", str(len(body)))
        connection.endheaders(body)
        status = connection.getresponse().status
        connection.close()
        return status

    def deliver(self, form: dict[str, str], signature: str | None = None, path: str = PATH) -> int:
        signed = sign(form) if signature is None else signature
        return self.post(urlencode(form).encode(), [("Content-Type", FORM_TYPE), ("X-Twilio-Signature", signed)], path)


@contextmanager
def served(app: Starlette) -> Iterator[int]:
    """A real web server in a thread; its port."""
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_config=None, lifespan="off", ws="none"))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        wait_until(lambda: server.started, "the web server to listen")
        yield server.servers[0].sockets[0].getsockname()[1]
    finally:
        server.should_exit = True
        thread.join(10)


@pytest.fixture(scope="module")
def server() -> Iterator[Web]:
    recorded: list[ReceivedReceipt] = []
    with served(Starlette(routes=routes(HookSettings(PUBLIC, ACCOUNT, TOKEN), recorded.append))) as port:
        yield Web(port, recorded)


@pytest.fixture
def web(server: Web) -> Web:
    server.recorded.clear()
    return server


def test_check_18_a_receipt_behind_the_proxy_is_recorded_once(web: Web) -> None:
    assert web.deliver(FORM) == 204
    assert web.recorded == [TAKEN]


def test_a_failed_delivery_keeps_its_code(web: Web) -> None:
    failed = {**FORM, "MessageStatus": "undelivered", "ErrorCode": "30003"}
    assert web.deliver(failed) == 204
    assert web.recorded == [ReceivedReceipt("twilio", SID, "undelivered", "30003", ATTEMPT)]


def test_b63_fields_that_twilio_adds_one_day_do_not_lose_every_receipt(web: Web) -> None:
    assert web.deliver({**FORM, "RawDlrDoneDate": "2611240855", "ÅNew": "å ä ö & = +"}) == 204
    assert web.recorded == [TAKEN]


REFUSED: dict[str, tuple[bytes, list[tuple[str, str]], str]] = {}


def refuse(name: str, form: dict[str, str] | bytes = FORM, path: str = PATH, **headers: str | list[str]) -> None:
    """One bad request; its signature is right for the form unless the headers say otherwise."""
    body = form if isinstance(form, bytes) else urlencode(form).encode()
    signed = "" if isinstance(form, bytes) else sign(form)
    given_headers: dict[str, str | list[str]] = {"Content-Type": FORM_TYPE, "X-Twilio-Signature": signed}
    given_headers |= {key.replace("_", "-"): value for key, value in headers.items()}
    pairs = [
        (key, one) for key, value in given_headers.items() for one in ([value] if isinstance(value, str) else value)
    ]
    REFUSED[name] = (body, pairs, path)


refuse("no signature", X_Twilio_Signature=[])
refuse("empty signature", X_Twilio_Signature="")
refuse("signature of wrong length", X_Twilio_Signature=sign(FORM)[:-4])
refuse("signature that is not ASCII", X_Twilio_Signature="å" * 28)
refuse("two signatures", X_Twilio_Signature=[sign(FORM), sign(FORM)])
refuse("right and wrong signature", X_Twilio_Signature=[sign(FORM), "x"])
refuse("signed for another host", X_Twilio_Signature=sign(FORM, "https://evil.example.com" + PATH))
refuse("signed for another scheme", X_Twilio_Signature=sign(FORM, "http://kallelse.example.se" + PATH))
refuse("signed for another port", X_Twilio_Signature=sign(FORM, f"{PUBLIC}:8443{PATH}"))
refuse("signed for another attempt", X_Twilio_Signature=sign(FORM, PUBLIC + PATH[:-1] + "B"))
refuse("signed for this machine", X_Twilio_Signature=sign(FORM, "http://127.0.0.1" + PATH))
refuse(
    "a host of the stranger's own",
    X_Twilio_Signature=sign(FORM, "https://evil.example.com" + PATH),
    Host="evil.example.com",
    X_Forwarded_Host="evil.example.com",
    X_Forwarded_Proto="https",
)
refuse("signed with another token", X_Twilio_Signature=sign(FORM, token="gammal"))
refuse("signed with an empty token", X_Twilio_Signature=sign(FORM, token=""))
refuse(
    "another algorithm announced",
    X_Twilio_Signature=sign(FORM, digest="sha256"),
    X_Twilio_Webhooks_Signature_Settings="key=x,algorithm=HMAC_SHA256",
)
refuse(
    "json with a form's signature", b'{"MessageSid": 1}', X_Twilio_Signature=sign(FORM), Content_Type="application/json"
)
refuse(
    "json with a body hash",
    b"{}",
    path=f"{PATH}?bodySHA256={hashlib.sha256(b'{}').hexdigest()}",
    X_Twilio_Signature=sign({}, f"{PUBLIC}{PATH}?bodySHA256={hashlib.sha256(b'{}').hexdigest()}"),
    Content_Type="application/json",
)
refuse("form with a body hash", path=PATH + "?bodySHA256=00")
refuse("query beside a right signature", path=PATH + "?x=1")
refuse("no content type", Content_Type=[])
refuse("multipart", Content_Type="multipart/form-data; boundary=x")
refuse("altered value", urlencode({**FORM, "MessageStatus": "failed"}).encode(), X_Twilio_Signature=sign(FORM))
refuse("added field", urlencode({**FORM, "ErrorCode": "30003"}).encode(), X_Twilio_Signature=sign(FORM))
refuse(
    "removed blank field",
    urlencode({name: value for name, value in FORM.items() if value}).encode(),
    X_Twilio_Signature=sign(FORM),
)
refuse("doubled field", urlencode(FORM).encode() + b"&MessageStatus=delivered", X_Twilio_Signature=sign(FORM))
refuse("doubled with another value", urlencode(FORM).encode() + b"&MessageStatus=failed", X_Twilio_Signature=sign(FORM))
refuse("other account", {**FORM, "AccountSid": "AC" + "9" * 32})
refuse("no account", {name: value for name, value in FORM.items() if name != "AccountSid"})
refuse("sid in lower case", {**FORM, "MessageSid": SID.lower()})
refuse("sid with capitals", {**FORM, "MessageSid": "SM" + "ABCDEF01" * 4})
refuse("sid of a call", {**FORM, "MessageSid": "CA" + "0" * 32})
refuse("sid with more", {**FORM, "MessageSid": SID + "0"})
refuse("sid with full-width digits", {**FORM, "MessageSid": "SM" + "０" * 32})
refuse("no sid", {name: value for name, value in FORM.items() if name != "MessageSid"})
refuse("unheard-of status", {**FORM, "MessageStatus": "teleported"})
refuse("status in capitals", {**FORM, "MessageStatus": "Delivered"})
refuse("no status", {name: value for name, value in FORM.items() if name != "MessageStatus"})
refuse("code with letters", {**FORM, "ErrorCode": "30003x"})
refuse("code with Arabic digits", {**FORM, "ErrorCode": "٣"})
refuse("empty body", b"")
refuse("nothing but separators", b"&&&")
refuse("octets", b"\xff\xfe\x00")
refuse("half an escape", b"MessageSid=%ff%fe")
refuse("a thousand fields", b"&".join(b"a%d=" % number for number in range(1000)))
refuse(
    "too long", urlencode({**FORM, "To": "x" * 70_000}).encode(), X_Twilio_Signature=sign({**FORM, "To": "x" * 70_000})
)
refuse("an attempt's id too short", path=PATH[:-1], X_Twilio_Signature=sign(FORM, PUBLIC + PATH[:-1]))
refuse("an attempt's id too long", path=PATH + "A", X_Twilio_Signature=sign(FORM, PUBLIC + PATH + "A"))
refuse("an attempt's id with a newline", path=PATH + "%0a", X_Twilio_Signature=sign(FORM, PUBLIC + PATH + "\n"))


@pytest.mark.parametrize(("body", "headers", "path"), REFUSED.values(), ids=REFUSED.keys())
def test_check_18_b62_b63_what_was_not_signed_for_us_is_refused_and_never_reaches_the_database(
    web: Web, body: bytes, headers: list[tuple[str, str]], path: str
) -> None:
    assert web.post(body, headers, path) == 403
    assert web.recorded == []


FAILED = {**FORM, "MessageStatus": "undelivered", "ErrorCode": "30003"}
SHIFTS = {
    "code swallowed by the field before": {**FAILED, "ApiVersion": "2010-04-01ErrorCode30003", "ErrorCode": None},
    "code with one digit in its name": {**FAILED, "ErrorCode": None, "ErrorCode3": "0003"},
    "code cut in the middle of its name": {
        **FAILED, "ApiVersion": "2010-04-01Error", "ErrorCode": None, "Code30003": "",
    },
    "code that swallows the sender": {**FAILED, "ErrorCode": "30003FromKallelse", "From": None},
    "status that swallows what follows": {
        **FAILED, "MessageStatus": "undeliveredMessagingServiceSid", "MessagingServiceSid": None,
    },
    "sid that swallows the status": {
        **FAILED, "MessageSid": SID + "MessageStatusundelivered", "MessageStatus": None,
    },
    "sid swallowed by the sender": {**FAILED, "From": "KallelseMessageSid" + SID, "MessageSid": None},
    "status with a letter in its name": {**FAILED, "MessageStatus": None, "MessageStatusu": "ndelivered"},
    "account with a letter in its name": {**FAILED, "AccountSid": None, "AccountSidA": ACCOUNT[1:]},
}  # fmt: skip


@pytest.mark.parametrize("shift", SHIFTS.values(), ids=SHIFTS.keys())
def test_b63_a_signed_receipt_cut_up_otherwise_says_nothing_else(web: Web, shift: dict[str, str | None]) -> None:
    form = {name: value for name, value in shift.items() if value is not None}
    assert sign(form) == sign(FAILED)  # the attack: one signature, other fields
    assert web.deliver(form) == 403
    assert web.recorded == []


def test_the_first_field_glued_to_the_address_is_another_attempt_and_refused(web: Web) -> None:
    rest = {name: value for name, value in FORM.items() if name != "AccountSid"}
    assert web.deliver(rest, sign(FORM), f"{PATH}AccountSid{ACCOUNT}") == 403
    glued = {**FORM, ATTEMPT[-1]: ""}
    assert sign(glued, PUBLIC + PATH[:-1]) == sign(FORM)
    assert web.deliver(glued, sign(FORM), PATH[:-1]) == 403
    assert web.recorded == []


@given(data=st.data())
def test_however_a_signed_receipt_is_cut_it_says_the_same_or_nothing(data: st.DataObject) -> None:
    """Moves one border between a field and its neighbour, or a name and its value, and asks what is read."""
    reader = ReceiptReader(PUBLIC, ACCOUNT, TOKEN)
    pieces = [piece for name in sorted(FAILED) for piece in (name, FAILED[name])]
    text = "".join(pieces)
    count = data.draw(st.integers(1, 9)) * 2
    borders = sorted(data.draw(st.lists(st.integers(0, len(text)), min_size=count - 1, max_size=count - 1)))
    cut = [text[start:end] for start, end in zip([0, *borders], [*borders, len(text)], strict=True)]
    form = dict(zip(cut[::2], cut[1::2], strict=True))
    try:
        read = reader.read(ATTEMPT, sign(FAILED), urlencode(form).encode())
    except HookRefused:
        return
    assert read == ReceivedReceipt("twilio", SID, "undelivered", "30003", ATTEMPT)


def test_no_status_is_the_beginning_of_another_or_it_could_be_cut_out_of_it() -> None:
    assert not [(a, b) for a in STATUSES for b in STATUSES if a != b and b.startswith(a)]


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "PATCH", "OPTIONS"])
def test_only_a_post_is_a_receipt(web: Web, method: str) -> None:
    headers = [("Content-Type", FORM_TYPE), ("X-Twilio-Signature", sign(FORM))]
    assert web.post(urlencode(FORM).encode(), headers, method=method) == 405
    assert web.recorded == []


def test_a_public_address_with_a_slash_or_a_port_is_the_same_address() -> None:
    for public, signed in [
        (PUBLIC + "/", PUBLIC + PATH),
        (PUBLIC, f"{PUBLIC}:443{PATH}"),  # Twilio is of two minds about ports
        ("http://127.0.0.1:8000", "http://127.0.0.1:8000" + PATH),
    ]:
        reader = ReceiptReader(public, ACCOUNT, TOKEN)
        assert reader.read(ATTEMPT, sign(FORM, signed), urlencode(FORM).encode()) == TAKEN


@pytest.mark.parametrize(
    "values",
    [("", ACCOUNT, TOKEN), ("kallelse.example.se", ACCOUNT, TOKEN), (PUBLIC, "", TOKEN), (PUBLIC, ACCOUNT, "")],
)
def test_a_hook_that_could_never_accept_anything_fails_at_the_start(values: tuple[str, str, str]) -> None:
    with pytest.raises(ValueError, match=r"public URL|account SID"):
        routes(HookSettings(*values), lambda _: None)


def test_refusals_are_noticed_without_numbers_or_tokens(web: Web, capsys: pytest.CaptureFixture[str]) -> None:
    web.deliver({**FORM, "AccountSid": "AC" + "9" * 32})
    web.deliver(FORM, "x" * 28)
    shown = capsys.readouterr().out
    assert "receipt_refused" in shown
    assert_nothing_personal(
        shown + repr(HookSettings(PUBLIC, ACCOUNT, TOKEN)) + repr(ReceiptReader(PUBLIC, ACCOUNT, TOKEN))
    )
