"""Looking for open invitations: the index says where to ask, each facility's own answer says what is so.

The schedule never has them. What the index lists lives as long as the look and is never stored (TKB engagementindex
4.3). Loses nothing when killed: the claim runs out and the look is due again.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

import structlog

from feeds import calendars as feed_calendars
from store import bookings, engagements, invitations, poll_reads, subjects
from store.bookings import Booking, Details
from store.claims import Claim, claim_due, finish, holds
from store.consents import stands
from store.database import Session
from store.engagements import LOOKING, InvitationLook
from store.identifiers import BookingKey, HsaId, SubjectId, new_id
from store.invitations import Invitation
from store.poll_reads import Asking
from store.standing import Standing
from store.vault import KeyDestroyed, SubjectCipher, Unsealable
from worker.asking import asked, is_ours
from worker.booking_facts import details_of, ensure_facilities, uid_of
from worker.cadence import next_look_at
from worker.invited import Held, Look, Said, Verdict, judge
from worker.sources import (
    InvitationSource,
    Listing,
    Listings,
    NotOpen,
    ReportedInvitation,
    SourceError,
    SourceGarbled,
    SourceRefused,
    SourceUnavailable,
    Unreadable,
)
from worker.sync import Syncing, storing

log = structlog.get_logger()

_LONGEST = 30.0  # seconds in which a look begins questions: then its claim still stands when the last is answered
_NOBODY_TO_ASK = timedelta(days=1)  # no consent, or no index: both may come


def look_due(syncing: Syncing, lease: timedelta, stopping: Callable[[], bool]) -> int:
    """Looks for one due engagement's open invitations; returns how many it came to. 0: nothing is due, or it is to
    stop. Raises Unsealable where the person's number does not open."""
    if stopping():
        return 0
    with syncing.sessions.writing() as session:
        claims = claim_due(session, LOOKING, syncing.now(), lease, 1)
        read = poll_reads.asking(session, [one.id for one in claims], syncing.now()) if claims else {}
    for claim in claims:
        _look(syncing, claim, read[claim.id])
    return len(claims)


@dataclass(frozen=True, slots=True)
class _Known:
    """What we hold of an engagement: open invitations, and what the schedule has a time for."""

    open: frozenset[BookingKey]
    timed: frozenset[BookingKey]

    def is_worth_asking(self, key: BookingKey, listing: Listing) -> bool:
        """What may be open. Of what we hold as open, the facility's word is wanted whatever else is known."""
        return key in self.open or (listing.is_invitation and key not in self.timed)


@dataclass(frozen=True, slots=True)
class _Heard:
    """What one look brought, and the errors of those who gave no answer."""

    listings: Listings | None
    index_error: SourceError | None
    said: Mapping[BookingKey, Said] = field(default_factory=dict)
    errors: tuple[SourceError, ...] = ()

    @property
    def error(self) -> SourceError | None:
        """What asking again soon may mend: a facility's refusal needs a person, and is met at the usual pace."""
        if self.index_error is not None:
            return self.index_error
        return next((one for one in self.errors if not isinstance(one, SourceRefused)), None)

    def listed(self, source: str) -> frozenset[BookingKey] | None:
        """What the index lists as invitations; None where it gave no whole answer, which proves nothing."""
        if self.listings is None or not self.listings.is_whole:
            return None
        return frozenset(_key_of(source, one) for one in self.listings.listed if one.is_invitation)


@dataclass(frozen=True, slots=True)
class _Seen:
    """The engagement looked at, and what was heard."""

    claim: Claim
    subject_id: UUID
    source: str
    heard: _Heard


def _look(syncing: Syncing, claim: Claim, asking: Asking) -> None:
    source = syncing.sources.get(asking.source)
    if not asking.may_ask or not isinstance(source, InvitationSource) or not source.has_invitations:
        _put_off(syncing, claim, _NOBODY_TO_ASK)
        return
    try:
        subject = asking.subject(syncing.vault)
    except KeyDestroyed:
        _put_off(syncing, claim, _NOBODY_TO_ASK)
        return
    except Unsealable:
        _put_off(syncing, claim, syncing.pace.backoff_first)
        raise
    with syncing.sessions.reading() as session:
        known = _known(session, claim.id)
    heard = _hear(syncing, source, subject, known)
    _tell(source.name, heard)
    seen = _Seen(claim, asking.subject_id, source.name, heard)
    storing(syncing, lambda session: _store(syncing, session, seen))


