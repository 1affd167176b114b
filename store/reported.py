"""What providers' reports are about: attempts, their deliveries, and what has been applied of their reports before."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select

from store.deliveries import Attempt, Delivery, Receipt


@dataclass(frozen=True, slots=True)
class Reported:
    """A delivery with its attempts, the earliest first, and the reports applied so far, each by the attempt's public
    id. The delivery, and the attempts that were asked for, are locked."""

    delivery: Delivery
    attempts: Sequence[Attempt]
    applied: dict[str, list[Receipt]]

    def attempt(self, public_id: str) -> Attempt:
        return next(one for one in self.attempts if one.public_id == public_id)

    def reports(self, attempt: Attempt) -> list[Receipt]:
        """Those applied about the attempt's own message."""
        return [one for one in self.applied[attempt.public_id] if one.provider_id == attempt.provider_id]


@dataclass(frozen=True, slots=True)
class About:
    """By attempts' public ids. `busy`: another worker holds the row, and waiting for it could end in a deadlock, as
    workers lock in orders of their own. An id that is in neither is no attempt of ours."""

    found: dict[str, Reported]
    busy: frozenset[str]


def about(session: Session, public_ids: Collection[str]) -> About:
    """What attempts' public ids stand for. Waits for nobody."""
    locked = _locked(session, public_ids)
    attempts = _attempts(session, {delivery.id for _, delivery in locked})
    applied = _applied(session, [one.public_id for of in attempts.values() for one in of])
    reported = {
        delivery.id: Reported(
            delivery, attempts[delivery.id], {one.public_id: applied[one.public_id] for one in attempts[delivery.id]}
        )
        for _, delivery in locked
    }
    found = {attempt.public_id: reported[delivery.id] for attempt, delivery in locked}
    return About(found, _existing(session, set(public_ids) - found.keys()))


def bind(session: Session, attempt: Attempt, provider_id: str) -> bool:
    """Ties an attempt to the provider's message; False, and nothing is changed, if it is another attempt's."""
    try:
        with session.begin_nested():
            attempt.provider_id = provider_id
            session.flush()
    except IntegrityError:
        return False
    return True


def _locked(session: Session, public_ids: Collection[str]) -> Sequence[tuple[Attempt, Delivery]]:
    query = (
        select(Attempt, Delivery)
        .join(Delivery, col(Delivery.id) == col(Attempt.delivery_id))
        .where(col(Attempt.public_id).in_(list(public_ids)))
        .with_for_update(skip_locked=True)
    )
    return session.exec(query.execution_options(populate_existing=True)).all()


def _attempts(session: Session, delivery_ids: Collection[UUID]) -> dict[UUID, list[Attempt]]:
    by_delivery: dict[UUID, list[Attempt]] = {one: [] for one in delivery_ids}
    query = select(Attempt).where(col(Attempt.delivery_id).in_(list(delivery_ids))).order_by(col(Attempt.id))
    for attempt in session.exec(query):
        by_delivery[attempt.delivery_id].append(attempt)
    return by_delivery


def _applied(session: Session, public_ids: Collection[str]) -> dict[str, list[Receipt]]:
    by_attempt: dict[str, list[Receipt]] = {one: [] for one in public_ids}
    query = select(Receipt).where(col(Receipt.attempt_public_id).in_(list(public_ids)), col(Receipt.due_at).is_(None))
    for receipt in session.exec(query):
        by_attempt[receipt.attempt_public_id].append(receipt)
    return by_attempt


def _existing(session: Session, public_ids: Collection[str]) -> frozenset[str]:
    if not public_ids:
        return frozenset()
    return frozenset(session.exec(select(Attempt.public_id).where(col(Attempt.public_id).in_(list(public_ids)))))
