"""The states of a delivery, by themselves: pure decisions need them without the tables."""

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
