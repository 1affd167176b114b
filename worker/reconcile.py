"""Compares the bookings we hold with one answer, and says what changed. The rules of behaviour, section 1.

Pure: no database, no network, no clock. Absence is not cancellation: what an answer leaves out is weighed in
`worker.absence`, what it may have become in `worker.moves`.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias
from uuid import UUID

from store.identifiers import BookingKey
from store.standing import Standing
from worker.absence import Absence, absences, second_look_at
from worker.facts import Answer, Circumstances, Known, Patience
from worker.listing import Held, Listing, laid_beside
from worker.moves import Candidate, could_become, paired
from worker.sources import ReportedBooking


@dataclass(frozen=True, slots=True)
class Appeared:
    """A booking we did not hold. `tell`: as Booked, at once or, where it may replace a suspect one, when released."""

    key: BookingKey
    booking: ReportedBooking
    tell: bool
    candidate_until: datetime | None


@dataclass(frozen=True, slots=True)
class Moved:
    """The booking has a new start under its key, or was replaced by a new booking, whose key it takes.

    `candidate_id`: the replacement's row, which goes. `booking` is None where that row's stored facts still hold.
    """

    id: UUID
    key: BookingKey
    booking: ReportedBooking | None
    candidate_id: UUID | None


@dataclass(frozen=True, slots=True)
class Amended:
    """Other facts than the start have changed."""

    id: UUID
    booking: ReportedBooking


@dataclass(frozen=True, slots=True)
class Suspected:
    """Missed: all marks to remember, and when a second look can settle it."""

    id: UUID
    missed_at: datetime
    missed_on_evidence_at: datetime | None
    missed_directly_at: datetime | None
    look_again_at: datetime


@dataclass(frozen=True, slots=True)
class Cleared:
    """Listed again before anything was concluded: all marks go, in silence. May be followed by Moved or Amended."""

    id: UUID


@dataclass(frozen=True, slots=True)
class Gone:
    """Two answers of evidence omit it and nothing replaced it. We never know who did it.

    `directly`: the facility itself said so last. One whose row still waits as a candidate was never told of.
    """

    id: UUID
    directly: bool


@dataclass(frozen=True, slots=True)
class Restored:
    """A gone or cancelled booking is listed again, or a passed one with a start to come.

    `booking`: its facts where they differ, the start included.
    """

    id: UUID
    booking: ReportedBooking | None


@dataclass(frozen=True, slots=True)
class Released:
    """A candidate stands on its own now: its wait is over, or what it could have replaced is there or settled."""

    id: UUID


@dataclass(frozen=True, slots=True)
class Rekeyed:
    """The same booking at the same facility, filed under another logical address. Comes before its other outcomes."""

    id: UUID
    key: BookingKey


Outcome: TypeAlias = Appeared | Moved | Amended | Suspected | Cleared | Gone | Restored | Released | Rekeyed


@dataclass(frozen=True, slots=True)
class Decision:
    """What to store, in this order, and when to ask again sooner than usual (None: no need)."""

    outcomes: tuple[Outcome, ...]
    look_again_at: datetime | None


def reconcile(known: Sequence[Known], answer: Answer, circumstances: Circumstances) -> Decision:
    """What one answer about one subject at one source changes in the bookings we hold."""
    listing = laid_beside(known, answer.present)
    missed = absences(listing.unlisted, answer, circumstances)
    replacements = _replacements(listing, missed, answer, circumstances)
    concluded = _concluded(missed, replacements)
    new = _appeared(listing, replacements, answer, circumstances.patience)
    waiting = _waiting(listing, concluded)
    released = [held for held in waiting if _is_released(held, missed, replacements, answer.now)]
    outcomes = (
        *_listed(listing, replacements, answer.now),
        *concluded,
        *_suspected(missed, answer.now, circumstances),
        *new,
        *(Released(held.known.id) for held in released),
    )
    ends = [held.known.candidate_until for held in waiting if held not in released]
    ends += [appeared.candidate_until for appeared in new]
    looks = [second_look_at(one.suspect, answer.now, circumstances) for one in missed if not one.is_confirmed]
    return Decision(outcomes, min((at for at in (*ends, *looks) if at is not None and at > answer.now), default=None))


@dataclass(frozen=True, slots=True)
class _Replacements:
    """`became`: what each confirmed one is now. `contested`: candidates that a suspect may yet turn out to be."""

    became: Mapping[UUID, Candidate]
    contested: frozenset[BookingKey]

    @property
    def used(self) -> frozenset[BookingKey]:
        return frozenset(candidate.key for candidate in self.became.values())


def _replacements(
    listing: Listing, missed: Sequence[Absence], answer: Answer, circumstances: Circumstances
) -> _Replacements:
    """One that still waits as a candidate was never told of: it needs no replacement and takes nobody else's."""
    candidates = [*_held_candidates(listing, missed, answer.now), *_fresh_candidates(listing, answer)]
    told = [absence for absence in missed if absence.suspect.candidate_until is None]
    confirmed = [absence.suspect for absence in told if absence.is_confirmed]
    doubtful = [absence.suspect for absence in told if not absence.is_confirmed]
    became = paired(confirmed, candidates, circumstances)
    contested = {
        candidate.key
        for candidate in candidates
        if any(could_become(suspect, candidate, circumstances) for suspect in doubtful)
    }
    return _Replacements(became, frozenset(contested) - {candidate.key for candidate in became.values()})


