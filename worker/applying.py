"""The writing half of a poll: outcomes of reconciling, one by one, into booking rows and their changes.

Joins the caller's transaction. It decides nothing: each outcome says what is to stand afterwards.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from store import bookings
from store.bookings import Before, Booking, BookingChange
from store.database import Session
from store.engagements import Engagement
from store.identifiers import BookingKey, HsaId, new_id
from store.standing import ChangeKind, Standing
from store.vault import SubjectCipher, Vault
from worker.booking_facts import copied_facts, lineage, reported_facts, uid_of
from worker.reconcile import (
    Amended,
    Appeared,
    Cleared,
    Gone,
    Moved,
    Outcome,
    Rekeyed,
    Released,
    Restored,
    Suspected,
)
from worker.sources import ReportedBooking


@dataclass(slots=True)
class Applying:
    """One engagement's rows under change. `shown` and `removed` tell the calendars what to render anew."""

    session: Session
    vault: Vault
    cipher: SubjectCipher
    engagement: Engagement
    now: datetime
    settle: timedelta
    rows: dict[UUID, Booking]
    shown: set[UUID] = field(default_factory=set)
    removed: set[UUID] = field(default_factory=set)


def apply(applying: Applying, outcomes: Iterable[Outcome]) -> None:
    """Writes the outcomes in their order."""
    for outcome in outcomes:
        _WRITERS[type(outcome)](applying, outcome)
    applying.session.flush()


def refile(rows: Collection[Booking], recorded: frozenset[HsaId] | None, parents: Mapping[HsaId, HsaId]) -> None:
    """Files bookings under the address that now answers for their facility: its place in the tree became known late.

    Otherwise no answer could ever prove such a booking gone where facilities cannot be asked themselves.
    """
    taken = {(row.logical_address, row.booking_id) for row in rows}
    for row in rows:
        address = HsaId(row.logical_address)
        if recorded is None or address in recorded or address != row.facility:
            continue
        answering = next((one for one in lineage(address, parents) if one in recorded), None)
        if answering is not None and (answering, row.booking_id) not in taken:
            row.logical_address = answering


def _appear(applying: Applying, outcome: Appeared) -> None:
    booking_id = new_id()
    now = applying.now
    row = Booking(
        id=booking_id,
        subject_id=applying.engagement.subject_id,
        engagement_id=applying.engagement.id,
        source=outcome.key.source,
        logical_address=outcome.key.logical_address,
        booking_id=outcome.key.booking_id,
        uid=uid_of(applying.vault, booking_id),
        stands_since=now,
        time_version_at=now,
        amended_at=now,
        first_seen_at=now,
        is_new=outcome.tell,
        candidate_until=outcome.candidate_until,
        **reported_facts(applying.cipher, booking_id, outcome.booking),
    )
    applying.session.add(row)
    applying.rows[booking_id] = row
    applying.shown.add(booking_id)
    if outcome.tell:
        applying.session.flush()  # the change names the booking
        _remember(applying, row, ChangeKind.BOOKED, before=None)


def _move(applying: Applying, outcome: Moved) -> None:
    row = applying.rows[outcome.id]
    before = _before(row)
    facts = _taken_over(applying, row, outcome)
    _rekey(row, outcome.key)
    _rewrite_facts(applying, row, facts)
    _clear(row)
    if _differs(row, before):
        _remember(applying, row, ChangeKind.MOVED, before)


def _amend(applying: Applying, outcome: Amended) -> None:
    row = applying.rows[outcome.id]
    before = _before(row)
    _rewrite_facts(applying, row, _reported(applying, row, outcome.booking))
    _remember(applying, row, ChangeKind.AMENDED, before, tell=False)


def _suspect(applying: Applying, outcome: Suspected) -> None:
    row = applying.rows[outcome.id]
    row.missed_at = outcome.missed_at
    row.missed_on_evidence_at = outcome.missed_on_evidence_at
    row.missed_directly_at = outcome.missed_directly_at
    row.second_look_at = outcome.look_again_at
    applying.session.add(row)


def _listed_again(applying: Applying, outcome: Cleared) -> None:
    _clear(applying.rows[outcome.id])


def _clear(row: Booking) -> None:
    row.missed_at = row.missed_on_evidence_at = row.missed_directly_at = row.second_look_at = None


