"""What a request of an account reads: the login, and the components that it is about, opened only when needed.

Nothing is written or rendered here: components were made when the bookings changed.
"""

import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from feeds.accounts import plain
from feeds.caldav import resources
from feeds.caldav.resources import Resource, ResourceKind
from feeds.calendars import COMPONENT_PLACE
from feeds.serving import NotNow
from feeds.subscribing import PASSWORD_PURPOSE
from store import app_passwords, dav_reads
from store.calendars import ComponentKind
from store.database import Sessions
from store.dav_reads import AccountState, MemberRow
from store.level import Level
from store.prepared import PreparedReads, ReadFailed, id_of, id_text, instant_of
from store.vault import SubjectCipher, Unsealable, Vault

_USE_NOTED_EVERY = timedelta(days=1)
_LAST_NAME = "f" * 32


@dataclass(frozen=True, slots=True)
class Change:
    """A component that changed at a revision; `resource` is without etag where it has been removed."""

    revision: int
    name: str
    is_removed: bool
    resource: Resource


class Reading:
    """Logs callers in. Safe to share between threads; close it when the process ends."""

    def __init__(self, sessions: Sessions, vault: Vault) -> None:
        self._sessions = sessions
        self._vault = vault
        self._reads = PreparedReads(sessions)

    @property
    def is_instant(self) -> bool:
        """Whether a read never waits for a network, so that an event loop may make it itself."""
        return self._reads.is_instant

    def caller(self, user: str, password: str) -> "Caller | None":
        """Whoever this app password belongs to; None for an unknown or revoked one, or another's user name.

        The same work whichever it is: one digest, one read by it, one comparison. Raises NotNow.
        """
        digest = self._vault.digest(PASSWORD_PURPOSE, plain(password))
        try:
            state = dav_reads.account(self._reads, digest)
        except ReadFailed as error:
            raise NotNow from error
        expected = state.account if state is not None else "no such account"
        is_theirs = hmac.compare_digest(plain(user).encode(), expected.encode())
        if state is None or not is_theirs or state.revoked is not None:
            return None
        return Caller(state, self._reads, self._vault)

    def note_used(self, password_id: UUID, at: datetime) -> None:
        """Remembers that the password was used; a failure to is no failure of the answer."""
        app_passwords.note_used(self._sessions, password_id, at)

    def close(self) -> None:
        self._reads.close()


class Caller:
    """A device that has logged in, and what its account holds. Lives as long as one request."""

    __slots__ = ("_cipher", "_reads", "_state", "_vault", "account", "etag_prefix", "language", "level")

    def __init__(self, state: AccountState, reads: PreparedReads, vault: Vault) -> None:
        self._state = state
        self._reads = reads
        self._vault = vault
        self._cipher: SubjectCipher | None = None
        self.account = state.account
        self.level = Level(state.level)
        self.language = state.language
        self.etag_prefix = f"{state.epoch}." if state.epoch else ""

    @property
    def password_id(self) -> UUID:
        return id_of(self._state.password_key)

    @property
    def calendar(self) -> str:
        """32 hexadecimal digits."""
        key = self._state.calendar_key
        return key if isinstance(key, str) else key.hex

    @property
    def epoch(self) -> int:
        return self._state.epoch

    @property
    def changed_at(self) -> datetime:
        """When the calendar last changed: real time, whole seconds."""
        return instant_of(self._state.changed)

    def is_worth_noting(self, at: datetime) -> bool:
        """Whether a use of the password at `at` is to be remembered: daily at most, so that reading stays reading."""
        used = self._state.used
        return used is None or at - instant_of(used) >= _USE_NOTED_EVERY

    def revision(self, kind: ComponentKind) -> int:
        """At which revision the collection last changed. Raises NotNow when nothing has been rendered yet."""
        if self._state.visits_revision is None:
            raise NotNow
        return self._state.visits_revision if kind is ComponentKind.VISIT else self._state.invitations_revision

    def members(self, kind: ComponentKind) -> list[Resource]:
        """What stands in the collection, by start, without contents. Raises NotNow."""
        self.revision(kind)
        try:
            rows = dav_reads.members(self._reads, self._state.calendar_key, kind)
        except ReadFailed as error:
            raise NotNow from error
        account, prefix = self.account, self.etag_prefix
        return [resources.object_in(account, kind, row.name, f'"{prefix}{row.revision}"') for row in rows]

    def contents(self, kind: ComponentKind) -> list[Resource]:
        """What stands in the collection, by start. Raises NotNow."""
        self.revision(kind)
        try:
            rows = dav_reads.contents(self._reads, self._state.calendar_key, kind)
        except ReadFailed as error:
            raise NotNow from error
        return self._opened(kind, rows)

    def within(
        self, kind: ComponentKind, start_at: datetime, end_at: datetime, *, with_content: bool
    ) -> list[Resource]:
        """What overlaps a time range (RFC 4791 9.9), by start. Raises NotNow."""
        self.revision(kind)
        try:
            rows = dav_reads.within(self._reads, self._state.calendar_key, kind, start_at, end_at)
        except ReadFailed as error:
            raise NotNow from error
        return [self._resource(kind, row, with_content=with_content) for row in rows]

    def named(self, kind: ComponentKind, names: Sequence[str]) -> dict[str, Resource]:
        """Those of these objects that are there, by name. Raises NotNow."""
        try:
            rows = dav_reads.named(self._reads, self._state.calendar_key, kind, names)
        except ReadFailed as error:
            raise NotNow from error
        return {resource.name: resource for resource in self._opened(kind, rows)}

    def changes(
        self, kind: ComponentKind, revision: int, after: str, limit: int, *, with_content: bool
    ) -> list[Change]:
        """What changed after a revision, or at it and after this name, in the order of changes; removed ones too.

        Raises NotNow.
        """
        try:
            rows = dav_reads.changed(self._reads, self._state.calendar_key, kind, revision, after or _LAST_NAME, limit)
        except ReadFailed as error:
            raise NotNow from error
        return [
            Change(
                row.revision, row.name, row.sealed_body is None, self._resource(kind, row, with_content=with_content)
            )
            for row in rows
        ]

    def _opened(self, kind: ComponentKind, rows: Sequence[MemberRow]) -> list[Resource]:
        """Of rows that all stand. Together, as this is most of what fetching components costs."""
        inside, prefix = resources.calendar_path(self.account, kind), self.etag_prefix
        sealed = [(id_text(key), body or "") for key, _, body in rows]
        try:
            components = self._opening().open_all(COMPONENT_PLACE, sealed)
        except Unsealable as error:
            raise NotNow from error
        found = []
        for (key, revision, _), component in zip(rows, components, strict=True):
            name = key if isinstance(key, str) else key.hex
            etag = f'"{prefix}{revision}"'
            found.append(Resource(ResourceKind.OBJECT, f"{inside}{name}.ics", kind, name, etag, component))
        return found

    def _resource(self, kind: ComponentKind, row: MemberRow, *, with_content: bool) -> Resource:
        if row.sealed_body is None:
            return resources.object_in(self.account, kind, row.name)
        etag = f'"{self.etag_prefix}{row.revision}"'
        if not with_content:
            return resources.object_in(self.account, kind, row.name, etag)
        try:
            component = self._opening().open(COMPONENT_PLACE, id_text(row.booking_key), row.sealed_body)
        except Unsealable as error:
            raise NotNow from error
        return resources.object_in(self.account, kind, row.name, etag, component)

    def _opening(self) -> SubjectCipher:
        if self._cipher is None:
            self._cipher = self._vault.cipher(id_text(self._state.subject_key), self._state.wrapped_key)
        return self._cipher
