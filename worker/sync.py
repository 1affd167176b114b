"""One engagement whose answer may say something new: decide, store, and write out the consequences. The only writer of
bookings. `worker.polling` asks, and comes here with what it heard.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

import structlog

from feeds import calendars as feed_calendars
from feeds.periods import CalendarRules
from store import bookings, engagements, facilities, subjects
from store.bookings import Booking
from store.claims import Claim, finish, holds
from store.consents import stands
from store.database import CONFLICTS, Session, Sessions
from store.engagements import POLLING, Engagement
from store.facilities import Facility
from store.failpoints import CrashPoint, reached
from store.identifiers import BookingKey, HsaId, SubjectId
from store.standing import Standing
from store.vault import Vault
from worker.absence import is_coming, mass_disappearance
from worker.addresses import Noting, Recently, first_contact, losses, note_for_everybody, note_for_subject
from worker.applying import Applying, apply, refile
from worker.asking import Heard, Learned, Question, learn
from worker.booking_facts import ensure_facilities, root_of
from worker.cadence import Pace, next_poll_at
from worker.facts import Answer, Circumstances, Known, Patience
from worker.reconcile import Decision, reconcile
from worker.sources import BookingSource
from worker.sources.gate import Gate
from worker.stride import Stride

log = structlog.get_logger()

_FREEZE_WINDOW = timedelta(hours=6)
_TRIES = 4  # of the storing transaction, when it meets another; the source is not asked again


@dataclass(frozen=True, slots=True)
class Syncing:
    """What a sync needs of its process."""

    sessions: Sessions
    vault: Vault
    sources: Mapping[str, BookingSource]
    gates: Mapping[str, Gate]
    now: Callable[[], datetime]
    spread: Callable[[], float]  # 0 <= spread < 1: keeps polls from bunching
    patience: Patience
    pace: Pace
    calendar_rules: CalendarRules
    recently: Recently
    settle: timedelta
    stride: Stride = field(default_factory=Stride)
    index_gates: Mapping[str, Gate] = field(default_factory=dict)  # by source: an index in trouble stops no poll


def sync(syncing: Syncing, claim: Claim, source: BookingSource, subject: SubjectId, heard: Heard) -> None:
    """Looks into what a poll heard, with the facilities' own word where it is wanted, and stores it."""
    with syncing.sessions.reading() as session:
        question = _question(session, claim.id, source.name, subject, heard.began_at)
    learned = learn(source, syncing.gates[source.name], question, heard, syncing.now(), syncing.patience)
    reached(CrashPoint.C0)
    storing(syncing, lambda session: _store(syncing, session, claim, question, learned))


def storing(syncing: Syncing, store: Callable[[Session], None]) -> None:
    """Stores in one transaction; anew where it met another one. The source is not asked again."""
    for tries_left in reversed(range(_TRIES)):
        try:
            with syncing.sessions.writing() as session:
                store(session)
            return
        except CONFLICTS as conflict:
            syncing.recently.forget()
            log.warning("sync_conflict", error=type(conflict).__name__)
            if not tries_left:
                raise


def noting(syncing: Syncing, source: str) -> Noting:
    """How this moment's news of a source's addresses is kept."""
    silent_after = syncing.calendar_rules.silent_after
    return Noting(source, syncing.now(), 2 * syncing.pace.near, silent_after, syncing.recently)


def _question(session: Session, engagement_id: UUID, source: str, subject: SubjectId, began_at: datetime) -> Question:
    rows = bookings.of_engagement(session, engagement_id)
    asked = {row.logical_address for row in rows}
    heard = facilities.addresses(session, source, asked)
    return Question(
        subject=subject,
        began_at=began_at,
        known=tuple(_known(row) for row in rows),
        parents=facilities.tree(session),
        spellings={hsa_id: one.spelling for hsa_id, one in facilities.by_ids(session, asked).items()},
        refused_at={at: one.direct_refused_at for at, one in heard.items() if one.direct_refused_at is not None},
    )


def _store(syncing: Syncing, session: Session, claim: Claim, question: Question, learned: Learned) -> None:
    if not holds(session, POLLING, claim):
        return
    engagement = session.get_one(Engagement, claim.id, populate_existing=True)
    if not stands(session, engagement.subject_id):  # withdrawn while we asked
        finish(session, POLLING, claim, None)
        return
    if engagement.answer_begun_at is not None and engagement.answer_begun_at > question.began_at:
        finish(session, POLLING, claim, engagement.next_poll_at)
        return
    if _is_unchanged(engagement, question, learned):
        _finish_unchanged(syncing, session, claim, engagement, question, learned)
        return
    answer = learned.answer(syncing.now(), first_contact(session, engagement, learned))
    note_for_everybody(session, noting(syncing, engagement.source), learned)
    facilities.note_direct_answers(session, engagement.source, learned.direct)
    note_for_subject(session, engagement, learned, question.began_at, syncing.now())
    _keep_unreadable(syncing, session, engagement, question, learned)
    decision = _reconciled(syncing, session, engagement, answer)
    _finish(syncing, session, claim, engagement, question, learned, decision)


