"""The subscription address `/f/<token>.ics`: a plain ASGI callable in front of the framework's router.

Nothing is rendered here, and nothing of a request is logged. Reads headers as bytes, as they came.
"""

import asyncio
import base64
import hashlib
import re
import time
from collections.abc import Awaitable, Callable, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from feeds.links import token_in
from feeds.serving import FeedBody, NotNow, Serving, is_worth_noting
from feeds.web.conditional import accepts_gzip, gzip_etag, http_date, is_unmodified, matching_etag, prefers_html
from feeds.web.misses import Misses
from store.feed_reads import FeedState

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

_PREFIX = b"/f/"
_HEADER_BYTES = 16_384
_THREADS = 8
_RETRY_SECONDS = b"120"
_MISS_RETRY_SECONDS = b"60"

_ALWAYS = (
    (b"referrer-policy", b"no-referrer"),
    (b"x-robots-tag", b"noindex, nofollow"),
    (b"x-content-type-options", b"nosniff"),
)
_KEPT = (b"cache-control", b"private, max-age=900")
_NOT_KEPT = (b"cache-control", b"no-store")
_CALENDAR = (
    (b"content-type", b"text/calendar; charset=utf-8"),
    (b"content-disposition", b'inline; filename="kalender.ics"'),
)
_GONE_PAGE = (Path(__file__).parent / "templates" / "address_gone.html").read_bytes()


@dataclass(frozen=True, slots=True)
class _Request:
    client: str
    headers: tuple[tuple[bytes, bytes], ...] = field(repr=False)

    def header(self, name: bytes) -> str | None:
        """The header's value, several of one name joined into a list (RFC 9110 5.3)."""
        values = [value for given, value in self.headers if given == name]
        return b", ".join(values).decode("latin-1") if values else None


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    headers: tuple[tuple[bytes, bytes], ...]
    content: bytes = field(default=b"", repr=False)


class Feeds:
    """Answers `/f/...` and passes everything else on."""

    def __init__(
        self,
        inner: App,
        serving: Serving,
        *,
        misses: Misses | None = None,
        real_now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._inner = inner
        self._serving = serving
        self._misses = misses or Misses(time.monotonic)
        self._real_now = real_now
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="feeds")
        self._notes = ThreadPoolExecutor(1, thread_name_prefix="feed-notes")
        self._being_noted: set[UUID] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not _path(scope).startswith(_PREFIX):
            await self._inner(scope, receive, send)
            return
        answer = await self._answer(scope)
        await _send(send, answer, with_content=scope["method"] != "HEAD")

    def close(self) -> None:
        """Ends the threads, after what they are doing."""
        self._threads.shutdown(wait=True)
        self._notes.shutdown(wait=True)
        self._serving.close()

    async def _answer(self, scope: Scope) -> _Answer:
        if scope["method"] not in ("GET", "HEAD"):
            return _plain(405, b"Method Not Allowed\n", (b"allow", b"GET, HEAD"))
        if sum(len(name) + len(value) for name, value in scope["headers"]) > _HEADER_BYTES:
            return _plain(431, b"Request Header Fields Too Large\n")
        request = _Request((scope.get("client") or ("",))[0], tuple(scope["headers"]))
        token = None if scope.get("query_string") else token_in(_path(scope))
        try:
            state = await self._find(token) if token else None
            return await self._found(request, state) if state else self._missed(request)
        except NotNow:
            return _plain(503, b"Service Unavailable\n", (b"retry-after", _RETRY_SECONDS))

    async def _find(self, token: str) -> FeedState | None:
        if self._serving.is_instant:
            return self._serving.find(token)
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._serving.find, token)

    async def _found(self, request: _Request, state: FeedState) -> _Answer:
        if state.is_revoked:
            return _gone(request)
        self._note_fetched(state)
        if state.etag is None:
            raise NotNow
        unchanged = _unchanged_etag(request, state, self._real_now())
        if unchanged is not None:
            return _Answer(304, (*_validators(unchanged, state.changed_at), *_ALWAYS))
        compressed = accepts_gzip(request.header(b"accept-encoding") or "")
        body = await asyncio.get_running_loop().run_in_executor(
            self._threads, lambda: self._serving.body(state, compressed=compressed)
        )
        return _full(body, compressed=compressed)

    def _missed(self, request: _Request) -> _Answer:
        """Unknown addresses all get one answer; only their number may be limited, never that of known ones."""
        if self._misses.are_too_many(request.client):
            return _plain(429, b"Too Many Requests\n", (b"retry-after", _MISS_RETRY_SECONDS))
        return _plain(404, b"Not Found\n")

    def _note_fetched(self, state: FeedState) -> None:
        """Behind the answer's back: who asks does not wait for a write, and no queue of them grows."""
        at = self._real_now()
        if is_worth_noting(state, at) and state.link_id not in self._being_noted:
            self._being_noted.add(state.link_id)
            self._notes.submit(self._write_note, state.link_id, at)

    def _write_note(self, link_id: UUID, at: datetime) -> None:
        self._serving.note_fetched(link_id, at)
        self._being_noted.discard(link_id)


