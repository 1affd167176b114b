"""Keeps calendars right: after a change in the change's own transaction, and when time alone changes them.

What is served is made here, never on a request. Knows no web and no source.
"""

import gzip
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from feeds.periods import Access, CalendarRules
from feeds.renderer import etag_of, marked
from feeds.rendering import Moment, Part, Picture, empty_picture, picture, view_of
from feeds.subject_facts import SubjectFacts, facts_of, permission_of
from store import calendars
from store.calendars import REFRESHING, Calendar, CalendarBody, CalendarComponent, ComponentKind
from store.claims import Claim, claim_due, finish, holds
from store.database import Session, Sessions
from store.vault import SubjectCipher, Unsealable, Vault

_DEFAULT = CalendarRules()
COMPONENT_PLACE = "calendar_components.sealed_body"
BODY_PLACE = "calendar_bodies.sealed_body"
GZIP_PLACE = "calendar_bodies.sealed_gzip"


@dataclass(frozen=True, slots=True)
class Refreshed:
    """What a round over due calendars came to."""

    looked_at: int
    rewritten: int
    unsealable: int  # keys or contents do not open: an operator must act


def rewrite(
    session: Session,
    vault: Vault,
    subject_id: UUID,
    changed: Collection[UUID],
    now: datetime,
    rules: CalendarRules = _DEFAULT,
) -> list[UUID]:
    """Brings every calendar of the subject up to date with these changed (or vanished) bookings.

    Joins the caller's transaction. A calendar whose bytes stay equal is not written. While the population register is
    silent about the subject nothing is rewritten, but soon looked at again. Returns the calendars that got a new
    revision. Raises Unsealable.
    """
    session.flush()
    rows = calendars.locked_of_subject(session, subject_id)
    if not rows:
        return []
    facts = facts_of(session, vault, subject_id)
    return [row.id for row in rows if _rewritten(session, facts, row, frozenset(changed), Moment(now, rules))]


def rewrite_whole(
    session: Session, vault: Vault, calendar: Calendar, now: datetime, rules: CalendarRules = _DEFAULT
) -> bool:
    """Makes every component of one locked calendar anew: its level, language or the places' facts have changed."""
    session.flush()
    facts = facts_of(session, vault, calendar.subject_id)
    return _rewritten(session, facts, calendar, None, Moment(now, rules))


def refresh_due(
    sessions: Sessions,
    vault: Vault,
    now: datetime,
    rules: CalendarRules = _DEFAULT,
    *,
    lease: timedelta = timedelta(seconds=60),
    limit: int = 50,
) -> Refreshed:
    """Takes up to `limit` calendars that are due and brings each up to date in a transaction of its own."""
    with sessions.writing() as session:
        claims = claim_due(session, REFRESHING, now, lease, limit)
    rewritten = unsealable = 0
    for claim in claims:
        try:
            with sessions.writing() as session:
                rewritten += _refresh(session, vault, claim, Moment(now, rules))
        except Unsealable:
            unsealable += 1
            with sessions.writing() as session:
                finish(session, REFRESHING, claim, now + rules.look_again)
    return Refreshed(len(claims), rewritten, unsealable)


@dataclass(frozen=True, slots=True)
class _Outcome:
    is_written: bool
    next_change_at: datetime | None
    is_emptied: bool = False


@dataclass(frozen=True, slots=True)
class _Stored:
    """A component as it stands; `content` is None for a removed one."""

    row: CalendarComponent
    content: bytes | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class _Before:
    """A calendar as it stands; `body` is None for a new one."""

    stored: Mapping[UUID, _Stored]
    body: CalendarBody | None = field(repr=False)

    @property
    def is_of_this_renderer(self) -> bool:
        return self.body is not None and self.body.etag == marked(self.body.etag)


def _rewritten(
    session: Session, facts: SubjectFacts, calendar: Calendar, changed: frozenset[UUID] | None, moment: Moment
) -> bool:
    outcome = _update(session, facts, calendar, changed, moment)
    calendars.look_again_at(session, calendar, outcome.next_change_at, moment.now)
    return outcome.is_written


def _refresh(session: Session, vault: Vault, claim: Claim, moment: Moment) -> bool:
    calendar = calendars.locked(session, claim.id)
    if calendar is None or not holds(session, REFRESHING, claim):
        return False
    facts = facts_of(session, vault, calendar.subject_id)
    outcome = _update(session, facts, calendar, None, moment)
    if outcome.is_emptied and outcome.next_change_at is None:
        calendars.revoke_access(session, calendar.id, moment.now)
    finish(session, REFRESHING, claim, outcome.next_change_at)
    return outcome.is_written


def _update(
    session: Session, facts: SubjectFacts, calendar: Calendar, changed: frozenset[UUID] | None, moment: Moment
) -> _Outcome:
    """`changed` None: every component anew."""
    permission = permission_of(session, facts.cipher, calendar, moment.now, moment.rules)
    if permission.access is Access.HELD:
        return _Outcome(
            is_written=False, next_change_at=_sooner(moment.now + moment.rules.look_again, permission.ends_at)
        )
    before = _before(session, facts.cipher, calendar.id)
    is_emptied = permission.access is Access.EMPTIED
    if is_emptied:
        wanted = _emptied(session, calendar, moment)
    else:
        calendars.set_emptied_at(session, calendar, None)
        changed = changed if before.is_of_this_renderer else None
        wanted = picture(facts, view_of(calendar), _standing(before.stored), changed, moment)
    is_written = _write(session, facts.cipher, calendar, before, wanted)
    return _Outcome(is_written, _sooner(wanted.next_change_at, permission.ends_at), is_emptied)


