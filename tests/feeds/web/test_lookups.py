"""Look-ups made together: many requests share a read, and none is answered from before it asked."""

import asyncio
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import pytest

from feeds.serving import NotNow
from feeds.web.lookups import Lookups
from store.feed_reads import FeedState


class Links:
    """A database that takes its time: each read waits until it is let go."""

    def __init__(self) -> None:
        self.known: dict[str, FeedState] = {}
        self.reads: list[list[str]] = []
        self.is_away = False
        self.began = threading.Semaphore(0)
        self.go_on = threading.Semaphore(0)

    def add(self, token: str, etag: str) -> None:
        self.known[token] = FeedState(etag, None, None, uuid4(), token)

    def find_all(self, tokens: Sequence[str]) -> Mapping[str, FeedState]:
        self.reads.append(list(tokens))
        if self.is_away:
            raise NotNow
        found = {token: self.known[token] for token in tokens if token in self.known}
        self.began.release()
        assert self.go_on.acquire(timeout=20)
        return found


@pytest.fixture
def links() -> Links:
    return Links()


def run_with(links: Links, story: object) -> None:
    """Runs a story in a loop and thread of its own."""
    with ThreadPoolExecutor(1) as thread:
        asyncio.run(story(Lookups(links.find_all, thread)))  # type: ignore[operator]


def test_requests_that_come_during_a_read_share_the_next(links: Links) -> None:
    links.add("a", '"1"')
    links.add("b", '"2"')

    async def story(lookups: Lookups) -> None:
        first = asyncio.create_task(lookups.find("a"))
        await asyncio.to_thread(links.began.acquire)
        later = [asyncio.create_task(lookups.find(token)) for token in ("a", "b", "c", "b")]
        await asyncio.sleep(0)  # they have asked
        links.go_on.release(2)

        assert (await first).etag == '"1"'  # type: ignore[union-attr]
        found = [await one for one in later]
        assert [one and one.etag for one in found] == ['"1"', '"2"', None, '"2"']

    run_with(links, story)
    assert links.reads == [["a"], ["a", "b", "c", "b"]]


def test_a_change_made_before_a_request_is_never_missed_by_it(links: Links) -> None:
    """A read under way saw the calendar as it was: whoever asks after the change must not be given that."""
    links.add("a", '"1"')

    async def story(lookups: Lookups) -> None:
        early = asyncio.create_task(lookups.find("a"))
        await asyncio.to_thread(links.began.acquire)
        links.add("a", '"2"')
        late = asyncio.create_task(lookups.find("a"))
        links.go_on.release(2)
        assert (await early).etag == '"1"'  # type: ignore[union-attr]
        assert (await late).etag == '"2"'  # type: ignore[union-attr]

    run_with(links, story)


def test_a_database_that_is_away_refuses_all_who_wait_and_serves_the_next(links: Links) -> None:
    links.add("a", '"1"')

    async def story(lookups: Lookups) -> None:
        links.is_away = True
        refused = await asyncio.gather(*(lookups.find(token) for token in "aab"), return_exceptions=True)
        assert [type(one) for one in refused] == [NotNow] * 3
        links.is_away = False
        links.go_on.release()
        assert (await lookups.find("a")).etag == '"1"'  # type: ignore[union-attr]

    run_with(links, story)


def test_somebody_who_hangs_up_takes_no_other_answer_along(links: Links) -> None:
    links.add("a", '"1"')

    async def story(lookups: Lookups) -> None:
        gone, stays = (asyncio.create_task(lookups.find("a")) for _ in range(2))
        await asyncio.to_thread(links.began.acquire)
        gone.cancel()
        links.go_on.release()
        assert (await stays).etag == '"1"'  # type: ignore[union-attr]
        assert gone.cancelled()

    run_with(links, story)


def test_after_a_loop_has_been_closed_the_next_one_is_served(links: Links) -> None:
    links.add("a", '"1"')
    with ThreadPoolExecutor(1) as thread:
        lookups = Lookups(links.find_all, thread)

        async def given_up() -> None:
            asyncio.create_task(lookups.find("a"))  # noqa: RUF006 - left behind on purpose
            await asyncio.to_thread(links.began.acquire)

        asyncio.run(given_up())
        links.go_on.release(2)

        async def asked() -> str | None:
            state = await lookups.find("a")
            return state and state.etag

        assert asyncio.run(asked()) == '"1"'
