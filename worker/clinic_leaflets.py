"""A clinic's own texts before visits, taken from a file, and who has not read what is to be read."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from uuid import UUID

from notifier.visit_preparations import Shelf
from store import calendars, facilities, preparations, preparations_read, replannings, subjects
from store.clinics import Clinic
from store.database import Session
from store.deliveries import Delivery
from store.preparations import FALLBACK, ClinicLeaflet
from store.preparations_read import PreparationsRead
from store.vault import KeyDestroyed, Vault
from worker.leaflet_files import Allowed, LeafletsFile, TextEntry, differences, require_fit


@dataclass(frozen=True, slots=True)
class Unseen:
    """A visit to come that nobody has said to have read for. `read_at`: when an earlier text was; `told`: the last
    message about it."""

    booking_id: UUID
    subject_id: UUID
    start_at: datetime
    place: str
    told: Delivery | None
    read_at: datetime | None


def exported(session: Session, clinic: Clinic) -> LeafletsFile:
    """The clinic's texts. Taking them changes nothing."""
    return LeafletsFile(clinic.name, tuple(_entry(row) for row in preparations.leaflets_of(session, clinic.id)))


def take(  # noqa: PLR0913 - whose texts, from where, when, and whether for real
    session: Session, clinic: Clinic, file: LeafletsFile, path: Path, now: datetime, *, is_tried: bool
) -> list[str]:
    """Puts the file's texts in the place of the clinic's, and says what that changes. Whom it concerns is planned anew,
    and their calendars are looked at. Raises ImportRefused, with every fault, before anything is written."""
    units = [one.hsa_id for one in facilities.of_clinic(session, clinic.id)]
    require_fit(path, file, Allowed(units, preparations.hosts_of(session, clinic.id)))
    lines = differences(exported(session, clinic).entries, file.entries)
    if lines and not is_tried:
        rows = [_row(clinic, entry, now) for entry in file.entries]
        preparations.put_in_place(session, clinic.id, rows)
        replannings.ask_for_clinic(session, clinic.id, now)
        calendars.wake_calendars_at(session, units, now)
    return lines


def unseen(session: Session, vault: Vault, clinic: Clinic, now: datetime, until: datetime) -> Iterator[Unseen]:
    """The clinic's visits until then, the first to come first, whose text on our page nobody has said to have read.
    What is to be read on 1177 alone nobody tells us of."""
    coming = preparations_read.coming_of(session, clinic.id, now, until)
    ids = [booking.id for booking, _ in coming]
    told, read = preparations_read.told_of(session, ids), preparations_read.of_visits(session, ids)
    shelf = Shelf(session, clinic, [booking for booking, _ in coming])
    for booking, place in coming:
        try:
            cipher = subjects.cipher_of(session, vault, booking.subject_id)
        except KeyDestroyed:
            continue  # erased: there is nobody to ask
        found = shelf.to_read(cipher, booking, FALLBACK)
        if found is None or not found.on_page or _is_read(read.get(booking.id, []), found.digest(vault)):
            continue
        earlier = next((row.read_at for row in read.get(booking.id, [])), None)
        yield Unseen(
            booking.id, booking.subject_id, booking.start_at, place.message_name, told.get(booking.id), earlier
        )


def _is_read(rows: list[PreparationsRead], digest: str) -> bool:
    """By anybody: a child's guardian reads for the child."""
    return any(row.text_digest == digest for row in rows)


def _entry(row: ClinicLeaflet) -> TextEntry:
    return TextEntry(row.facility, row.time_type_id, row.language, row.text)


def _row(clinic: Clinic, entry: TextEntry, now: datetime) -> ClinicLeaflet:
    return ClinicLeaflet(
        clinic_id=clinic.id,
        facility=entry.facility,
        time_type_id=entry.time_type,
        language=entry.language,
        text=entry.text,
        amended_at=now,
    )
