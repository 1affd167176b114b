"""The last look before a delivery goes: whether it may go now, what of it is still true, and what else becomes of it.

Pure: facts as just read, a decision as data.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from notifier.change_notices import Then, net_effect
from notifier.windows import EVERY_DAY, Hours, last_useful, next_open
from store.delivery_states import DeliveryState
from store.purposes import CHANGE_NOTICES, OFF, Purpose
from store.standing import Standing

MOST_CRASHES = 3  # alone: when its worker dies a first time, others lie in the same batch
_NOT_BOOKED = {
    Standing.GONE: "booking_gone",
    Standing.CANCELLED: "booking_cancelled",
    Standing.PASSED: "booking_passed",
}


@dataclass(frozen=True, slots=True)
class Covered:
    """A part of the delivery and its booking as it stands now (`standing` None: the row is no more)."""

    part_id: UUID
    booking_id: UUID | None
    time_version: int  # as covered
    before: Then | None = None  # of a change notice
    now_stands: Then | None = None
    now_time_version: int = 0
    suspect_since: datetime | None = None
    second_look_at: datetime | None = None
    is_frozen: bool = False  # its facility is under mass disappearance
    has_preparations: bool = True


@dataclass(frozen=True, slots=True)
class Permission:
    """Whether the recipient may be told at all. `obstacle` ends the delivery with that reason; a hold only defers."""

    obstacle: str = ""
    is_held: bool = False  # paused clinic, unknown or stale population data, channel not set up


@dataclass(frozen=True, slots=True)
class Situation:
    """A queued delivery and all that bears on it."""

    purpose: Purpose
    visit_at: datetime
    useful_until: datetime
    permission: Permission
    parts: tuple[Covered, ...]
    hours: Hours = EVERY_DAY  # the recipient's and the rule's


@dataclass(frozen=True, slots=True)
class Send:
    """Tell these parts now; `unconfirmed` if one of them could not be confirmed in time."""

    parts: tuple[Covered, ...]
    dropped: dict[UUID, str]


@dataclass(frozen=True, slots=True)
class Defer:
    """Not now."""

    until: datetime


@dataclass(frozen=True, slots=True)
class End:
    """Not at all."""

    state: DeliveryState
    reason: str
    dropped: dict[UUID, str]


Decision = Send | Defer | End


def decide(situation: Situation, now: datetime, look_again: timedelta) -> Decision:
    """What becomes of the delivery. `look_again`: how soon a hold without an end of its own is looked at again."""
    if situation.permission.obstacle:
        return End(DeliveryState.SKIPPED, situation.permission.obstacle, {})
    dropped = {part.part_id: reason for part in situation.parts if (reason := untrue(situation.purpose, part))}
    standing = tuple(part for part in situation.parts if part.part_id not in dropped)
    if not standing:
        return End(DeliveryState.SKIPPED, next(iter(dropped.values()), "empty"), dropped)
    if now >= situation.useful_until:
        return End(DeliveryState.EXPIRED, "not_in_time", dropped)
    until = _not_before(situation, standing, now, look_again)
    if until <= now:
        return Send(standing, dropped)
    return Defer(until) if until <= situation.useful_until else End(DeliveryState.EXPIRED, "not_in_time", dropped)


def untrue(purpose: Purpose, part: Covered) -> str:
    """Why a part is no longer true, or nothing."""
    if part.booking_id is None:
        return ""
    if part.now_stands is None:
        return "booking_merged"
    if purpose in CHANGE_NOTICES or purpose == Purpose.CONFIRMATION:
        return _untrue_notice(purpose, part, part.now_stands)
    if part.now_stands.standing != Standing.BOOKED:
        return _NOT_BOOKED[part.now_stands.standing]
    if part.now_time_version != part.time_version:
        return "rescheduled"
    return "nothing_to_read" if purpose == Purpose.PREPARATIONS and not part.has_preparations else ""


def _untrue_notice(purpose: Purpose, part: Covered, now_stands: Then) -> str:
    if now_stands.standing == Standing.PASSED:
        return "booking_passed"
    # The earlier message about it being off did go out: that is why a Restored was planned.
    amounts_to = net_effect(part.before, now_stands, told_it_was_off=True)
    if amounts_to == purpose:
        return ""
    return _NOT_BOOKED.get(now_stands.standing, "undone")


def _not_before(situation: Situation, parts: Sequence[Covered], now: datetime, look_again: timedelta) -> datetime:
    if situation.permission.is_held:
        return now + look_again
    opens_at = next_open(situation.purpose, now, situation.visit_at, situation.hours)
    if opens_at > now:
        return opens_at
    return max(_suspects_wait(situation, parts, now, look_again), _frozen_wait(situation, parts, now, look_again))


def _suspects_wait(situation: Situation, parts: Sequence[Covered], now: datetime, look_again: timedelta) -> datetime:
    """A visit missing from an answer is not told of before the second look, at most until the last useful hour."""
    suspects = [part for part in parts if part.suspect_since is not None]
    limit = last_useful(situation.useful_until, situation.hours)
    if not suspects or situation.purpose in OFF or now >= limit:
        return now
    looks = [part.second_look_at for part in suspects if part.second_look_at is not None and part.second_look_at > now]
    return min(limit, max(looks, default=now + look_again))


def _frozen_wait(situation: Situation, parts: Sequence[Covered], now: datetime, look_again: timedelta) -> datetime:
    """Nobody is told that a visit is off while its facility is frozen, but for the last 24 hours before it."""
    is_near = situation.visit_at - now <= timedelta(hours=24)
    if situation.purpose not in OFF or is_near or not any(part.is_frozen for part in parts):
        return now
    return now + look_again