def _is_unchanged(engagement: Engagement, question: Question, learned: Learned) -> bool:
    """The same answer as stored, and nothing hangs in the air: nothing is built or written but the poll's own row."""
    if learned.aggregated is None or learned.direct or learned.direct_errors or engagement.failures:
        return False
    if any(known.is_suspect or known.candidate_until for known in question.known):
        return False
    return engagement.digest == learned.aggregated.digest.hex()


def _finish_unchanged(  # noqa: PLR0913
    syncing: Syncing, session: Session, claim: Claim, engagement: Engagement, question: Question, learned: Learned
) -> None:
    note_for_everybody(session, noting(syncing, engagement.source), learned)
    next_at = _next_poll_at(syncing, engagement, question.known, failures=0)
    digest = _answer_digest(syncing, engagement, question.known, learned)
    finish(session, POLLING, claim, next_at, answer_begun_at=question.began_at, answer_digest=digest)


def _finish(  # noqa: PLR0913
    syncing: Syncing,
    session: Session,
    claim: Claim,
    engagement: Engagement,
    question: Question,
    learned: Learned,
    decision: Decision,
) -> None:
    answered = learned.aggregated is not None
    failures = 0 if answered else engagement.failures + (not learned.was_put_off)
    values: dict[str, object] = {"failures": failures, "last_error": "" if answered else _code(learned)}
    if learned.aggregated is not None:
        if _hints_at_invitations(engagement, learned):
            engagements.look_for_invitations(session, engagement.id, syncing.now())
        # Something unreadable must be looked at again even if the next answer is the same.
        values["digest"] = "" if learned.unreadable else learned.aggregated.digest.hex()
        values["answer_begun_at"] = question.began_at
        if engagement.first_evidence_at is None and (learned.evidence or not learned.aggregated.statuses):
            values["first_evidence_at"] = syncing.now()
    elif learned.direct:
        values["digest"] = ""  # what is kept of the addresses is not what the stored answer said of them any more
    if decision.outcomes:
        values["changed_at"] = engagement.changed_at = syncing.now()
    known = tuple(_known(row) for row in bookings.of_engagement(session, engagement.id))
    values["answer_digest"] = _answer_digest(syncing, engagement, known, learned)
    next_at = _next_poll_at(syncing, engagement, known, failures=failures)
    if learned.was_put_off:
        next_at = min(next_at, syncing.now() + syncing.pace.backoff_first)
    if decision.look_again_at is not None:
        next_at = min(next_at, max(decision.look_again_at, syncing.now()))
    finish(session, POLLING, claim, next_at, **values)


def _hints_at_invitations(engagement: Engagement, learned: Learned) -> bool:
    """A first answer, or another one than before: an address that has come may hold an open invitation, a booking that
    has come may have been one. The answer itself never lists them."""
    if engagement.first_evidence_at is None:
        return True
    is_told_anew = learned.aggregated is not None and learned.aggregated.digest.hex() != engagement.digest
    return is_told_anew and not learned.unreadable


def _reconciled(syncing: Syncing, session: Session, engagement: Engagement, answer: Answer) -> Decision:
    now = answer.now
    parents = facilities.tree(session)
    ensure_facilities(session, [one for one in answer.present.values() if one is not None], now)
    rows = {row.id: row for row in bookings.of_engagement(session, engagement.id)}
    refile(rows.values(), answer.recorded, parents)
    listed = {key.booking_id for key in answer.present}
    rows |= {row.id: row for row in bookings.passed_with(session, engagement.id, listed)}
    decision = reconcile(
        [_known(row) for row in rows.values()],
        answer,
        Circumstances(
            losses=losses(session, engagement, asks_directly=syncing.sources[engagement.source].can_ask_directly),
            frozen=_frozen(session, rows.values(), now),
            family={one: root_of(one, parents) for one in parents},
            patience=syncing.patience,
        ),
    )
    cipher = subjects.cipher_of(session, syncing.vault, engagement.subject_id)
    applying = Applying(session, syncing.vault, cipher, engagement, now, syncing.settle, rows)
    apply(applying, decision.outcomes)
    _freeze_or_thaw(session, applying, now)
    if applying.shown or applying.removed:
        changed = applying.shown | applying.removed
        feed_calendars.rewrite(session, syncing.vault, engagement.subject_id, changed, now, syncing.calendar_rules)
    if decision.outcomes:
        subjects.wake_planning(session, [engagement.subject_id], now)
    return decision


