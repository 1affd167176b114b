"""Look-ups that wait for a network, made together: those that come while one read is under way share the next.

A thread and a round trip then serve many requests when there are many, and one when there is one; none waits for a
timer. Each read begins after the requests it answers, so none is told what was true before it asked.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor

from feeds.serving import NotNow
from store.feed_reads import FeedState

_MOST = 500

_Asked = tuple[str, "asyncio.Future[FeedState | None]"]


class Lookups:
    """Finds states by token. Belongs to the event loop."""

    def __init__(self, find_all: Callable[[Sequence[str]], Mapping[str, FeedState]], thread: Executor) -> None:
        self._find_all = find_all
        self._thread = thread
        self._waiting: list[_Asked] = []
        self._reading: asyncio.Task[None] | None = None

    async def find(self, token: str) -> FeedState | None:
        """The state behind a token. Raises NotNow."""
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[FeedState | None] = loop.create_future()
        self._waiting.append((token, answer))
        if self._reading is None:
            self._reading = loop.create_task(self._read())
        return await answer

    async def _read(self) -> None:
        """Until nobody waits."""
        loop = asyncio.get_running_loop()
        try:
            while self._waiting:
                asked, self._waiting = self._waiting[:_MOST], self._waiting[_MOST:]
                tokens = [token for token, _ in asked]
                _answer(asked, await loop.run_in_executor(self._thread, self._found, tokens))
        finally:
            self._reading = None
            _answer(self._waiting, None)  # none, unless the loop is being closed
            self._waiting = []

    def _found(self, tokens: Sequence[str]) -> Mapping[str, FeedState] | None:
        try:
            return self._find_all(tokens)
        except NotNow:
            return None


def _answer(asked: Sequence[_Asked], found: Mapping[str, FeedState] | None) -> None:
    for token, answer in asked:
        if answer.done():  # whoever asked has gone
            continue
        if found is None:
            answer.set_exception(NotNow())
        else:
            answer.set_result(found.get(token))
