"""Follows deliveries until somebody has been reached: learns from why one did not arrive, and goes on by the next
channel, once. Sends nothing; contact points, consents and suppressions are read anew at each step.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import structlog

from notifier import budgeting, opting
from notifier.channels.explaining import explained
from notifier.channels.faults import Fault, Lesson
from notifier.fallback import (
    REPORTING,
    WEARS_OUT_WITHIN,
    Case,
    Step,
    dead_reason,
    step,
    waits_until,
    ways_left,
)
from notifier.opting import Address, Heard
from notifier.planning import Frame, PlanningSettings, frame_of, note_unreached, tell
from notifier.receipt_status import NOT_DELIVERED
from notifier.recipients import is_mobile
from notifier.rules import Planned, PlannedPart
from store import contact_points, deliveries, following, subjects
from store.database import Session, Sessions
from store.deliveries import DeliveryPart
from store.delivery_states import DeliveryState
from store.following import Followed
from store.purposes import Purpose
from store.subjects import ContactPoint, Subject
from store.vault import KeyDestroyed, Unsealable, Vault

_log = structlog.get_logger(__name__)
_LOOK_AGAIN = timedelta(minutes=10)
_BATCH = 50
_ALERTS = frozenset({Lesson.OPERATOR, Lesson.UNLISTED})


@dataclass(frozen=True, slots=True)
class _Work:
    session: Session
    vault: Vault
    frame: Frame
    found: Followed

    @property
    def now(self) -> datetime:
        return self.frame.now


def follow_due(
    sessions: Sessions, vault: Vault, settings: PlanningSettings, now: datetime, resting: Collection[str] = ()
) -> int:
    """Follows one batch, each in a transaction of its own; how many. `resting`: channels whose provider is given a
    rest for its troubles."""
    with sessions.writing() as session:
        done = following.forget_taken(session, now, REPORTING)
        due = following.due(session, now, resting, _BATCH)
    if not due:
        return done
    with sessions.reading() as session:
        frame = frame_of(session, [], settings, now)
    for delivery_id in due:
        with sessions.writing() as session:
            found = following.followed(session, delivery_id)
            if found is None:
                continue  # another worker is at it
            found.delivery.follow_at = _follow(_Work(session, vault, frame, found))
            done += 1
    return done


def anything_due(session: Session, now: datetime, resting: Collection[str] = ()) -> bool:
    return bool(following.due(session, now, resting, 1))


def _follow(work: _Work) -> datetime | None:
    """When to look at it again; None: no more."""
    try:
        _learn(work)
        case = _case(work.found)
        wait = waits_until(case, work.now)
        return wait if wait is not None else _take(work, step(case, work.now))
    except KeyDestroyed:
        return None  # erased: there is nobody to tell
    except Unsealable:
        return work.now + _LOOK_AGAIN  # the wrong key file: an operator can mend it


def _case(found: Followed) -> Case:
    delivery = found.delivery
    return Case(
        purpose=Purpose(delivery.purpose),
        channel=delivery.channel,
        state=DeliveryState(delivery.state),
        reason=delivery.reason,
        visit_at=delivery.visit_at,
        useful_until=delivery.useful_until,
        settled_at=delivery.settled_at,
        others=[DeliveryState(one.state) for one in found.others],
    )


def _take(work: _Work, what: Step) -> datetime | None:
    delivery = work.found.delivery
    match what:
        case Step.WAIT:
            return work.now + _LOOK_AGAIN
        case Step.CALL_OFF:
            queued = [one.id for one in work.found.others if one.state == DeliveryState.QUEUED]
            deliveries.withdraw(work.session, queued, "told_otherwise", work.now)
        case Step.NEXT:
            return _go_on(work)
        case Step.UNREACHED:
            _note_unreached(work, delivery.reason or "not_confirmed")
    return None


def _go_on(work: _Work) -> datetime | None:
    """By the next channel; where there is none, what may still arrive keeps its chance to the end of its use."""
    delivery, session = work.found.delivery, work.session
    if not work.found.parts:
        return None
    recipient = session.get_one(Subject, delivery.recipient_id)
    cipher = subjects.cipher_of(session, work.vault, recipient.id)
    obstacle = tell(session, cipher, recipient, _planned(work), work.frame)
    is_open = delivery.state in (DeliveryState.ACCEPTED, DeliveryState.QUEUED)
    if not obstacle:
        budgeting.count(session, delivery.clinic_id, work.now, work.frame.caps)
        if delivery.state == DeliveryState.QUEUED:
            deliveries.withdraw(session, [delivery.id], "next_channel", work.now)
        _log.info("told_by_next_channel", delivery_id=str(delivery.id), purpose=delivery.purpose, state=delivery.state)
        return None
    if is_open and work.now < delivery.useful_until:
        return delivery.useful_until
    _note_unreached(work, delivery.reason or "not_confirmed")
    return None


def _planned(work: _Work) -> Planned:
    """The same promise, by the channels not yet tried."""
    delivery = work.found.delivery
    tried = {delivery.channel, *(one.channel for one in work.found.others)}
    template = following.template_of(work.session, work.found.parts[0].template_version_id)
    return Planned(
        clinic_id=delivery.clinic_id,
        purpose=Purpose(delivery.purpose),
        template_name=template.name,
        channels=ways_left(delivery.ways, tried),
        parts=tuple(_planned_part(one) for one in work.found.parts),
        visit_at=delivery.visit_at,
        useful_until=delivery.useful_until,
        weekdays_only=delivery.weekdays_only,
    )


def _planned_part(part: DeliveryPart) -> PlannedPart:
    """A rule's or a notice's: all that goes by several channels is about a booking."""
    return PlannedPart(part.booking_id, part.occasion, part.time_version)


def _note_unreached(work: _Work, reason: str) -> None:
    if not work.found.parts:
        return
    recipient = work.session.get_one(Subject, work.found.delivery.recipient_id)
    note_unreached(work.session, recipient, _planned(work), reason, work.now)
    _log.warning("not_reached", delivery_id=str(work.found.delivery.id), reason=reason)


def _learn(work: _Work) -> None:
    """What the provider's last word on a message that failed teaches."""
    delivery, attempts = work.found.delivery, work.found.attempts
    has_failed = delivery.state in (DeliveryState.FAILED, DeliveryState.SKIPPED)
    if not has_failed or not attempts or not attempts[-1].code:
        return
    last = attempts[-1]
    fault = explained(last.provider, last.code)
    if fault.lesson in _ALERTS:
        _log.error("provider_fault", provider=last.provider, code=last.code, reason=fault.reason, meaning=fault.meaning)
    contact = work.session.get(ContactPoint, delivery.contact_id)
    if contact is not None:
        _learn_of(work, contact, fault)


