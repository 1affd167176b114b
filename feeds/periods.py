"""When a calendar shows a booking, when it changes by time alone, and whether it may change at all. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from store.standing import Standing


@dataclass(frozen=True, slots=True)
class CalendarRules:
    """How long things are shown, waited for and trusted, and where events lead. Settings fill it."""

    no_longer_standing: timedelta = timedelta(days=14)  # a cancelled or gone visit stays marked
    silent_after: timedelta = timedelta(hours=24)  # then the calendar says that a clinic does not answer
    emptied: timedelta = timedelta(days=30)  # an emptied calendar still answers, so that devices wipe theirs
    population_fresh: timedelta = timedelta(days=7)
    look_again: timedelta = timedelta(hours=1)  # at a calendar that could not be rewritten
    refresh: timedelta = timedelta(hours=1)  # how often calendar programs are asked to look
    way_back: str = "https://www.1177.se"


class Access(StrEnum):
    """What may be done with a calendar."""

    OPEN = "open"
    HELD = "held"  # population data unknown or stale: it stays at its last revision
    EMPTIED = "emptied"  # explicit protection or death, or no guardian's any more


@dataclass(frozen=True, slots=True)
class Register:
    """What the population register last said of a person; `as_of` is None where it has said nothing."""

    protected_on: date | None
    deceased_on: date | None
    as_of: datetime | None


@dataclass(frozen=True, slots=True)
class Timing:
    """What of a booking decides when it is shown."""

    start_at: datetime
    standing: Standing
    stands_since: datetime
    candidate_until: datetime | None = None


def access(register: Register, now: datetime, rules: CalendarRules) -> Access:
    """Only an explicit flag empties; not knowing holds."""
    if register.protected_on is not None or register.deceased_on is not None:
        return Access.EMPTIED
    if register.as_of is None or now - register.as_of > rules.population_fresh:
        return Access.HELD
    return Access.OPEN


def is_shown(timing: Timing, now: datetime, past: timedelta, rules: CalendarRules) -> bool:
    """Whether the calendar has an event for it now. One that waits for a suspect counterpart has none yet."""
    if timing.candidate_until is not None and now < timing.candidate_until:
        return False
    return now < leaves_at(timing, past, rules)


def leaves_at(timing: Timing, past: timedelta, rules: CalendarRules) -> datetime:
    """When its event leaves the calendar: `past` after its start, one that no longer stands perhaps sooner."""
    passed_at = timing.start_at + past
    if timing.standing in (Standing.CANCELLED, Standing.GONE):
        return min(passed_at, timing.stands_since + rules.no_longer_standing)
    return passed_at


def is_coming(timing: Timing, now: datetime) -> bool:
    return timing.standing is Standing.BOOKED and timing.start_at > now


def next_change_at(
    timings: Sequence[Timing], others: Iterable[datetime], now: datetime, past: timedelta, rules: CalendarRules
) -> datetime | None:
    """The next instant at which the calendar's bytes change by time alone; None if never.

    `others` are further instants: clinics that will have been silent for long, visits to silent clinics that begin.
    """
    waits = [timing.candidate_until for timing in timings if timing.candidate_until is not None]
    leaving = [leaves_at(timing, past, rules) for timing in timings]
    return min((at for at in (*others, *waits, *leaving) if at > now), default=None)
