"""Reads from the store what the rules decide on: one subject's visits, untold changes and ledger. Decides nothing."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from notifier.agreed import Agreed
from notifier.change_notices import Change, Then
from notifier.ledger import ByLetter, Entry, Ledger
from notifier.precedence import Mode, Origin
from notifier.reminders import Visit
from notifier.rules import Facts
from notifier.swedish_days import cancel_deadline
from store import bookings, deliveries, facilities, letters
from store.bookings import Booking, BookingChange
from store.database import Session
from store.deliveries import Delivery, DeliveryPart
from store.delivery_states import DeliveryState
from store.facilities import Facility
from store.identifiers import HsaId
from store.purposes import CHANGE_NOTICES, Purpose
from store.standing import ChangeKind, Standing
from store.vault import SubjectCipher

_CHANGE = "change:"


@dataclass(frozen=True, slots=True)
class Gathered:
    """The rules' facts, and the rows behind the untold changes."""

    facts: Facts
    changes: Mapping[UUID, BookingChange] = field(repr=False)


def gather(
    session: Session, cipher: SubjectCipher, subject_id: UUID, agreed: Agreed, ledger_since: datetime
) -> Gathered:
    """Everything about the subject. `ledger_since`: how far back other messages still matter for spacing and caps."""
    held = bookings.of_subject(session, subject_id)
    places = facilities.by_ids(session, {booking.facility for booking in held})
    entries = _entries(deliveries.parts_about(session, subject_id, [booking.id for booking in held], ledger_since))
    untold = {change.id: change for change in bookings.untold_changes(session, subject_id)}
    visits = tuple(visit_of(booking, places[HsaId(booking.facility)], cipher, agreed) for booking in held)
    changes = _changes(session, cipher, untold, entries)
    choices = agreed.choices_of(subject_id)
    ledger = Ledger(entries, _letters(session, subject_id, untold.values()) if untold else ())
    return Gathered(Facts(subject_id, visits, agreed.rules, changes, ledger, choices, agreed.terms), untold)


def then(before: bookings.Before) -> Then:
    return Then(before.start_at, before.facility, before.standing)


def stands(booking: Booking) -> Then:
    return Then(booking.start_at, booking.facility, Standing(booking.standing))


def change_of(occasion: str) -> UUID | None:
    """The change that an occasion is about; None for a reminder's."""
    return UUID(occasion.removeprefix(_CHANGE)) if occasion.startswith(_CHANGE) else None


def visit_of(booking: Booking, place: Facility, cipher: SubjectCipher, agreed: Agreed) -> Visit:
    return Visit(
        booking_id=booking.id,
        clinic_id=place.clinic_id,
        facility=booking.facility,
        start_at=booking.start_at,
        deadline_at=cancel_deadline(booking.start_at, place.cancel_deadline),
        standing=Standing(booking.standing),
        time_version=booking.time_version,
        time_version_at=booking.time_version_at,
        has_preparations=_is_told(booking, place, agreed) and _has_preparations(booking, place, cipher, agreed),
        waits_until=booking.candidate_until,
        above=agreed.above(booking.facility),
        time_type=booking.time_type_id,
        mode=Mode.REMOTE if booking.time_type_id in place.remote_time_types else Mode.ON_SITE,
        origin=Origin.INVITATION if booking.is_invitation else Origin.BOOKING,
        booked_at=booking.time_version_at if booking.is_new or booking.time_version > 1 else None,
    )


def _has_preparations(booking: Booking, place: Facility, cipher: SubjectCipher, agreed: Agreed) -> bool:
    """As `notifier.visit_preparations` finds them before the message goes, without a question for each person."""
    line = (booking.facility, *agreed.above(booking.facility))
    if agreed.texts.are_told(place.clinic_id, line, booking.time_type_id):
        return True
    return bool(bookings.open_details(cipher, booking).preparations)


def _is_told(booking: Booking, place: Facility, agreed: Agreed) -> bool:
    """Whether the booking's sealed details can matter; opening them all would cost most of a planning."""
    return place.clinic_id in agreed.rules and booking.standing != Standing.PASSED


def _entries(rows: Iterable[tuple[Delivery, DeliveryPart]]) -> tuple[Entry, ...]:
    return tuple(
        Entry(
            delivery_id=delivery.id,
            subject_id=delivery.subject_id,
            clinic_id=delivery.clinic_id,
            purpose=Purpose(part.purpose),
            occasion=part.occasion,
            booking_id=part.booking_id,
            state=DeliveryState(delivery.state),
            at=delivery.settled_at or delivery.next_attempt_at,
            is_dropped=part.dropped_reason != "",
        )
        for delivery, part in rows
    )


def _letters(session: Session, subject_id: UUID, untold: Iterable[BookingChange]) -> tuple[ByLetter, ...]:
    found = letters.about(session, subject_id, {change.booking_id for change in untold})
    notices = (one for one in found if one.purpose in CHANGE_NOTICES)
    return tuple(ByLetter(one.booking_id, Purpose(one.purpose), one.made_at) for one in notices)


def _changes(
    session: Session, cipher: SubjectCipher, untold: Mapping[UUID, BookingChange], entries: Sequence[Entry]
) -> tuple[Change, ...]:
    """The untold changes, and before them those whose notice still lies queued."""
    queued = {
        change_id: entry
        for entry in entries
        if entry.state == DeliveryState.QUEUED and not entry.is_dropped and (change_id := change_of(entry.occasion))
    }
    behind = [session.get(BookingChange, change_id) for change_id in queued if change_id not in untold]
    rows = [*untold.values(), *(row for row in behind if row is not None)]
    return tuple(_change(row, cipher, queued.get(row.id)) for row in rows)


def _change(row: BookingChange, cipher: SubjectCipher, queued: Entry | None) -> Change:
    before = bookings.open_before(cipher, row)
    return Change(
        id=row.id,
        booking_id=row.booking_id,
        kind=ChangeKind(row.kind),
        at=row.at,
        settles_at=row.settles_at,
        before=None if before is None else then(before),
        queued_delivery=None if queued is None else queued.delivery_id,
        queued_purpose=None if queued is None else queued.purpose,
    )
