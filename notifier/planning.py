"""From due subjects to deliveries: asks the rules and inserts what they say. Sends nothing, reads no provider."""

from collections import Counter, deque
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from uuid import UUID

from notifier import agreed
from notifier.agreed import Agreed
from notifier.budgeting import budgeted, give_back
from notifier.facts import Gathered, gather
from notifier.fallback import follow_at
from notifier.recipients import Reachable, choose
from notifier.rules import Plan, Planned, reaches
from notifier.spacing import REMINDERS, Limits
from store import clinics, consents, contact_points, deliveries, subjects, templates, unreached
from store.claims import Claim, claim_due, finish, release
from store.database import Session, Sessions
from store.deliveries import Delivery, DeliveryPart
from store.delivery_states import DeliveryState
from store.failpoints import CrashPoint, reached
from store.identifiers import new_id
from store.purposes import Purpose
from store.subjects import PLANNING, ContactKind, Subject
from store.templates import VersionKey
from store.unreached import Unreached
from store.vault import KeyDestroyed, SubjectCipher, Vault

CHANNELS = {ContactKind.PHONE: "sms", ContactKind.EMAIL: "email"}
_LANGUAGES = ("sv", "en")
_UNTELLABLE = frozenset({"no_contact", "no_words"})


@dataclass(frozen=True, slots=True)
class PlanningSettings:
    """`channels`: those set up here. `population_age`: older register data counts as unknown, and holds."""

    channels: frozenset[str] = frozenset({"sms", "email"})
    limits: Limits = field(default_factory=Limits)
    lease: timedelta = timedelta(seconds=60)
    batch: int = 50
    population_age: timedelta = timedelta(hours=24)
    hold: timedelta = timedelta(minutes=10)  # until a held subject is looked at again


@dataclass(frozen=True, slots=True)
class Planning:
    """What a run did. `untellable`: occasions for which no contact point or no words could be found."""

    subjects: int = 0
    inserted: int = 0
    untellable: int = 0

    def plus(self, other: "Planning") -> "Planning":
        return Planning(
            self.subjects + other.subjects, self.inserted + other.inserted, self.untellable + other.untellable
        )


@dataclass(frozen=True, slots=True)
class Frame:
    """What is the same for every subject of a batch."""

    settings: PlanningSettings
    agreed: Agreed
    caps: Mapping[UUID, int]  # by clinic, of a day's messages; who is not in it has none
    versions: Mapping[VersionKey, UUID]
    now: datetime


def plan_due(sessions: Sessions, vault: Vault, settings: PlanningSettings, now: datetime) -> Planning:
    """Plans one batch of due subjects, each in a transaction of its own. Nothing was due when `subjects` is 0."""
    with sessions.writing() as session:
        claims = claim_due(session, PLANNING, now, settings.lease, settings.batch)
    if not claims:
        return Planning()
    with sessions.reading() as session:
        frame = frame_of(session, [claim.id for claim in claims], settings, now)
    done = Planning()
    left = deque(claims)
    try:
        while left:
            with sessions.writing() as session:
                done = done.plus(_plan_subject(session, vault, frame, left.popleft()))
    finally:  # one subject nobody can plan for keeps its own claim for a lease, and delays nobody else
        _give_back(sessions, left)
    if done.inserted:
        reached(CrashPoint.C1)
    return done


def is_stale(subject: Subject, age: timedelta, now: datetime) -> bool:
    """Whether the population register's last word on the subject is missing or too old to act on."""
    return subject.population_as_of is None or subject.population_as_of < now - age


@dataclass(frozen=True, slots=True)
class Obstacle:
    """Why a subject is told nothing at all now, and when to look again."""

    reason: str
    look_again_at: datetime | None = None


def _give_back(sessions: Sessions, claims: Collection[Claim]) -> None:
    if not claims:
        return
    with sessions.writing() as session:
        release(session, PLANNING, claims)


