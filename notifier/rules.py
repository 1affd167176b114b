"""What one recipient is to be told now, as data: everything due for a subject at once, and when to look again. Pure.

"What goes out tomorrow" asks the same function with another `now`.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, time, timedelta
from uuid import UUID, uuid4

from notifier.change_notices import Change, Notice, Then, by_booking, notice
from notifier.choices import Choices
from notifier.ledger import Entry, Ledger, change_occasion
from notifier.reminders import Reminder, Rule, Timing, Visit, reminders
from notifier.spacing import Limits, already_told, below_cap_from, calm_from, free_from
from notifier.windows import CONFIRMATION_USE, Hours, next_clock, next_open
from store.delivery_states import DeliveryState
from store.purposes import Purpose

NOTICE_CHANNELS = ("sms", "email")
_CALM_UNTIL = timedelta(hours=4)  # before a visit: then a flapping one is told of as it stands


@dataclass(frozen=True, slots=True)
class Terms:
    """What a clinic has set besides its rules. `budget`: how many more it may send today; None: any number."""

    confirms: bool = True
    budget: int | None = None


_USUAL = Terms()


@dataclass(frozen=True, slots=True)
class Facts:
    """All that is known about one subject and one recipient. `rules` by clinic: a clinic that may not send has none.
    `reach`: the channels by which the recipient can be sent reminders, by purpose; None: taken to be all."""

    subject_id: UUID
    visits: tuple[Visit, ...]
    rules: Mapping[UUID, tuple[Rule, ...]]
    changes: tuple[Change, ...] = ()
    ledger: Ledger = field(default_factory=Ledger)
    choices: Choices = field(default_factory=Choices)
    terms: Mapping[UUID, Terms] = field(default_factory=dict)
    reach: Mapping[Purpose, frozenset[str]] | None = None


@dataclass(frozen=True, slots=True)
class PlannedPart:
    booking_id: UUID | None
    occasion: str
    time_version: int


@dataclass(frozen=True, slots=True)
class Planned:
    """A delivery to insert. Queued it goes out now; skipped or expired it only makes countable what was not told."""

    clinic_id: UUID
    purpose: Purpose
    template_name: str
    channels: tuple[str, ...]
    parts: tuple[PlannedPart, ...]
    visit_at: datetime
    useful_until: datetime
    state: DeliveryState = DeliveryState.QUEUED
    reason: str = ""
    weekdays_only: bool = False

    @property
    def is_told(self) -> bool:
        return self.state == DeliveryState.QUEUED


@dataclass(frozen=True, slots=True)
class Plan:
    """What the planner does. `told` are changes no longer to be told, `withdrawn` queued deliveries overtaken."""

    deliveries: tuple[Planned, ...]
    told: frozenset[UUID]
    withdrawn: frozenset[UUID]
    next_planning_at: datetime | None


def due(facts: Facts, now: datetime, limits: Limits | None = None) -> Plan:
    """Everything to tell at `now`, and the earliest later moment at which there may be more."""
    planner = _Planner(facts, now, limits or Limits())
    planner.take_changes()
    planner.take_reminders()
    return planner.plan()


def reaches(facts: Facts, planned: Planned) -> bool:
    """Whether a channel of the delivery's reaches the recipient, as far as is known."""
    reach = facts.reach or {}
    return planned.purpose not in reach or not reach[planned.purpose].isdisjoint(planned.channels)


def merged(template_name: str) -> str:
    """The template for several visits of one day in place of the one for a single visit."""
    return f"{template_name}_merged"


def entries(planned: Planned, subject_id: UUID, now: datetime) -> list[Entry]:
    """What the ledger holds of a delivery once it is made."""
    delivery_id = uuid4()  # only to tell this plan's deliveries apart
    return [
        Entry(
            delivery_id, subject_id, planned.clinic_id, planned.purpose, part.occasion, part.booking_id,
            planned.state, now,
        )
        for part in planned.parts
    ]  # fmt: skip


