"""What will go out if nothing changes: the planner's own decision, asked with one later now after the other. Pure."""

import heapq
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from uuid import UUID

from notifier.rules import Facts, Plan, Planned, due, entries
from notifier.spacing import Limits
from notifier.swedish_days import local


@dataclass(frozen=True, slots=True)
class Foreseen:
    """A delivery that the planner will make at `at`."""

    at: datetime
    subject_id: UUID
    planned: Planned


@dataclass(frozen=True, slots=True)
class Caps:
    """By clinic, of a day's messages, and how many of them today has had; a clinic that is not in it has none."""

    caps: Mapping[UUID, int]
    planned_today: Mapping[UUID, int]


def foresee(people: Iterable[Facts], now: datetime, until: datetime, limits: Limits, caps: Caps) -> Iterator[Foreseen]:
    """Everything from now on until then, in the order of time: what one person is sent counts in their clinic's day."""
    waiting = [(now, place, facts) for place, facts in enumerate(people)]
    heapq.heapify(waiting)
    spent: Counter[tuple[UUID, date]] = Counter({(key, local(now).date()): n for key, n in caps.planned_today.items()})
    while waiting:
        at, place, facts = heapq.heappop(waiting)
        plan = due(_with_budgets(facts, caps, spent, local(at).date()), at, limits)
        for one in plan.deliveries:
            spent[one.clinic_id, local(at).date()] += one.is_told
            yield Foreseen(at, facts.subject_id, one)
        if plan.next_planning_at is not None and plan.next_planning_at <= until:
            heapq.heappush(waiting, (plan.next_planning_at, place, carried_out(facts, plan, at)))


def carried_out(facts: Facts, plan: Plan, at: datetime) -> Facts:
    """The facts as they are when the plan has been carried out."""
    made = [entry for one in plan.deliveries for entry in entries(one, facts.subject_id, at)]
    untold = tuple(change for change in facts.changes if change.id not in plan.told)
    return replace(facts, changes=untold, ledger=facts.ledger.with_entries(made))


def _with_budgets(facts: Facts, caps: Caps, spent: Counter[tuple[UUID, date]], on: date) -> Facts:
    terms = {
        key: replace(one, budget=max(0, caps.caps[key] - spent[key, on]) if key in caps.caps else None)
        for key, one in facts.terms.items()
    }
    return replace(facts, terms=terms)
