"""From due subjects to deliveries: asks the rules and inserts what they say. Sends nothing, reads no provider."""

from collections import Counter, deque
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from notifier import agreed
from notifier.agreed import Agreed
from notifier.budgeting import budgeted, give_back
from notifier.facts import Gathered, gather
from notifier.recipients import Reachable, choose
from notifier.rules import Plan, Planned
from notifier.spacing import Limits
from store import clinics, consents, deliveries, subjects, templates
from store.claims import Claim, claim_due, finish, release
from store.database import Session, Sessions
from store.deliveries import Delivery, DeliveryPart
from store.failpoints import CrashPoint, reached
from store.identifiers import new_id
from store.subjects import PLANNING, ContactKind, Subject
from store.templates import VersionKey
from store.vault import KeyDestroyed, SubjectCipher, Vault

_CHANNELS = {ContactKind.PHONE: "sms", ContactKind.EMAIL: "email"}
_LANGUAGES = ("sv", "en")


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
class _Frame:
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
        frame = _frame(session, [claim.id for claim in claims], settings, now)
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


def _plan_subject(session: Session, vault: Vault, frame: _Frame, claim: Claim) -> Planning:
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
    if not finish(session, PLANNING, claim, plan.next_planning_at):
        give_back(session, counted, frame.now)
        return Planning()  # another worker has taken the subject
    _mark_told(session, found, plan)
    deliveries.withdraw(session, plan.withdrawn, "overtaken", frame.now)
    done, queued = _insert_all(session, cipher, subject, frame, plan.deliveries)
    give_back(session, counted - queued, frame.now)
    return done


def _frame(session: Session, subject_ids: Collection[UUID], settings: PlanningSettings, now: datetime) -> _Frame:
    cap = settings.limits.clinic_cap
    found = {key: agreed.cap_of(one, cap) for key, one in clinics.all_by_id(session).items()}
    caps = {key: one for key, one in found.items() if one is not None}
    held = agreed.read(session, subject_ids, cap, now)
    return _Frame(settings, held, caps, templates.active_versions(session), now)


def obstacle(session: Session, subject: Subject, settings: PlanningSettings, now: datetime) -> Obstacle | None:
    """An explicit flag and a missing consent stop; unknown or stale register data only holds."""
    if subject.protected_on or subject.deceased_on:
        return Obstacle("protected" if subject.protected_on else "deceased")
    if not consents.stands(session, subject.id):
        return Obstacle("no_consent")
    return Obstacle("held", now + settings.hold) if is_stale(subject, settings.population_age, now) else None


def ledger_since(settings: PlanningSettings, now: datetime) -> datetime:
    return now - max(settings.limits.apart, settings.limits.cap_within) * 2


def _mark_told(session: Session, found: Gathered, plan: Plan) -> None:
    for change_id in plan.told:
        found.changes[change_id].tell = False
        session.add(found.changes[change_id])


def _insert_all(
    session: Session, cipher: SubjectCipher, subject: Subject, frame: _Frame, planned: Sequence[Planned]
) -> tuple[Planning, Counter[UUID]]:
    """What was done, and by clinic how many messages now lie queued."""
    reachable = reachable_of(session, cipher, subject)
    queued: Counter[UUID] = Counter()
    inserted = untellable = 0
    for one in planned:
        contact = contact_for(session, one, reachable, frame.settings)
        version = None if contact is None else version_for(frame.versions, one, contact.channel, subject.language)
        if contact is None or version is None:
            untellable += len(one.parts)
            continue
        is_new = _insert(session, subject, one, contact, version, frame.now)
        inserted += is_new
        queued[one.clinic_id] += is_new and one.is_told
    return Planning(subjects=1, inserted=inserted, untellable=untellable), queued


def reachable_of(session: Session, cipher: SubjectCipher, subject: Subject) -> list[Reachable]:
    contacts = subjects.contacts(session, cipher, subject.id)
    return [Reachable(one.id, _CHANNELS[one.kind], one.address, one.digest, one.is_dead) for one in contacts]


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
        language=subject.language,
        state=planned.state,
        reason=planned.reason,
        visit_at=planned.visit_at,
        next_attempt_at=now,
        useful_until=planned.useful_until,
        weekdays_only=planned.weekdays_only,
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
