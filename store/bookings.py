"""Bookings as we hold them, and their changes. Only `worker.sync` writes them, always from a snapshot."""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from datetime import datetime
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    ColumnElement,
    Index,
    String,
    UniqueConstraint,
    distinct,
    func,
    literal_column,
    text,
)
from sqlmodel import Field, Session, SQLModel, col, delete, select, update

from store.claims import Due
from store.columns import Claimable, UtcDateTime, one_of, sealed
from store.identifiers import new_id
from store.standing import ChangeKind, Standing
from store.vault import SubjectCipher


class Booking(Claimable, table=True):
    """An agreed time. What could tell about a person's care is in `sealed_details`; the rest is what we search by."""

    __tablename__ = "bookings"
    __table_args__ = (
        UniqueConstraint("subject_id", "source", "logical_address", "booking_id"),
        Index("ix_bookings_facility_start", "facility", "start_at"),
        one_of("standing", Standing),
        sealed("sealed_details"),
        CheckConstraint("end_at is null or end_at > start_at", name="ends_after_start"),
        CheckConstraint("time_version >= 1 and sequence >= 0", name="versions_rise"),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    subject_id: UUID = Field(foreign_key="subjects.id", index=True)
    engagement_id: UUID = Field(foreign_key="engagements.id", index=True)
    source: str
    logical_address: str  # whose evidence counts for it
    booking_id: str
    facility: str = Field(foreign_key="facilities.hsa_id")
    start_at: datetime = Field(sa_type=UtcDateTime)
    end_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    time_flag: str = Field(default="")
    is_invitation: bool = Field(default=False)
    may_cancel: bool = Field(default=False)
    may_rebook: bool = Field(default=False)
    time_type_id: str = Field(default="")
    sealed_details: str
    digest: str  # hex, of the wire's content
    standing: Standing = Field(default=Standing.BOOKED, sa_type=String)
    stands_since: datetime = Field(sa_type=UtcDateTime)
    gone_directly: bool = Field(default=False)  # gone on direct evidence
    uid: str = Field(unique=True)  # iCalendar's, stable through moves
    sequence: int = Field(default=0)  # rises on time, place or status only
    time_version: int = Field(default=1)  # rises only when the start changes
    time_version_at: datetime = Field(sa_type=UtcDateTime)  # when the present time version was made
    amended_at: datetime = Field(sa_type=UtcDateTime)  # last change of anything shown
    first_seen_at: datetime = Field(sa_type=UtcDateTime)
    is_new: bool = Field(default=False)  # appeared as Booked, not at first contact
    candidate_until: datetime | None = Field(default=None, sa_type=UtcDateTime)  # waits for a suspect counterpart
    missed_at: datetime | None = Field(
        default=None, sa_type=UtcDateTime
    )  # suspect since; None = seen in the last answer
    missed_on_evidence_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    missed_directly_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    second_look_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    passes_at: datetime | None = Field(default=None, sa_type=UtcDateTime, index=True)  # due: its start, until passed


class BookingChange(SQLModel, table=True):
    """Something that happened to a booking. `tell` is off for what nobody is told (first contact, undone)."""

    __tablename__ = "booking_changes"
    __table_args__ = (
        one_of("kind", ChangeKind),
        sealed("sealed_before"),
        Index("ix_booking_changes_untold", "subject_id", sqlite_where=text("tell"), postgresql_where=text("tell")),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    booking_id: UUID = Field(foreign_key="bookings.id", index=True, ondelete="CASCADE")
    subject_id: UUID = Field(foreign_key="subjects.id")
    kind: ChangeKind = Field(sa_type=String)
    at: datetime = Field(sa_type=UtcDateTime)
    settles_at: datetime = Field(sa_type=UtcDateTime)  # not told before
    tell: bool = Field(default=False)  # still to be told; the planner turns it off
    sealed_before: str | None = Field(default=None)  # `Before` as JSON; None when it appeared


PASSING = Due(Booking, "passes_at")


@dataclass(frozen=True, slots=True)
class Details:
    """What a booking or an open invitation tells about care. Kept sealed with the subject's key."""

    facility_name: str = field(default="", repr=False)
    performer_name: str = field(default="", repr=False)
    resource_name: str = field(default="", repr=False)
    time_type_name: str = field(default="", repr=False)
    care_type_name: str = field(default="", repr=False)
    preparations: str = field(default="", repr=False)  # a leaflet's written form (store.leaflets)

    def written(self) -> str:
        """As text, to be sealed."""
        return json.dumps(asdict(self), ensure_ascii=False)


@dataclass(frozen=True, slots=True)
class Before:
    """What a change replaced: enough to say "Tidigare: ..." and to see whether it was undone."""

    start_at: datetime
    facility: str
    standing: Standing
    time_version: int


def seal_details(cipher: SubjectCipher, booking_id: UUID, details: Details) -> str:
    return cipher.seal_text("bookings.sealed_details", booking_id, details.written())


def open_details(cipher: SubjectCipher, booking: Booking) -> Details:
    return read_details(cipher.open_text("bookings.sealed_details", booking.id, booking.sealed_details))


def read_details(written: str) -> Details:
    return Details(**json.loads(written))


def seal_before(cipher: SubjectCipher, change_id: UUID, before: Before) -> str:
    content = {**asdict(before), "start_at": before.start_at.isoformat()}
    return cipher.seal_text("booking_changes.sealed_before", change_id, json.dumps(content))


def open_before(cipher: SubjectCipher, change: BookingChange) -> Before | None:
    if change.sealed_before is None:
        return None
    content = json.loads(cipher.open_text("booking_changes.sealed_before", change.id, change.sealed_before))
    return Before(
        datetime.fromisoformat(content["start_at"]),
        content["facility"],
        Standing(content["standing"]),
        content["time_version"],
    )


def of_subject(session: Session, subject_id: UUID) -> list[Booking]:
    """Every booking of the subject, by start."""
    query = select(Booking).where(col(Booking.subject_id) == subject_id)
    return list(session.exec(query.order_by(col(Booking.start_at), col(Booking.id))))


def of_engagement(session: Session, engagement_id: UUID) -> list[Booking]:
    """The engagement's bookings that have not passed."""
    query = select(Booking).where(col(Booking.engagement_id) == engagement_id, col(Booking.standing) != Standing.PASSED)
    return list(session.exec(query.order_by(col(Booking.start_at), col(Booking.id))))


def passed_with(session: Session, engagement_id: UUID, booking_ids: Iterable[str]) -> list[Booking]:
    """The engagement's passed bookings with these ids at the source: some sources list a visit that has started, and
    ids may be used again."""
    query = select(Booking).where(
        col(Booking.engagement_id) == engagement_id,
        col(Booking.standing) == Standing.PASSED,
        col(Booking.booking_id).in_(set(booking_ids)),
    )
    return list(session.exec(query))


def by_ids(session: Session, ids: Iterable[UUID]) -> dict[UUID, Booking]:
    rows = session.exec(select(Booking).where(col(Booking.id).in_(set(ids))))
    return {row.id: row for row in rows}


def tell_nothing_of(session: Session, booking_id: UUID) -> None:
    """Nothing that happened to this booking so far is to be told."""
    statement = update(BookingChange).where(col(BookingChange.booking_id) == booking_id).values(tell=False)
    session.exec(statement)


def forget_changes(session: Session, booking_id: UUID) -> None:
    """Deletes the changes of a booking whose row is about to go (a replacement merged into what it replaced)."""
    session.exec(delete(BookingChange).where(col(BookingChange.booking_id) == booking_id))


@dataclass(frozen=True, slots=True)
class Suspicion:
    """How much of a facility's coming bookings lately went missing."""

    suspects: int
    subjects: int
    future: int


def suspicion(session: Session, facility: str, now: datetime, since: datetime) -> Suspicion:
    """Counts the facility's coming bookings, and those of them suspect since `since` or later."""
    coming = (col(Booking.facility) == facility, col(Booking.standing) == Standing.BOOKED, col(Booking.start_at) > now)
    missed = (*coming, col(Booking.missed_at) >= since)
    future = session.exec(select(func.count()).select_from(Booking).where(*coming)).one()
    suspects, subjects = session.exec(
        select(func.count(), func.count(distinct(col(Booking.subject_id)))).select_from(Booking).where(*missed)
    ).one()
    return Suspicion(suspects, subjects, future)


def has_suspects(session: Session, facility: str) -> bool:
    query = select(Booking.id).where(col(Booking.facility) == facility, col(Booking.missed_at).is_not(None))
    return session.exec(query.limit(1)).first() is not None


def is_untold() -> ColumnElement[bool]:
    """Written out, not compared with a value: else SQLite does not see that its partial index serves."""
    return literal_column("booking_changes.tell")


def untold_changes(session: Session, subject_id: UUID) -> list[BookingChange]:
    """Changes still to be told, the oldest first."""
    query = select(BookingChange).where(col(BookingChange.subject_id) == subject_id, is_untold())
    return list(session.exec(query.order_by(col(BookingChange.at), col(BookingChange.id))))


def untold_subjects(session: Session, facilities: Iterable[str]) -> set[UUID]:
    """Who is still to be told of a change at one of them."""
    query = select(BookingChange.subject_id).join(Booking, col(Booking.id) == col(BookingChange.booking_id))
    return set(session.exec(query.where(is_untold(), col(Booking.facility).in_(list(facilities))).distinct()))
