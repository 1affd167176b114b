"""Deliveries that are followed until their recipient has been reached: which are to be looked at, and what bears on
what to do next."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, and_, exists, literal_column, or_, update
from sqlmodel import Session, col, select

from store.deliveries import ENDED_UNFOLLOWED, Attempt, Delivery, DeliveryPart, is_queued
from store.delivery_states import DeliveryState
from store.identifiers import first_id
from store.templates import Template, TemplateVersion

UNFOLLOWED_END: ColumnElement[bool] = literal_column(f"({ENDED_UNFOLLOWED})")
_SETTLED = (DeliveryState.ACCEPTED, DeliveryState.DELIVERED)


@dataclass(frozen=True, slots=True)
class Followed:
    """A delivery, locked, with the parts that stood when it went, its attempts (the earliest first), and the
    deliveries of the same occasions to the same recipient by other channels."""

    delivery: Delivery
    parts: Sequence[DeliveryPart]
    attempts: Sequence[Attempt]
    others: Sequence[Delivery]


def due(session: Session, now: datetime, resting: Collection[str], limit: int) -> list[UUID]:
    """What is to be looked at: what ended without reaching anybody, then what has not arrived in time. Of what lies
    queued only what a provider is in the way of: it has been tried, or its channel (`resting`) is given a rest."""
    ended = session.exec(select(Delivery.id).where(UNFOLLOWED_END).order_by(col(Delivery.follow_at)).limit(limit)).all()
    if len(ended) == limit:
        return list(ended)
    late = select(Delivery.id).where(_is_late(now), or_(_has_settled(), _is_stuck(now, resting)))
    return [*ended, *session.exec(late.order_by(col(Delivery.follow_at)).limit(limit - len(ended)))]


def forget_taken(session: Session, now: datetime, reporting: Collection[str]) -> int:
    """What a channel took that never tells of arrival needs no following any more. How many."""
    taken = and_(col(Delivery.state) == DeliveryState.ACCEPTED, col(Delivery.channel).not_in(list(reporting)))
    statement = update(Delivery).where(_is_late(now), taken).values(follow_at=None)
    return session.connection().execute(statement.execution_options(synchronize_session=False)).rowcount


def followed(session: Session, delivery_id: UUID) -> Followed | None:
    """None while another worker holds it, or when it is followed no more."""
    query = select(Delivery).where(col(Delivery.id) == delivery_id, col(Delivery.follow_at).is_not(None))
    locked = query.with_for_update(skip_locked=True).execution_options(populate_existing=True)
    delivery = session.exec(locked).first()
    if delivery is None:
        return None
    standing = select(DeliveryPart).where(
        col(DeliveryPart.delivery_id) == delivery_id, col(DeliveryPart.dropped_reason) == ""
    )
    parts = session.exec(standing.order_by(col(DeliveryPart.id))).all()
    made = select(Attempt).where(col(Attempt.delivery_id) == delivery_id).order_by(col(Attempt.id))
    return Followed(delivery, parts, session.exec(made).all(), _others(session, delivery, parts))


def template_of(session: Session, version_id: UUID) -> Template:
    return session.exec(select(Template).join(TemplateVersion).where(col(TemplateVersion.id) == version_id)).one()


def came_back(
    session: Session, delivery: Delivery, real_now: datetime, within: timedelta
) -> list[tuple[UUID, str, str]]:
    """Delivery, provider and code of every attempt at the same contact point that failed lately, since a message last
    arrived there."""
    same = (col(Delivery.recipient_id) == delivery.recipient_id, col(Delivery.contact_id) == delivery.contact_id)
    arrived = select(Delivery.id).where(*same, col(Delivery.state) == DeliveryState.DELIVERED)
    last = session.exec(arrived.order_by(col(Delivery.id).desc()).limit(1)).first()
    since = first_id(real_now - within)
    query = (
        select(Delivery.id, Attempt.provider, Attempt.code)
        .join(Attempt, col(Attempt.delivery_id) == col(Delivery.id))
        .where(*same, col(Delivery.id) > max(since, last or since), col(Attempt.code) != "")
    )
    return list(session.exec(query))


def _others(session: Session, delivery: Delivery, parts: Sequence[DeliveryPart]) -> Sequence[Delivery]:
    same = (
        col(DeliveryPart.purpose) == delivery.purpose,
        col(DeliveryPart.occasion).in_([part.occasion for part in parts]),
        col(DeliveryPart.recipient) == str(delivery.recipient_id),
    )
    ids = select(DeliveryPart.delivery_id).where(*same, col(DeliveryPart.delivery_id) != delivery.id)
    return session.exec(select(Delivery).where(col(Delivery.id).in_(ids))).all()


def _is_late(now: datetime) -> ColumnElement[bool]:
    return col(Delivery.follow_at) <= now


def _has_settled() -> ColumnElement[bool]:
    """Whatever the channel: those that tell of no arrival are forgotten many at a time."""
    return col(Delivery.state).in_([one.value for one in _SETTLED])


def _is_stuck(now: datetime, resting: Collection[str]) -> ColumnElement[bool]:
    tried = exists().where(col(Attempt.delivery_id) == col(Delivery.id))
    in_the_way = or_(tried, col(Delivery.channel).in_(list(resting)))
    return and_(is_queued(), col(Delivery.next_attempt_at) > now, in_the_way)
