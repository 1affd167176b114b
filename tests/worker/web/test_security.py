"""What every answer carries, and whose forms are taken."""

from collections.abc import Iterator

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route

from worker.demo.servers import serve
from worker.web.security import SecurityHeaders, is_from_here


@pytest.fixture
def http() -> Iterator[httpx.Client]:
    routes = [Route("/page", _page), Route("/own", _own), Route("/here", _here, methods=["POST"])]
    app = Starlette(routes=routes)
    app.add_middleware(SecurityHeaders)
    server = serve(app)
    with httpx.Client(base_url=server.url, trust_env=False) as client:
        yield client
    server.stop()


async def _page(_: Request) -> Response:
    return HTMLResponse("<!doctype html>")


async def _own(_: Request) -> Response:
    return PlainTextResponse("", headers={"Referrer-Policy": "same-origin", "Cache-Control": "private"})


async def _here(request: Request) -> Response:
    return PlainTextResponse(str(is_from_here(request)))


def test_a_page_cannot_be_framed_sniffed_kept_or_scripted_by_others(http: httpx.Client) -> None:
    headers = http.get("/page").headers
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cache-control"] == "no-store"


def test_an_answer_that_is_not_found_is_guarded_as_well(http: httpx.Client) -> None:
    assert http.get("/missing").headers["x-content-type-options"] == "nosniff"


def test_an_answers_own_headers_are_left_as_they_are(http: httpx.Client) -> None:
    headers = http.get("/own").headers
    assert headers.get_list("referrer-policy") == ["same-origin"]
    assert headers.get_list("cache-control") == ["private"]


@pytest.mark.parametrize(
    ("headers", "is_taken"),
    [
        ({}, False),
        ({"Sec-Fetch-Site": "same-origin", "Origin": "null"}, True),  # as our own Referrer-Policy has it
        ({"Sec-Fetch-Site": "none"}, False),
        ({"Sec-Fetch-Site": "cross-site", "Origin": "OWN"}, False),
        ({"Origin": "OWN"}, True),
        ({"Origin": "null"}, False),
        ({"Origin": "http://127.0.0.1:1"}, False),
    ],
)
def test_only_a_form_of_our_own_is_taken(http: httpx.Client, headers: dict[str, str], *, is_taken: bool) -> None:
    own = str(http.base_url).rstrip("/")
    sent = {name: value.replace("OWN", own) for name, value in headers.items()}
    assert http.post("/here", headers=sent).text == str(is_taken)
