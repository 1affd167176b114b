"""The CalDAV account under `/dav/`: a plain ASGI callable in front of the framework's router.

Logs the caller in, reads the body within bounds, and hands both to `feeds.caldav`. Nothing of a request is logged.
"""

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from uuid import UUID

from feeds.accounts import plain
from feeds.caldav import answers, methods
from feeds.caldav.answering import answer
from feeds.caldav.answers import Answer
from feeds.caldav.asked import Asked
from feeds.caldav.discovery import PROBED, TO_ROOT, WELL_KNOWN
from feeds.caldav.reading import Caller, Reading
from feeds.caldav.resources import COLLECTIONS, Resource, closest_above, resource_at, root
from feeds.conditional import prefers_html
from feeds.serving import NotNow
from feeds.web.answers import ACCOUNT_ADVICE
from feeds.web.as_sent import Headers, deciding, path_of
from feeds.web.dav_requests import (
    DECIDING,
    ONCE,
    TooLarge,
    body_in,
    conditions_in,
    credentials_in,
    depth_in,
    preferences_in,
)
from feeds.web.ics import App, Receive, Scope, Send
from feeds.web.misses import Misses

_PREFIX = b"/dav"
_THREADS = 8
_LONGEST_USER = 40
_BRIEF_BYTES = 16_384  # a body below this is answered in the event loop itself, where reads are instant
_LOOKING_INTO_ALL = (b"calendar-query", b"free-busy-query", b"expand")  # what may look into every component
_CALDAV_METHODS = frozenset({"OPTIONS", "PROPFIND", "PROPPATCH", "REPORT"})
_FETCHING = frozenset({"GET", "HEAD"})
_ROOTS = frozenset({b"/dav", b"/dav/"})
_ADVICE = Answer(*ACCOUNT_ADVICE)