class _Planner:
    """One evaluation. What it has already decided counts as told for what comes after."""

    def __init__(self, facts: Facts, now: datetime, limits: Limits) -> None:
        self._facts = facts
        self._now = now
        self._limits = limits
        self._ledger = facts.ledger
        self._choices = facts.choices
        self._budgets = {key: one.budget for key, one in facts.terms.items() if one.budget is not None}
        self._visits = {visit.booking_id: visit for visit in facts.visits}
        self._planned: list[Planned] = []
        self._told: set[UUID] = set()
        self._withdrawn: set[UUID] = set()
        self._awaiting_notice: set[UUID] = set()  # its reminders wait too: the notice may stand for them
        self._later: list[datetime] = []

    def plan(self) -> Plan:
        return Plan(
            tuple(sorted(self._planned, key=lambda one: one.visit_at)),
            frozenset(self._told),
            frozenset(self._withdrawn),
            min(self._later, default=None),
        )

    def take_changes(self) -> None:
        for booking_id, changes in by_booking(self._facts.changes).items():
            visit = self._visits.get(booking_id)
            fresh = {change.id for change in changes if change.queued_delivery is None}
            if visit is not None and fresh:
                self._take_change(visit, changes, fresh)

    def take_reminders(self) -> None:
        visits = [visit for visit in self._facts.visits if visit.booking_id not in self._awaiting_notice]
        found = reminders(visits, self._facts.rules, self._ledger, self._now, self._limits.missed_within, self._choices)
        self._later.extend(one.send_at for one in found if one.timing == Timing.FUTURE)
        self._later.extend(_waits(self._facts.visits, self._now))
        for one in found:
            if one.timing == Timing.TOO_LATE:
                self._record([one], DeliveryState.SKIPPED, "too_late")
            if one.timing == Timing.MISSED:
                self._record([one], DeliveryState.EXPIRED, "missed")
        for group in _groups(found, self._now, self._limits):
            self._take_group(group)

    def _take_change(self, visit: Visit, changes: Sequence[Change], fresh: set[UUID]) -> None:
        told_it_was_off = self._ledger.told_it_was_off(visit.booking_id)
        stands = Then(visit.start_at, visit.facility, visit.standing)
        what = notice(changes, stands, told_it_was_off=told_it_was_off)
        self._withdrawn |= what.withdrawn
        if what.purpose is None or what.told_by is not None or visit.clinic_id is None:
            self._told |= fresh
            return
        self._take_notice(visit, visit.clinic_id, what, fresh)

    def _take_notice(self, visit: Visit, clinic_id: UUID, what: Notice, fresh: set[UUID]) -> None:
        if what.purpose is None or self._is_silent(clinic_id, what.purpose):
            self._told |= fresh  # the clinic may not send this, or does not: nobody is told
            return
        visit_at = _first_concerned(visit, what, self._now)
        until = _notice_useful_until(visit, what)
        channels = self._choices.channels_for(what.purpose, NOTICE_CHANNELS)
        part = PlannedPart(visit.booking_id, change_occasion(what.base.id), visit.time_version)
        planned = Planned(clinic_id, what.purpose, what.purpose.value, channels, (part,), visit_at, until)
        at = next_open(what.purpose, self._notice_from(visit, what), visit_at, self._choices.hours)
        free_at = self._notice_free_at(visit, planned, at)
        objection = self._choices.objection(what.purpose, clinic_id)
        if self._now < free_at <= until and not objection:
            self._later.append(free_at)
            self._awaiting_notice.add(visit.booking_id)
            return
        self._told |= fresh
        if objection:
            self._add(replace(planned, state=DeliveryState.SKIPPED, reason=objection))
        elif at > until:
            self._add(_expired(planned, self._now))
        else:
            self._add(planned if free_at <= until else replace(planned, state=DeliveryState.SKIPPED, reason="capped"))

    def _is_silent(self, clinic_id: UUID, purpose: Purpose) -> bool:
        if clinic_id not in self._facts.rules:
            return True
        return purpose == Purpose.CONFIRMATION and not self._facts.terms.get(clinic_id, _USUAL).confirms

    def _notice_from(self, visit: Visit, what: Notice) -> datetime:
        return max(what.due_at, visit.waits_until or what.due_at, self._now)

    def _notice_free_at(self, visit: Visit, planned: Planned, at: datetime) -> datetime:
        """A visit that goes to and fro is told of a few times in a day; then it waits for how it stands in the end."""
        if planned.purpose == Purpose.CONFIRMATION:
            return max(at, self._below_caps_from(planned.clinic_id, self._choices.hours))
        calm_at = calm_from(self._ledger, self._facts.subject_id, visit.booking_id, self._now, self._limits)
        calm_at = min(calm_at, planned.visit_at - _CALM_UNTIL)
        return next_open(planned.purpose, max(at, calm_at), planned.visit_at)

    def _take_group(self, group: Sequence[Reminder]) -> None:
        repeated = [one for one in group if self._is_repeat(one)]
        for one in repeated:
            self._take_repeat(one)
        rest = [one for one in group if one not in repeated]
        if rest:
            self._take_fresh(rest)

    def _is_repeat(self, one: Reminder) -> bool:
        since = self._now - self._limits.apart
        return already_told(self._ledger, one.rule.purpose, self._facts.subject_id, one.visit.booking_id, since)

    def _take_repeat(self, one: Reminder) -> None:
        if one.send_at <= self._now:
            self._record([one], DeliveryState.SKIPPED, "told_recently")

    def _take_fresh(self, group: Sequence[Reminder]) -> None:
        """Another booking's reminder waits until 12 hours have passed if it is of use then; else it goes at once:
        a visit nobody was told of is worse than two messages in one day. The caps have no such exception."""
        first = min(group, key=lambda one: one.useful_until)
        if self._choices.objection(first.rule.purpose, first.clinic_id):
            self._record(group, DeliveryState.SKIPPED, "")
            return
        if first.hours.next_open(self._now) > first.useful_until:
            self._record(group, DeliveryState.EXPIRED, "outside_window")
            return
        at = self._free_at(first)
        if at > self._now:
            self._later.append(at)
            return
        below_at = self._below_caps_from(first.clinic_id, first.hours)
        if below_at > first.useful_until:
            self._record(group, DeliveryState.SKIPPED, "capped")
        elif below_at > self._now:
            self._later.append(below_at)
        else:
            self._add(_of_reminders(group, DeliveryState.QUEUED, ""))

    def _below_caps_from(self, clinic_id: UUID, hours: Hours) -> datetime:
        """When the recipient, and the clinic in its day, may have one more; `now` if at once."""
        below_at = below_cap_from(self._ledger, self._now, self._limits)
        if self._budgets.get(clinic_id, 1) > 0:
            return below_at
        return max(below_at, hours.next_open(next_clock(self._now, time())))

    def _free_at(self, one: Reminder) -> datetime:
        free_at = free_from(self._ledger, self._facts.subject_id, one.clinic_id, self._now, self._limits)
        at = one.hours.next_open(free_at)
        return at if at <= one.useful_until else one.hours.next_open(self._now)

    def _record(self, group: Sequence[Reminder], state: DeliveryState, reason: str) -> None:
        """Makes countable what is not told: because the citizen does not want it, or else for this reason."""
        objection = self._choices.objection(group[0].rule.purpose, group[0].clinic_id)
        made = _of_reminders(group, state, reason)
        self._add(replace(made, state=DeliveryState.SKIPPED, reason=objection) if objection else made)

    def _add(self, planned: Planned) -> None:
        self._planned.append(planned)
        if not reaches(self._facts, planned):  # nobody is told by it, so it holds back nothing else
            planned = replace(planned, state=DeliveryState.SKIPPED)
        if planned.is_told and planned.clinic_id in self._budgets:
            self._budgets[planned.clinic_id] -= 1
        self._ledger = self._ledger.with_entries(entries(planned, self._facts.subject_id, self._now))


