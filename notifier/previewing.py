"""Reads what a preview of a clinic's messages stands on, and names by which channel and with which words each would go.
Decides nothing: that is the planner's own function (notifier.foreseeing). Writes nothing."""

import heapq
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from notifier import agreed, planning
from notifier.facts import gather
from notifier.foreseeing import Caps, Foreseen, foresee
from notifier.planning import PlanningSettings
from notifier.rules import Facts
from notifier.swedish_days import local
from store import (
    bookings,
    budgets,
    clinic_rules,
    clinics,
    freezes,
    in_hand,
    installation,
    replannings,
    subjects,
    templates,
)
from store.bookings import Booking
from store.clinics import Clinic
from store.database import Session
from store.purposes import OFF, Purpose
from store.subjects import Subject
from store.vault import KeyDestroyed, Vault


class Note(StrEnum):
    """What else there is to know of a message."""

    PLANNED = "planned"  # it lies in the ledger, with its words
    IN_DOUBT = "in_doubt"  # a visit was missing from the latest answer: it waits, or says so
    FROZEN = "frozen"  # many visits disappeared from its facility at once: that one is off waits


@dataclass(frozen=True, slots=True)
class Line:
    """One message, or why it does not go (`reason`; empty: it goes). `to` is a whole address: mask it."""

    at: datetime
    subject_id: UUID
    purpose: str
    words: str
    channel: str
    to: str = field(repr=False)
    visits: tuple[datetime, ...]
    reason: str
    notes: frozenset[Note] = frozenset()


@dataclass(frozen=True, slots=True)
class _Person:
    facts: Facts
    subject: Subject
    hindrance: str


def preview(  # noqa: PLR0913 - what, by which rules, from when to when
    session: Session, vault: Vault, clinic: Clinic, settings: PlanningSettings, now: datetime, until: datetime
) -> Iterator[Line]:
    """What the clinic's coming visits and untold changes lead to until then, in the order of time, with what
    is planned already."""
    planned = sorted(_planned(session, vault, clinic, until), key=_time)
    yield from heapq.merge(planned, _foreseen(session, vault, clinic, settings, now, until), key=_time)


def _time(line: Line) -> datetime:
    return line.at


def _planned(session: Session, vault: Vault, clinic: Clinic, until: datetime) -> Iterator[Line]:
    """What lies queued, or waits for its provider's word."""
    for found in in_hand.of_clinic(session, clinic.id, until):
        delivery = found.delivery
        try:
            cipher = subjects.cipher_of(session, vault, delivery.recipient_id)
        except KeyDestroyed:
            continue
        yield Line(
            at=delivery.next_attempt_at,
            subject_id=delivery.subject_id,
            purpose=delivery.purpose,
            words=found.words,
            channel=delivery.channel,
            to=subjects.opened(cipher, found.contact).address,
            visits=tuple(sorted(one.start_at for one in found.visits)),
            reason=_stopped(session, clinic),
            notes=frozenset({Note.PLANNED, *_doubts(session, found.visits, Purpose(delivery.purpose))}),
        )


def _foreseen(  # noqa: PLR0913
    session: Session, vault: Vault, clinic: Clinic, settings: PlanningSettings, now: datetime, until: datetime
) -> Iterator[Line]:
    everybody = list(clinics.all_by_id(session).values())
    among = [one for one in everybody if clinics.may_send(one) or one.id == clinic.id]
    people = {one.facts.subject_id: one for one in _people(session, vault, clinic, among, settings, now)}
    cap = settings.limits.clinic_cap
    caps = {one.id: most for one in among if (most := agreed.cap_of(one, cap)) is not None}
    counted = Caps(caps, budgets.planned_on(session, local(now).date()))
    versions = templates.active_versions(session)
    stopped = _stopped(session, clinic)
    for one in foresee([one.facts for one in people.values()], now, until, settings.limits, counted):
        if one.planned.clinic_id == clinic.id:
            person = people[one.subject_id]
            cipher = subjects.cipher_of(session, vault, one.subject_id)
            contact = planning.contact_for(
                session, one.planned, planning.reachable_of(session, cipher, person.subject, one.at), settings
            )
            channel = "" if contact is None else contact.channel
            version = planning.version_for(versions, one.planned, channel, person.subject.language)
            unreachable = "no_contact" if contact is None else "no_words" if version is None else ""
            reason = one.planned.reason or stopped or person.hindrance or unreachable
            line = _line(one, person, channel, "" if contact is None else contact.address, reason)
            told = bookings.by_ids(
                session, [part.booking_id for part in one.planned.parts if part.booking_id is not None]
            )
            yield replace(line, notes=frozenset(_doubts(session, told.values(), one.planned.purpose)))


def _people(  # noqa: PLR0913
    session: Session, vault: Vault, clinic: Clinic, among: list[Clinic], settings: PlanningSettings, now: datetime
) -> Iterator[_Person]:
    owned = [one.hsa_id for one in clinic_rules.facilities_of(session, [clinic.id])]
    ids = sorted(replannings.coming_subjects(session, owned, now) | bookings.untold_subjects(session, owned))
    held = agreed.read(session, ids, settings.limits.clinic_cap, now, among)
    for subject_id in ids:
        subject = session.get_one(Subject, subject_id)
        hindered = planning.obstacle(session, subject, settings, now)
        try:
            cipher = subjects.cipher_of(session, vault, subject_id)
        except KeyDestroyed:
            continue  # erased: there is nobody to tell
        facts = gather(session, cipher, subject_id, held, planning.ledger_since(settings, now)).facts
        facts = replace(facts, reach=planning.reach(session, cipher, subject, settings, now))
        yield _Person(facts, subject, "" if hindered is None else hindered.reason)


def _doubts(session: Session, visits: Iterable[Booking], purpose: Purpose) -> Iterator[Note]:
    """What the last look before sending would wait for, or say, if it looked now (notifier.last_check)."""
    held = list(visits)
    if purpose not in OFF and any(one.missed_at is not None for one in held):
        yield Note.IN_DOUBT
    if purpose in OFF and not {one.facility for one in held}.isdisjoint(
        {one.hsa_id for one in freezes.frozen_facilities(session)}
    ):
        yield Note.FROZEN


def _stopped(session: Session, clinic: Clinic) -> str:
    if not clinics.may_send(clinic):
        return "no_decision"
    return "paused" if clinic.paused_at is not None or installation.paused_at(session) is not None else ""


def _line(one: Foreseen, person: _Person, channel: str, to: str, reason: str) -> Line:
    starts = {visit.booking_id: visit.start_at for visit in person.facts.visits}
    visits = tuple(sorted(starts[part.booking_id] for part in one.planned.parts if part.booking_id is not None))
    planned = one.planned
    return Line(one.at, one.subject_id, planned.purpose.value, planned.template_name, channel, to, visits, reason)
