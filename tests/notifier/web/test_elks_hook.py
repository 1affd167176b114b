"""46elks signs nothing: what it reports is believed only at an address it was told, about a message that it has itself,
and only as far as it says so when asked."""

from collections.abc import Iterator
from urllib.parse import urlencode

import pytest
from starlette.applications import Starlette

from notifier.channels import Progress, Unreachable
from notifier.channels.elks_receipts import LookedUp
from notifier.channels.elks_told import ElksRefused
from notifier.channels.inbound import ReceivedText
from notifier.web.hooks import ElksHooks, elks_routes
from tests.notifier.web.test_hooks import FORM_TYPE, Web, served

SECRET = "Hemlig-del-av-adressen"
ATTEMPT = "Vx3nR0mQ_k-Zb7yPq2sT1A"
PATH = f"/hooks/elks/receipts/{SECRET}/{ATTEMPT}"
ID = "s" + "0123456789abcdef" * 2
TEXTS_PATH = f"/hooks/elks/inbound/{SECRET}"
TEXT = ReceivedText("46elks", "s" + "a" * 32, "+46701740605", "STOPP", None, is_answered_by_provider=False)
NOTICE = {
    "direction": "incoming",
    "id": TEXT.provider_id,
    "from": "+46701740699",  # nobody's word but the caller's
    "to": "+46701740687",
    "created": "2026-11-24T08:55:00.000000",
    "message": "START",
}
FORM = {"id": ID, "status": "delivered", "delivered": "2026-11-24T09:00:00.000000"}


class Elks:
    """What 46elks says of its messages when asked."""

    def __init__(self) -> None:
        self.says: dict[str, str] = {}
        self.asked: list[str] = []
        self.answers = True
        self.recorded: list[LookedUp] = []
        self.texts: dict[str, ReceivedText | None] = {}
        self.heard: list[ReceivedText] = []
        self.answer = "Svar å ä ö"

    def progress(self, provider_id: str) -> Progress | None:
        self.asked.append(provider_id)
        if not self.answers:
            raise Unreachable("no_answer", "")
        return Progress(self.says[provider_id]) if provider_id in self.says else None

    def received(self, message_id: str) -> ReceivedText | None:
        self.asked.append(message_id)
        if not self.answers:
            raise Unreachable("no_answer", "")
        if message_id not in self.texts:
            raise ElksRefused("no_such_message")
        return self.texts[message_id]

    def take(self, text: ReceivedText) -> str:
        self.heard.append(text)
        return self.answer


@pytest.fixture(scope="module")
def server() -> Iterator[tuple[Web, Elks]]:
    elks = Elks()
    hooks = ElksHooks(
        SECRET, lambda one: elks.progress(one), lambda one: elks.recorded.append(one),
        lambda one: elks.received(one), lambda one: elks.take(one),
    )  # fmt: skip
    routes = elks_routes(hooks)
    with served(Starlette(routes=routes)) as port:
        yield Web(port, []), elks


@pytest.fixture
def web(server: tuple[Web, Elks]) -> Web:
    server[1].__init__()  # type: ignore[misc]
    server[1].says[ID] = "delivered"
    return server[0]


@pytest.fixture
def elks(server: tuple[Web, Elks]) -> Elks:
    return server[1]


def report(web: Web, form: dict[str, str] | bytes = FORM, path: str = PATH, content_type: str = FORM_TYPE) -> int:
    body = form if isinstance(form, bytes) else urlencode(form).encode()
    return web.post(body, [("Content-Type", content_type)], path)


def test_a_report_is_recorded_as_46elks_confirms_it(web: Web, elks: Elks) -> None:
    assert report(web) == 204
    assert elks.recorded == [LookedUp(ID, "delivered", ATTEMPT)]
    assert elks.asked == [ID]


def test_what_somebody_claims_to_be_delivered_stays_open_while_46elks_does_not_say_so(web: Web, elks: Elks) -> None:
    elks.says[ID] = "sent"
    assert report(web) == 503  # it tries again for hours
    assert elks.recorded == []
    assert report(web, {**FORM, "status": "sent"}) == 204
    assert elks.recorded == [LookedUp(ID, "sent", ATTEMPT)]