def _known(session: Session, engagement_id: UUID) -> _Known:
    listed = [row for row in bookings.of_engagement(session, engagement_id) if row.missed_at is None]
    return _Known(
        open=frozenset(_key(row) for row in invitations.of_engagement(session, engagement_id) if row.over_at is None),
        timed=frozenset(_key(row) for row in listed if row.standing == Standing.BOOKED),
    )


def _put_off(syncing: Syncing, claim: Claim, wait: timedelta) -> None:
    with syncing.sessions.writing() as session:
        finish(session, LOOKING, claim, syncing.now() + wait)


def _hear(syncing: Syncing, source: InvitationSource, subject: SubjectId, known: _Known) -> _Heard:
    """The network half. Holds no session, and never raises SourceError."""
    gate = syncing.gates[source.name]
    ends_at = time.monotonic() + _LONGEST
    listings, index_error = asked(syncing.index_gates.get(source.name, gate), partial(source.listings, subject))
    if listings is None:
        return _Heard(None, index_error)
    said: dict[BookingKey, Said] = {}
    errors: list[SourceError] = []
    keyed = {_key_of(source.name, one): one for one in sorted(listings.listed, key=lambda one: one.is_invitation)}
    for key, listing in keyed.items():
        if not known.is_worth_asking(key, listing):
            continue
        if time.monotonic() > ends_at:
            errors.append(SourceUnavailable("slow", "the rest is asked about at the next look"))
            break
        answer, error = asked(gate, partial(source.invitation, subject, listing))
        if answer is not None:
            said[key] = answer
        if error is not None:
            errors.append(error)
    return _Heard(listings, None, said, tuple(errors))


def _tell(source: str, heard: _Heard) -> None:
    foreign = sum(one is NotOpen.OF_ANOTHER for one in heard.said.values())
    foreign += heard.listings.foreign if heard.listings is not None else 0
    if foreign:
        log.error("foreign_invitations_dropped", source=source, count=foreign)
    for error in (heard.index_error, *heard.errors):
        if error is not None and not is_ours(error):
            log.warning("source_failed", source=source, code=error.code, count=1)


def _store(syncing: Syncing, session: Session, seen: _Seen) -> None:
    if not holds(session, LOOKING, seen.claim):
        return
    now, heard = syncing.now(), seen.heard
    if not stands(session, seen.subject_id):  # withdrawn while we asked
        finish(session, LOOKING, seen.claim, now + _NOBODY_TO_ASK)
        return
    _keep_unreadable(syncing, session, seen, now)
    rows = {row.id: row for row in invitations.of_engagement(session, seen.claim.id)}
    look = Look(now, heard.listed(seen.source), heard.said)
    verdict = judge([_held(row) for row in rows.values()], look, syncing.patience.second_look)
    if not verdict.says_nothing_new:
        cipher = subjects.cipher_of(session, syncing.vault, seen.subject_id)
        changed = _apply(_Applying(session, syncing, cipher, seen, now), rows, verdict)
        feed_calendars.rewrite(session, syncing.vault, seen.subject_id, changed, now, syncing.calendar_rules)
    _finish(syncing, session, seen, verdict.look_again_at)


def _finish(syncing: Syncing, session: Session, seen: _Seen, again_at: datetime | None) -> None:
    error, before = seen.heard.error, session.get_one(InvitationLook, seen.claim.id, populate_existing=True)
    failures = 0 if error is None else before.failures + (not is_ours(error))
    next_at = next_look_at(syncing.now(), again_at, failures, syncing.pace, syncing.spread())
    if is_ours(error):
        next_at = min(next_at, syncing.now() + syncing.pace.backoff_first)
    values = {"failures": failures, "last_error": "" if error is None else error.code}
    finish(session, LOOKING, seen.claim, next_at, **values)


