"""What it means that an answer does not list a booking: nothing, a doubt, or one of the two proofs that are needed.

Pure. It knows nothing of replacements (`worker.moves`) or of what is done about it (`worker.reconcile`).
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import IntEnum

from store.identifiers import HsaId
from store.standing import Standing
from worker.facts import Answer, Circumstances, Known, Loss, Patience

MASS_SUBJECTS = 5


@dataclass(frozen=True, slots=True)
class Absence:
    """A booked, coming booking that an answer does not list. `suspect` carries the marks this answer adds."""

    suspect: Known
    is_marked: bool  # this answer added something to what we remember
    is_confirmed: bool  # two answers of evidence, far enough apart, omit it, and nothing holds the conclusion back
    directly: bool  # this answer came from the facility itself


class _Worth(IntEnum):
    """What an answer's silence about one logical address is worth."""

    NOTHING = 0  # it failed, came from a cache or was unreadable in part
    DOUBT = 1  # the address has no record: a last booking cancelled, or a permission lost; both look the same
    PROOF = 2
    DIRECT_PROOF = 3


def is_coming(known: Known, now: datetime) -> bool:
    """Whether its absence can mean anything: sources drop what has started, and that is no cancellation."""
    return known.standing is Standing.BOOKED and known.start_at > now


def absences(unlisted: Iterable[Known], answer: Answer, circumstances: Circumstances) -> list[Absence]:
    """Those of the unlisted bookings that are suspect after this answer."""
    found = (_absence(known, answer, circumstances) for known in unlisted if is_coming(known, answer.now))
    return [absence for absence in found if absence is not None]


def second_look_at(suspect: Known, now: datetime, circumstances: Circumstances) -> datetime:
    """When asking again can settle it.

    One with evidence against it always gets a moment to come. One without gets the first second look only; when
    that is past, the ordinary polls go on asking: a lost permission must not mean a question every ten minutes.
    """
    patience = circumstances.patience
    if suspect.missed_on_evidence_at is None:
        return (suspect.missed_at or now) + patience.second_look
    settles_at = suspect.missed_on_evidence_at + patience.second_look
    if suspect.facility in circumstances.frozen:
        settles_at = max(settles_at, _thaws_at(suspect, patience))
    return settles_at if settles_at > now else now + patience.second_look


def direct_looks_wanted(
    known: Iterable[Known],
    recorded: frozenset[HsaId] | None,
    answered_evidence: frozenset[HsaId],
    now: datetime,
    patience: Patience,
) -> frozenset[HsaId]:
    """The logical addresses to ask directly before reconciling.

    `known`: the bookings that the aggregated answer did not list. Wanted are addresses that a clean answer has no
    record of (an only booking cancelled there looks like that), and those of suspects whose second look is due, even
    where the aggregated answer is evidence: only the facility's own word lets a calendar say more than "perhaps".
    """
    answered = None if recorded is None else recorded | answered_evidence
    return frozenset(
        row.key.logical_address
        for row in known
        if is_coming(row, now) and (_is_unrecorded(row, answered) or _is_due(row, now, patience))
    )


def mass_disappearance(suspects: int, subjects: int, future: int) -> bool:
    """Whether to freeze a facility: so many of its `future` known bookings became suspect within 6 h, of `subjects`."""
    return subjects >= MASS_SUBJECTS and suspects * 5 > future


def _absence(known: Known, answer: Answer, circumstances: Circumstances) -> Absence | None:
    worth = _worth(known.key.logical_address, answer, circumstances)
    if worth is _Worth.NOTHING and not known.is_suspect:
        return None
    suspect = _marked(known, worth, answer.now)
    is_confirmed = _is_confirmed(known, worth, answer.now, circumstances)
    return Absence(suspect, suspect != known, is_confirmed, worth is _Worth.DIRECT_PROOF)


def _worth(address: HsaId, answer: Answer, circumstances: Circumstances) -> _Worth:
    if address in answer.evidence:
        return _Worth.DIRECT_PROOF if address in answer.direct else _Worth.PROOF
    if answer.recorded is None or address in answer.recorded:
        return _Worth.NOTHING
    loss = circumstances.losses.get(address)
    if loss is not None and _is_proof(loss, answer.now, circumstances.patience):
        return _Worth.PROOF
    return _Worth.DOUBT


def _is_proof(loss: Loss, now: datetime, patience: Patience) -> bool:
    """Rule 1, evidence (iii). Others still being answered from there is what tells it from a lost permission."""
    if loss.can_ask_directly or loss.seen_elsewhere_at is None:
        return False
    is_long = now - loss.clean_without_record_since >= patience.loss_after
    return is_long and now - loss.seen_elsewhere_at <= patience.loss_witness


def _marked(known: Known, worth: _Worth, now: datetime) -> Known:
    on_evidence = now if worth >= _Worth.PROOF else None
    directly = now if worth is _Worth.DIRECT_PROOF else None
    return replace(
        known,
        missed_at=known.missed_at or now,
        missed_on_evidence_at=known.missed_on_evidence_at or on_evidence,
        missed_directly_at=known.missed_directly_at or directly,
    )


def _is_confirmed(known: Known, worth: _Worth, now: datetime, circumstances: Circumstances) -> bool:
    patience = circumstances.patience
    if worth < _Worth.PROOF or known.missed_on_evidence_at is None:
        return False
    if now - known.missed_on_evidence_at < patience.second_look:
        return False
    if known.facility not in circumstances.frozen:
        return True
    return known.start_at - now <= patience.frozen_last or _is_twice_direct(known, worth, now, patience)


def _is_twice_direct(known: Known, worth: _Worth, now: datetime, patience: Patience) -> bool:
    if worth is not _Worth.DIRECT_PROOF or known.missed_directly_at is None:
        return False
    return now - known.missed_directly_at >= patience.frozen_release


def _thaws_at(suspect: Known, patience: Patience) -> datetime:
    before_the_visit = suspect.start_at - patience.frozen_last
    if suspect.missed_directly_at is None:
        return before_the_visit
    return min(before_the_visit, suspect.missed_directly_at + patience.frozen_release)


def _is_unrecorded(known: Known, answered: frozenset[HsaId] | None) -> bool:
    return answered is not None and known.key.logical_address not in answered


def _is_due(known: Known, now: datetime, patience: Patience) -> bool:
    missed_at = known.missed_on_evidence_at or known.missed_at
    return missed_at is not None and now - missed_at >= patience.second_look