def _learn_of(work: _Work, contact: ContactPoint, fault: Fault) -> None:
    if fault.lesson == Lesson.OPTED_OUT:
        _note_opted_out(work, contact)
        return
    may_be_called = fault.lesson != Lesson.PERHAPS_NOT_MOBILE or _is_mobile(work, contact)
    reason = dead_reason(fault, is_mobile=may_be_called, came_back=_came_back(work, fault))
    if reason and contact_points.mark_dead(work.session, contact.id, reason, work.now):
        _log.warning("contact_dead", subject=str(contact.subject_id), kind=contact.kind, reason=reason)


def _note_opted_out(work: _Work, contact: ContactPoint) -> None:
    """A refusal has been noted when it came; a receipt has not."""
    delivery = work.found.delivery
    if delivery.reason != NOT_DELIVERED:
        return
    heard = Heard("provider", work.found.attempts[-1].code, datetime.now(UTC), work.now)
    opting.stop(work.session, Address(contact.digest, delivery.channel), heard)


def _is_mobile(work: _Work, contact: ContactPoint) -> bool:
    cipher = subjects.cipher_of(work.session, work.vault, contact.subject_id)
    return is_mobile(subjects.opened(cipher, contact).address)


def _came_back(work: _Work, fault: Fault) -> int:
    """How many messages the handset could not be reached with."""
    if fault.lesson != Lesson.PERHAPS_DEAD:
        return 0
    failed = following.came_back(work.session, work.found.delivery, datetime.now(UTC), WEARS_OUT_WITHIN)
    return len({one for one, provider, code in failed if explained(provider, code).lesson == Lesson.PERHAPS_DEAD})
