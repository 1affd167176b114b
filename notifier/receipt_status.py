"""What a provider's report means for a delivery. States only move forward; a report that comes late changes nothing,
but for one thing: it lifts what we gave up on as unknown. Pure.
"""

from enum import StrEnum

from store.delivery_states import DeliveryState

_GIVEN_UP = frozenset({"unknown", "no_receipt"})
_OPEN = frozenset({DeliveryState.SENDING, DeliveryState.UNCERTAIN, DeliveryState.ACCEPTED})


class Report(StrEnum):
    """What a provider's status says."""

    TAKEN = "taken"  # the provider has it
    ARRIVED = "arrived"
    LOST = "lost"  # it will not arrive


# Twilio's words; a status of parts that did not all arrive means that the message did not.
_REPORTS = {
    "accepted": Report.TAKEN, "scheduled": Report.TAKEN, "queued": Report.TAKEN, "sending": Report.TAKEN,
    "sent": Report.TAKEN, "delivered": Report.ARRIVED, "read": Report.ARRIVED, "undelivered": Report.LOST,
    "failed": Report.LOST, "canceled": Report.LOST, "partially_delivered": Report.LOST,
}  # fmt: skip


def report(provider_status: str) -> Report | None:
    """What the provider's word means; None for one that we do not know."""
    return _REPORTS.get(provider_status)


def next_state(state: DeliveryState, reason: str, provider_status: str) -> DeliveryState | None:
    """The delivery's next state, or None where the report changes nothing. `reason`: the delivery's own, if failed."""
    said = report(provider_status)
    if said is None:
        return None
    if state in _OPEN:
        return _forward(state, said)
    if state == DeliveryState.QUEUED and said != Report.LOST:
        return _forward(state, said)  # taken after all, though it seemed not to be: never send it again
    if state == DeliveryState.FAILED and reason in _GIVEN_UP and said == Report.ARRIVED:
        return DeliveryState.DELIVERED
    return None


def _forward(state: DeliveryState, said: Report) -> DeliveryState | None:
    if said == Report.ARRIVED:
        return DeliveryState.DELIVERED
    if said == Report.LOST:
        return DeliveryState.FAILED
    return None if state == DeliveryState.ACCEPTED else DeliveryState.ACCEPTED