def _keep_unreadable(syncing: Syncing, session: Session, seen: _Seen, now: datetime) -> None:
    """Of facilities' answers only: an index's answer is not kept, unreadable or not."""
    unreadable = [(one, one.content, one.reason) for one in seen.heard.said.values() if isinstance(one, Unreadable)]
    garbled = [(None, one.content, one.code) for one in seen.heard.errors if isinstance(one, SourceGarbled)]
    if not unreadable and not garbled:
        return
    cipher = subjects.cipher_of(session, syncing.vault, seen.subject_id)
    for slot, content, reason in (*unreadable, *garbled):
        facility, booking_id = (None, "") if slot is None else (slot.facility, slot.booking_id)
        if engagements.quarantine(
            session, cipher, seen.claim.id, content, reason, now=now, facility=facility, booking_id=booking_id
        ):
            log.warning("invitation_quarantined", source=seen.source, facility=facility, reason=reason)


@dataclass(frozen=True, slots=True)
class _Applying:
    """What writing a verdict needs."""

    session: Session
    syncing: Syncing
    cipher: SubjectCipher
    seen: _Seen
    now: datetime


def _apply(applying: _Applying, rows: Mapping[UUID, Invitation], verdict: Verdict) -> set[UUID]:
    """Writes the verdict; returns what calendars are to show anew."""
    ensure_facilities(applying.session, [*verdict.appeared.values(), *verdict.amended.values()], applying.now)
    for row_id in verdict.missed:
        rows[row_id].missed_at = applying.now
    for row_id in verdict.listed_again:
        rows[row_id].missed_at = None
    for row_id, reported in verdict.amended.items():
        _amend(applying, rows[row_id], reported)
    for row_id in verdict.over:
        _end(applying, rows[row_id])
    appeared = {_add(applying, key, reported) for key, reported in verdict.appeared.items()}
    applying.session.flush()
    return appeared | verdict.changed


def _add(applying: _Applying, key: BookingKey, reported: ReportedInvitation) -> UUID:
    row_id = new_id()
    applying.session.add(
        Invitation(
            id=row_id,
            subject_id=applying.seen.subject_id,
            engagement_id=applying.seen.claim.id,
            source=key.source,
            logical_address=key.logical_address,
            booking_id=key.booking_id,
            facility=reported.facility,
            due_on=reported.due_on,
            sealed_details=invitations.seal_details(applying.cipher, row_id, details_of(reported)),
            digest=reported.digest.hex(),
            uid=uid_of(applying.syncing.vault, row_id),
            amended_at=applying.now,
            first_seen_at=applying.now,
        )
    )
    return row_id


def _amend(applying: _Applying, row: Invitation, reported: ReportedInvitation) -> None:
    """SEQUENCE rises when its day or place changes, or when it is back."""
    differs = (row.due_on, row.facility) != (reported.due_on, reported.facility)
    row.sequence += differs or row.over_at is not None
    row.facility, row.due_on, row.digest = reported.facility, reported.due_on, reported.digest.hex()
    row.sealed_details = invitations.seal_details(applying.cipher, row.id, details_of(reported))
    row.amended_at = applying.now
    row.missed_at = row.over_at = None


def _end(applying: _Applying, row: Invitation) -> None:
    """Nobody knows whether it was booked, withdrawn or ran out; what it said of care is forgotten."""
    row.over_at = row.amended_at = applying.now
    row.missed_at = row.due_on = None
    row.sequence += 1
    row.sealed_details = invitations.seal_details(applying.cipher, row.id, Details())


def _held(row: Invitation) -> Held:
    return Held(row.id, _key(row), bytes.fromhex(row.digest), row.missed_at, is_over=row.over_at is not None)


def _key(row: Invitation | Booking) -> BookingKey:
    return BookingKey(row.source, HsaId(row.logical_address), row.booking_id)


def _key_of(source: str, listing: Listing) -> BookingKey:
    return BookingKey(source, listing.address, listing.booking_id)
