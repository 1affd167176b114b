"""Holds planning to what clinics may send in a day, with any number of planners at work. Knows no recipient."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from notifier.rules import Facts, Plan, Terms, due
from notifier.spacing import Limits
from notifier.swedish_days import local
from store import budgets
from store.budgets import ClinicDay
from store.database import Session
from store.purposes import CHANGE_NOTICES


def budgeted(
    session: Session, facts: Facts, now: datetime, limits: Limits, caps: Mapping[UUID, int]
) -> tuple[Plan, Counter[UUID]]:
    """What is due, and by clinic how much of it has been counted in its day. Another planner may have used up what the
    facts say is left of a clinic's day: then it is decided anew, without."""
    while True:
        plan = due(facts, now, limits)
        refused, counted = _counted(session, plan, now, caps)
        if refused is None:
            return plan, counted
        give_back(session, counted, now)
        spent = replace(facts.terms.get(refused, Terms()), budget=0)
        facts = replace(facts, terms={**facts.terms, refused: spent})


def count(session: Session, clinic_id: UUID, now: datetime, caps: Mapping[UUID, int]) -> None:
    """One message more in the clinic's day that no cap holds back: the same promise by another channel."""
    if clinic_id in caps:
        budgets.take(session, _day(clinic_id, 1, now), capped=0, cap=caps[clinic_id])


def give_back(session: Session, counts: Counter[UUID], now: datetime) -> None:
    """What was counted and not planned after all."""
    for clinic_id, count in sorted(counts.items()):
        if count > 0:
            budgets.give_back(session, _day(clinic_id, count, now))


def _counted(
    session: Session, plan: Plan, now: datetime, caps: Mapping[UUID, int]
) -> tuple[UUID | None, Counter[UUID]]:
    """Counts clinic by clinic, in one order for all planners; the first whose cap does not allow it ends that."""
    told = [one for one in plan.deliveries if one.is_told and one.clinic_id in caps]
    wanted = Counter(one.clinic_id for one in told)
    capped = Counter(one.clinic_id for one in told if one.purpose not in CHANGE_NOTICES)
    counted: Counter[UUID] = Counter()
    for clinic_id, count in sorted(wanted.items()):
        if not budgets.take(session, _day(clinic_id, count, now), capped=capped[clinic_id], cap=caps[clinic_id]):
            return clinic_id, counted
        counted[clinic_id] = count
    return None, counted


def _day(clinic_id: UUID, count: int, now: datetime) -> ClinicDay:
    return ClinicDay(clinic_id=clinic_id, on=local(now).date(), planned=count)