def _held_candidates(listing: Listing, missed: Sequence[Absence], now: datetime) -> list[Candidate]:
    """Ours that appeared as new and are not missing themselves; being left out by a failing answer is not missing."""
    missing = {absence.suspect.id for absence in missed}
    able = (held for held in listing.held if held.known.is_new and held.known.id not in missing)
    candidates = (_held_candidate(held) for held in able if held.known.standing is Standing.BOOKED)
    return [candidate for candidate in candidates if candidate.start_at > now]


def _held_candidate(held: Held) -> Candidate:
    row = held.known
    if held.news is None:
        return Candidate(row.id, held.key, row.facility, row.start_at, row.time_type_id, row.first_seen_at, None)
    return _candidate(row.id, held.key, held.news, row.first_seen_at)


def _fresh_candidates(listing: Listing, answer: Answer) -> list[Candidate]:
    """At the subject's first evidence nothing is new: it has only become known."""
    if answer.first_contact is None:
        return []
    coming = ((key, booking) for key, booking in listing.fresh.items() if booking.start_at > answer.now)
    return [_candidate(None, key, booking, answer.now) for key, booking in coming]


def _candidate(row_id: UUID | None, key: BookingKey, booking: ReportedBooking, first_seen_at: datetime) -> Candidate:
    return Candidate(row_id, key, booking.facility, booking.start_at, booking.time_type_id, first_seen_at, booking)


def _listed(listing: Listing, replacements: _Replacements, now: datetime) -> Iterator[Outcome]:
    """A row that a missing booking takes over says nothing of its own any more."""
    used = replacements.used
    for held in listing.held:
        if held.is_listed and held.key not in used:
            yield from _still_there(held) if held.known.standing is Standing.BOOKED else _back_again(held, now)


def _still_there(held: Held) -> Iterator[Outcome]:
    row, news = held.known, held.news
    if held.key != row.key:
        yield Rekeyed(row.id, held.key)
    if row.is_suspect:
        yield Cleared(row.id)
    if news is not None:
        yield Amended(row.id, news) if news.start_at == row.start_at else Moved(row.id, held.key, news, None)


def _back_again(held: Held, now: datetime) -> Iterator[Outcome]:
    """Nobody is called back to a visit whose time has passed."""
    row, news = held.known, held.news
    if (news or row).start_at <= now:
        return
    if held.key != row.key:
        yield Rekeyed(row.id, held.key)
    yield Restored(row.id, news)


def _concluded(missed: Sequence[Absence], replacements: _Replacements) -> list[Moved | Gone]:
    return [_end(absence, replacements.became.get(absence.suspect.id)) for absence in missed if absence.is_confirmed]


def _end(absence: Absence, became: Candidate | None) -> Moved | Gone:
    if became is None:
        return Gone(absence.suspect.id, absence.directly)
    return Moved(absence.suspect.id, became.key, became.booking, became.id)


def _suspected(missed: Sequence[Absence], now: datetime, circumstances: Circumstances) -> Iterator[Suspected]:
    """Only what this answer added: nothing is written for a suspect that is as it was."""
    for absence in missed:
        suspect = absence.suspect
        if absence.is_marked and not absence.is_confirmed and suspect.missed_at is not None:
            look_again_at = second_look_at(suspect, now, circumstances)
            marks = (suspect.missed_at, suspect.missed_on_evidence_at, suspect.missed_directly_at)
            yield Suspected(suspect.id, *marks, look_again_at)


def _appeared(listing: Listing, replacements: _Replacements, answer: Answer, patience: Patience) -> list[Appeared]:
    until = dict.fromkeys(replacements.contested, answer.now + patience.candidate_wait)
    fresh = ((key, booking) for key, booking in listing.fresh.items() if key not in replacements.used)
    return [_new(key, booking, answer, until.get(key)) for key, booking in fresh]


def _new(key: BookingKey, booking: ReportedBooking, answer: Answer, candidate_until: datetime | None) -> Appeared:
    """First contact makes it known, not Booked, unless a suspect may have moved there: then somebody must be told."""
    first = answer.first_contact
    is_first = first is None or key.logical_address in first or booking.facility in first
    is_worth_telling = booking.start_at > answer.now and not is_first
    return Appeared(key, booking, is_worth_telling or candidate_until is not None, candidate_until)


def _waiting(listing: Listing, concluded: Sequence[Moved | Gone]) -> list[Held]:
    """Candidates that still wait and are still there; of one that is gone nothing was told."""
    ended = {end.id if isinstance(end, Gone) else end.candidate_id for end in concluded}
    standing = (held for held in listing.held if held.known.standing is Standing.BOOKED)
    return [held for held in standing if held.known.candidate_until is not None and held.known.id not in ended]


def _is_released(held: Held, missed: Sequence[Absence], replacements: _Replacements, now: datetime) -> bool:
    """One that evidence omits is not presented as new: it is listed again first, or it goes untold."""
    absence = next((absence for absence in missed if absence.suspect.id == held.known.id), None)
    if absence is not None and absence.suspect.missed_on_evidence_at is not None:
        return False
    if held.known.candidate_until is None or held.known.candidate_until <= now:
        return True
    return absence is None and held.key not in replacements.contested
