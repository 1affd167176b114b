"""46elks signs nothing: what it reports is believed only at an address it was told, about a message that it has itself,
and only as far as it says so when asked."""

from collections.abc import Iterator
from urllib.parse import urlencode

import pytest
from starlette.applications import Starlette

from notifier.channels import Progress, Unreachable
from notifier.channels.elks_receipts import LookedUp
from notifier.web.hooks import ElksHooks, elks_routes
from tests.notifier.web.test_hooks import FORM_TYPE, Web, served

SECRET = "Hemlig-del-av-adressen"
ATTEMPT = "Vx3nR0mQ_k-Zb7yPq2sT1A"
PATH = f"/hooks/elks/receipts/{SECRET}/{ATTEMPT}"
ID = "s" + "0123456789abcdef" * 2
FORM = {"id": ID, "status": "delivered", "delivered": "2026-11-24T09:00:00.000000"}


class Elks:
    """What 46elks says of its messages when asked."""

    def __init__(self) -> None:
        self.says: dict[str, str] = {}
        self.asked: list[str] = []
        self.answers = True
        self.recorded: list[LookedUp] = []

    def progress(self, provider_id: str) -> Progress | None:
        self.asked.append(provider_id)
        if not self.answers:
            raise Unreachable("no_answer", "")
        return Progress(self.says[provider_id]) if provider_id in self.says else None


@pytest.fixture(scope="module")
def server() -> Iterator[tuple[Web, Elks]]:
    elks = Elks()
    routes = elks_routes(ElksHooks(SECRET, lambda one: elks.progress(one), lambda one: elks.recorded.append(one)))
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
