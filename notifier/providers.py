"""Several providers of one kind of channel, and who of them makes a delivery's next attempt. What nobody knows the end
of never crosses over to another provider: the second one cannot know that the first had taken it.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

import structlog

from notifier import failover
from notifier.channels import Channel
from notifier.failover import Change, Performance, Rules, Shares
from store import provider_weights
from store.database import Session
from store.provider_weights import ProviderWeight, Version
from store.weight_causes import WeightCause

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, eq=False)
class Providers:
    """At least two channels of one kind. `resting`: their weights while all is well, summing to 100."""

    name: str
    members: Sequence[Channel]
    resting: Mapping[str, int]
    rules: Rules = field(default_factory=Rules)

    def close(self) -> None:
        for one in self.members:
            close = getattr(one, "close", None)
            if close is not None:
                close()


Channels = Mapping[str, Channel | Providers]
"""By the kind of channel: the one provider of it, or several."""


def members(channel: Channel | Providers | None) -> Sequence[Channel]:
    """Each provider's own channel."""
    if isinstance(channel, Providers):
        return channel.members
    return () if channel is None else (channel,)


def made_by(channel: Channel | Providers | None, provider: str) -> Channel | None:
    """The provider's own channel, if it is set up."""
    return next((one for one in members(channel) if one.provider == provider), None)


def choose(
    session: Session,
    providers: Providers,
    delivery_id: UUID,
    resting: Collection[str],
    draw: Callable[[], float],
    real_now: datetime,
) -> Channel | None:
    """Who makes the next attempt; None: it must wait, since whom it is bound to is stopped. `resting`: who had better
    be left alone just now."""
    tried = provider_weights.tried(session, delivery_id)
    now_in_force = shares(session, providers, real_now)
    bound = None if tried.bound_to is None else made_by(providers, tried.bound_to)
    if bound is not None:
        return None if bound.provider in now_in_force.stopped else bound
    barred = {*resting, *([tried.failed_at] if tried.failed_at is not None else [])}
    return made_by(providers, failover.pick(now_in_force, barred, draw()))


def judge(session: Session, providers: Providers, real_now: datetime) -> Change | None:
    """Changes the weights where what was seen calls for it. Two at once are harmless: the second sees the first's."""
    before = _locked(session, providers, real_now)
    seen = {
        one: Performance(found.errors, found.accepted, found.slow)
        for one, found in provider_weights.performance(session, list(before.weights), real_now).items()
    }
    change = failover.decide(before, seen, providers.resting, real_now, providers.rules)
    return _put_in_force(session, providers, change, real_now)


def shut_out(session: Session, providers: Providers, provider: str, code: str, real_now: datetime) -> Change | None:
    """Stops a provider that takes nothing from our account; None: it is stopped already, or the last one."""
    before = _locked(session, providers, real_now)
    reason = f"{provider} refuses the account: {code}"
    change = failover.stopped(before, provider, WeightCause.SHUT_OUT, reason)
    if change is not None:
        _log.error("provider_stopped", provider=provider, code=code)
    return _put_in_force(session, providers, change, real_now)


def steer(
    session: Session, providers: Providers, decide: Callable[[Shares], Change | None], real_now: datetime
) -> Change | None:
    """Changes the weights as the operator decides, in view of those in force."""
    return _put_in_force(session, providers, decide(_locked(session, providers, real_now)), real_now)


def shares(session: Session, providers: Providers, real_now: datetime) -> Shares:
    """The weights in force; at rest where none are kept yet, or only other providers'."""
    found = _read(session, providers)
    if found is None:
        return failover.at_rest(providers.resting, real_now)
    change = failover.fitted(found, providers.resting)
    return found if change is None else failover.after(found, change, real_now)


def of_version(version: Version) -> Shares:
    """A version's rows as what decisions are made of."""
    return Shares(
        weights={row.provider: row.weight for row in version.rows},
        stopped=frozenset(row.provider for row in version.rows if row.is_stopped),
        changed_at=version.rows[0].made_at,
        touched_at=version.touched_at,
    )


def _locked(session: Session, providers: Providers, real_now: datetime) -> Shares:
    """The weights in force, which nobody else changes until the transaction ends. The first time they are made, and
    they are made anew for other providers."""
    provider_weights.lock(session, providers.name)
    if provider_weights.in_force(session, providers.name) is None:
        begun = Change(providers.resting, frozenset(), WeightCause.SETTINGS, "the resting points")
        _add(session, providers, begun, 1, real_now)
        provider_weights.lock(session, providers.name)
    found = _read(session, providers)
    _put_in_force(session, providers, None if found is None else failover.fitted(found, providers.resting), real_now)
    return shares(session, providers, real_now)


def _read(session: Session, providers: Providers) -> Shares | None:
    version = provider_weights.in_force(session, providers.name)
    return None if version is None else of_version(version)


def _put_in_force(session: Session, providers: Providers, change: Change | None, real_now: datetime) -> Change | None:
    if change is None:
        return None
    version = provider_weights.in_force(session, providers.name)
    if not _add(session, providers, change, 1 if version is None else version.number + 1, real_now):
        return None
    _log.warning("weights_changed", channel=providers.name, reason=change.reason)
    return change


def _add(session: Session, providers: Providers, change: Change, version: int, real_now: datetime) -> bool:
    rows = [
        ProviderWeight(
            channel=providers.name,
            version=version,
            provider=provider,
            weight=weight,
            is_stopped=provider in change.stopped,
            cause=change.cause,
            reason=change.reason,
            made_at=real_now,
        )
        for provider, weight in change.weights.items()
    ]
    return provider_weights.add(session, rows)
