"""The CalDAV account under `/dav/`: a plain ASGI callable in front of the framework's router.

Logs the caller in, reads the body within bounds, and hands both to `feeds.caldav`. Nothing of a request is logged.
"""

import asyncio
import base64
import binascii
import re
import time
from collections.abc import Callable, Iterable, Mapping, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from uuid import UUID

from feeds.accounts import plain
from feeds.caldav import answers
from feeds.caldav.access_control import WRITES
from feeds.caldav.answering import answer
from feeds.caldav.answers import ALLOWED_ON_CALENDARS, Answer
from feeds.caldav.asked import Asked, Depth
from feeds.caldav.discovery import PROBED, TO_ROOT, WELL_KNOWN
from feeds.caldav.reading import Caller, Reading
from feeds.caldav.resources import Resource, parent_at, resource_at, root
from feeds.serving import NotNow
from feeds.web.ics import App, Receive, Scope, Send
from feeds.web.misses import Misses

_PREFIX = b"/dav"
_HEADER_BYTES = 16_384
_BODY_BYTES = 262_144
_THREADS = 8
_LONGEST_USER = 40
_BRIEF_BYTES = 16_384  # a body below this is answered in the event loop itself, where reads are instant
_TAKES_ITS_TIME = re.compile(rb"calendar-query|free-busy-query|expand")  # what may look into every component
_DECIDING = frozenset((b"authorization", b"depth", b"prefer", b"brief", b"if-none-match", b"content-length"))
_CALDAV_METHODS = frozenset({"OPTIONS", "PROPFIND", "PROPPATCH", "REPORT"})
_OPTIONS = answers.without_content(200, (b"allow", ALLOWED_ON_CALENDARS))

_Headers = Mapping[bytes, str]


class _TooLarge(Exception):
    """The body is larger than any calendar program's."""


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

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not _is_ours(scope):
            await self._inner(scope, receive, send)
            return
        answered = await self._answer(scope, receive)
        await send({"type": "http.response.start", "status": answered.status, "headers": answered.headers})
        content = b"" if scope["method"] == "HEAD" else answered.content
        await send({"type": "http.response.body", "body": content})

    def close(self) -> None:
        """Ends the threads, after what they are doing."""
        self._threads.shutdown(wait=True)
        self._notes.shutdown(wait=True)
        self._reading.close()

    async def _answer(self, scope: Scope, receive: Receive) -> Answer:
        path = _path(scope)
        if path == WELL_KNOWN:
            return TO_ROOT
        if scope["method"] == "OPTIONS":
            return _OPTIONS
        headers = _deciding(scope["headers"])
        if headers is None:
            return answers.HEADERS_TOO_LARGE
        credentials = _credentials(headers.get(b"authorization", ""))
        if credentials is None:
            return answers.LOG_IN
        try:
            if not self._reading.is_instant:
                return await self._in_a_thread(scope, receive, path, headers, credentials)
            caller = self._reading.caller(*credentials)
            if caller is None:
                return self._failed(scope, credentials[0])
            body = await _body(receive, headers)
            if len(body) > _BRIEF_BYTES or _TAKES_ITS_TIME.search(body):
                return await self._run(lambda: self._handled(scope, path, headers, caller, body))
            return self._handled(scope, path, headers, caller, body)
        except NotNow:
            return answers.NOT_NOW
        except _TooLarge:
            return answers.TOO_LARGE

    async def _in_a_thread(
        self, scope: Scope, receive: Receive, path: bytes, headers: _Headers, credentials: tuple[str, str]
    ) -> Answer:
        """Where each read is a network's round trip: login and answer together."""
        body = await _body(receive, headers)

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

    def _handled(self, scope: Scope, path: bytes, headers: _Headers, caller: Caller, body: bytes) -> Answer:
        self._note_used(caller)
        resource = _resource(scope["method"], path, caller.account)
        if resource is None:
            return answers.NOT_FOUND
        try:
            depth = _depth(headers)
        except ValueError:
            return answers.plain(400, "Depth is 0, 1 or infinity")
        return answer(
            Asked(
                method=scope["method"],
                caller=caller,
                resource=resource,
                depth=depth,
                prefers_minimal=_prefers_minimal(headers),
                if_none_match=headers.get(b"if-none-match", ""),
                body=body,
            )
        )

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
    path = _path(scope)
    if path.startswith(_PREFIX) and path[4:5] in (b"", b"/"):
        return True
    return path == WELL_KNOWN or (path in PROBED and scope["method"] in _CALDAV_METHODS)


def _resource(method: str, path: bytes, account: str) -> Resource | None:
    """What is asked for; for a write to a name that is not there, the collection that it would be in."""
    if path in PROBED:
        return root()._replace(path=path.decode())
    found = resource_at(path, account)
    return found if found is not None or method not in WRITES else parent_at(path, account)


def _path(scope: Scope) -> bytes:
    """As it came over the wire, undecoded."""
    raw_path: bytes | None = scope.get("raw_path")
    return raw_path or str(scope["path"]).encode()


def _deciding(headers: Iterable[tuple[bytes, bytes]]) -> _Headers | None:
    """The headers that an answer depends on; None: all together are longer than any calendar program's.

    Of a header that may stand once only, the first counts: a second login changes nothing.
    """
    size = 0
    found: dict[bytes, str] = {}
    for name, value in headers:
        size += len(name) + len(value)
        if name in _DECIDING:
            found.setdefault(name, value.decode("latin-1"))
    return None if size > _HEADER_BYTES else found


def _credentials(authorization: str) -> tuple[str, str] | None:
    """User name and password of Basic authentication in UTF-8 (RFC 7617); None for anything else."""
    scheme, _, encoded = authorization.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        user, colon, password = base64.b64decode(encoded.strip(), validate=True).decode().partition(":")
    except (binascii.Error, ValueError):
        return None
    return (user, password) if colon else None


def _depth(headers: _Headers) -> Depth | None:
    """Raises ValueError for what is no depth (RFC 4918 10.2)."""
    text = headers.get(b"depth")
    return None if text is None else Depth(text.strip().lower())


def _prefers_minimal(headers: _Headers) -> bool:
    """`Prefer: return=minimal` (RFC 8144), or Microsoft's and Apple's older `Brief: t`."""
    preferences = headers.get(b"prefer", "").lower().replace(" ", "").split(",")
    return "return=minimal" in preferences or headers.get(b"brief", "").strip().lower() == "t"


async def _body(receive: Receive, headers: _Headers) -> bytes:
    """Raises _TooLarge as soon as that is known."""
    announced = headers.get(b"content-length", "0")
    if announced.isdigit() and int(announced[:9]) > _BODY_BYTES:
        raise _TooLarge
    body = b""
    while True:
        message: MutableMapping[str, object] = await receive()
        if message["type"] == "http.disconnect":
            return b""
        more = message.get("body", b"")
        body += more if isinstance(more, bytes) else b""
        if len(body) > _BODY_BYTES:
            raise _TooLarge
        if not message.get("more_body"):
            return body
