"""Why a provider did not deliver, in our words whatever its codes are: what to do next, and what it teaches. Pure."""

from dataclasses import dataclass
from enum import StrEnum

from notifier.channels import Remedy


class Lesson(StrEnum):
    """What a fault teaches beside that the message did not arrive."""

    NOTHING = "nothing"
    DEAD = "dead"  # the number is none: mark it
    PERHAPS_NOT_MOBILE = "perhaps_not_mobile"  # the numbering plan decides: a land line, or its carrier's trouble
    PERHAPS_DEAD = "perhaps_dead"  # the handset cannot be reached: marked after so many
    OPTED_OUT = "opted_out"  # the recipient has told the provider STOPP: remember it
    FILTERED = "filtered"  # one is a carrier's whim; a share of all is our words or our sender
    OPERATOR = "operator"  # the set-up is wrong: a person must act
    UNLISTED = "unlisted"  # a code without a row: a person must give it one


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a message was not delivered. `reason` is our stable word for it, kept with what follows from it."""

    reason: str
    meaning: str
    remedy: Remedy
    may_resend: bool = False  # one more try on the same channel can help, if it is still useful
    lesson: Lesson = Lesson.NOTHING

    @property
    def is_unlisted(self) -> bool:
        return self.lesson == Lesson.UNLISTED


UNEXPLAINED = Fault("unexplained", "the carrier gave no reason", Remedy.NEXT_CHANNEL, may_resend=True)
