"""What a feed address answers with: found by its token's keyed digest, opened only when somebody needs the bytes."""

import zlib
from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from feeds.calendars import GZIP_PLACE
from feeds.subscribing import TOKEN_PURPOSE
from store import calendars, feed_reads
from store.database import Sessions
from store.feed_reads import FeedState, SealedFeed
from store.prepared import PreparedReads, ReadFailed
from store.vault import Unsealable, Vault

_FETCH_NOTED_EVERY = timedelta(days=1)


class NotNow(Exception):
    """The answer exists but cannot be given now: never an empty calendar in its place."""


class Serving:
    """Reads feeds. Safe to share between threads."""

    def __init__(self, sessions: Sessions, vault: Vault) -> None:
        self._sessions = sessions
        self._vault = vault
        self._reads = PreparedReads(sessions)

    @property
    def is_instant(self) -> bool:
        """Whether no read here ever waits for a network: an event loop may call them itself.

        Otherwise they belong in threads, and `find_all` saves most of these.
        """
        return self._reads.is_instant

    def find(self, token: str) -> FeedState | None:
        """The state behind a token, by one prepared read. Raises NotNow."""
        try:
            return feed_reads.state(self._reads, self._vault.digest(TOKEN_PURPOSE, token))
        except ReadFailed as error:
            raise NotNow from error

    def find_all(self, tokens: Sequence[str]) -> dict[str, FeedState]:
        """The states behind those tokens that are known, by one prepared read for all. Raises NotNow."""
        digests = {self._vault.digest(TOKEN_PURPOSE, token): token for token in tokens}
        try:
            found = feed_reads.states(self._reads, list(digests))
        except ReadFailed as error:
            raise NotNow from error
        return {digests[digest]: state for digest, state in found.items()}

    def find_sealed(self, token: str) -> SealedFeed | None:
        """The state behind a token and what it leads to, by one prepared read. Raises NotNow."""
        try:
            return feed_reads.sealed_feed(self._reads, self._vault.digest(TOKEN_PURPOSE, token))
        except ReadFailed as error:
            raise NotNow from error

    def content(self, of: SealedFeed, *, compressed: bool) -> bytes:
        """The calendar's text, or its gzip copy. Waits for nothing. Raises NotNow."""
        if of.wrapped_key is None or of.sealed_gzip is None:
            raise NotNow
        try:
            packed = self._vault.cipher(of.subject_id, of.wrapped_key).open(GZIP_PLACE, of.calendar_id, of.sealed_gzip)
        except Unsealable as error:
            raise NotNow from error
        return packed if compressed else _unpacked(packed)

    def note_fetched(self, link_id: UUID, at: datetime) -> None:
        """Remembers that the link was used; a failure to is no failure of the answer."""
        calendars.note_fetched(self._sessions, link_id, at)

    def close(self) -> None:
        self._reads.close()


def _unpacked(gzipped: bytes) -> bytes:
    """Of one member. Its last four bytes tell the length, so that there is nothing to grow or to cut."""
    return zlib.decompress(gzipped, zlib.MAX_WBITS | 16, int.from_bytes(gzipped[-4:], "little"))


def is_worth_noting(state: FeedState, at: datetime) -> bool:
    """Whether a use of the link at `at` is to be remembered: daily at most, so that reading stays reading."""
    fetched_at = state.last_fetched_at
    return fetched_at is None or at - fetched_at >= _FETCH_NOTED_EVERY
