"""The states of a delivery and the outcomes of its attempts, by themselves: pure decisions need them without tables."""

from enum import StrEnum


class DeliveryState(StrEnum):
    """queued -> sending -> accepted -> delivered; the rest are exits. Final: delivered, failed, skipped, expired."""

    QUEUED = "queued"
    SENDING = "sending"
    ACCEPTED = "accepted"
    DELIVERED = "delivered"
    FAILED = "failed"
    SKIPPED = "skipped"
    EXPIRED = "expired"
    UNCERTAIN = "uncertain"


REACHED = frozenset({DeliveryState.SENDING, DeliveryState.ACCEPTED, DeliveryState.DELIVERED, DeliveryState.UNCERTAIN})
"""The recipient has been told, or may have been."""


class AttemptOutcome(StrEnum):
    """What became of one try. An attempt without an outcome is under way, or its worker died."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    UNREACHABLE = "unreachable"
    UNKNOWN = "unknown"