def test_a_message_that_has_come_further_than_the_report_says_is_recorded_as_it_is(web: Web, elks: Elks) -> None:
    elks.says[ID] = "failed"
    assert report(web, {**FORM, "status": "sent"}) == 204
    assert elks.recorded == [LookedUp(ID, "failed", ATTEMPT)]


def test_a_report_is_not_lost_while_46elks_cannot_be_asked(web: Web, elks: Elks) -> None:
    elks.answers = False
    assert report(web) == 503
    assert elks.recorded == []


FORGED = {
    "another secret": (FORM, PATH.replace(SECRET, "Gissad-del-av-adressen")),
    "a secret cut short": (FORM, PATH.replace(SECRET, SECRET[:-1])),
    "an attempt that cannot be": (FORM, PATH + "x"),
    "a status that is none": ({**FORM, "status": "created"}, PATH),
    "an id that is none": ({**FORM, "id": "../me"}, PATH),
    "no id": ({"status": "delivered"}, PATH),
    "an id twice": (urlencode(FORM).encode() + b"&id=" + ID.encode(), PATH),
    "no form": (b"\xff\xfe", PATH),
}


@pytest.mark.parametrize(("form", "path"), FORGED.values(), ids=FORGED.keys())
def test_who_does_not_know_the_address_is_refused_before_46elks_is_asked(
    web: Web, elks: Elks, form: dict[str, str] | bytes, path: str
) -> None:
    assert report(web, form, path) == 403
    assert (elks.asked, elks.recorded) == ([], [])


def test_a_message_that_46elks_does_not_have_moves_nothing(web: Web, elks: Elks) -> None:
    elks.says.clear()
    assert report(web) == 403
    assert elks.recorded == []


def test_json_and_get_are_no_reports(web: Web, elks: Elks) -> None:
    assert report(web, b"{}", content_type="application/json") == 403
    assert web.post(b"", [], PATH, "GET") == 405
    assert elks.recorded == []


def test_a_text_is_heard_as_46elks_has_it_whatever_the_form_says(web: Web, elks: Elks) -> None:
    elks.texts[TEXT.provider_id] = TEXT
    assert report(web, NOTICE, TEXTS_PATH) == 200
    assert elks.heard == [TEXT]
    elks.answer = ""
    assert report(web, NOTICE, TEXTS_PATH) == 204


def test_a_text_that_no_phone_sent_is_taken_and_heard_by_nobody(web: Web, elks: Elks) -> None:
    elks.texts[TEXT.provider_id] = None
    assert report(web, NOTICE, TEXTS_PATH) == 204
    assert elks.heard == []


def test_a_text_is_brought_again_while_46elks_cannot_be_asked(web: Web, elks: Elks) -> None:
    elks.answers = False
    assert report(web, NOTICE, TEXTS_PATH) == 503
    assert elks.heard == []


FORGED_TEXTS = {
    "another secret": (NOTICE, TEXTS_PATH.replace(SECRET, "Gissad-del-av-adressen")),
    "one of ours": ({**NOTICE, "direction": "outgoing"}, TEXTS_PATH),
    "an id that is none": ({**NOTICE, "id": "../me"}, TEXTS_PATH),
    "no form": (b"\xff\xfe", TEXTS_PATH),
}


@pytest.mark.parametrize(("form", "path"), FORGED_TEXTS.values(), ids=FORGED_TEXTS.keys())
def test_a_text_from_who_does_not_know_the_address_is_refused_before_46elks_is_asked(
    web: Web, elks: Elks, form: dict[str, str] | bytes, path: str
) -> None:
    assert report(web, form, path) == 403
    assert (elks.asked, elks.heard) == ([], [])


def test_a_text_that_46elks_does_not_have_is_heard_by_nobody(web: Web, elks: Elks) -> None:
    """Who has learned the address stops nobody's messages, and starts nobody's."""
    assert report(web, NOTICE, TEXTS_PATH) == 403
    assert elks.heard == []
