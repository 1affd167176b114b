"""What a feed address answers with: found by its token's keyed digest, opened only when somebody needs the bytes."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from feeds.calendars import BODY_PLACE, GZIP_PLACE
from feeds.subscribing import TOKEN_PURPOSE
from store import calendars, feed_reads
from store.database import Sessions
from store.feed_reads import FeedState
from store.prepared import PreparedReads, ReadFailed
from store.vault import Unsealable, Vault

_FETCH_NOTED_EVERY = timedelta(days=1)


class NotNow(Exception):
    """The answer exists but cannot be given now: never an empty calendar in its place."""


@dataclass(frozen=True, slots=True)
class FeedBody:
    """The bytes and the validators that belong to them."""

    etag: str
    changed_at: datetime
    content: bytes = field(repr=False)


class Serving:
    """Reads feeds. Safe to share between threads."""

    def __init__(self, sessions: Sessions, vault: Vault) -> None:
        self._sessions = sessions
        self._vault = vault
        self._reads = PreparedReads(sessions)

    @property
    def is_instant(self) -> bool:
        """Whether `find` and `body` never wait for a network: an event loop may call them itself.

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

    def body(self, of: FeedState, *, compressed: bool) -> FeedBody:
        """The calendar's text, or its gzip copy. Raises NotNow."""
        try:
            sealed = feed_reads.sealed_feed(self._reads, of, compressed=compressed)
            if sealed is None:
                raise NotNow
            cipher = self._vault.cipher(sealed.subject_id, sealed.wrapped_key)
            content = cipher.open(GZIP_PLACE if compressed else BODY_PLACE, sealed.calendar_id, sealed.sealed)
        except (ReadFailed, Unsealable) as error:
            raise NotNow from error
        return FeedBody(sealed.etag, sealed.changed_at, content)

    def note_fetched(self, link_id: UUID, at: datetime) -> None:
        """Remembers that the link was used; a failure to is no failure of the answer."""
        calendars.note_fetched(self._sessions, link_id, at)

    def close(self) -> None:
        self._reads.close()


def is_worth_noting(state: FeedState, at: datetime) -> bool:
    """Whether a use of the link at `at` is to be remembered: daily at most, so that reading stays reading."""
    fetched_at = state.last_fetched_at
    return fetched_at is None or at - fetched_at >= _FETCH_NOTED_EVERY
