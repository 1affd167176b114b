"""How a kind of channel's messages are shared between its providers: numbered versions, each with its reason, and what
the providers have done lately. Weights are changed under the first version's row lock, which is never deleted.
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, String, UniqueConstraint, and_
from sqlmodel import Field, Session, SQLModel, col, func, select

from store.columns import UtcDateTime, one_of
from store.deliveries import Attempt, AttemptOutcome, Receipt
from store.identifiers import first_id, new_id
from store.inserting import insert_unless_there
from store.unsettled import PROVED_ABSENT, RESTORED
from store.weight_causes import WeightCause

_ERRORS_WITHIN = timedelta(minutes=1)
_JUDGED_WITHIN, _SLOW_AFTER = timedelta(minutes=15), timedelta(minutes=5)
_OURS = ("lease_over", RESTORED)  # codes of attempts that failed for no fault of a provider's
_FINAL = ("delivered", "read", "undelivered", "partially_delivered", "failed", "canceled")


class ProviderWeight(SQLModel, table=True):
    """One provider's part in one version. The highest version is in force."""

    __tablename__ = "provider_weights"
    __table_args__ = (
        UniqueConstraint("channel", "version", "provider"),
        CheckConstraint("weight between 0 and 100", name="weight_in_range"),
        one_of("cause", WeightCause),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    channel: str
    version: int
    provider: str
    weight: int
    is_stopped: bool = Field(default=False)
    cause: WeightCause = Field(sa_type=String)
    reason: str  # in words; of no person
    made_at: datetime = Field(sa_type=UtcDateTime)  # real time


@dataclass(frozen=True, slots=True)
class Version:
    """The rows in force, by provider's name, and when anything but drift last changed them."""

    rows: Sequence[ProviderWeight]
    touched_at: datetime
    stopped_for: WeightCause | None = None  # why the stopped one is; None: none is

    @property
    def number(self) -> int:
        return self.rows[0].version


@dataclass(frozen=True, slots=True)
class Seen:
    """Of one provider; see `performance`."""

    errors: int
    accepted: int
    slow: int


@dataclass(frozen=True, slots=True)
class Tried:
    """What earlier attempts of a delivery mean for who makes the next. `bound_to`: the provider of one of which nobody
    knew the end, or (after two proofs that it had not gone) did not. `failed_at`: who could not take the last one."""

    bound_to: str | None
    failed_at: str | None


def in_force(session: Session, channel: str) -> Version | None:
    number = session.exec(select(func.max(ProviderWeight.version)).where(col(ProviderWeight.channel) == channel)).one()
    if number is None:
        return None
    of_channel = col(ProviderWeight.channel) == channel
    rows = session.exec(
        select(ProviderWeight)
        .where(of_channel, col(ProviderWeight.version) == number)
        .order_by(col(ProviderWeight.provider))
    ).all()
    touched = select(func.max(ProviderWeight.made_at)).where(of_channel, col(ProviderWeight.cause) != WeightCause.DRIFT)
    return Version(rows, session.exec(touched).one() or rows[0].made_at, _stopped_for(session, rows))


def lock(session: Session, channel: str) -> None:
    """Until the transaction ends nobody else changes the channel's weights."""
    first = (col(ProviderWeight.channel) == channel, col(ProviderWeight.version) == 1)
    session.exec(select(ProviderWeight.id).where(*first).order_by(col(ProviderWeight.provider)).with_for_update()).all()


def add(session: Session, rows: Collection[ProviderWeight]) -> bool:
    """Puts a version in force; False if another process made the same one at the same time."""
    return all([insert_unless_there(session, row) for row in rows])


def tried(session: Session, delivery_id: UUID) -> Tried:
    query = select(Attempt).where(col(Attempt.delivery_id) == delivery_id).order_by(col(Attempt.id).desc())
    attempts = session.exec(query).all()
    bound = next((one.provider for one in attempts if _was_unknown(one)), None)
    last = attempts[0] if attempts else None
    has_failed = last is not None and last.outcome in (AttemptOutcome.UNREACHABLE, AttemptOutcome.REFUSED)
    return Tried(bound, last.provider if last is not None and has_failed else None)


def performance(session: Session, providers: Collection[str], real_now: datetime) -> Mapping[str, Seen]:
    """What each provider did lately: attempts that got no clear answer within a minute; of those accepted within a
    quarter of an hour, the ones whose end no receipt told within five minutes."""
    errors = _errors(session, providers, real_now - _ERRORS_WITHIN)
    accepted: Counter[str] = Counter()
    slow: Counter[str] = Counter()
    for provider, began_at, told_at in _accepted(session, providers, real_now - _JUDGED_WITHIN):
        accepted[provider] += 1
        slow[provider] += (told_at or real_now) - began_at > _SLOW_AFTER
    return {one: Seen(errors[one], accepted[one], slow[one]) for one in providers}


def _stopped_for(session: Session, rows: Sequence[ProviderWeight]) -> WeightCause | None:
    """The last stop by shutting out or by the operator: what came after it left the provider stopped."""
    stopped = next((row for row in rows if row.is_stopped), None)
    if stopped is None:
        return None
    stops = (WeightCause.SHUT_OUT, WeightCause.OPERATOR)
    query = select(ProviderWeight.cause).where(
        col(ProviderWeight.channel) == stopped.channel,
        col(ProviderWeight.provider) == stopped.provider,
        col(ProviderWeight.is_stopped),
        col(ProviderWeight.cause).in_(stops),
    )
    cause = session.exec(query.order_by(col(ProviderWeight.version).desc()).limit(1)).first()
    return None if cause is None else WeightCause(cause)


def _errors(session: Session, providers: Collection[str], since: datetime) -> Counter[str]:
    query = (
        select(col(Attempt.provider), func.count())
        .where(
            col(Attempt.id) >= first_id(since),
            col(Attempt.provider).in_(list(providers)),
            col(Attempt.outcome).in_([AttemptOutcome.UNREACHABLE, AttemptOutcome.UNKNOWN]),
            col(Attempt.code).not_in(_OURS),
        )
        .group_by(col(Attempt.provider))
    )
    return Counter(dict(session.exec(query).all()))


def _accepted(session: Session, providers: Collection[str], since: datetime) -> list[tuple[str, datetime, Any]]:
    """Provider, beginning and first final report of each attempt that was accepted."""
    final = and_(col(Receipt.attempt_public_id) == col(Attempt.public_id), col(Receipt.status).in_(_FINAL))
    query = (
        select(col(Attempt.provider), col(Attempt.began_at), func.min(Receipt.received_at))
        .outerjoin(Receipt, final)
        .where(
            col(Attempt.id) >= first_id(since),
            col(Attempt.provider).in_(list(providers)),
            col(Attempt.outcome) == AttemptOutcome.ACCEPTED,
        )
        .group_by(col(Attempt.id), col(Attempt.provider), col(Attempt.began_at))
    )
    return list(session.exec(query).all())


def _was_unknown(attempt: Attempt) -> bool:
    return attempt.outcome in (None, AttemptOutcome.UNKNOWN) or attempt.code == PROVED_ABSENT
