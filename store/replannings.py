"""Plannings to be made anew because a clinic's rules, decision or deadlines have changed: a due row per facility, which
goes through its coming visits, the nearest first, some at a time."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import tuple_
from sqlmodel import Field, Session, col, select

from store.bookings import Booking
from store.claims import Claim, Due
from store.columns import Claimable, UtcDateTime
from store.facilities import Facility
from store.identifiers import new_id
from store.inserting import insert_of
from store.standing import Standing


class Replanning(Claimable, table=True):
    """How far it has come with one facility: the last visit whose citizen has been made due."""

    __tablename__ = "replannings"

    id: UUID = Field(default_factory=new_id, primary_key=True)
    facility: str = Field(foreign_key="facilities.hsa_id", unique=True)
    next_at: datetime | None = Field(default=None, sa_type=UtcDateTime, index=True)
    after_start_at: datetime | None = Field(default=None, sa_type=UtcDateTime)  # None: from the beginning
    after_id: UUID | None = Field(default=None)


REPLANNING = Due(Replanning, "next_at")


@dataclass(frozen=True, slots=True)
class Coming:
    """A visit to come, as a place in its facility's order."""

    start_at: datetime
    booking_id: UUID
    subject_id: UUID


def ask_for(session: Session, facilities: Iterable[str], now: datetime) -> None:
    """Has everybody with a visit to come there planned anew, from the beginning: also where that is under way."""
    for facility in sorted(set(facilities)):
        row = Replanning(facility=facility, next_at=now, wakes=1)
        again = {"next_at": now, "after_start_at": None, "after_id": None, "wakes": col(Replanning.wakes) + 1}
        statement = insert_of(session, row).on_conflict_do_update(index_elements=["facility"], set_=again)
        session.connection().execute(statement)


def ask_for_clinic(session: Session, clinic_id: UUID, now: datetime) -> None:
    owned = select(Facility.hsa_id).where(col(Facility.clinic_id) == clinic_id)
    ask_for(session, session.exec(owned).all(), now)


def ask_for_all(session: Session, now: datetime) -> None:
    owned = select(Facility.hsa_id).where(col(Facility.clinic_id).is_not(None))
    ask_for(session, session.exec(owned).all(), now)


def claimed(session: Session, claim: Claim) -> Replanning | None:
    """The row, locked where the database can; None if the claim is lost."""
    mine = (col(Replanning.id) == claim.id, col(Replanning.fence) == claim.fence)
    query = select(Replanning).where(*mine).with_for_update().execution_options(populate_existing=True)
    return session.exec(query).first()


def coming(session: Session, row: Replanning, now: datetime, limit: int) -> list[Coming]:
    """The next visits at the facility, by start."""
    query = select(Booking.start_at, Booking.id, Booking.subject_id).where(
        col(Booking.facility) == row.facility,
        col(Booking.standing) == Standing.BOOKED,
        col(Booking.start_at) > now,
    )
    if row.after_start_at is not None and row.after_id is not None:
        query = query.where(tuple_(col(Booking.start_at), col(Booking.id)) > (row.after_start_at, row.after_id))
    ordered = query.order_by(col(Booking.start_at), col(Booking.id)).limit(limit)
    return [Coming(*found) for found in session.exec(ordered)]


def coming_subjects(session: Session, facilities: Iterable[str], now: datetime) -> set[UUID]:
    """Who has a visit to come at one of them."""
    query = select(Booking.subject_id).where(
        col(Booking.facility).in_(list(facilities)),
        col(Booking.standing) == Standing.BOOKED,
        col(Booking.start_at) > now,
    )
    return set(session.exec(query.distinct()))
