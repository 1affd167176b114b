"""Open invitations as we hold them: the citizen is to book a time. Written from facilities' own answers only.

What an engagement index lists is for asking and is never kept; see `worker.invitations`.
"""

from collections.abc import Iterable
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, UniqueConstraint
from sqlmodel import Field, Session, SQLModel, col, select

from store.bookings import Details, read_details
from store.columns import UtcDateTime, sealed
from store.identifiers import new_id
from store.vault import SubjectCipher

_SEALED = "invitations.sealed_details"


class Invitation(SQLModel, table=True):
    """One open invitation. One that is over keeps its row and loses its content: should it come back, it is known."""

    __tablename__ = "invitations"
    __table_args__ = (
        UniqueConstraint("subject_id", "source", "logical_address", "booking_id"),
        sealed("sealed_details"),
        CheckConstraint("sequence >= 0", name="sequence_rises"),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    subject_id: UUID = Field(foreign_key="subjects.id")
    engagement_id: UUID = Field(foreign_key="engagements.id", index=True)
    source: str
    logical_address: str  # where it was asked about
    booking_id: str
    facility: str = Field(foreign_key="facilities.hsa_id", index=True)
    due_on: date | None = Field(default=None)  # the last day, where the care side says one
    sealed_details: str
    digest: str  # hex, of the wire's content
    uid: str = Field(unique=True)  # iCalendar's
    sequence: int = Field(default=0)  # rises on day, place or status only
    amended_at: datetime = Field(sa_type=UtcDateTime)  # last change of anything shown
    first_seen_at: datetime = Field(sa_type=UtcDateTime)
    missed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)  # the first whole index answer without it
    over_at: datetime | None = Field(default=None, sa_type=UtcDateTime)  # booked, withdrawn or expired: nobody knows


def seal_details(cipher: SubjectCipher, invitation_id: UUID, details: Details) -> str:
    return cipher.seal_text(_SEALED, invitation_id, details.written())


def open_details(cipher: SubjectCipher, invitation: Invitation) -> Details:
    """Raises Unsealable."""
    return read_details(cipher.open_text(_SEALED, invitation.id, invitation.sealed_details))


def open_of_subject(session: Session, subject_id: UUID) -> list[Invitation]:
    """Those that stand, the oldest first."""
    query = select(Invitation).where(col(Invitation.subject_id) == subject_id, col(Invitation.over_at).is_(None))
    return list(session.exec(query.order_by(col(Invitation.first_seen_at), col(Invitation.id))))


def of_engagement(session: Session, engagement_id: UUID) -> list[Invitation]:
    """Every one, also those that are over."""
    query = select(Invitation).where(col(Invitation.engagement_id) == engagement_id)
    return list(session.exec(query.order_by(col(Invitation.id))))


def subjects_invited_to(session: Session, facilities: Iterable[str]) -> list[UUID]:
    """Who holds an open invitation to any of these facilities."""
    invited = select(Invitation.subject_id).where(
        col(Invitation.facility).in_(list(facilities)), col(Invitation.over_at).is_(None)
    )
    return list(session.exec(invited.distinct()))
