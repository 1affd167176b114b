"""Deliveries about which the provider has to be asked: uncertain ones, and accepted ones without a receipt.

`ask_at` is lease time: waits here are real, whatever the business clock says.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, or_, update
from sqlmodel import Session, col, func, select

from store.claims import Claim, Due, anything_due, claim_due
from store.columns import lease_clock
from store.deliveries import Attempt, AttemptOutcome, Delivery
from store.delivery_states import DeliveryState

ASKING = Due(Delivery, "ask_at")
PROVED_ABSENT = "absent"  # an attempt's code: the provider was asked, and does not have it
RESTORED = "restored"  # likewise: perhaps made before a restore, by whichever provider it was then


@dataclass(frozen=True, slots=True)
class Doubt:
    """A delivery to ask about, with its attempts, the earliest first. `unknown_for`: 0 where it is not uncertain."""

    delivery: Delivery
    state: DeliveryState
    attempts: Sequence[Attempt]
    unknown_for: timedelta

    @property
    def unknown(self) -> Sequence[Attempt]:
        """The attempts that nobody knows the end of."""
        return [one for one in self.attempts if one.outcome in (None, AttemptOutcome.UNKNOWN)]

    @property
    def is_of_lost_system(self) -> bool:
        """Whether a restored backup does not know if, and by which provider, it was sent."""
        return any(one.code == RESTORED for one in self.unknown)

    @property
    def taken(self) -> Attempt | None:
        """The attempt that the provider took."""
        return next((one for one in reversed(self.attempts) if one.provider_id is not None), None)


def waiting(state: DeliveryState, first_look: timedelta, receipt: timedelta) -> dict[str, Any]:
    """What a delivery's columns hold about asking when it enters a state; durations until the provider is asked."""
    if state == DeliveryState.UNCERTAIN:
        return {"ask_at": lease_clock(first_look.total_seconds()), "asked": 0, "unknown_since": lease_clock()}
    if state == DeliveryState.ACCEPTED:
        return {"ask_at": lease_clock(receipt.total_seconds()), "asked": 0, "unknown_since": None}
    return {"ask_at": None, "asked": 0, "unknown_since": None}


def doubt_lost(session: Session, first_look: timedelta, receipt: timedelta) -> int:
    """Deliveries being sent whose worker's lease has run out become uncertain: nobody knows. How many."""
    values = {"state": DeliveryState.UNCERTAIN, "claimed_until": None}
    lost = select(Delivery.id).where(_is_lost()).with_for_update(skip_locked=True)  # a worker may only stand still
    statement = (
        update(Delivery)
        .where(col(Delivery.id).in_(lost))
        .values({**values, **waiting(DeliveryState.UNCERTAIN, first_look, receipt)})
    )
    return session.connection().execute(statement.execution_options(synchronize_session=False)).rowcount


def anything_lost(session: Session) -> bool:
    """Whether a delivery being sent has lost its worker."""
    return session.exec(select(Delivery.id).where(_is_lost()).limit(1)).first() is not None


def anything_to_ask(session: Session) -> bool:
    return anything_due(session, ASKING, lease_clock())


def claim_to_ask(session: Session, lease: timedelta, limit: int) -> list[Claim]:
    """Takes up to `limit` deliveries to ask about: uncertain ones before those that merely lack a receipt, of which
    there may be thousands; the longest due first."""
    is_uncertain = col(Delivery.state) == DeliveryState.UNCERTAIN
    claims = claim_due(session, ASKING, lease_clock(), lease, limit, only=is_uncertain)
    return claims or claim_due(session, ASKING, lease_clock(), lease, limit)


def doubt(session: Session, claim: Claim) -> Doubt | None:
    """What is claimed, if it is still ours and still to be asked about."""
    query = select(Delivery, lease_clock()).where(_mine(claim), col(Delivery.ask_at).is_not(None))
    row = session.exec(query.execution_options(populate_existing=True)).first()
    if row is None:
        return None
    delivery, clock = row
    made = select(Attempt).where(col(Attempt.delivery_id) == delivery.id).order_by(col(Attempt.id))
    since = delivery.unknown_since
    unknown_for = timedelta() if since is None else clock - since
    return Doubt(delivery, DeliveryState(delivery.state), session.exec(made).all(), unknown_for)


def bound(session: Session, provider: str, provider_ids: Collection[str]) -> frozenset[str]:
    """Those of a provider's ids that attempts of ours are known under."""
    query = select(Attempt.provider_id).where(
        col(Attempt.provider) == provider, col(Attempt.provider_id).in_(list(provider_ids))
    )
    return frozenset(one for one in session.exec(query) if one is not None)


def under_way(session: Session, about: Doubt, wording_digests: Collection[str]) -> int:
    """How many other deliveries are now handing the same words to the same recipient: one of theirs may be listed."""
    query = (
        select(func.count())
        .select_from(Attempt)
        .join(Delivery, col(Delivery.id) == col(Attempt.delivery_id))
        .where(
            col(Delivery.recipient_id) == about.delivery.recipient_id,
            col(Delivery.id) != about.delivery.id,
            col(Delivery.state) == DeliveryState.SENDING,
            col(Attempt.outcome).is_(None),
            col(Attempt.wording_digest).in_(list(wording_digests)),
        )
    )
    return session.exec(query).one()


def ask_again(session: Session, claim: Claim, about: Doubt, after: timedelta | None, asked: int) -> bool:
    """Gives it back, to be asked about after that long, or (None) no more; False as for `settle`."""
    ask_at = None if after is None else lease_clock(after.total_seconds())
    return settle(session, claim, about, {"ask_at": ask_at, "asked": asked})


def bind(session: Session, attempt: Attempt, provider: str, provider_id: str, now: datetime) -> None:
    """The provider has the attempt's message under this id."""
    found = {"provider": provider, "provider_id": provider_id}
    _settle(session, [attempt], {"outcome": AttemptOutcome.ACCEPTED, **found, "settled_at": now})


def mark_absent(session: Session, attempts: Sequence[Attempt], now: datetime) -> None:
    """The provider has none of the attempts' messages: nothing was sent."""
    values = {"outcome": AttemptOutcome.UNREACHABLE, "code": PROVED_ABSENT, "settled_at": now}
    _settle(session, attempts, values)


def settle(session: Session, claim: Claim, about: Doubt, values: dict[str, Any]) -> bool:
    """Writes what became of the delivery; False if a receipt or another worker has moved it on since it was read."""
    unmoved = and_(_mine(claim), col(Delivery.state) == about.state)
    statement = update(Delivery).where(unmoved).values({"claimed_until": None, **values})
    return session.connection().execute(statement.execution_options(synchronize_session=False)).rowcount == 1


def _settle(session: Session, attempts: Sequence[Attempt], values: dict[str, Any]) -> None:
    undecided = or_(col(Attempt.outcome).is_(None), col(Attempt.outcome) == AttemptOutcome.UNKNOWN)
    chosen = col(Attempt.id).in_([one.id for one in attempts])
    session.connection().execute(update(Attempt).where(chosen, undecided).values(values))


def _is_lost() -> ColumnElement[bool]:
    return and_(col(Delivery.state) == DeliveryState.SENDING, col(Delivery.claimed_until) < lease_clock())


def _mine(claim: Claim) -> ColumnElement[bool]:
    return and_(col(Delivery.id) == claim.id, col(Delivery.fence) == claim.fence)
