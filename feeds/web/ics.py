"""The subscription address `/f/<token>.ics`: a plain ASGI callable in front of the framework's router.

Nothing is rendered here, and nothing of a request is logged. Reads headers as bytes, as they came. Nineteen of twenty
requests end in 304: that way is short on purpose, and parses no date and no id.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from feeds.conditional import accepts_gzip, gzip_etag, is_unmodified, matching_etag, prefers_html
from feeds.links import token_in
from feeds.serving import NotNow, Serving, is_worth_noting
from feeds.web import answers
from feeds.web.answers import Answer
from feeds.web.as_sent import Headers, deciding, path_of
from feeds.web.lookups import Lookups
from feeds.web.misses import Misses
from store.feed_reads import FeedState, SealedFeed

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[int | None]]  # may tell the status it answered with

_PREFIX = b"/f/"
_THREADS = 8
_DECIDING = frozenset((b"if-none-match", b"if-modified-since", b"accept-encoding", b"accept"))


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
        self._is_instant = serving.is_instant
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="feeds")
        self._finder = ThreadPoolExecutor(1, thread_name_prefix="feed-lookups")
        self._lookups = Lookups(serving.find_all, self._finder)
        self._notes = ThreadPoolExecutor(1, thread_name_prefix="feed-notes")
        self._being_noted: set[UUID] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> int | None:
        """Tells the status: whoever counts answers need not look into each message, which costs more than this read."""
        if scope["type"] != "http" or not path_of(scope).startswith(_PREFIX):
            return await self._inner(scope, receive, send)
        answer = await self._answer(scope)
        await send({"type": "http.response.start", "status": answer.status, "headers": answer.headers})
        content = b"" if scope["method"] == "HEAD" else answer.content
        await send({"type": "http.response.body", "body": content})
        return answer.status

    def close(self) -> None:
        """Ends the threads, after what they are doing."""
        for threads in (self._finder, self._threads, self._notes):
            threads.shutdown(wait=True)
        self._serving.close()

    async def _answer(self, scope: Scope) -> Answer:
        if scope["method"] not in ("GET", "HEAD"):
            return answers.NOT_READING
        headers = deciding(scope["headers"], _DECIDING)
        if headers is None:
            return answers.TOO_LARGE
        token = None if scope.get("query_string") else token_in(path_of(scope))
        if token is None:
            return self._missed(scope)
        try:
            found = self._at_once(token, headers) if self._is_instant else await self._in_threads(token, headers)
        except NotNow:
            return answers.NOT_NOW
        return found or self._missed(scope)

    def _at_once(self, token: str, headers: Headers) -> Answer | None:
        """None: nobody has this token. Whoever names the present tag is answered from a row without content."""
        named = headers.get(b"if-none-match")
        if named is None:
            return self._whole(token, headers)
        state = self._serving.find(token)
        return None if state is None else self._unchanged(named, state) or self._whole(token, headers)

    async def _in_threads(self, token: str, headers: Headers) -> Answer | None:
        """The same, where a read waits for a network."""
        named = headers.get(b"if-none-match")
        if named is not None:
            state = await self._lookups.find(token)
            unchanged = None if state is None else self._unchanged(named, state)
            if state is None or unchanged is not None:
                return unchanged
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._whole, token, headers)

    def _unchanged(self, if_none_match: str, state: FeedState) -> Answer | None:
        if state.etag is None or state.is_revoked:
            return None
        etag = matching_etag(if_none_match, state.etag)
        if etag is None:
            return None
        self._note_fetched(state)
        return answers.unchanged(etag)

    def _whole(self, token: str, headers: Headers) -> Answer | None:
        """From the row with content, whatever an earlier one said: the link may have been revoked meanwhile."""
        sealed = self._serving.find_sealed(token)
        if sealed is None:
            return None
        if sealed.state.is_revoked:
            return answers.gone(with_page=prefers_html(headers.get(b"accept", "")))
        self._note_fetched(sealed.state)
        if sealed.state.etag is None:
            raise NotNow
        compressed = accepts_gzip(headers.get(b"accept-encoding", ""))
        etag = gzip_etag(sealed.state.etag) if compressed else sealed.state.etag
        if _is_unmodified(headers, sealed, self._real_now):
            return answers.unchanged(etag)
        content = self._serving.content(sealed, compressed=compressed)
        return answers.whole(content, etag, sealed.changed_at, compressed=compressed)

    def _missed(self, scope: Scope) -> Answer:
        """Unknown addresses all get one answer; only their number may be limited, never that of known ones."""
        client = (scope.get("client") or ("",))[0]
        return answers.TOO_MANY_MISSES if self._misses.are_too_many(client) else answers.UNKNOWN

    def _note_fetched(self, state: FeedState) -> None:
        """Behind the answer's back: who asks does not wait for a write, and no queue of them grows."""
        at = self._real_now()
        if is_worth_noting(state, at) and state.link_id not in self._being_noted:
            self._being_noted.add(state.link_id)
            self._notes.submit(self._write_note, state.link_id, at)

    def _write_note(self, link_id: UUID, at: datetime) -> None:
        self._serving.note_fetched(link_id, at)
        self._being_noted.discard(link_id)


def _is_unmodified(headers: Headers, sealed: SealedFeed, real_now: Callable[[], datetime]) -> bool:
    """By the date, which counts only where no tag is named (RFC 9110 13.2.2)."""
    since = headers.get(b"if-modified-since")
    if since is None or b"if-none-match" in headers:
        return False
    return is_unmodified(since, sealed.changed_at, real_now())
