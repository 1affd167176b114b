"""`/health/live`, `/health/ready` and `/metrics`: for operators and their monitors.

Anybody may see whether all is well. What is found, and the figures, are for those who show the token, or who ask from
this very machine and not by way of a proxy.
"""

import hmac
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from ipaddress import ip_address

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from store.database import SQLAlchemyError
from worker.finding import Finding
from worker.heartbeat import VERSION
from worker.kept import NoAnswer
from worker.metrics import CONTENT_TYPE

_NOT_KEPT = {"Cache-Control": "no-store"}
_OF_PROXIES = ("forwarded", "via", "x-forwarded-for", "x-real-ip")
_NO_ANSWER = Finding("database", is_well=False, meaning="no answer within a few seconds: see that it runs")


@dataclass(frozen=True, slots=True)
class Health:
    """What the routes show. `token`: empty, where only this machine may see."""

    findings: Callable[[], Sequence[Finding]]
    exposition: Callable[[], bytes]
    token: str = field(repr=False)


def routes(health: Health) -> list[BaseRoute]:
    def ready(request: Request) -> Response:
        return _ready(_found(health), is_shown=_is_let_in(request, health.token))

    def metrics(request: Request) -> Response:
        if not _is_let_in(request, health.token):
            return _refusal(health.token)
        return _metrics(health)

    return [
        Route("/health/live", _live),
        Route("/health/ready", ready),
        Route("/metrics", metrics),
    ]


async def _live(_request: Request) -> Response:
    """Asks nobody: a slow database is no reason to start the process anew."""
    return PlainTextResponse("ok\n", headers=_NOT_KEPT)


def _found(health: Health) -> Sequence[Finding]:
    try:
        return health.findings()
    except NoAnswer:
        return [_NO_ANSWER]


def _ready(found: Sequence[Finding], *, is_shown: bool) -> Response:
    is_well = all(finding.is_well for finding in found)
    content: dict[str, object] = {"is_well": is_well}
    if is_shown:
        content["version"] = VERSION
        content["findings"] = [
            {"what": one.what, "is_well": one.is_well, "warns": one.warns, "meaning": one.meaning} for one in found
        ]
    return JSONResponse(content, 200 if is_well else 503, headers=_NOT_KEPT)


def _metrics(health: Health) -> Response:
    try:
        return Response(health.exposition(), media_type=CONTENT_TYPE, headers=_NOT_KEPT)
    except (SQLAlchemyError, NoAnswer):
        return PlainTextResponse("the database does not answer\n", 503, headers=_NOT_KEPT)


def _is_let_in(request: Request, token: str) -> bool:
    if token:
        shown = request.headers.get("authorization", "").encode()
        return hmac.compare_digest(shown, f"Bearer {token}".encode())
    return _is_from_here(request)


def _is_from_here(request: Request) -> bool:
    if request.client is None or any(name in request.headers for name in _OF_PROXIES):
        return False
    try:
        return ip_address(request.client.host).is_loopback
    except ValueError:
        return False


def _refusal(token: str) -> Response:
    if not token:
        return PlainTextResponse("Not Found\n", 404, headers=_NOT_KEPT)
    headers = {**_NOT_KEPT, "WWW-Authenticate": "Bearer"}
    return PlainTextResponse("Unauthorized\n", 401, headers=headers)
