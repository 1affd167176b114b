"""How messages are shared between the providers of one kind of channel: weights that flee errors and slowness, and
drift back. Pure: what was seen, a decision as data. All times are real: they judge providers, not visits.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from store.weight_causes import WeightCause

ALL = 100  # what weights sum to


@dataclass(frozen=True, slots=True)
class Rules:
    """`..._apart`: how long a change is left to work before points are moved for that. `drift_after`: how long nothing
    but drift has touched the weights. `floor`: what a running provider keeps, so that it goes on being tried."""

    step: int = 10
    floor: int = 5
    most_errors: int = 50  # within a minute
    slow_percent: int = 15  # of a quarter of an hour's accepted messages
    fewest_judged: int = 5  # accepted messages; of fewer, one phone that is switched off would be a seventh
    errors_apart: timedelta = timedelta(minutes=1)
    slow_apart: timedelta = timedelta(minutes=5)
    drift_every: timedelta = timedelta(minutes=5)
    drift_after: timedelta = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Shares:
    """The weights in force, by provider, and who is stopped. `touched_at`: by anything but drift."""

    weights: Mapping[str, int]
    stopped: frozenset[str]
    changed_at: datetime
    touched_at: datetime

    @property
    def running(self) -> list[str]:
        return [one for one in self.weights if one not in self.stopped]


@dataclass(frozen=True, slots=True)
class Performance:
    """What one provider has done lately: errors within a minute, and of the messages it accepted within a quarter of
    an hour those that were not delivered within five minutes."""

    errors: int = 0
    accepted: int = 0
    slow: int = 0


@dataclass(frozen=True, slots=True)
class Change:
    """New weights, and why, for an operator's eye."""

    weights: Mapping[str, int]
    stopped: frozenset[str]
    cause: WeightCause
    reason: str


def decide(
    shares: Shares, seen: Mapping[str, Performance], resting: Mapping[str, int], real_now: datetime, rules: Rules
) -> Change | None:
    """What the weights become; None: they stay. Errors are worse than slowness; nobody moves where all are as bad."""
    ailing = {WeightCause.ERRORS: _failing(shares, seen, rules), WeightCause.SLOW: _slow(shares, seen, rules)}
    for cause, bad in ailing.items():
        if bad and set(shares.running) - bad:
            return _moved_away(shares, bad, cause, seen, resting, real_now, rules)
    return _drifted(shares, resting, real_now, rules)


def set_weight(shares: Shares, provider: str, weight: int) -> Change:
    """As the operator says; the others share the rest in their present proportions."""
    others = {one: now for one, now in shares.weights.items() if one != provider}
    weights = {**shares.weights, provider: weight, **_shared_out(ALL - weight, others)}
    return Change(weights, shares.stopped, WeightCause.OPERATOR, f"{provider} set to {weight}")


def stopped(shares: Shares, provider: str, cause: WeightCause, reason: str) -> Change | None:
    """Without the provider; None if it is stopped already, or the last one: somebody must send."""
    if provider not in shares.running or len(shares.running) == 1:
        return None
    return Change(shares.weights, shares.stopped | {provider}, cause, reason)


def started(shares: Shares, provider: str) -> Change | None:
    if provider not in shares.stopped:
        return None
    left = shares.stopped - {provider}
    return Change(shares.weights, left, WeightCause.OPERATOR, f"{provider} started")


def pick(shares: Shares, barred: Collection[str], drawn: float) -> str:
    """Who makes an attempt. `barred`: who had better not (has just failed at it, or rests), while somebody else can;
    `drawn`: from 0 up to 1."""
    running = shares.running or list(shares.weights)
    able = [one for one in running if one not in barred] or running
    weighted = [one for one in able if shares.weights[one] > 0] or able
    left = drawn * sum(shares.weights[one] for one in weighted)
    for one in weighted[:-1]:
        left -= shares.weights[one]
        if left < 0:
            return one
    return weighted[-1]


def _failing(shares: Shares, seen: Mapping[str, Performance], rules: Rules) -> set[str]:
    return {one for one in shares.running if seen.get(one, Performance()).errors > rules.most_errors}