def _go(applying: Applying, outcome: Gone) -> None:
    row = applying.rows[outcome.id]
    before = _before(row)
    was_never_told_of = row.candidate_until is not None
    row.standing = Standing.GONE
    row.stands_since = row.amended_at = applying.now
    row.gone_directly = outcome.directly
    row.sequence += 1
    row.candidate_until = None
    _clear(row)
    applying.shown.add(row.id)
    _remember(applying, row, ChangeKind.GONE, before, tell=not was_never_told_of, settle=timedelta())
    if was_never_told_of:
        bookings.tell_nothing_of(applying.session, row.id)


def _restore(applying: Applying, outcome: Restored) -> None:
    row = applying.rows[outcome.id]
    before = _before(row)
    row.standing = Standing.BOOKED
    row.stands_since = row.amended_at = applying.now
    row.gone_directly = False
    if outcome.booking is not None:
        _rewrite_facts(applying, row, _reported(applying, row, outcome.booking))
    row.sequence = max(row.sequence, 0) + 1
    row.passes_at = row.start_at
    _clear(row)
    applying.shown.add(row.id)
    if before.standing is Standing.PASSED:  # the id of a visit that has been, used for a new one
        _remember(applying, row, ChangeKind.BOOKED, before=None)
    else:
        _remember(applying, row, ChangeKind.RESTORED, before, settle=timedelta())


def _release(applying: Applying, outcome: Released) -> None:
    row = applying.rows[outcome.id]
    row.candidate_until = None
    applying.shown.add(row.id)


def _file_anew(applying: Applying, outcome: Rekeyed) -> None:
    applying.rows[outcome.id].logical_address = outcome.key.logical_address


_WRITERS: dict[type[Outcome], Callable[[Applying, Any], None]] = {
    Appeared: _appear,
    Moved: _move,
    Amended: _amend,
    Suspected: _suspect,
    Cleared: _listed_again,
    Gone: _go,
    Restored: _restore,
    Released: _release,
    Rekeyed: _file_anew,
}


def _reported(applying: Applying, row: Booking, booking: ReportedBooking) -> dict[str, Any]:
    return reported_facts(applying.cipher, row.id, booking)


def _taken_over(applying: Applying, row: Booking, outcome: Moved) -> dict[str, Any]:
    """The facts a moved booking gets: newly reported ones, or those of the replacement's row, which goes."""
    facts = None if outcome.booking is None else _reported(applying, row, outcome.booking)
    if outcome.candidate_id is not None:
        candidate = applying.rows.pop(outcome.candidate_id)
        facts = facts or copied_facts(applying.cipher, row.id, candidate)
        _remove(applying, candidate)
    if facts is None:
        raise ValueError("a move without a replacement row must bring its own facts")
    return facts


def _remove(applying: Applying, candidate: Booking) -> None:
    applying.shown.discard(candidate.id)
    applying.removed.add(candidate.id)
    bookings.forget_changes(applying.session, candidate.id)
    applying.session.delete(candidate)
    applying.session.flush()  # its key is free before the moved booking takes it


def _rekey(row: Booking, key: BookingKey) -> None:
    row.source, row.logical_address, row.booking_id = key.source, key.logical_address, key.booking_id


def _rewrite_facts(applying: Applying, row: Booking, facts: dict[str, Any]) -> None:
    """SEQUENCE rises when time or place change, the time version when the start does."""
    start_moved = facts["start_at"] != row.start_at
    if start_moved or facts["end_at"] != row.end_at or facts["facility"] != row.facility:
        row.sequence += 1
    if start_moved:
        row.time_version += 1
        row.time_version_at = applying.now
    for name, value in facts.items():
        setattr(row, name, value)
    row.amended_at = applying.now
    applying.session.add(row)
    applying.shown.add(row.id)


def _before(row: Booking) -> Before:
    return Before(row.start_at, row.facility, Standing(row.standing), row.time_version)


def _differs(row: Booking, before: Before) -> bool:
    return (row.start_at, row.facility) != (before.start_at, before.facility)


def _remember(  # noqa: PLR0913
    applying: Applying,
    row: Booking,
    kind: ChangeKind,
    before: Before | None,
    *,
    tell: bool = True,
    settle: timedelta | None = None,
) -> None:
    change_id = new_id()
    change = BookingChange(
        id=change_id,
        booking_id=row.id,
        subject_id=row.subject_id,
        kind=kind,
        at=applying.now,
        settles_at=applying.now + (applying.settle if settle is None else settle),
        tell=tell and row.start_at > applying.now,
        sealed_before=None if before is None else bookings.seal_before(applying.cipher, change_id, before),
    )
    applying.session.add(change)