def _groups(found: Iterable[Reminder], now: datetime, limits: Limits) -> Iterator[list[Reminder]]:
    """What goes out together: what is due, each with what comes due for the same day within the next 12 hours. The
    one soonest past its use comes first."""
    coming = sorted(
        (one for one in found if _is_near(one, now, limits)), key=lambda one: (one.useful_until, one.occasion)
    )
    while any(one.timing == Timing.DUE for one in coming):
        first = next(one for one in coming if one.timing == Timing.DUE)
        together = [one for one in coming if one.goes_with(first)]
        coming = [one for one in coming if one not in together]
        yield together


def _is_near(one: Reminder, now: datetime, limits: Limits) -> bool:
    return one.timing == Timing.DUE or (one.timing == Timing.FUTURE and one.send_at <= now + limits.merge_ahead)


def _of_reminders(group: Sequence[Reminder], state: DeliveryState, reason: str) -> Planned:
    first = group[0]
    name = first.rule.template_name
    return Planned(
        clinic_id=first.clinic_id,
        purpose=first.rule.purpose,
        template_name=name if len(group) == 1 else merged(name),
        channels=first.rule.channels,
        parts=tuple(PlannedPart(one.visit.booking_id, one.occasion, one.visit.time_version) for one in group),
        visit_at=min(one.visit.start_at for one in group),
        useful_until=min(one.useful_until for one in group),
        state=state,
        reason=reason,
        weekdays_only=first.hours.weekdays_only,
    )


def _waits(visits: Iterable[Visit], now: datetime) -> list[datetime]:
    return [visit.waits_until for visit in visits if visit.waits_until is not None and visit.waits_until > now]


def _first_concerned(visit: Visit, what: Notice, now: datetime) -> datetime:
    """The first journey that the notice can save: to the old time or to the new one."""
    known = what.base.before.start_at if what.base.before else visit.start_at
    return min((at for at in (known, visit.start_at) if at > now), default=visit.start_at)


def _notice_useful_until(visit: Visit, what: Notice) -> datetime:
    if what.purpose == Purpose.CONFIRMATION:
        return min(what.settled_at + CONFIRMATION_USE, visit.start_at)
    return visit.start_at


def _expired(planned: Planned, now: datetime) -> Planned:
    reason = "missed" if now > planned.useful_until else "outside_window"
    return replace(planned, state=DeliveryState.EXPIRED, reason=reason)
