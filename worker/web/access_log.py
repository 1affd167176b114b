"""One line for each request: the route's pattern, never its path, which may hold a secret; no address of who asks.

Calendars that have not changed are nineteen of twenty requests, and a line costs more than such an answer: one line a
minute tells their number.
"""

import time
from collections.abc import Callable, MutableMapping
from typing import Any

import structlog

from feeds.routes import Front
from feeds.web.ics import Receive, Scope, Send

log = structlog.get_logger()

FEED = "/f/<token>.ics"
_FEEDS = "/f/"
_LINE_SECONDS = 60.0
_DAV = "/dav"
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PROPFIND", "PROPPATCH", "REPORT"})
_PROBES = frozenset({"/health/live", "/health/ready", "/metrics"})


class AccessLog:
    """ASGI middleware around the whole application. Close it when it has stopped."""

    def __init__(self, app: Front, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._app = app
        self._unchanged = _Unchanged(monotonic)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began, status = time.perf_counter(), 500

        async def noting(message: MutableMapping[str, Any]) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, noting)
        finally:
            if status == 304 and scope["path"].startswith(_FEEDS):
                self._unchanged.add()
            else:
                _write(scope, status, time.perf_counter() - began)

    def close(self) -> None:
        self._app.close()
        self._unchanged.write()


class _Unchanged:
    """Counts answers until a minute has passed since the last line. Belongs to the event loop."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._count = 0
        self._since = monotonic()

    def add(self) -> None:
        self._count += 1
        if self._monotonic() - self._since >= _LINE_SECONDS:
            self.write()

    def write(self) -> None:
        if self._count:
            log.info("unchanged", route=FEED, status=304, count=self._count)
        self._count, self._since = 0, self._monotonic()


def _write(scope: Scope, status: int, seconds: float) -> None:
    route = _route(scope)
    if route in _PROBES and status == 200:
        return  # several a second from monitors, and nothing has happened
    method = scope["method"] if scope["method"] in _METHODS else "other"
    log.info("answered", route=route, method=method, status=status, seconds=round(seconds, 4))


def _route(scope: Scope) -> str:
    matched = scope.get("route")
    if matched is not None:
        return str(matched.path)
    if scope["path"].startswith(_DAV):
        return "/dav/..."
    return FEED if scope["path"].startswith(_FEEDS) else "unknown"