def _plan_subject(session: Session, vault: Vault, frame: Frame, claim: Claim) -> Planning:
    subject = session.get_one(Subject, claim.id)
    hindered = obstacle(session, subject, frame.settings, frame.now)
    if hindered is not None:
        finish(session, PLANNING, claim, hindered.look_again_at)
        return Planning(subjects=1)
    try:
        cipher = subjects.cipher_of(session, vault, claim.id)
    except KeyDestroyed:
        finish(session, PLANNING, claim, None)  # erased: there is nobody to tell
        return Planning(subjects=1)
    found = gather(session, cipher, claim.id, frame.agreed, ledger_since(frame.settings, frame.now))
    plan, counted = budgeted(session, found.facts, frame.now, frame.settings.limits, frame.caps)
    if any(one.is_told and one.purpose in REMINDERS for one in plan.deliveries):
        facts = replace(found.facts, reach=reach(session, cipher, subject, frame.settings, frame.now))
        if not all(reaches(facts, one) for one in plan.deliveries):
            give_back(session, counted, frame.now)  # decided anew: what reaches nobody holds back nothing else
            plan, counted = budgeted(session, facts, frame.now, frame.settings.limits, frame.caps)
    if not finish(session, PLANNING, claim, plan.next_planning_at):
        give_back(session, counted, frame.now)
        return Planning()  # another worker has taken the subject
    _mark_told(session, found, plan)
    deliveries.withdraw(session, plan.withdrawn, "overtaken", frame.now)
    done, queued = _insert_all(session, cipher, subject, frame, plan.deliveries)
    give_back(session, counted - queued, frame.now)
    return done


def frame_of(session: Session, subject_ids: Collection[UUID], settings: PlanningSettings, now: datetime) -> Frame:
    cap = settings.limits.clinic_cap
    found = {key: agreed.cap_of(one, cap) for key, one in clinics.all_by_id(session).items()}
    caps = {key: one for key, one in found.items() if one is not None}
    held = agreed.read(session, subject_ids, cap, now)
    return Frame(settings, held, caps, templates.active_versions(session), now)


def obstacle(session: Session, subject: Subject, settings: PlanningSettings, now: datetime) -> Obstacle | None:
    """An explicit flag and a missing consent stop; unknown or stale register data only holds."""
    if subject.protected_on or subject.deceased_on:
        return Obstacle("protected" if subject.protected_on else "deceased")
    if not consents.stands(session, subject.id):
        return Obstacle("no_consent")
    return Obstacle("held", now + settings.hold) if is_stale(subject, settings.population_age, now) else None


def ledger_since(settings: PlanningSettings, now: datetime) -> datetime:
    return now - max(settings.limits.apart, settings.limits.cap_within) * 2


def reach(
    session: Session, cipher: SubjectCipher, subject: Subject, settings: PlanningSettings, now: datetime
) -> Mapping[Purpose, frozenset[str]]:
    """By which channels the subject can be sent reminders, for each purpose."""
    reachable = reachable_of(session, cipher, subject, now)
    digests = [one.digest for one in reachable]
    suppressed = {purpose: deliveries.suppressions(session, digests, purpose) for purpose in REMINDERS}
    return {
        purpose: frozenset(one for one in settings.channels if choose(reachable, [one], suppressed[purpose]))
        for purpose in REMINDERS
    }


def _mark_told(session: Session, found: Gathered, plan: Plan) -> None:
    for change_id in plan.told:
        found.changes[change_id].tell = False
        session.add(found.changes[change_id])


def tell(session: Session, cipher: SubjectCipher, subject: Subject, planned: Planned, frame: Frame) -> str:
    """Promises it by the first channel that reaches the subject and has words. Why it cannot be, or nothing."""
    reachable = reachable_of(session, cipher, subject, frame.now)
    contact = contact_for(session, planned, reachable, frame.settings)
    if contact is None:
        return "no_contact"
    version = version_for(frame.versions, planned, contact.channel, subject.language)
    if version is None:
        return "no_words"
    return "" if _insert(session, subject, planned, contact, version, frame.now) else "promised_before"


def note_unreached(session: Session, subject: Subject, planned: Planned, reason: str, now: datetime) -> None:
    """Remembers that nobody is told, so that a letter or a call can follow."""
    for part in planned.parts:
        row = Unreached(
            clinic_id=planned.clinic_id,
            subject_id=subject.id,
            recipient_id=subject.id,
            purpose=planned.purpose,
            occasion=part.occasion,
            booking_id=part.booking_id,
            visit_at=planned.visit_at,
            reason=reason,
            at=now,
        )
        unreached.note(session, row)


