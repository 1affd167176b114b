"""Visits whose start has come: they have passed. A due row's work, never inferred from polling (rule 1e)."""

from collections.abc import Callable
from datetime import datetime, timedelta

from store import subjects
from store.bookings import PASSING, Before, Booking, BookingChange, seal_before
from store.claims import Claim, claim_due, finish
from store.database import Session, Sessions
from store.identifiers import new_id
from store.standing import ChangeKind, Standing
from store.vault import KeyDestroyed, Vault

_BATCH = 100


def pass_due(sessions: Sessions, vault: Vault, now: Callable[[], datetime], lease: timedelta) -> int:
    """Marks one batch of started visits as passed; returns how many rows it handled."""
    with sessions.writing() as session:
        started = claim_due(session, PASSING, now(), lease, _BATCH)
        for claim in started:
            _pass(session, vault, claim, now())
    return len(started)


def _pass(session: Session, vault: Vault, claim: Claim, now: datetime) -> None:
    row = session.get_one(Booking, claim.id, populate_existing=True)
    if row.start_at > now:
        finish(session, PASSING, claim, row.start_at)
        return
    if row.standing != Standing.BOOKED:
        finish(session, PASSING, claim, None)
        return
    _remember(session, vault, row, now)
    finish(
        session,
        PASSING,
        claim,
        None,
        standing=Standing.PASSED,
        stands_since=now,
        candidate_until=None,
        missed_at=None,
        missed_on_evidence_at=None,
        missed_directly_at=None,
        second_look_at=None,
    )


def _remember(session: Session, vault: Vault, row: Booking, now: datetime) -> None:
    change_id = new_id()
    try:
        cipher = subjects.cipher_of(session, vault, row.subject_id)
    except KeyDestroyed:
        return  # erased: nobody will ask what was before
    before = Before(row.start_at, row.facility, Standing(row.standing), row.time_version)
    session.add(
        BookingChange(
            id=change_id,
            booking_id=row.id,
            subject_id=row.subject_id,
            kind=ChangeKind.PASSED,
            at=now,
            settles_at=now,
            sealed_before=seal_before(cipher, change_id, before),
        )
    )