def _path(scope: Scope) -> bytes:
    """As it came over the wire, undecoded."""
    raw_path: bytes | None = scope.get("raw_path")
    return raw_path or str(scope["path"]).encode()


def _unchanged_etag(request: _Request, state: FeedState, real_now: datetime) -> str | None:
    """The tag to confirm, or None: If-None-Match first, the date only without it (RFC 9110 13.2.2)."""
    etag = state.etag or ""
    named = request.header(b"if-none-match")
    if named is not None:
        return matching_etag(named, etag)
    since = request.header(b"if-modified-since")
    if since is not None and is_unmodified(since, state.changed_at, real_now):
        return gzip_etag(etag) if accepts_gzip(request.header(b"accept-encoding") or "") else etag
    return None


def _full(body: FeedBody, *, compressed: bool) -> _Answer:
    etag = gzip_etag(body.etag) if compressed else body.etag
    coding = ((b"content-encoding", b"gzip"),) if compressed else ()
    return _Answer(200, (*_CALENDAR, *coding, *_validators(etag, body.changed_at), *_ALWAYS), body.content)


def _validators(etag: str, changed_at: datetime) -> tuple[tuple[bytes, bytes], ...]:
    return (
        (b"etag", etag.encode()),
        (b"last-modified", http_date(changed_at).encode()),
        (b"vary", b"Accept-Encoding"),
        _KEPT,
    )


def _gone(request: _Request) -> _Answer:
    """Calendar programs get a word; people, who open the address in a browser, get a page that names nobody."""
    if not prefers_html(request.header(b"accept") or ""):
        return _plain(410, b"Gone\n", (b"vary", b"Accept"))
    headers = (
        (b"content-type", b"text/html; charset=utf-8"),
        (b"content-security-policy", _GONE_POLICY),
        (b"vary", b"Accept"),
        _NOT_KEPT,
        *_ALWAYS,
    )
    return _Answer(410, headers, _GONE_PAGE)


def _plain(status: int, text: bytes, *more: tuple[bytes, bytes]) -> _Answer:
    return _Answer(status, ((b"content-type", b"text/plain; charset=utf-8"), *more, _NOT_KEPT, *_ALWAYS), text)


async def _send(send: Send, answer: _Answer, *, with_content: bool) -> None:
    headers = list(answer.headers)
    if answer.status != 304:
        headers.append((b"content-length", str(len(answer.content)).encode()))
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": answer.content if with_content else b""})


def _style_policy(page: bytes) -> bytes:
    """Lets this page's own style in, by its hash, and nothing else."""
    found = re.search(rb"<style>(.*?)</style>", page, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(found[1] if found else b"").digest()).decode()
    return f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'".encode()


_GONE_POLICY = _style_policy(_GONE_PAGE)