def _insert_all(
    session: Session, cipher: SubjectCipher, subject: Subject, frame: Frame, planned: Sequence[Planned]
) -> tuple[Planning, Counter[UUID]]:
    """What was done, and by clinic how many messages now lie queued."""
    _end_grown_up(session, cipher, subject, frame.now)
    queued: Counter[UUID] = Counter()
    inserted = untellable = 0
    for one in planned:
        hindrance = tell(session, cipher, subject, one, frame)
        inserted += not hindrance
        queued[one.clinic_id] += not hindrance and one.is_told
        if hindrance in _UNTELLABLE:
            untellable += len(one.parts)
            if _is_missed(one):
                note_unreached(session, subject, one, one.reason or hindrance, frame.now)
    return Planning(subjects=1, inserted=inserted, untellable=untellable), queued


def _is_missed(planned: Planned) -> bool:
    """Whether it should have been told; else there was a good reason why not."""
    return planned.state != DeliveryState.SKIPPED or planned.reason == "capped"


def reachable_of(session: Session, cipher: SubjectCipher, subject: Subject, now: datetime) -> list[Reachable]:
    grown_at = subjects.grown_at(subject, cipher)
    return [
        Reachable(one.id, CHANNELS[one.kind], one.address, one.digest, is_dead=one.is_dead)
        for one in subjects.contacts(session, cipher, subject.id)
        if one.is_usable and not one.has_ended(grown_at, now)
    ]


def _end_grown_up(session: Session, cipher: SubjectCipher, subject: Subject, now: datetime) -> None:
    """What was given for a child is a contact problem from the 13th birthday on."""
    grown_at = subjects.grown_at(subject, cipher)
    for one in subjects.contacts(session, cipher, subject.id):
        if grown_at is not None and one.is_usable and one.has_ended(grown_at, now):
            contact_points.mark_dead(session, one.id, "grown_up", grown_at)


def contact_for(
    session: Session, planned: Planned, reachable: Sequence[Reachable], settings: PlanningSettings
) -> Reachable | None:
    suppressed = deliveries.suppressions(session, [one.digest for one in reachable], planned.purpose)
    return choose(reachable, [one for one in planned.channels if one in settings.channels], suppressed)


def version_for(versions: Mapping[VersionKey, UUID], planned: Planned, channel: str, language: str) -> UUID | None:
    """The words: the clinic's own before the shipped ones, the recipient's language before Swedish."""
    for spoken in dict.fromkeys((language, *_LANGUAGES)):
        for owner in (planned.clinic_id, None):
            found = versions.get(VersionKey(owner, planned.template_name, channel, spoken))
            if found is not None:
                return found
    return None


def _insert(  # noqa: PLR0913 - who, what, where to, with which words, when
    session: Session, subject: Subject, planned: Planned, contact: Reachable, version: UUID, now: datetime
) -> bool:
    delivery = Delivery(
        id=new_id(),
        clinic_id=planned.clinic_id,
        subject_id=subject.id,
        recipient_id=subject.id,
        contact_id=contact.contact_id,
        purpose=planned.purpose,
        channel=contact.channel,
        ways=",".join(planned.channels),
        language=subject.language,
        state=planned.state,
        reason=planned.reason,
        visit_at=planned.visit_at,
        next_attempt_at=now,
        useful_until=planned.useful_until,
        weekdays_only=planned.weekdays_only,
        follow_at=_follow_at(planned, now),
        created_at=now,
        settled_at=now if planned.reason else None,
    )
    parts = [
        DeliveryPart(
            delivery_id=delivery.id,
            purpose=planned.purpose,
            occasion=part.occasion,
            channel=contact.channel,
            recipient=str(subject.id),
            booking_id=part.booking_id,
            time_version=part.time_version,
            template_version_id=version,
        )
        for part in planned.parts
    ]
    return deliveries.insert(session, delivery, parts)


def _follow_at(planned: Planned, now: datetime) -> datetime | None:
    if planned.state == DeliveryState.QUEUED:
        return follow_at(planned.purpose, now, planned.useful_until)
    return now if _is_missed(planned) else None
