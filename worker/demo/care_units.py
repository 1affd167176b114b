"""What a facility of the simulated region is: its booking system with the vendor's habits, and what it offers.

Knows no wire format and no person.
"""

import csv
import io
from collections.abc import Iterable
from dataclasses import dataclass

FACILITY_COLUMNS = (
    "hsa_id",
    "parent",
    "display_name",
    "message_name",
    "sensitive",
    "phone",
    "address",
    "clinic",
    "cancel_deadline",
    "remote_time_types",
    "show_end",
)


@dataclass(frozen=True, slots=True)
class BookingSystem:
    """A time book's make. The habits are such as real producers have been seen with."""

    name: str
    writes_minutes_only: bool = False  # twelve-digit times, against the contract
    writes_lower_case_ids: bool = False
    writes_empty_elements: bool = False
    writes_docbook: bool = False


@dataclass(frozen=True, slots=True)
class TimeType:
    """A kind of visit as a facility names it; the id means nothing outside the facility."""

    id: str
    name: str
    minutes: int = 30
    is_remote: bool = False
    preparations: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facility:
    """Where visits happen. `cancel_deadline`: `hours:24`, `weekdays:3`, or empty where there is none."""

    hsa_id: str
    name: str
    message_name: str
    system: BookingSystem
    time_types: tuple[TimeType, ...]
    performer: str
    phone: str
    address: str
    parent: str = ""
    clinic: str = ""
    cancel_deadline: str = ""
    care_type: str = ""
    resource: str = ""
    is_sensitive: bool = False
    shows_end: bool = False

    @property
    def logical_address(self) -> str:
        """Whose time book holds the visits: a child's are in its parent's."""
        return self.parent or self.hsa_id

    def time_type(self, text: str) -> TimeType:
        """The facility's own time type with that id or name, else one of that name."""
        wanted = text.casefold()
        named = (kind for kind in self.time_types if wanted in (kind.id.casefold(), kind.name.casefold()))
        return next(named, TimeType(text, text))


def facilities_csv(facilities: Iterable[Facility]) -> str:
    """What a region would hand over for `facilities import`: one line per facility, parents first."""
    lines = io.StringIO()
    writer = csv.writer(lines, lineterminator="\n")
    writer.writerow(FACILITY_COLUMNS)
    writer.writerows(_row(facility) for facility in sorted(facilities, key=lambda facility: bool(facility.parent)))
    return lines.getvalue()


def _row(facility: Facility) -> tuple[str, ...]:
    remote = "|".join(kind.id for kind in facility.time_types if kind.is_remote)
    return (
        facility.hsa_id,
        facility.parent,
        facility.name,
        facility.message_name,
        _yes(facility.is_sensitive),
        facility.phone,
        facility.address,
        facility.clinic,
        facility.cancel_deadline,
        remote,
        _yes(facility.shows_end),
    )


def _yes(truth: bool) -> str:  # noqa: FBT001  # a word for a truth value has nothing else to take
    return "yes" if truth else "no"
