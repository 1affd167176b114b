"""Which of a clinic's rules holds for a visit: of those with one name, the narrowest that fits. Pure; knows no time."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, time
from enum import StrEnum
from uuid import UUID

from notifier.offsets import Offset
from notifier.swedish_days import local
from store.purposes import Purpose
from store.standing import Standing


class Mode(StrEnum):
    """How one meets: by a time type that the facility names as remote (video, telephone), or there."""

    ON_SITE = "on_site"
    REMOTE = "remote"


class Origin(StrEnum):
    """On whose initiative the visit is: a kallelse, or a booking."""

    INVITATION = "invitation"
    BOOKING = "booking"


@dataclass(frozen=True, slots=True)
class Visit:
    """A booking as the rules see it. `clinic_id` None: nobody's facility, calendar only."""

    booking_id: UUID
    clinic_id: UUID | None
    facility: str
    start_at: datetime
    deadline_at: datetime | None  # the cancel deadline
    standing: Standing
    time_version: int
    time_version_at: datetime
    has_preparations: bool = False
    waits_until: datetime | None = None  # it may be the new place of a suspect booking: nobody is told before
    above: tuple[str, ...] = ()  # the facility's parent, that one's parent, ...
    time_type: str = ""
    mode: Mode = Mode.ON_SITE
    origin: Origin = Origin.BOOKING
    booked_at: datetime | None = None  # when it got its time; None: before we knew of it


@dataclass(frozen=True, slots=True)
class Scope:
    """Which of a clinic's visits a rule is for; what is empty does not matter. A facility's covers those below it."""

    facility: str = ""
    time_type: str = ""
    mode: Mode | None = None
    origin: Origin | None = None

    def covers(self, visit: Visit) -> bool:
        return (
            self.facility in ("", visit.facility, *visit.above)
            and self.time_type in ("", visit.time_type)
            and self.mode in (None, visit.mode)
            and self.origin in (None, visit.origin)
        )

    def narrowness(self, visit: Visit) -> tuple[int, bool, bool, bool]:
        """The nearest facility first, then the time type, the mode, the origin."""
        places = (visit.facility, *visit.above)
        nearness = len(places) - places.index(self.facility) if self.facility else 0
        return nearness, bool(self.time_type), self.mode is not None, self.origin is not None


@dataclass(frozen=True, slots=True)
class Rule:
    """A reminder rule, read. Rules of one name share `id`, so that a visit is told once whichever of them holds."""

    id: UUID
    purpose: Purpose
    offset: Offset
    template_name: str
    channels: tuple[str, ...]
    scope: Scope = Scope()
    is_own: bool = False  # the clinic's; else shipped
    is_active: bool = True
    weekdays_only: bool = False
    visits_from: time | None = None  # only visits that begin then or later, or have preparations

    def wants(self, visit: Visit) -> bool:
        """Whether the visit is one that the rule, where it holds, tells of."""
        if self.purpose == Purpose.PREPARATIONS and not visit.has_preparations:
            return False
        return self.visits_from is None or visit.has_preparations or _clock(visit) >= self.visits_from


def in_force(rules: Iterable[Rule], visit: Visit) -> list[Rule]:
    """The rules for the visit. One that is switched off holds too: it keeps what is wider from holding."""
    holding: dict[UUID, Rule] = {}
    for rule in rules:
        if rule.scope.covers(visit):
            held = holding.get(rule.id)
            if held is None or _weight(rule, visit) > _weight(held, visit):
                holding[rule.id] = rule
    return [rule for rule in holding.values() if rule.is_active]


def _weight(rule: Rule, visit: Visit) -> tuple[tuple[int, bool, bool, bool], bool]:
    return rule.scope.narrowness(visit), rule.is_own


def _clock(visit: Visit) -> time:
    return local(visit.start_at).time()
