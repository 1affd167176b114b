"""The delivery ledger as the rules see it: what has been promised or told, about which visit, and when. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from store.delivery_states import REACHED, DeliveryState
from store.purposes import OFF, Purpose

_TOLD = REACHED | {DeliveryState.QUEUED}


@dataclass(frozen=True, slots=True)
class Entry:
    """One part of one delivery. `at`: when its sending was settled, or else when it is to be tried."""

    delivery_id: UUID
    subject_id: UUID
    clinic_id: UUID
    purpose: Purpose
    occasion: str
    booking_id: UUID | None
    state: DeliveryState
    at: datetime
    is_dropped: bool = False

    @property
    def is_told(self) -> bool:
        """Told, or about to be."""
        return self.state in _TOLD and not self.is_dropped


@dataclass(frozen=True, slots=True)
class ByLetter:
    """A visit that the recipient was told of by letter. It holds back no message: it may be days on its way."""

    booking_id: UUID
    purpose: Purpose
    at: datetime


@dataclass(frozen=True, slots=True)
class Ledger:
    """Every entry that can matter for one recipient now, and the letters about visits with an untold change."""

    entries: tuple[Entry, ...] = ()
    letters: tuple[ByLetter, ...] = ()

    def has(self, purpose: Purpose, occasion: str) -> bool:
        return any(entry.purpose == purpose and entry.occasion == occasion for entry in self.entries)

    def told_of_booking(self, subject_id: UUID, booking_id: UUID) -> list[Entry]:
        return [one for one in self._told() if one.subject_id == subject_id and one.booking_id == booking_id]

    def told_by_clinic(self, subject_id: UUID, clinic_id: UUID) -> list[Entry]:
        return [one for one in self._told() if one.subject_id == subject_id and one.clinic_id == clinic_id]

    def told_times(self, exempt: Iterable[Purpose]) -> list[datetime]:
        """When each delivery of a purpose not exempt told the recipient, oldest first."""
        spared = set(exempt)
        return sorted({one.delivery_id: one.at for one in self._told() if one.purpose not in spared}.values())

    def told_it_was_off(self, booking_id: UUID) -> bool:
        """Whether the last change notice that went out about the booking, or was printed, said gone or cancelled."""
        went = [
            (one.at, one.purpose)
            for one in self.entries
            if one.booking_id == booking_id
            and one.state in REACHED
            and not one.is_dropped
            and one.occasion.startswith("change:")
        ]
        printed = [(one.at, one.purpose) for one in self.letters if one.booking_id == booking_id]
        notices = [*went, *printed]
        return bool(notices) and max(notices, key=lambda one: one[0])[1] in OFF

    def with_entries(self, more: Iterable[Entry]) -> "Ledger":
        return Ledger((*self.entries, *more), self.letters)

    def _told(self) -> list[Entry]:
        return [entry for entry in self.entries if entry.is_told]


def change_occasion(change_id: UUID) -> str:
    return f"change:{change_id}"


def rule_occasion(rule_id: UUID, booking_id: UUID, time_version: int) -> str:
    return f"rule:{rule_id}/booking:{booking_id}/time:{time_version}"
