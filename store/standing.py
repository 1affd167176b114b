"""How a booking stands with us, and the kinds of change we remember. Absence at a source is not yet a standing."""

from enum import StrEnum


class Standing(StrEnum):
    """How we hold a booking to stand. A suspect one is still booked."""

    BOOKED = "booked"
    GONE = "gone"  # two answers of evidence omit it; nobody said why
    CANCELLED = "cancelled"  # a status said so, or it was cancelled through us
    PASSED = "passed"  # its start has passed: a due row's work, never inferred from polling


class ChangeKind(StrEnum):
    """What happened to a booking (rules of behaviour, section 1)."""

    BOOKED = "booked"
    MOVED = "moved"
    AMENDED = "amended"
    CANCELLED = "cancelled"
    GONE = "gone"
    RESTORED = "restored"
    PASSED = "passed"
