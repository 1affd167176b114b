"""What providers' reports mean for a delivery. Its state follows from all that is known of its attempts, never from the
order in which it came to be known: of an attempt's reports the one of the highest rank stands. Pure.
"""

from collections.abc import Collection, Sequence
from enum import StrEnum

from store.delivery_states import AttemptOutcome, DeliveryState

NOT_DELIVERED = "not_delivered"  # the reason of a delivery that failed by the provider's own word

# What a report may still lift: given up as unknown, or said to be lost by a provider that then says otherwise.
_LIFTABLE = frozenset({"unknown", "no_receipt", NOT_DELIVERED})
_OPEN = frozenset({DeliveryState.QUEUED, DeliveryState.SENDING, DeliveryState.UNCERTAIN, DeliveryState.ACCEPTED})

State = tuple[DeliveryState, str]
"""A delivery's state and its reason."""


class Fate(StrEnum):
    """What is known of one attempt."""

    UNSENT = "unsent"  # the provider has no message
    UNKNOWN = "unknown"  # being made, or nobody knows its end
    TAKEN = "taken"  # the provider has it
    LOST = "lost"  # it will not arrive
    ARRIVED = "arrived"


# Twilio's words and 46elks' (`created`, `sent`, `delivered`, `failed`), which do not contradict each other; a status of
# parts that did not all arrive means that the message did not.
_REPORTS = {
    "created": Fate.TAKEN,
    "accepted": Fate.TAKEN, "scheduled": Fate.TAKEN, "queued": Fate.TAKEN, "sending": Fate.TAKEN, "sent": Fate.TAKEN,
    "undelivered": Fate.LOST, "failed": Fate.LOST, "canceled": Fate.LOST, "partially_delivered": Fate.LOST,
    "delivered": Fate.ARRIVED, "read": Fate.ARRIVED,
}  # fmt: skip
_BY_RANK = (Fate.ARRIVED, Fate.LOST, Fate.TAKEN)  # that it arrived is proof; that it did not may be a guess
_OUTCOMES = {
    None: Fate.UNKNOWN,
    AttemptOutcome.UNKNOWN: Fate.UNKNOWN,
    AttemptOutcome.ACCEPTED: Fate.TAKEN,
    AttemptOutcome.REFUSED: Fate.UNSENT,
    AttemptOutcome.UNREACHABLE: Fate.UNSENT,
}


def report(provider_status: str) -> Fate | None:
    """What the provider's word means; None for one that we do not know."""
    return _REPORTS.get(provider_status)


def fate(outcome: AttemptOutcome | None, provider_statuses: Collection[str]) -> Fate:
    """What is known of an attempt, by how it ended here and by all reports about it, in any order."""
    said = {report(one) for one in provider_statuses}
    return next((one for one in _BY_RANK if one in said), _OUTCOMES[outcome])


def code(reports: Collection[tuple[str, str]]) -> str:
    """The error code that an attempt's reports, pairs of status and code, leave it with; only a lost one has any."""
    said = {report(status) for status, _ in reports}
    if Fate.ARRIVED in said:
        return ""
    return min((code for status, code in reports if code and report(status) == Fate.LOST), default="")


def next_state(state: DeliveryState, reason: str, fates: Sequence[Fate]) -> State | None:
    """Where a delivery goes on a report; None: nowhere. `fates`: of its attempts, the earliest first."""
    told = _told(state, fates)
    if told in (None, (state, reason)):
        return None
    if state in _OPEN:
        return told
    may_be_lifted = state == DeliveryState.FAILED and reason in _LIFTABLE
    return told if may_be_lifted and told[0] in (DeliveryState.DELIVERED, DeliveryState.FAILED) else None


def _told(state: DeliveryState, fates: Sequence[Fate]) -> State | None:
    """What the attempts say together. One nobody knows the end of counts only while no other was made after it."""
    if Fate.ARRIVED in fates:
        return DeliveryState.DELIVERED, ""
    if Fate.TAKEN in fates:
        return DeliveryState.ACCEPTED, ""  # also from the queue: what was taken after all is not sent again
    if fates[-1] == Fate.UNKNOWN:
        return (DeliveryState.UNCERTAIN, "") if state == DeliveryState.ACCEPTED else None
    return (DeliveryState.FAILED, NOT_DELIVERED) if Fate.LOST in fates else None
