"""What a citizen has chosen about being told. It wins over a clinic's rules, except for what must arrive. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from uuid import NAMESPACE_URL, UUID, uuid5

from notifier.offsets import Anchor, InvalidOffset, parse_offset
from notifier.precedence import Rule
from notifier.spacing import REMINDERS
from notifier.swedish_days import parse_clock
from notifier.windows import EVERY_DAY, Hours, outside
from store.purposes import Purpose

CHANNELS = ("sms", "email")
MOST_EXTRA = 3
NOTHING = "none"
_BOUND = REMINDERS | {Purpose.CONFIRMATION}
_WORDS = "day_before"


class InvalidChoice(ValueError):
    """A choice that cannot be kept; the message says what can."""


@dataclass(frozen=True, slots=True)
class Choices:
    """One citizen's. `channels` empty: the clinic's; `reminded_by`: clinics whose own reminders are enough."""

    channels: tuple[str, ...] = ()
    is_muted: bool = False
    hours: Hours = EVERY_DAY
    extra: tuple[Rule, ...] = ()
    reminded_by: frozenset[UUID] = field(default_factory=frozenset)

    def objection(self, purpose: Purpose, clinic_id: UUID) -> str:
        """Why the citizen is not to be told this, or nothing."""
        if purpose not in _BOUND:
            return ""
        if self.is_muted:
            return "opted_out"
        return "clinic_reminds" if clinic_id in self.reminded_by else ""

    def bars(self, purpose: Purpose, channel: str) -> bool:
        """Whether the citizen wants none of this by that channel."""
        return purpose in _BOUND and bool(self.channels) and channel not in self.channels

    def channels_for(self, purpose: Purpose, offered: tuple[str, ...]) -> tuple[str, ...]:
        """By what to tell, the preferred first."""
        return self.channels if self.channels and purpose in _BOUND else offered


def read_choices(
    channels: str, quiet_from: str, quiet_until: str, offsets: str, reminded_by: Iterable[UUID]
) -> Choices:
    """The choices as they are kept. Raises InvalidChoice, InvalidOffset, InvalidQuietHours, ValueError for a clock."""
    is_muted = channels == NOTHING
    return Choices(
        channels=() if is_muted else _channels(channels),
        is_muted=is_muted,
        hours=outside(parse_clock(quiet_from), parse_clock(quiet_until)) if quiet_from or quiet_until else EVERY_DAY,
        extra=_extra(offsets),
        reminded_by=frozenset(reminded_by),
    )


def _channels(text: str) -> tuple[str, ...]:
    chosen = tuple(text.split(",")) if text else ()
    if not set(chosen) <= set(CHANNELS) or len(set(chosen)) < len(chosen):
        raise InvalidChoice(f"channels are {', '.join(CHANNELS)}, each once, the preferred first; or {NOTHING}")
    return chosen


def _extra(text: str) -> tuple[Rule, ...]:
    offsets = text.split(",") if text else []
    if len(set(offsets)) < len(offsets) or len(offsets) > MOST_EXTRA:
        raise InvalidChoice(f"at most {MOST_EXTRA} more reminders, each at another time")
    return tuple(_reminder(offset) for offset in offsets)


def _reminder(text: str) -> Rule:
    offset = parse_offset(text)
    if offset.anchor == Anchor.BOOKING:
        raise InvalidOffset("must count back from the visit or from the last day to cancel, as days:2:10.00 does")
    # The same for everybody: the promises made by it are each recipient's own.
    rule_id = uuid5(NAMESPACE_URL, f"kallelse:extra:{text}")
    return Rule(rule_id, Purpose.REMINDER, offset, _WORDS, CHANNELS)
