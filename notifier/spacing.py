"""How close messages to one recipient may come: never two within 12 hours unless something changed, and a cap. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from notifier.ledger import Entry, Ledger
from store.purposes import CHANGE_NOTICES, Purpose

REMINDERS = frozenset({Purpose.DEADLINE, Purpose.REMINDER, Purpose.PREPARATIONS})


@dataclass(frozen=True, slots=True)
class Limits:
    """What may be set about spacing, merging and standstills."""

    apart: timedelta = timedelta(hours=12)
    merge_ahead: timedelta = timedelta(hours=12)
    cap: int = 8  # per recipient, over all clinics; change notices do not count
    cap_within: timedelta = timedelta(hours=24)
    missed_within: timedelta = timedelta(days=7)
    notices: int = 6  # change notices about one visit within `cap_within`; what comes on top is told as one
    clinic_cap: int | None = None  # what a clinic may send in a Swedish day, where it has set nothing itself


def already_told(ledger: Ledger, purpose: Purpose, subject_id: UUID, booking_id: UUID, since: datetime) -> bool:
    """Whether a message since then says of this booking what this one would.

    A text about preparations and one about the time do not stand in for each other.
    """
    told = _lately(ledger.told_of_booking(subject_id, booking_id), since)
    return any(_same_matter(one.purpose, purpose) for one in told)


def free_from(ledger: Ledger, subject_id: UUID, clinic_id: UUID, now: datetime, limits: Limits) -> datetime:
    """When the clinic may next send this subject's recipient a reminder; `now` if it may at once.

    Notices of changes do not hold back a reminder: something had changed.
    """
    told = [one for one in ledger.told_by_clinic(subject_id, clinic_id) if one.purpose in REMINDERS]
    return max((one.at + limits.apart for one in _lately(told, now - limits.apart)), default=now)


def below_cap_from(ledger: Ledger, now: datetime, limits: Limits) -> datetime:
    """When the recipient may next be sent anything that the cap covers; `now` if at once."""
    lately = [at for at in ledger.told_times(CHANGE_NOTICES) if at > now - limits.cap_within]
    return now if len(lately) < limits.cap else lately[-limits.cap] + limits.cap_within


def calm_from(ledger: Ledger, subject_id: UUID, booking_id: UUID, now: datetime, limits: Limits) -> datetime:
    """When the recipient may next be told of a change of this visit; `now` if at once, as it almost always is."""
    told = ledger.told_of_booking(subject_id, booking_id)
    lately = sorted(one.at for one in _lately(told, now - limits.cap_within) if one.purpose in CHANGE_NOTICES)
    return now if len(lately) < limits.notices else lately[-limits.notices] + limits.cap_within


def _lately(entries: Iterable[Entry], since: datetime) -> list[Entry]:
    return [entry for entry in entries if entry.at > since]


def _same_matter(told: Purpose, wanted: Purpose) -> bool:
    return (told == Purpose.PREPARATIONS) == (wanted == Purpose.PREPARATIONS)