class Dav:
    """Answers `/dav/...` and what programs probe on their way there; passes everything else on."""

    def __init__(
        self,
        inner: App,
        reading: Reading,
        *,
        failures: Misses | None = None,
        account_failures: Misses | None = None,
        real_now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._inner = inner
        self._reading = reading
        self._failures = Misses(time.monotonic) if failures is None else failures
        self._account_failures = (
            Misses(time.monotonic, origin_of=_user_name) if account_failures is None else account_failures
        )
        self._real_now = real_now
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="dav")
        self._notes = ThreadPoolExecutor(1, thread_name_prefix="dav-notes")
        self._being_noted: set[UUID] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> int | None:
        """Tells the status, as `Feeds` does."""
        if scope["type"] != "http" or not _is_ours(scope):
            return await self._inner(scope, receive, send)
        answered = await self._answer(scope, receive)
        await send({"type": "http.response.start", "status": answered.status, "headers": answered.headers})
        content = b"" if scope["method"] == "HEAD" else answered.content
        await send({"type": "http.response.body", "body": content})
        return answered.status

    def close(self) -> None:
        """Ends the threads, after what they are doing."""
        self._threads.shutdown(wait=True)
        self._notes.shutdown(wait=True)
        self._reading.close()

    async def _answer(self, scope: Scope, receive: Receive) -> Answer:
        path = path_of(scope)
        if path in WELL_KNOWN:
            return TO_ROOT
        headers = deciding(scope["headers"], DECIDING, ONCE)
        if headers is None:
            return answers.HEADERS_TOO_LARGE
        credentials = credentials_in(headers.get(b"authorization", ""))
        if credentials is None:
            return _to_a_stranger(scope["method"], path, headers)
        if headers.get(b"content-encoding", "").strip().lower() not in ("", "identity"):
            return answers.CODING_NOT_TAKEN
        return await self._to_somebody(scope, receive, path, headers, credentials)

    async def _to_somebody(
        self, scope: Scope, receive: Receive, path: bytes, headers: Headers, credentials: tuple[str, str]
    ) -> Answer:
        try:
            if not self._reading.is_instant:
                return await self._in_a_thread(scope, receive, path, headers, credentials)
            caller = self._reading.caller(*credentials)
            if caller is None:
                return self._failed(scope, credentials[0])
            body = await body_in(receive, headers)
            if len(body) > _BRIEF_BYTES or any(word in body for word in _LOOKING_INTO_ALL):
                return await self._run(lambda: self._handled(scope, path, headers, caller, body))
            return self._handled(scope, path, headers, caller, body)
        except NotNow:
            return answers.NOT_NOW
        except TooLarge:
            return answers.TOO_LARGE

    async def _in_a_thread(
        self, scope: Scope, receive: Receive, path: bytes, headers: Headers, credentials: tuple[str, str]
    ) -> Answer:
        """Where each read is a network's round trip: login and answer together."""
        body = await body_in(receive, headers)

        def work() -> Answer:
            caller = self._reading.caller(*credentials)
            return (
                self._failed(scope, credentials[0])
                if caller is None
                else self._handled(scope, path, headers, caller, body)
            )

        return await self._run(work)

    async def _run(self, work: Callable[[], Answer]) -> Answer:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)

    def _handled(self, scope: Scope, path: bytes, headers: Headers, caller: Caller, body: bytes) -> Answer:
        self._note_used(caller)
        resource = _resource(path, caller.account)
        above = closest_above(path, caller.account) if resource is None else None
        found = resource or above
        if found is None:
            return answers.NOT_FOUND
        try:
            depth = depth_in(headers)
        except ValueError:
            return answers.plain(400, "Depth is 0, 1 or infinity")
        preferences = preferences_in(headers)
        answered = answer(
            Asked(
                method=scope["method"],
                caller=caller,
                resource=found,
                depth=depth,
                prefers_minimal="return=minimal" in preferences,
                body=body,
                conditions=conditions_in(headers, self._real_now()) if scope["method"] in _FETCHING else None,
                is_unmapped=resource is None,
                leaves_root_out="depth-noroot" in preferences,
            )
        )
        return _located(answered, path, found)

    def _failed(self, scope: Scope, user: str) -> Answer:
        """Failures are limited, per network and per account; whoever has the right password is always let in."""
        client = (scope.get("client") or ("",))[0]
        too_many = self._failures.are_too_many(client) | self._account_failures.are_too_many(user)
        return answers.TOO_MANY_FAILURES if too_many else answers.LOG_IN

    def _note_used(self, caller: Caller) -> None:
        """Behind the answer's back: who asks does not wait for a write, and no queue of them grows."""
        at = self._real_now()
        if caller.is_worth_noting(at) and caller.password_id not in self._being_noted:
            self._being_noted.add(caller.password_id)
            self._notes.submit(self._write_note, caller.password_id, at)

    def _write_note(self, password_id: UUID, at: datetime) -> None:
        self._reading.note_used(password_id, at)
        self._being_noted.discard(password_id)


def _user_name(typed: str) -> str:
    """What failures are counted by: whether there is such an account plays no part."""
    return plain(typed[:_LONGEST_USER])


def _is_ours(scope: Scope) -> bool:
    path = path_of(scope)
    if path.startswith(_PREFIX) and path[4:5] in (b"", b"/"):
        return True
    return path in WELL_KNOWN or (path in PROBED and scope["method"] in _CALDAV_METHODS)


def _to_a_stranger(method: str, path: bytes, headers: Headers) -> Answer:
    """What is no secret; the same whether there is such an account or not."""
    if b"authorization" in headers:
        return answers.LOG_IN
    if method == "OPTIONS":
        resource = _resource(path, None)
        return answers.NOT_FOUND if resource is None else methods.options(resource.kind)
    if path in _ROOTS and method in _FETCHING and prefers_html(headers.get(b"accept", "")):
        return _ADVICE
    return answers.LOG_IN


def _resource(path: bytes, account: str | None) -> Resource | None:
    if path in PROBED:
        return root()._replace(path=path.decode())
    return resource_at(path, account)


def _located(answered: Answer, path: bytes, resource: Resource) -> Answer:
    """With the address of the collection whose last slash was left out (RFC 4918 5.2)."""
    if path.endswith(b"/") or answered.status != 207 or resource.kind not in COLLECTIONS:
        return answered
    canonical = resource.path.encode()
    return answered._replace(headers=(*answered.headers, (b"content-location", canonical)))
