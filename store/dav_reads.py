"""What a request of a CalDAV account reads: one row that logs in and says how far each collection has come, and then
only the components it is about. Reads by key, outside the sessions; opens nothing."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from store.columns import stored_instant
from store.prepared import PreparedReads

_ACCOUNT = """
select p.id, p.revoked_at, p.last_used_at, c.id, c.account, c.epoch, b.revision, c.invitations_revision,
       c.level, c.language, c.changed_at, c.subject_id, k.wrapped
from app_passwords p
join calendars c on c.id = p.calendar_id
join subject_keys k on k.subject_id = c.subject_id
left join calendar_bodies b on b.calendar_id = c.id
where p.digest = ?
"""
_MEMBERS = """
select booking_id, revision
from calendar_components
where calendar_id = ? and kind = ? and sealed_body is not null
order by starts_at, uid
"""
_CONTENTS = _MEMBERS.replace("revision", "revision, sealed_body", 1)
_NAMED_ON_POSTGRESQL = """
select booking_id, revision, sealed_body
from calendar_components
where calendar_id = ? and kind = ? and sealed_body is not null and booking_id = any(?::uuid[])
"""
_NAMED_ON_SQLITE = _NAMED_ON_POSTGRESQL.replace("= any(?::uuid[])", "in (select value from json_each(?))")
_FEW = 20
_FEW_NAMED_ON_SQLITE = {  # a third cheaper; one text for each number, so that it stays prepared
    number: _NAMED_ON_POSTGRESQL.replace("= any(?::uuid[])", f"in ({', '.join('?' * number)})")
    for number in range(1, _FEW + 1)
}
_WITHIN = """
select booking_id, revision, sealed_body
from calendar_components
where calendar_id = ? and kind = ? and sealed_body is not null
and starts_at < ? and (ends_at > ? or ends_at is null and starts_at >= ?)
order by starts_at, uid
"""
_CHANGED = """
select booking_id, revision, sealed_body
from calendar_components
where calendar_id = ? and (revision, booking_id) > (?, ?) and kind = ?
order by revision, booking_id
limit ?
"""


class AccountState(NamedTuple):
    """An app password and the calendar it opens, as the driver gave them. `visits_revision` is None where nothing has
    been rendered yet."""

    password_key: UUID | str
    revoked: datetime | str | None
    used: datetime | str | None
    calendar_key: UUID | str
    account: str
    epoch: int
    visits_revision: int | None
    invitations_revision: int
    level: str
    language: str
    changed: datetime | str
    subject_key: UUID | str
    wrapped_key: str


class MemberRow(NamedTuple):
    """A component. `sealed_body` is None for one that has been removed, and where it was not asked for."""

    booking_key: UUID | str
    revision: int
    sealed_body: str | None = None

    @property
    def name(self) -> str:
        """32 hexadecimal digits."""
        return self.booking_key if isinstance(self.booking_key, str) else self.booking_key.hex


def account(reads: PreparedReads, password_digest: str) -> AccountState | None:
    """Raises ReadFailed."""
    row = reads.one(_ACCOUNT, password_digest)
    return None if row is None else AccountState._make(row)


def members(reads: PreparedReads, calendar_key: UUID | str, kind: str) -> list[MemberRow]:
    """What stands in the collection, by start, without contents. Raises ReadFailed."""
    return [MemberRow(*row) for row in reads.all(_MEMBERS, calendar_key, kind)]


def contents(reads: PreparedReads, calendar_key: UUID | str, kind: str) -> list[MemberRow]:
    """What stands in the collection, by start. Raises ReadFailed."""
    return list(map(MemberRow._make, reads.all(_CONTENTS, calendar_key, kind)))


def named(reads: PreparedReads, calendar_key: UUID | str, kind: str, names: Sequence[str]) -> list[MemberRow]:
    """Those of these names (32 hexadecimal digits) that stand in the collection, in no order. Raises ReadFailed."""
    if reads.on_postgresql:
        return list(map(MemberRow._make, reads.all(_NAMED_ON_POSTGRESQL, calendar_key, kind, list(names))))
    if 0 < len(names) <= _FEW:
        return list(map(MemberRow._make, reads.all(_FEW_NAMED_ON_SQLITE[len(names)], calendar_key, kind, *names)))
    return list(map(MemberRow._make, reads.all(_NAMED_ON_SQLITE, calendar_key, kind, json.dumps(names))))


def within(
    reads: PreparedReads, calendar_key: UUID | str, kind: str, start_at: datetime, end_at: datetime
) -> list[MemberRow]:
    """What overlaps a time range by RFC 4791 9.9, by start. Raises ReadFailed."""
    start, end = (stored_instant(at, on_postgresql=reads.on_postgresql) for at in (start_at, end_at))
    return list(map(MemberRow._make, reads.all(_WITHIN, calendar_key, kind, end, start, start)))


def changed(  # noqa: PLR0913 - since where in the order of changes, and how many at most
    reads: PreparedReads, calendar_key: UUID | str, kind: str, revision: int, after: str, limit: int
) -> list[MemberRow]:
    """What changed after a revision, or at it and after this name, in the order of changes; removed ones too.

    Raises ReadFailed.
    """
    name = UUID(after) if reads.on_postgresql else after
    return list(map(MemberRow._make, reads.all(_CHANGED, calendar_key, revision, name, kind, limit)))
