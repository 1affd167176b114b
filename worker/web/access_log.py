"""Each request in the log: the route's pattern, never its path, which may hold a secret; no address of who asks.

A line costs more than the answer of a calendar. Routine answers of calendars are therefore counted: the first gets its
line, then one line a minute tells how many more there were. Errors, and all that is rare, get a line each.
"""

import time
from collections.abc import Callable

import structlog

from feeds.routes import Front
from feeds.web.ics import Receive, Scope, Send

log = structlog.get_logger()

FEED = "/f/<token>.ics"
DAV = "/dav/..."
_PATTERNS = (("/f/", FEED), ("/dav", DAV))  # of what is answered in front of the framework's router
_ROUTINE = {FEED: frozenset({200, 304}), DAV: frozenset({200, 207, 304})}
_LINE_SECONDS = 60.0
_BROKEN = 500  # what the framework answers for an application that failed
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PROPFIND", "PROPPATCH", "REPORT"})
_PROBES = frozenset({"/health/live", "/health/ready", "/metrics"})

_Kind = tuple[str, str, int]  # route, method, status


class AccessLog:
    """ASGI middleware around the whole application, which tells it the status. Close it when it has stopped."""

    def __init__(self, app: Front, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._app = app
        self._monotonic = monotonic
        self._routine: dict[_Kind, _Count] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began, status = self._monotonic(), None
        try:
            status = await self._app.answer(scope, receive, send)
        finally:
            self._note(scope, status or _BROKEN, began)

    def close(self) -> None:
        self._app.close()
        for kind, count in self._routine.items():
            count.write(kind)

    def _note(self, scope: Scope, status: int, began: float) -> None:
        route, now = _route(scope), self._monotonic()
        method = scope["method"] if scope["method"] in _METHODS else "other"
        if status in _ROUTINE.get(route, ()):
            kind = (route, method, status)
            count = self._routine.get(kind) or self._routine.setdefault(kind, _Count())
            count.add(kind, now - began, now)
        elif route not in _PROBES or status != 200:  # several a second from monitors, and nothing has happened
            log.info("answered", route=route, method=method, status=status, seconds=round(now - began, 4))


class _Count:
    """Answers of one kind since the last line about it, and what they took. Belongs to the event loop."""

    def __init__(self) -> None:
        self._count = 0
        self._seconds = 0.0
        self._line_at = -_LINE_SECONDS

    def add(self, kind: _Kind, seconds: float, now: float) -> None:
        self._count += 1
        self._seconds += seconds
        if now - self._line_at >= _LINE_SECONDS:
            self._line_at = now
            self.write(kind)

    def write(self, kind: _Kind) -> None:
        if self._count:
            route, method, status = kind
            mean = round(self._seconds / self._count, 4)
            log.info("answered", route=route, method=method, status=status, seconds=mean, count=self._count)
        self._count, self._seconds = 0, 0.0


def _route(scope: Scope) -> str:
    matched = scope.get("route")
    if matched is not None:
        return str(matched.path)
    path: str = scope["path"]
    for prefix, pattern in _PATTERNS:
        if path.startswith(prefix):
            return pattern
    return "unknown"
