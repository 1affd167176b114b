"""Each request is one line that tells what was asked by its pattern, and never whose address it was."""

from collections.abc import Iterator
from contextlib import suppress

import pytest
import structlog
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from structlog.testing import capture_logs

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


def lines(app: AccessLog, path: str) -> list[dict[str, object]]:
    with capture_logs() as captured, suppress(ValueError):
        get(app, path)
    return [dict(line) for line in captured if line["event"] == "answered"]


def test_a_calendar_address_is_written_as_its_pattern(here: Town, app: AccessLog) -> None:
    (anna,) = here.enrol(1)
    (line,) = lines(app, here.address(anna))

    assert {"route": FEED, "method": "GET", "status": 200, "log_level": "info"}.items() <= line.items()
    assert line.keys() == {"event", "route", "method", "status", "seconds", "log_level"}


def test_calendars_that_have_not_changed_share_a_line_a_minute(here: Town) -> None:
    """A line costs more than such an answer, and says nothing; their number must still be seen."""
    (anna,) = here.enrol(1)
    path, seconds = here.address(anna), [0.0]
    app = AccessLog(build_app(here.wiring)._app, lambda: seconds[0])
    etag = get(app, path).headers["etag"]

    with capture_logs() as captured:
        for seconds[0] in (1, 2, 61, 62):
            assert get(app, path, **{"if-none-match": etag}).status_code == 304
        app.close()

    assert [(line["event"], line["count"]) for line in captured] == [("unchanged", 3), ("unchanged", 1)]


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
