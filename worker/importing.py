"""Feeding a deployment: facilities with their clinics and decisions, subjects with their consents and calendars."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from feeds.periods import CalendarRules
from feeds.subscribing import Refused, Wishes, open_calendar
from notifier.languages import SHIPPED, SWEDISH
from notifier.swedish_days import local
from store import calendars, clinics, consents, engagements, enrolment, facilities, replannings, subjects
from store.clinics import Clinic, Decision
from store.consents import Consent, stands
from store.database import Session, Sessions
from store.engagements import Engagement, of_subject
from store.facilities import Facility
from store.identifiers import HsaId
from store.subjects import ContactKind, Said, Subject
from store.vault import Vault
from worker.import_files import FacilityRow, ImportRefused, SubjectRow


def import_facilities(sessions: Sessions, rows: Sequence[FacilityRow], now: datetime) -> int:
    """Adds or updates facilities and their clinics; returns how many were new.

    A clinic named for the first time is made without a needs-and-risk decision: it gets no messages until
    `kallelse clinic decide` records one. Raises ImportRefused when a parent is in neither file nor database.
    """
    with sessions.writing() as session:
        known = facilities.by_ids(session, {row.hsa_id for row in rows} | {row.parent for row in rows if row.parent})
        missing = {row.parent for row in rows if row.parent} - known.keys() - {row.hsa_id for row in rows}
        if missing:
            raise ImportRefused(f"parent: {', '.join(sorted(missing))} is neither in this file nor known before")
        _require_no_ring({**facilities.tree(session), **{row.hsa_id: row.parent for row in rows}})
        changed = [
            row.hsa_id for row in _parents_first(rows) if _keep_facility(session, row, known.get(row.hsa_id), now)
        ]
        replannings.ask_for(session, _with_those_below(session, changed), now)
        calendars.wake_calendars_at(session, [row.hsa_id for row in rows], now)
        return sum(row.hsa_id not in known for row in rows)


def import_subject(  # noqa: PLR0913 - what, from whom, asked about where
    session: Session, vault: Vault, row: SubjectRow, sources: Sequence[str], now: datetime, said: Said | None = None
) -> bool:
    """Adds a subject, or what is new of one known before: consent, contact points, an engagement per source.

    False, and nothing is changed, where a consent has been withdrawn since the day on the line: an old file must not
    bring back what the person has taken back.
    """
    subject = subjects.by_number(session, vault, row.subject)
    if subject is None:
        subject = subjects.add(session, vault, row.subject, language=row.language, now=now)
    if not stands(session, subject.id):
        if _is_withdrawn_since(session, subject, row):
            return False
        session.add(_consent(subject, row))
        engagements.wake_polls(session, [subject.id], now)
    if row.phone:
        subjects.add_contact(session, vault, subject.id, ContactKind.PHONE, row.phone, now=now, said=said)
    if row.email:
        subjects.add_contact(session, vault, subject.id, ContactKind.EMAIL, row.email, now=now, said=said)
    _engage(session, subject, sources, now)
    session.flush()
    return True


def open_wished_calendar(
    sessions: Sessions, vault: Vault, row: SubjectRow, rules: CalendarRules, now: datetime
) -> bool:
    """Opens the calendar that the line asks for; False where the register has not been heard of, or forbids it.

    One that is there stays as it is: its level may be the person's own choice since.
    """
    if row.level is None:
        return True
    try:
        with sessions.writing() as session:
            subject = subjects.by_number(session, vault, row.subject)
            if subject is None:
                return False
            if calendars.of_viewer(session, subject.id, subject.id) is not None:
                return True
            wishes = Wishes(level=row.level, language=row.language if row.language in SHIPPED else SWEDISH)
            open_calendar(session, vault, wishes, viewer_id=subject.id, subject_id=subject.id, now=now, rules=rules)
    except Refused:
        return False
    return True


def decide(sessions: Sessions, clinic: str, decision: Decision, now: datetime) -> bool:
    """Records a clinic's needs-and-risk decision; False where there is no such clinic."""
    with sessions.writing() as session:
        row = clinics.by_name(session, clinic)
        if row is None:
            return False
        clinics.record_decision(row, decision)
        session.add(row)
        session.flush()
        replannings.ask_for_clinic(session, row.id, now)
        return True


def withdraw_consents(session: Session, subject_id: UUID, now: datetime) -> int:
    """Withdraws every consent that stands; the subject's addresses are gone at once. Returns how many."""
    count = consents.withdraw_all(session, subject_id, local(now).date())
    calendars.revoke_access_to_subject(session, subject_id, now)
    subjects.wake_planning(session, [subject_id], now)
    return count


def _is_withdrawn_since(session: Session, subject: Subject, row: SubjectRow) -> bool:
    withdrawn_on = enrolment.withdrawn_on(session, subject.id)
    return withdrawn_on is not None and row.consent_given_on <= withdrawn_on


def _consent(subject: Subject, row: SubjectRow) -> Consent:
    return Consent(
        subject_id=subject.id, given_by=subject.id, version=row.consent_version, given_on=row.consent_given_on
    )


def _engage(session: Session, subject: Subject, sources: Sequence[str], now: datetime) -> None:
    engaged = {one.source for one in of_subject(session, subject.id)}
    for source in sources:
        if source not in engaged:
            session.add(Engagement(subject_id=subject.id, source=source, next_poll_at=now, created_at=now))


def _require_no_ring(parents: Mapping[HsaId, HsaId | None]) -> None:
    for start in parents:
        passed = {start}
        at = parents[start]
        while at is not None:
            if at in passed:
                raise ImportRefused(f"parent: {start} comes to stand below itself: its units form a ring")
            passed.add(at)
            at = parents.get(at)


def _parents_first(rows: Sequence[FacilityRow]) -> list[FacilityRow]:
    waiting = {row.hsa_id: row for row in rows}
    ordered: list[FacilityRow] = []
    while waiting:
        ready = [row for row in waiting.values() if row.parent not in waiting]
        ordered += ready
        for row in ready:
            del waiting[row.hsa_id]
    return ordered


def _with_those_below(session: Session, changed: Sequence[HsaId]) -> set[HsaId]:
    parents = facilities.tree(session)
    concerned = set(changed)
    while below := {child for child, parent in parents.items() if parent in concerned} - concerned:
        concerned |= below
    return concerned


def _keep_facility(session: Session, row: FacilityRow, known: Facility | None, now: datetime) -> bool:
    """True if what is told of visits there, or when, may be another now."""
    before = None if known is None else _telling(known)
    facility = known or Facility(hsa_id=row.hsa_id, spelling=row.spelling, display_name="", message_name="")
    clinic = _clinic(session, row, now) if row.clinic else None
    facility.spelling = row.spelling
    facility.parent = row.parent
    facility.display_name = row.display_name
    facility.message_name = row.message_name
    facility.is_sensitive = row.is_sensitive
    facility.phone = row.phone
    facility.address = row.address
    facility.clinic_id = clinic.id if clinic else None
    facility.cancel_deadline = row.cancel_deadline
    facility.remote_time_types = list(row.remote_time_types)
    facility.shows_end = row.shows_end
    facility.imported_at = now
    session.add(facility)
    session.flush()
    return _telling(facility) != before


def _telling(facility: Facility) -> tuple[object, ...]:
    return facility.clinic_id, facility.parent, facility.cancel_deadline, tuple(facility.remote_time_types)


def _clinic(session: Session, row: FacilityRow, now: datetime) -> Clinic:
    return clinics.by_name(session, row.clinic) or clinics.add(session, row.clinic, now, row.phone)
