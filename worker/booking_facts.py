"""What a booking row's columns are, from a reported booking or from another row; and what open invitations share."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from store import bookings, leaflets
from store.bookings import Booking, Details
from store.database import Session
from store.facilities import Facility, by_ids
from store.identifiers import HsaId
from store.vault import SubjectCipher, Vault
from worker.sources import ReportedBooking, ReportedInvitation

UNKNOWN_MESSAGE_NAME = "mottagningen"  # a facility nobody has described: messages must not guess what it treats


def reported_facts(cipher: SubjectCipher, row_id: UUID, booking: ReportedBooking) -> dict[str, Any]:
    """The columns a reported booking fills. Its facility has a row (`ensure_facilities`)."""
    return {
        "facility": booking.facility,
        "start_at": booking.start_at,
        "end_at": booking.end_at,
        "time_flag": str(booking.time_flag),
        "is_invitation": booking.is_invitation,
        "may_cancel": booking.may_cancel,
        "may_rebook": booking.may_rebook,
        "time_type_id": booking.time_type_id,
        "sealed_details": bookings.seal_details(cipher, row_id, details_of(booking)),
        "digest": booking.digest.hex(),
        "passes_at": booking.start_at,
    }


def uid_of(vault: Vault, row_id: UUID) -> str:
    """What calendar programs know the row by: a keyed digest, which tells nothing of it."""
    return vault.digest("uid", str(row_id)).partition(":")[2][:40] + "@kallelse"


def details_of(reported: ReportedBooking | ReportedInvitation) -> Details:
    """What it tells about care."""
    return Details(
        facility_name=reported.facility_name,
        performer_name=reported.performer_name,
        resource_name=reported.resource_name,
        time_type_name=reported.time_type_name,
        care_type_name=reported.care_type_name,
        preparations=leaflets.written(reported.preparations),
    )


def copied_facts(cipher: SubjectCipher, row_id: UUID, candidate: Booking) -> dict[str, Any]:
    """The same columns from a replacement's row, sealed anew for the row that takes them over."""
    details = bookings.open_details(cipher, candidate)
    names = ("facility", "start_at", "end_at", "time_flag", "is_invitation", "may_cancel", "may_rebook", "time_type_id")
    return {
        **{name: getattr(candidate, name) for name in names},
        "sealed_details": bookings.seal_details(cipher, row_id, details),
        "digest": candidate.digest,
        "passes_at": candidate.start_at,
    }


def root_of(facility: HsaId, parents: Mapping[HsaId, HsaId]) -> HsaId:
    """The top of a facility's care-unit family."""
    return [facility, *lineage(facility, parents)][-1]


def lineage(facility: HsaId, parents: Mapping[HsaId, HsaId]) -> Iterator[HsaId]:
    """The units above a facility, the nearest first. A ring in the tree ends where it would begin anew."""
    seen = {facility}
    at = parents.get(facility)
    while at is not None and at not in seen:
        yield at
        seen.add(at)
        at = parents.get(at)


def ensure_facilities(
    session: Session, reported: Iterable[ReportedBooking | ReportedInvitation], now: datetime
) -> None:
    """A facility nobody has imported gets a row of its own, as secret as can be until somebody describes it.

    In the order of their ids, so that two polls that meet the same facilities do not wait for each other in a ring.
    """
    by_id = {one.facility: one for one in reported}
    known = by_ids(session, by_id)
    for hsa_id, booking in sorted(by_id.items()):
        facility = known.get(hsa_id) or _undescribed(booking)
        if facility.first_seen_at is None:
            facility.first_seen_at = now
            session.add(facility)
    session.flush()


def _undescribed(booking: ReportedBooking | ReportedInvitation) -> Facility:
    return Facility(
        hsa_id=booking.facility,
        spelling=booking.facility_spelling,
        display_name=booking.facility_name or "Mottagningen",
        message_name=UNKNOWN_MESSAGE_NAME,
    )
