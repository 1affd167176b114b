"""What a request for a feed reads: one row that answers "unchanged?", or one with the sealed body too."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from store.prepared import PreparedReads, id_of, id_text, instant_of

_STATE = """
select b.etag, l.revoked_at, l.last_fetched_at, l.id, l.token_digest
from feed_links l
left join calendar_bodies b on b.calendar_id = l.calendar_id
where l.token_digest = ?
"""
_STATES = _STATE.replace("= ?", "= any(?)")
_SEALED = """
select b.etag, l.revoked_at, l.last_fetched_at, l.id, l.token_digest,
    c.changed_at, c.id, c.subject_id, k.wrapped, b.sealed_gzip
from feed_links l
join calendars c on c.id = l.calendar_id
left join calendar_bodies b on b.calendar_id = c.id
left join subject_keys k on k.subject_id = c.subject_id
where l.token_digest = ?
"""
_STATE_COLUMNS = 5


class FeedState(NamedTuple):
    """A link and the tag of what it leads to, without any content. `etag` is None where no body has been made.

    Holds the row as the driver gave it: an unchanged calendar is confirmed without parsing what it does not need.
    """

    etag: str | None
    revoked: datetime | str | None
    fetched: datetime | str | None
    link_key: UUID | str
    token_digest: str

    @property
    def is_revoked(self) -> bool:
        return self.revoked is not None

    @property
    def last_fetched_at(self) -> datetime | None:
        return None if self.fetched is None else instant_of(self.fetched)

    @property
    def link_id(self) -> UUID:
        return id_of(self.link_key)


class SealedFeed(NamedTuple):
    """A link with its body and the validators that belong to it, read in one statement.

    Holds the gzip copy, which is a fifth as long: unpacking that costs less than opening the plain one. None: there is
    no body, or its key is gone.
    """

    state: FeedState
    changed_at: datetime
    calendar_id: str
    subject_id: str
    wrapped_key: str | None
    sealed_gzip: str | None

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.calendar_id})"


def state(reads: PreparedReads, token_digest: str) -> FeedState | None:
    """The link with this token. Raises ReadFailed."""
    row = reads.one(_STATE, token_digest)
    return None if row is None else FeedState._make(row)


def states(reads: PreparedReads, token_digests: Sequence[str]) -> dict[str, FeedState]:
    """The links with these tokens, by one read; PostgreSQL only. Raises ReadFailed."""
    found = map(FeedState._make, reads.all(_STATES, list(token_digests)))
    return {one.token_digest: one for one in found}


def sealed_feed(reads: PreparedReads, token_digest: str) -> SealedFeed | None:
    """The link with this token and what it leads to. Raises ReadFailed."""
    row = reads.one(_SEALED, token_digest)
    if row is None:
        return None
    changed_at, calendar_id, subject_id, wrapped_key, sealed_gzip = row[_STATE_COLUMNS:]
    state = FeedState._make(row[:_STATE_COLUMNS])
    return SealedFeed(
        state, instant_of(changed_at), id_text(calendar_id), id_text(subject_id), wrapped_key, sealed_gzip
    )
