"""Each request is one line that tells what was asked by its pattern, and never whose address it was."""

from collections.abc import Iterator
from contextlib import suppress

import pytest
import structlog
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from structlog.testing import capture_logs

from feeds.web.ics import Receive, Scope, Send
from tests.stories.conftest import here as here
from tests.stories.town import Town, get
from worker.web.access_log import FEED, AccessLog
from worker.web.app import build_app


async def _greet(request: Request) -> Response:
    return PlainTextResponse(request.path_params["name"])


async def _fail(_request: Request) -> Response:
    raise ValueError("+46701740605")


@pytest.fixture
def app(here: Town) -> Iterator[AccessLog]:
    structlog.reset_defaults()
    made = build_app(here.wiring, [Route("/greet/{name}", _greet), Route("/fail", _fail)])
    yield made
    made.close()


class _Answering:
    """An application that answers these, one after the other."""

    def __init__(self, statuses: list[int]) -> None:
        self._statuses = iter(statuses)

    async def answer(self, _scope: Scope, _receive: Receive, send: Send) -> int:
        status = next(self._statuses)
        await send({"type": "http.response.start", "status": status, "headers": []})
        await send({"type": "http.response.body", "body": b""})
        return status

    def close(self) -> None:
        """Nothing to end."""


def lines(app: AccessLog, path: str) -> list[dict[str, object]]:
    with capture_logs() as captured, suppress(ValueError):
        get(app, path)
    return [dict(line) for line in captured if line["event"] == "answered"]


def test_a_calendar_address_is_written_as_its_pattern(here: Town, app: AccessLog) -> None:
    (anna,) = here.enrol(1)
    (line,) = lines(app, here.address(anna))

    assert {"route": FEED, "method": "GET", "status": 200, "log_level": "info"}.items() <= line.items()
    assert line.keys() == {"event", "route", "method", "status", "seconds", "count", "log_level"}


def test_routine_answers_of_calendars_share_a_line_a_minute_and_the_first_is_seen_at_once(here: Town) -> None:
    """A line costs more than such an answer, and says nothing; their number must still be seen."""
    (anna,) = here.enrol(1)
    path, seconds = here.address(anna), [0.0]
    app = AccessLog(build_app(here.wiring)._app, lambda: seconds[0])
    etag = get(app, path).headers["etag"]

    with capture_logs() as captured:
        for seconds[0] in (1, 2, 61, 62):
            assert get(app, path, **{"if-none-match": etag}).status_code == 304
            assert get(app, path).status_code == 200
        app.close()

    counted = [(line["event"], line["route"], line["status"], line["count"]) for line in captured]
    assert [line for line in counted if line[2] == 304] == [("answered", FEED, 304, count) for count in (1, 2, 1)]
    assert [line for line in counted if line[2] == 200] == [("answered", FEED, 200, count) for count in (3, 1)]


def test_answers_of_accounts_are_counted_and_refusals_are_not() -> None:
    """Refused passwords in a row are what an operator looks for: each is a line, however many there are."""
    statuses = [207, 207, 200, 401, 401, 207, 500]
    app = AccessLog(_Answering(statuses), lambda: 0.0)  # type: ignore[arg-type]

    with capture_logs() as captured:
        for _ in statuses:
            get(app, "/dav/01890a5d/visits/")
        app.close()

    assert [(line["status"], line.get("count")) for line in captured] == [
        *((207, 1), (200, 1), (401, None), (401, None), (500, None)),
        (207, 2),
    ]
    assert {line["route"] for line in captured} == {"/dav/..."}


@pytest.mark.parametrize(
    ("path", "route", "status"),
    [
        ("/f/nobody-knows-this-token-0123456789abcdefghijkl.ics", FEED, 404),
        ("/greet/anna", "/greet/{name}", 200),
        ("/hooks/secret", "unknown", 404),
        ("/fail", "/fail", 500),
        ("/health/ready", "/health/ready", 503),
    ],
)
def test_a_path_is_never_written(app: AccessLog, path: str, route: str, status: int) -> None:
    (line,) = lines(app, path)

    assert (line["route"], line["status"]) == (route, status)


def test_probes_that_find_all_well_leave_no_lines(app: AccessLog) -> None:
    assert lines(app, "/health/live") == []