def _slow(shares: Shares, seen: Mapping[str, Performance], rules: Rules) -> set[str]:
    return {one for one in shares.running if _is_slow(seen.get(one, Performance()), rules)}


def _is_slow(seen: Performance, rules: Rules) -> bool:
    enough = seen.accepted >= rules.fewest_judged
    return enough and ALL * seen.slow >= rules.slow_percent * seen.accepted


def _moved_away(  # noqa: PLR0913 - the decision's facts, and whom it is about
    shares: Shares,
    bad: Collection[str],
    cause: WeightCause,
    seen: Mapping[str, Performance],
    resting: Mapping[str, int],
    real_now: datetime,
    rules: Rules,
) -> Change | None:
    """Ten points from each that ails to those that do not. None: not yet, or there is nothing left to move."""
    apart = rules.errors_apart if cause == WeightCause.ERRORS else rules.slow_apart
    if real_now - shares.changed_at < apart:
        return None
    weights = dict(shares.weights)
    for one in sorted(bad):
        floor = min(rules.floor, resting.get(one, 0))
        weights[one] -= max(0, min(rules.step, weights[one] - floor))
    moved = ALL - sum(weights.values())
    if not moved:
        return None
    sound = {one: weights[one] for one in shares.running if one not in bad}
    given = _shared_out(moved, sound)
    weights = {one: weight + given.get(one, 0) for one, weight in weights.items()}
    said = ", ".join(_said(one, seen[one], cause) for one in sorted(bad))
    return Change(weights, shares.stopped, cause, said)


def _said(provider: str, seen: Performance, cause: WeightCause) -> str:
    if cause == WeightCause.ERRORS:
        return f"{provider}: {seen.errors} errors in a minute"
    return f"{provider}: {seen.slow} of {seen.accepted} messages slow"


def _drifted(shares: Shares, resting: Mapping[str, int], real_now: datetime, rules: Rules) -> Change | None:
    """A step towards the resting points, once nothing has touched the weights for a while."""
    is_early = real_now - shares.touched_at < rules.drift_after or real_now - shares.changed_at < rules.drift_every
    if is_early or dict(shares.weights) == dict(resting):
        return None
    above = {one: max(0, shares.weights[one] - resting[one]) for one in resting}
    below = {one: max(0, resting[one] - shares.weights[one]) for one in resting}
    points = min(rules.step, sum(above.values()))
    taken, given = _in_turn(points, above), _in_turn(points, below)
    weights = {one: shares.weights[one] - taken[one] + given[one] for one in resting}
    return Change(weights, shares.stopped, WeightCause.DRIFT, "nothing amiss for a while")


def _in_turn(points: int, most: Mapping[str, int]) -> dict[str, int]:
    """So many points over those who can take them, the first one first."""
    left, shared = points, {}
    for one, limit in most.items():
        shared[one] = min(left, limit)
        left -= shared[one]
    return shared


def _shared_out(points: int, among: Mapping[str, int]) -> dict[str, int]:
    """So many points by weight (evenly where none has any); what does not divide goes to the first."""
    if not among:
        return {}
    whole = sum(among.values())
    shared = {one: points * weight // whole if whole else points // len(among) for one, weight in among.items()}
    first: Sequence[str] = list(among)
    shared[first[0]] += points - sum(shared.values())
    return shared


def at_rest(resting: Mapping[str, int], at: datetime) -> Shares:
    """The weights of an installation that begins."""
    return Shares(dict(resting), frozenset(), at, at)


def fitted(shares: Shares, resting: Mapping[str, int]) -> Change | None:
    """The weights for other providers than those they were made for; None: they are for these."""
    if set(shares.weights) == set(resting):
        return None
    kept = shares.stopped & set(resting)
    still = kept if kept < set(resting) else frozenset()
    return Change(dict(resting), still, WeightCause.SETTINGS, "other providers are set up")


def after(shares: Shares, change: Change, real_now: datetime) -> Shares:
    """The shares once a change is in force."""
    touched_at = shares.touched_at if change.cause == WeightCause.DRIFT else real_now
    return replace(shares, weights=change.weights, stopped=change.stopped, changed_at=real_now, touched_at=touched_at)
