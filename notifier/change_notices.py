"""What several changes of one booking amount to for somebody who was told of none of them. Pure.

A change undone before anybody was told is silence; a change on top of one still queued is told as one.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from store.purposes import Purpose
from store.standing import ChangeKind, Standing

# The second look has been the settling for Gone; Restored mends what was told.
_AT_ONCE = frozenset({ChangeKind.GONE, ChangeKind.RESTORED})
_ON = frozenset({Standing.BOOKED, Standing.PASSED})
_ENDINGS = {Standing.GONE: Purpose.GONE, Standing.CANCELLED: Purpose.CANCELLED}


@dataclass(frozen=True, slots=True)
class Then:
    """How a booking stood before a change."""

    start_at: datetime
    facility: str
    standing: Standing


@dataclass(frozen=True, slots=True)
class Change:
    """A change nobody has been told of: still to be told, or its notice lies queued (then `queued_*` are set)."""

    id: UUID
    booking_id: UUID
    kind: ChangeKind
    at: datetime
    settles_at: datetime
    before: Then | None  # None: the booking appeared
    queued_delivery: UUID | None = None
    queued_purpose: Purpose | None = None


@dataclass(frozen=True, slots=True)
class Notice:
    """What the changes of one booking call for now. `purpose` None is silence; `told_by` a queued delivery that will
    tell it as it then is; `withdrawn` the queued deliveries that no longer should go."""

    base: Change  # the earliest: what the recipient knows is what stood before it
    purpose: Purpose | None
    due_at: datetime
    settled_at: datetime
    told_by: UUID | None
    withdrawn: frozenset[UUID]


def notice(changes: Sequence[Change], now_stands: Then, *, told_it_was_off: bool) -> Notice:
    """The net effect of one booking's changes, oldest first and at least one.

    `told_it_was_off`: the last notice that went out about this booking said gone or cancelled.
    """
    base, last = changes[0], changes[-1]
    purpose = net_effect(base.before, now_stands, told_it_was_off=told_it_was_off)
    queued = {change.queued_delivery: change for change in changes if change.queued_delivery is not None}
    told_by = next((key for key, change in queued.items() if change is base and change.queued_purpose == purpose), None)
    return Notice(
        base=base,
        purpose=purpose,
        due_at=last.at if last.kind in _AT_ONCE else last.settles_at,
        settled_at=last.settles_at,
        told_by=told_by if purpose else None,
        withdrawn=frozenset(key for key in queued if key != told_by),
    )


def net_effect(before: Then | None, now_stands: Then, *, told_it_was_off: bool) -> Purpose | None:
    """What to tell somebody who knows `before`; None for silence."""
    if now_stands.standing in _ON:
        return _still_on(before, now_stands, told_it_was_off=told_it_was_off)
    if before is None or before.standing != Standing.BOOKED:
        return None
    return _ENDINGS.get(now_stands.standing)


def by_booking(changes: Iterable[Change]) -> dict[UUID, list[Change]]:
    """The changes of each booking, oldest first."""
    grouped: dict[UUID, list[Change]] = {}
    for change in sorted(changes, key=lambda change: (change.at, change.id)):
        grouped.setdefault(change.booking_id, []).append(change)
    return grouped


def _still_on(before: Then | None, now_stands: Then, *, told_it_was_off: bool) -> Purpose | None:
    if before is None:
        return Purpose.CONFIRMATION
    if (before.start_at, before.facility) != (now_stands.start_at, now_stands.facility):
        return Purpose.MOVED
    if before.standing != Standing.BOOKED and told_it_was_off:
        return Purpose.RESTORED
    return None
