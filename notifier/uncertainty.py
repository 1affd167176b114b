"""What follows when nobody knows whether a message went, or whether it arrived (rules of behaviour, 3.4 and 3.6).

Pure: what is known and what the provider has just said, a decision as data.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from store.purposes import CHANGE_NOTICES, Purpose

_PROOFS = 2  # that a message is absent: one look may come before the provider lists it
_MOST_UNKNOWN = 2  # attempts nobody knows the end of: the first, and one copy where it must arrive
_LONGEST_BACKOFF = 8  # times the first
_ENQUIRIES = (1, 8, 96)  # times the first wait: 15 minutes, 2 hours, 24 hours
_NO_RECEIPT = 288  # 72 hours


@dataclass(frozen=True, slots=True)
class Patience:
    """`first_look`: from becoming uncertain to the first look-up, longer than any pause of a worker that may still
    send. `second_proof`: between two. `give_up`: without any answer. `receipt`: from acceptance to the first enquiry;
    the second and third come 8 and 96 times as late, and after 288 times no receipt is waited for."""

    first_look: timedelta = timedelta(seconds=120)
    second_proof: timedelta = timedelta(seconds=60)
    give_up: timedelta = timedelta(minutes=10)
    receipt: timedelta = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Found:
    """The provider has it, under this id."""

    provider_id: str


@dataclass(frozen=True, slots=True)
class Absent:
    """The provider answered, and does not have it."""


@dataclass(frozen=True, slots=True)
class Silent:
    """Nothing was learned: the provider did not answer, or others' messages of the same text are still under way."""

    forever: bool = False  # the channel cannot be asked at all


Answer = Found | Absent | Silent


@dataclass(frozen=True, slots=True)
class Unsettled:
    """An uncertain delivery. `absences`: proofs so far. `unknown_attempts`: those nobody knows the end of."""

    purpose: Purpose
    absences: int
    unknown_for: timedelta
    unknown_attempts: int


@dataclass(frozen=True, slots=True)
class Bind:
    """It was taken after all: accepted."""

    provider_id: str


@dataclass(frozen=True, slots=True)
class AskAgain:
    after: timedelta
    absences: int


@dataclass(frozen=True, slots=True)
class SendAgain:
    """Back to the queue: proved absent, or (`is_copy`) unknowable and worded so that a copy is harmless."""

    is_copy: bool


@dataclass(frozen=True, slots=True)
class GiveUp:
    """Nobody will ever know, and a copy would do harm: failed(unknown)."""


Decision = Bind | AskAgain | SendAgain | GiveUp


def settle(found: Unsettled, answer: Answer, patience: Patience) -> Decision:
    """What becomes of an uncertain delivery."""
    if isinstance(answer, Found):
        return Bind(answer.provider_id)
    if isinstance(answer, Absent):
        absences = found.absences + 1
        return SendAgain(is_copy=False) if absences >= _PROOFS else AskAgain(patience.second_proof, absences)
    if not answer.forever and found.unknown_for < patience.give_up:
        return AskAgain(_backoff(found, patience), found.absences)
    if found.purpose in CHANGE_NOTICES and found.unknown_attempts < _MOST_UNKNOWN:
        return SendAgain(is_copy=True)
    return GiveUp()


def may_bind(candidates: Sequence[str], under_way: int) -> str | None:
    """Which of the provider's messages of this text to this recipient, none of them known as another attempt's, is
    ours: the oldest, if there are more than attempts of the same text that are still being made."""
    return candidates[0] if len(candidates) > under_way else None


def next_enquiry(asked: int, patience: Patience) -> timedelta | None:
    """How long after the last enquiry the next one about an accepted message is; None: no receipt will come."""
    moments = (*_ENQUIRIES, _NO_RECEIPT)
    return patience.receipt * (moments[asked] - moments[asked - 1]) if 0 < asked < len(moments) else None


def _backoff(found: Unsettled, patience: Patience) -> timedelta:
    """Half the second proof's wait at first, then as long again as it has been unknown; never past giving up."""
    first = patience.second_proof / 2
    wait = min(max(first, found.unknown_for - patience.first_look), first * _LONGEST_BACKOFF)
    return min(wait, max(patience.give_up - found.unknown_for, timedelta(seconds=1)))
