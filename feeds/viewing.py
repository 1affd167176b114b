"""Whether a viewer may see a calendar: the person themselves, or a guardian while the child is under 13. Pure.

What the register says explicitly, and the birthday, empty a calendar; not knowing holds it.
"""

from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum

from feeds.periods import Access, CalendarRules, Register, access
from store.custody import Custody, guarded_until


class Ground(StrEnum):
    """Why a calendar is not open to its viewer."""

    FLAGGED = "flagged"  # somebody concerned is explicitly protected or dead
    ENDED = "ended"  # the register names other guardians
    GROWN = "grown"
    UNDATED = "undated"  # the child's number tells no date of birth
    UNHEARD = "unheard"  # the register is unknown or stale
    UNSAID = "unsaid"  # it does not say that the viewer is a guardian


@dataclass(frozen=True, slots=True)
class Permission:
    """What may be done with one viewer's calendar, why no more than that, and when time alone ends it."""

    access: Access
    ground: Ground | None = None
    ends_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Guarding:
    """What decides whether a guardian sees a child's calendar."""

    guardian: Register
    child: Register
    custody: Custody
    born_on: date | None = field(repr=False)


def own_permission(register: Register, now: datetime, rules: CalendarRules) -> Permission:
    found = access(register, now, rules)
    return Permission(found, {Access.EMPTIED: Ground.FLAGGED, Access.HELD: Ground.UNHEARD}.get(found))


def guardians_permission(guarding: Guarding, now: datetime, rules: CalendarRules) -> Permission:
    ends_at = None if guarding.born_on is None else guarded_until(guarding.born_on)
    concerned = {access(one, now, rules) for one in (guarding.guardian, guarding.child)}
    if Access.EMPTIED in concerned:
        return Permission(Access.EMPTIED, Ground.FLAGGED)
    if guarding.custody is Custody.ENDED:
        return Permission(Access.EMPTIED, Ground.ENDED)
    if ends_at is None:
        return Permission(Access.EMPTIED, Ground.UNDATED)
    if now >= ends_at:
        return Permission(Access.EMPTIED, Ground.GROWN)
    if Access.HELD in concerned:
        return Permission(Access.HELD, Ground.UNHEARD, ends_at)
    if guarding.custody is Custody.UNSAID:
        return Permission(Access.HELD, Ground.UNSAID, ends_at)
    return Permission(Access.OPEN, None, ends_at)
