"""What a request for a feed reads: one row that answers "unchanged?", and only then the sealed body."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from store.prepared import PreparedReads

_STATE = """
select b.etag, l.revoked_at, l.last_fetched_at, l.id, c.changed_at, c.id, l.token_digest
from feed_links l
join calendars c on c.id = l.calendar_id
left join calendar_bodies b on b.calendar_id = c.id
where l.token_digest = ?
"""
_STATES = _STATE.replace("= ?", "= any(?)")
_BODY = """
select b.etag, c.changed_at, b.sealed_body, c.subject_id, k.wrapped
from calendar_bodies b
join calendars c on c.id = b.calendar_id
join subject_keys k on k.subject_id = c.subject_id
where b.calendar_id = ?
"""
_GZIP = _BODY.replace("b.sealed_body", "b.sealed_gzip")


class FeedState(NamedTuple):
    """A link and the calendar behind it, without any content. `etag` is None where no body has been made.

    Holds the row as the driver gave it: an unchanged calendar is confirmed without parsing what it does not need.
    """

    etag: str | None
    revoked: datetime | str | None
    fetched: datetime | str | None
    link_key: UUID | str
    changed: datetime | str
    calendar_key: UUID | str
    token_digest: str

    @property
    def is_revoked(self) -> bool:
        return self.revoked is not None

    @property
    def last_fetched_at(self) -> datetime | None:
        return None if self.fetched is None else _instant(self.fetched)

    @property
    def changed_at(self) -> datetime:
        return _instant(self.changed)

    @property
    def link_id(self) -> UUID:
        return _id(self.link_key)


@dataclass(frozen=True, slots=True)
class SealedFeed:
    """A body with the validators that belong to it, read in one statement."""

    etag: str
    changed_at: datetime
    calendar_id: UUID
    subject_id: UUID
    sealed: str = field(repr=False)
    wrapped_key: str = field(repr=False)


def state(reads: PreparedReads, token_digest: str) -> FeedState | None:
    """The link with this token. Raises ReadFailed."""
    row = reads.one(_STATE, token_digest)
    return None if row is None else FeedState._make(row)


def states(reads: PreparedReads, token_digests: Sequence[str]) -> dict[str, FeedState]:
    """The links with these tokens, by one read; PostgreSQL only. Raises ReadFailed."""
    found = map(FeedState._make, reads.all(_STATES, list(token_digests)))
    return {one.token_digest: one for one in found}


def sealed_feed(reads: PreparedReads, of: FeedState, *, compressed: bool) -> SealedFeed | None:
    """The sealed body, or its gzip copy. Raises ReadFailed."""
    row = reads.one(_GZIP if compressed else _BODY, of.calendar_key)
    if row is None:
        return None
    etag, changed_at, sealed, subject_id, wrapped = row
    return SealedFeed(etag, _instant(changed_at), _id(of.calendar_key), _id(subject_id), sealed, wrapped)


def _id(value: UUID | str) -> UUID:
    return value if isinstance(value, UUID) else UUID(value)


def _instant(value: datetime | str) -> datetime:
    return value if isinstance(value, datetime) else datetime.fromisoformat(value)
