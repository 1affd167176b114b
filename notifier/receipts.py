"""Providers' reports: one insert as they come, applied later and forward only. Knows no provider's web address."""

from datetime import datetime
from typing import Protocol

from notifier.receipt_status import Report, next_state, report
from store import deliveries
from store.database import Session, Sessions
from store.deliveries import Attempt, AttemptOutcome, Delivery, Receipt
from store.delivery_states import DeliveryState

_BATCH = 100


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
    with sessions.writing() as session:
        return deliveries.add_receipt(session, receipt)


def apply_due(sessions: Sessions, real_now: datetime, now: datetime) -> int:
    """Applies reports not yet applied, the oldest first; how many. `now` is business time, for the ledger."""
    with sessions.writing() as session:
        receipts = deliveries.due_receipts(session, real_now, _BATCH)
        for receipt in receipts:
            receipt.applied_as = _apply(session, receipt, now)
            receipt.due_at = None
            session.add(receipt)
            session.flush()
        return len(receipts)


def _apply(session: Session, receipt: Receipt, now: datetime) -> str:
    """What the report did. A report about another message than the attempt's own says nothing about it."""
    found = deliveries.by_public_id(session, receipt.attempt_public_id)
    if found is None:
        return "unknown_attempt"
    attempt, delivery = found
    if attempt.provider != receipt.provider or attempt.provider_id not in (None, receipt.provider_id):
        return "other_message"
    if report(receipt.status) is None:
        return "unknown_status"
    _bind(attempt, receipt, now)
    session.add(attempt)
    return _move(session, delivery, receipt, now)


def _bind(attempt: Attempt, receipt: Receipt, now: datetime) -> None:
    """The provider has the message, so it took it, whatever we could read when we handed it over."""
    attempt.provider_id = receipt.provider_id
    attempt.code = receipt.code or attempt.code
    if attempt.outcome in (None, AttemptOutcome.UNKNOWN):
        attempt.outcome = AttemptOutcome.ACCEPTED
        attempt.settled_at = now


def _move(session: Session, delivery: Delivery, receipt: Receipt, now: datetime) -> str:
    state = next_state(DeliveryState(delivery.state), delivery.reason, receipt.status)
    if state is None:
        return "ignored"
    delivery.state = state
    delivery.reason = "not_delivered" if report(receipt.status) == Report.LOST else ""
    delivery.settled_at = delivery.settled_at or now
    delivery.claimed_until = None
    session.add(delivery)
    return state.value