def _keep_unreadable(
    syncing: Syncing, session: Session, engagement: Engagement, question: Question, learned: Learned
) -> None:
    if not learned.unreadable and not learned.garbled:
        return
    cipher = subjects.cipher_of(session, syncing.vault, engagement.subject_id)
    for one in learned.unreadable:
        is_new = engagements.quarantine(
            session,
            cipher,
            engagement.id,
            one.content,
            one.reason,
            now=question.began_at,
            facility=one.facility,
            booking_id=one.booking_id,
        )
        if is_new:
            log.warning("booking_quarantined", source=engagement.source, facility=one.facility, reason=one.reason)
    for error in learned.garbled:
        engagements.quarantine(session, cipher, engagement.id, error.content, error.code, now=question.began_at)


def _frozen(session: Session, rows: Collection[Booking], now: datetime) -> frozenset[HsaId]:
    """Looked into once more before anything is believed gone: answers applied at the same time do not see each other's
    suspects, and each of them may have found too few."""
    found = facilities.by_ids(session, {row.facility for row in rows})
    suspected_at = {row.facility for row in rows if row.missed_at is not None}
    for hsa_id, facility in found.items():
        if facility.frozen_at is None and hsa_id in suspected_at:
            _freeze_if_many_are_missing(session, facility, now)
    return frozenset(hsa_id for hsa_id, one in found.items() if one.frozen_at is not None)


def _freeze_or_thaw(session: Session, applying: Applying, now: datetime) -> None:
    """Under mass disappearance a facility freezes; it thaws when none of its bookings is suspect any more."""
    suspected_at = {row.facility for row in applying.rows.values() if row.missed_at is not None}
    for hsa_id, facility in facilities.by_ids(session, {row.facility for row in applying.rows.values()}).items():
        if facility.frozen_at is None and hsa_id in suspected_at:
            _freeze_if_many_are_missing(session, facility, now)
        elif facility.frozen_at is not None and not bookings.has_suspects(session, hsa_id):
            facility.frozen_at = None
            log.warning("facility_thawed", facility=hsa_id)


def _freeze_if_many_are_missing(session: Session, facility: Facility, now: datetime) -> None:
    since = now - _FREEZE_WINDOW
    if facility.released_at is not None:  # what had disappeared by then has been answered for
        since = max(since, facility.released_at)
    seen = bookings.suspicion(session, facility.hsa_id, now, since)
    if mass_disappearance(seen.suspects, seen.subjects, seen.future):
        facility.frozen_at = now
        log.error("facility_frozen", facility=facility.hsa_id, suspects=seen.suspects, subjects=seen.subjects)


def _answer_digest(syncing: Syncing, engagement: Engagement, known: Iterable[Known], learned: Learned) -> str:
    """What the same octets are known by next time; empty where they would have to be looked into all the same."""
    answer = learned.aggregated
    if answer is None or not answer.octets or learned.foreign or learned.unreadable:
        return ""
    if learned.direct or learned.direct_errors:
        return ""
    if any(_hangs_in_the_air(one, learned, syncing.now()) for one in known):
        return ""
    return engagements.answer_digest(syncing.vault, engagement.id, answer.octets)


def _hangs_in_the_air(known: Known, learned: Learned, now: datetime) -> bool:
    if known.is_suspect or known.candidate_until:
        return True
    return is_coming(known, now) and known.key not in learned.present


def _next_poll_at(syncing: Syncing, engagement: Engagement, known: tuple[Known, ...], *, failures: int) -> datetime:
    now = syncing.now()
    coming = [one.start_at for one in known if one.standing is Standing.BOOKED and one.start_at > now]
    return next_poll_at(now, min(coming, default=None), engagement.changed_at, failures, syncing.pace, syncing.spread())


def _code(learned: Learned) -> str:
    return "" if learned.aggregated_error is None else learned.aggregated_error.code


def _known(row: Booking) -> Known:
    return Known(
        id=row.id,
        key=BookingKey(row.source, HsaId(row.logical_address), row.booking_id),
        facility=HsaId(row.facility),
        start_at=row.start_at,
        end_at=row.end_at,
        time_type_id=row.time_type_id,
        facts_digest=bytes.fromhex(row.digest),
        standing=Standing(row.standing),
        first_seen_at=row.first_seen_at,
        is_new=row.is_new,
        missed_at=row.missed_at,
        missed_on_evidence_at=row.missed_on_evidence_at,
        missed_directly_at=row.missed_directly_at,
        candidate_until=row.candidate_until,
    )
