"""Providers' reports: one insert as they come, applied later and forward only. Knows no provider's web address."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from notifier.channels.explaining import explained
from notifier.fallback import RESEND_AFTER, may_resend
from notifier.receipt_status import NOT_DELIVERED, Fate, State, code, fate, next_state, report
from notifier.uncertainty import Patience
from store import deliveries, reported, unsettled
from store.database import Session, Sessions
from store.deliveries import Attempt, Delivery, Receipt
from store.delivery_states import AttemptOutcome, DeliveryState
from store.failpoints import CrashPoint, reached
from store.reported import Reported

_BATCH = 100
_USUAL = Patience()


class Arrived(Protocol):
    """A report as a provider's hook has read it. `attempt_id`: the attempt's public id."""

    @property
    def provider(self) -> str: ...

    @property
    def provider_id(self) -> str: ...

    @property
    def status(self) -> str: ...

    @property
    def code(self) -> str: ...

    @property
    def attempt_id(self) -> str: ...


def record(sessions: Sessions, arrived: Arrived, real_now: datetime) -> bool:
    """Keeps a report, once however often it comes; False for a copy. One insert and nothing else."""
    receipt = Receipt(
        provider=arrived.provider,
        provider_id=arrived.provider_id,
        status=arrived.status,
        attempt_public_id=arrived.attempt_id,
        code=arrived.code,
        received_at=real_now,
        due_at=real_now,
    )
    reached(CrashPoint.C11)
    with sessions.writing() as session:
        is_new = deliveries.add_receipt(session, receipt)
    reached(CrashPoint.C12)
    return is_new


def apply_due(sessions: Sessions, real_now: datetime, now: datetime, patience: Patience = _USUAL) -> int:
    """Applies reports not yet applied, the oldest first; how many. `now` is business time, for the ledger; `patience`
    says when to ask about what a report leaves accepted.

    Reports about a delivery that another worker is just writing are left for the next time.
    """
    with sessions.writing() as session:
        due = deliveries.due_receipts(session, real_now, _BATCH)
        about = reported.about(session, {one.attempt_public_id for one in due})
        free = [one for one in due if one.attempt_public_id not in about.busy]
        for receipt in free:
            receipt.applied_as = _apply(session, about.found.get(receipt.attempt_public_id), receipt, now, patience)
            receipt.due_at = None
        session.flush()
        if free:
            reached(CrashPoint.C13)
        return len(free)


def _apply(session: Session, about: Reported | None, receipt: Receipt, now: datetime, patience: Patience) -> str:
    """What the report did."""
    if about is None:
        return "unknown_attempt"
    if report(receipt.status) is None:
        return "unknown_status"
    attempt = about.attempt(receipt.attempt_public_id)
    if not _is_its_own(session, attempt, receipt):
        return "other_message"
    about.applied[attempt.public_id].append(receipt)
    _write_down(attempt, about.reports(attempt), now)
    return _move(about, now, patience)


def _is_its_own(session: Session, attempt: Attempt, receipt: Receipt) -> bool:
    """A report about another message than the attempt's own says nothing about it. Of an attempt whose answer could
    not be read, the first report tells which message that is."""
    if attempt.provider != receipt.provider:
        return False
    if attempt.provider_id is None:
        return reported.bind(session, attempt, receipt.provider_id)
    return attempt.provider_id == receipt.provider_id


def _write_down(attempt: Attempt, reports: Sequence[Receipt], now: datetime) -> None:
    """The provider has the message, so it took it, whatever we could read or prove when we handed it over."""
    attempt.outcome = AttemptOutcome.ACCEPTED
    attempt.settled_at = attempt.settled_at or now
    attempt.code = code([(one.status, one.code) for one in reports])


def _move(about: Reported, now: datetime, patience: Patience) -> str:
    delivery = about.delivery
    before = (DeliveryState(delivery.state), delivery.reason)
    fates = [fate(one.outcome, [each.status for each in about.reports(one)]) for one in about.attempts]
    told = next_state(*before, fates)
    if told == (DeliveryState.FAILED, NOT_DELIVERED) and _is_sent_again(about, fates, before, now):
        told = None if before[0] == DeliveryState.QUEUED else (DeliveryState.QUEUED, "")
    if told is None:
        return "ignored"
    _write_move(delivery, told, now, patience)
    return told[0].value


def _is_sent_again(about: Reported, fates: Sequence[Fate], before: State, now: datetime) -> bool:
    """Whether the one more try that a fault may be worth is to be made, or lies queued already."""
    delivery = about.delivery
    if before[0] == DeliveryState.FAILED or not {Fate.LOST, Fate.UNSENT}.issuperset(fates):
        return False
    lost = [one for one, came_to in zip(about.attempts, fates, strict=True) if came_to == Fate.LOST]
    at = delivery.next_attempt_at if before[0] == DeliveryState.QUEUED else now + RESEND_AFTER
    faults = [explained(one.provider, one.code) for one in lost]
    return may_resend(faults, at, min(delivery.follow_at or delivery.useful_until, delivery.useful_until))


def _write_move(delivery: Delivery, told: State, now: datetime, patience: Patience) -> None:
    state, reason = told
    waiting = unsettled.waiting(state, patience.first_look, patience.receipt)
    for name, value in {"state": state, "reason": reason, "claimed_until": None, **waiting}.items():
        setattr(delivery, name, value)
    delivery.fence += 1  # whoever holds it, to send it or to ask about it, decides by what is no longer so
    if state == DeliveryState.QUEUED:
        delivery.next_attempt_at = now + RESEND_AFTER
    else:
        delivery.settled_at = delivery.settled_at or now
        delivery.follow_at = _follow_at(delivery, state, now)


def _follow_at(delivery: Delivery, state: DeliveryState, now: datetime) -> datetime | None:
    """What is lost is followed at once, also when another way was gone before: the number may be dead. What arrives
    needs no following, unless such a way may still be called off."""
    if state == DeliveryState.FAILED:
        return now
    if state != DeliveryState.DELIVERED:
        return delivery.follow_at
    return now if delivery.follow_at is None and "," in delivery.ways else None
