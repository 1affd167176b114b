"""Which rule fires when for which visit, and what of it is too late or was missed. Pure; knows no other messages."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from uuid import UUID

from notifier.choices import Choices
from notifier.ledger import Ledger, rule_occasion
from notifier.precedence import Rule as Rule
from notifier.precedence import Visit as Visit
from notifier.precedence import in_force
from notifier.swedish_days import local
from notifier.windows import Hours, within_window
from store.purposes import Purpose
from store.standing import Standing


class Timing(StrEnum):
    """Where a reminder stands now."""

    FUTURE = "future"
    DUE = "due"
    TOO_LATE = "too_late"  # its time had passed when the visit got its time: the change's own notice stands for it
    MISSED = "missed"  # it should have gone and is of no use any more


@dataclass(frozen=True, slots=True)
class Reminder:
    """One rule for one visit."""

    rule: Rule
    visit: Visit
    clinic_id: UUID
    occasion: str
    send_at: datetime
    useful_until: datetime
    hours: Hours
    timing: Timing

    @property
    def on(self) -> date:
        """The visit's day by Swedish clocks."""
        return local(self.visit.start_at).date()

    def goes_with(self, other: "Reminder") -> bool:
        """Whether one message can remind of both: same clinic, purpose, channels and day of the visit."""
        return (self.clinic_id, self.rule.purpose, self.rule.template_name, self.rule.channels, self.on) == (
            other.clinic_id,
            other.rule.purpose,
            other.rule.template_name,
            other.rule.channels,
            other.on,
        )


def reminders(
    visits: Iterable[Visit],
    rules: Mapping[UUID, tuple[Rule, ...]],
    ledger: Ledger,
    now: datetime,
    missed_within: timedelta,
    choices: Choices = Choices(),  # noqa: B008 - frozen
) -> list[Reminder]:
    """Every reminder not yet in the ledger that is due, coming, too late or (lately) missed.

    `rules` holds each clinic's own by its id; a clinic that may not send has none. `missed_within`: how long after a
    visit a reminder that a standstill swallowed is still recorded, so that what was not told is countable.
    """
    return [
        reminder
        for visit in visits
        if visit.clinic_id is not None and _counts(visit, now, missed_within)
        for reminder in _of_visit(visit, visit.clinic_id, rules, choices, now)
        if not ledger.has(reminder.rule.purpose, reminder.occasion)
    ]


def useful_until(rule: Rule, visit: Visit) -> datetime:
    """The last moment at which the reminder is of use (rules of behaviour, section 2)."""
    if rule.purpose == Purpose.DEADLINE and visit.deadline_at is not None:
        return visit.deadline_at - timedelta(hours=1)
    if rule.purpose == Purpose.PREPARATIONS:
        return visit.start_at - timedelta(hours=2)
    return visit.start_at - (timedelta(minutes=30) if rule.offset.is_same_day else timedelta(hours=4))


def _of_visit(
    visit: Visit, clinic_id: UUID, rules: Mapping[UUID, tuple[Rule, ...]], choices: Choices, now: datetime
) -> Iterator[Reminder]:
    if clinic_id not in rules:
        return
    for rule in (*in_force(rules[clinic_id], visit), *choices.extra):
        wanted = rule.offset.fires_at(visit.start_at, visit.deadline_at, visit.booked_at)
        if wanted is None or not rule.wants(visit):
            continue
        until = useful_until(rule, visit)
        hours = replace(choices.hours, weekdays_only=rule.weekdays_only)
        send_at = within_window(wanted, until, hours, visit.time_version_at)
        timing = _timing(visit, send_at, until, now)
        if timing == Timing.TOO_LATE and visit.start_at <= now:
            continue  # nothing was missed: the visit was not known in time
        occasion = rule_occasion(rule.id, visit.booking_id, visit.time_version)
        told = replace(rule, channels=choices.channels_for(rule.purpose, rule.channels))
        yield Reminder(told, visit, clinic_id, occasion, send_at, until, hours, timing)


def _timing(visit: Visit, send_at: datetime, until: datetime, now: datetime) -> Timing:
    if send_at > until:
        return Timing.TOO_LATE  # counted on from the booking, it comes after its use
    if send_at > now:
        return Timing.FUTURE
    if send_at < visit.time_version_at:
        return Timing.TOO_LATE
    return Timing.MISSED if now > until else Timing.DUE


def _counts(visit: Visit, now: datetime, missed_within: timedelta) -> bool:
    if visit.start_at <= now:
        return visit.standing in (Standing.BOOKED, Standing.PASSED) and visit.start_at > now - missed_within
    return visit.standing == Standing.BOOKED and (visit.waits_until is None or visit.waits_until <= now)
