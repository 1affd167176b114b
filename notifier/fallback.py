"""What follows when a message does not arrive: another try, another channel, or somebody to be told that nobody was
reached; and what it teaches about the number. Pure."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from notifier.channels.faults import Fault, Lesson
from notifier.windows import next_open, within_window
from store.delivery_states import REACHED, DeliveryState
from store.purposes import CHANGE_NOTICES, Purpose

REPORTING = frozenset({"sms"})
"""Channels that tell of arrival. What others have taken counts as told."""

PATIENCE = timedelta(minutes=30)  # a handset that is switched off may be switched on
RESEND_AFTER = timedelta(minutes=15)
WEARS_OUT_AFTER = 3  # messages that the handset could not be reached with, and none that arrived between
WEARS_OUT_WITHIN = timedelta(days=30)

_LEADS = {
    Purpose.DEADLINE: timedelta(hours=4),
    Purpose.REMINDER: timedelta(hours=3),
    Purpose.PREPARATIONS: timedelta(hours=24),
    Purpose.CONFIRMATION: timedelta(hours=1),
    Purpose.NOTICE: timedelta(days=5),
    **dict.fromkeys(CHANGE_NOTICES, timedelta(hours=24)),
}
"""How long before the end of its use a message must have arrived, for the next channel to be of use still. An offer and
a code are of use for so short a time, and to whom they were sent, that no other channel is tried."""

_WAYS = ("sms", "email")  # of what was planned before deliveries remembered theirs
_UNDER_WAY = REACHED | {DeliveryState.QUEUED}
_SKIPPED_UNREACHED = frozenset({"no_contact", "suppressed", "not_mobile", "channel_not_chosen"})
_PAST_HELP = frozenset({"poison", "capped"})  # another channel would meet the same


class Step(StrEnum):
    """What to do about a delivery."""

    WAIT = "wait"
    CLOSE = "close"  # nothing more is to be done
    CALL_OFF = "call_off"  # it has arrived: what was to go by another channel need not
    NEXT = "next"  # by the next channel
    UNREACHED = "unreached"  # nobody was told, and nothing is left to try


@dataclass(frozen=True, slots=True)
class Case:
    """A delivery that has not arrived, or has at last. `others`: how the same occasions stand by other channels."""

    purpose: Purpose
    channel: str
    state: DeliveryState
    reason: str
    visit_at: datetime
    useful_until: datetime
    settled_at: datetime | None  # of one accepted: when
    others: Collection[DeliveryState]


def follow_at(purpose: Purpose, planned_at: datetime, useful_until: datetime) -> datetime | None:
    """By when it must have arrived: driven by the visit's time, in daytime, and not before a handset has had its
    chance. None: it is sent by one channel and no other."""
    if purpose not in _LEADS:
        return None
    first = planned_at + PATIENCE
    wanted = within_window(max(useful_until - _LEADS[purpose], first), useful_until)
    return min(max(wanted, first), useful_until)


def waits_until(case: Case, now: datetime) -> datetime | None:
    """A message that was taken a moment ago, when its window opened or its provider came back, has its chance first."""
    if case.state != DeliveryState.ACCEPTED or case.settled_at is None or case.channel not in REPORTING:
        return None
    until = case.settled_at + PATIENCE
    return until if now < until < case.useful_until else None


def ways_left(ways: str, tried: Collection[str]) -> tuple[str, ...]:
    """The channels still to try, in the order in which they were planned."""
    planned = tuple(ways.split(",")) if ways else _WAYS
    return tuple(one for one in planned if one not in tried)


def step(case: Case, now: datetime) -> Step:
    """What to do about the delivery at `now`, when its time has come or it has ended."""
    if case.state == DeliveryState.DELIVERED:
        return Step.CALL_OFF
    if any(one in _UNDER_WAY for one in case.others) or not _is_missed(case):
        return Step.CLOSE
    if case.state in (DeliveryState.SENDING, DeliveryState.UNCERTAIN):
        return Step.WAIT  # nobody knows yet: resolving comes first
    if case.reason in _PAST_HELP or next_open(case.purpose, now, case.visit_at) >= case.useful_until:
        return Step.UNREACHED
    return Step.NEXT


def may_resend(lost: Sequence[Fault], at: datetime, before: datetime) -> bool:
    """Whether one more try on the same channel, at `at`, is worth while for a message whose every attempt was lost:
    once, and only `before` the next channel's turn."""
    return len(lost) == 1 and lost[0].may_resend and at < before


def dead_reason(fault: Fault, *, is_mobile: bool, came_back: int) -> str:
    """Why the number is dead by this, or nothing. `came_back`: messages lately that did not reach it, this one too."""
    if fault.lesson == Lesson.DEAD:
        return fault.reason
    if fault.lesson == Lesson.PERHAPS_NOT_MOBILE:
        return "" if is_mobile else fault.reason
    if fault.lesson == Lesson.PERHAPS_DEAD and came_back >= WEARS_OUT_AFTER:
        return "unreachable"
    return ""


def _is_missed(case: Case) -> bool:
    """Whether it was to be told, and was not."""
    if case.state == DeliveryState.SKIPPED:
        return case.reason in _SKIPPED_UNREACHED | _PAST_HELP
    return case.state != DeliveryState.ACCEPTED or case.channel in REPORTING
