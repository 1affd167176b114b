"""Why a delivery exists (rules of behaviour, section 2). Suppression and fallback are per purpose."""

from enum import StrEnum


class Purpose(StrEnum):
    DEADLINE = "deadline"  # before the last day to cancel
    REMINDER = "reminder"  # the day before, and others
    PREPARATIONS = "preparations"
    CONFIRMATION = "confirmation"
    MOVED = "moved"
    GONE = "gone"
    CANCELLED = "cancelled"
    RESTORED = "restored"
    OFFER = "offer"
    CODE = "code"
    NOTICE = "notice"


CHANGE_NOTICES = frozenset({Purpose.MOVED, Purpose.GONE, Purpose.CANCELLED, Purpose.RESTORED})
"""What must arrive: sent at least once, worded so that a copy is harmless."""

OFF = frozenset({Purpose.GONE, Purpose.CANCELLED})
"""Notices that a visit is off."""
SUPPRESSIBLE = frozenset(Purpose) - {Purpose.CODE}
"""What an address can be spared. A code is asked for by who reads it, at the moment."""

REMINDING = frozenset({Purpose.DEADLINE, Purpose.REMINDER, Purpose.PREPARATIONS, Purpose.CONFIRMATION})
"""What somebody can unsubscribe from by e-mail's own button (RFC 8058). What changes a visit is told all the same."""
