"""What a request for a feed reads: one row that answers "unchanged?", and only then the sealed body."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from store.prepared import PreparedReads

_STATE = """
select l.id, l.revoked_at, l.last_fetched_at, c.changed_at, b.etag, c.id
from feed_links l
join calendars c on c.id = l.calendar_id
left join calendar_bodies b on b.calendar_id = c.id
where l.token_digest = ?
"""
_BODY = """
select b.etag, c.changed_at, b.sealed_body, c.subject_id, k.wrapped
from calendar_bodies b
join calendars c on c.id = b.calendar_id
join subject_keys k on k.subject_id = c.subject_id
where b.calendar_id = ?
"""
_GZIP = _BODY.replace("b.sealed_body", "b.sealed_gzip")


@dataclass(frozen=True, slots=True)
class FeedState:
    """A link and the calendar behind it, without any content. `etag` is None where no body has been made."""

    link_id: UUID
    is_revoked: bool
    last_fetched_at: datetime | None
    changed_at: datetime
    etag: str | None
    calendar_key: Any = field(repr=False)  # the driver's own form of the calendar's id


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
    if row is None:
        return None
    link_id, revoked_at, last_fetched_at, changed_at, etag, calendar_key = row
    fetched_at = None if last_fetched_at is None else _instant(last_fetched_at)
    return FeedState(_id(link_id), revoked_at is not None, fetched_at, _instant(changed_at), etag, calendar_key)


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