def _sooner(at: datetime | None, or_at: datetime | None) -> datetime | None:
    return min((one for one in (at, or_at) if one is not None), default=None)


def _emptied(session: Session, calendar: Calendar, moment: Moment) -> Picture:
    """Nothing, until every device has wiped its copy; then there is no next change, and the links go."""
    emptied_at = calendar.emptied_at or moment.now
    calendars.set_emptied_at(session, calendar, emptied_at)
    over_at = emptied_at + moment.rules.emptied
    return empty_picture(view_of(calendar), over_at if over_at > moment.now else None, moment.rules)


def _before(session: Session, cipher: SubjectCipher, calendar_id: UUID) -> _Before:
    rows = calendars.components(session, calendar_id)
    stored = {booking_id: _Stored(row, _opened(cipher, row)) for booking_id, row in rows.items()}
    return _Before(stored, calendars.body(session, calendar_id))


def _opened(cipher: SubjectCipher, row: CalendarComponent) -> bytes | None:
    return None if row.sealed_body is None else cipher.open(COMPONENT_PLACE, row.booking_id, row.sealed_body)


def _standing(stored: Mapping[UUID, _Stored]) -> dict[UUID, Part]:
    """The components as they stand."""
    return {
        booking_id: Part(
            booking_id, one.row.uid, one.row.starts_at, one.row.ends_at, one.content, ComponentKind(one.row.kind)
        )
        for booking_id, one in stored.items()
        if one.content is not None
    }


def _write(session: Session, cipher: SubjectCipher, calendar: Calendar, before: _Before, wanted: Picture) -> bool:
    """Writes what differs under a new revision; nothing at all, and no revision, when every byte is the same."""
    body, stored = before.body, before.stored
    visits_differ = body is None or cipher.open(BODY_PLACE, calendar.id, body.sealed_body) != wanted.body
    invitations_differ = _contents(stored) != {part.booking_id: part.content for part in _invitations(wanted)}
    _set_times(stored, wanted)
    if body is not None and not visits_differ:
        body.etag = marked(body.etag)  # of this renderer from now on: an upgrade need not look again
    if not visits_differ and not invitations_differ:
        return False
    revision = calendars.advance(session, calendar)
    if invitations_differ:
        calendars.note_invitations(session, calendar, revision)
    for part in wanted.parts:
        _write_component(session, cipher, stored.get(part.booking_id), part, calendar.id, revision)
    for booking_id in stored.keys() - {part.booking_id for part in wanted.parts}:
        _remove_component(stored[booking_id], revision)
    if visits_differ:
        _write_body(session, cipher, calendar, revision, wanted.body)
    session.flush()
    return True


def _write_body(session: Session, cipher: SubjectCipher, calendar: Calendar, revision: int, content: bytes) -> None:
    row = CalendarBody(
        calendar_id=calendar.id,
        revision=revision,
        etag=etag_of(calendar.epoch, revision),
        sealed_body=cipher.seal(BODY_PLACE, calendar.id, content),
        sealed_gzip=cipher.seal(GZIP_PLACE, calendar.id, gzip.compress(content, 6, mtime=0)),
    )
    session.merge(row)


def _contents(stored: Mapping[UUID, _Stored]) -> dict[UUID, bytes]:
    """The open invitations as they stand."""
    return {
        booking_id: one.content
        for booking_id, one in stored.items()
        if one.row.kind == ComponentKind.INVITATION and one.content is not None
    }


def _invitations(wanted: Picture) -> list[Part]:
    return [part for part in wanted.parts if part.kind is ComponentKind.INVITATION]


def _set_times(stored: Mapping[UUID, _Stored], wanted: Picture) -> None:
    """An end that yesterday's code did not write: what is sought by time is found by these, and no byte changes."""
    for part in wanted.parts:
        one = stored.get(part.booking_id)
        if one is not None and one.row.ends_at != part.ends_at:
            one.row.ends_at = part.ends_at


def _write_component(
    session: Session, cipher: SubjectCipher, stored: _Stored | None, part: Part, calendar_id: UUID, revision: int
) -> None:
    if stored is not None and stored.content == part.content:
        return
    sealed_body = cipher.seal(COMPONENT_PLACE, part.booking_id, part.content)
    row = CalendarComponent(
        calendar_id=calendar_id,
        booking_id=part.booking_id,
        kind=part.kind,
        uid=part.uid,
        starts_at=part.starts_at,
        ends_at=part.ends_at,
        revision=revision,
        sealed_body=sealed_body,
    )
    session.merge(row)


def _remove_component(stored: _Stored, revision: int) -> None:
    if stored.content is not None:
        stored.row.sealed_body = None
        stored.row.revision = revision
