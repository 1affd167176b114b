"""Who did what to whose data. Rows are only ever added; they hold ids and keyed digests, no texts and no addresses."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import String
from sqlmodel import Field, Session, SQLModel, col, select

from store.columns import UtcDateTime, one_of
from store.identifiers import new_id


class Act(StrEnum):
    OPTED_OUT = "opted_out"  # an address is spared a channel
    OPTED_IN = "opted_in"  # and is no longer
    WRONG_PERSON = "wrong_person"
    CONFIRMED = "confirmed"
    CANCEL_ASKED = "cancel_asked"
    CANCEL_HANDLED = "cancel_handled"


class AuditEntry(SQLModel, table=True):
    """One act. `actor`: "citizen", "provider", or "staff" with who it was in `name`."""

    __tablename__ = "audit"
    __table_args__ = (one_of("act", Act),)

    id: UUID = Field(default_factory=new_id, primary_key=True)
    at: datetime = Field(sa_type=UtcDateTime, index=True)  # real time
    actor: str
    name: str = Field(default="")
    act: Act = Field(sa_type=String)
    way: str  # "sms", "link", "one_click", "command", "21610" ...
    subject_id: UUID | None = Field(default=None, foreign_key="subjects.id", index=True)  # None: nobody we know
    contact_digest: str = Field(default="")
    channel: str = Field(default="")
    booking_id: UUID | None = Field(default=None)


def note(session: Session, entry: AuditEntry) -> None:
    session.add(entry)


def about_contact(session: Session, contact_digest: str) -> list[AuditEntry]:
    """What was done about an address, the oldest first."""
    query = select(AuditEntry).where(col(AuditEntry.contact_digest) == contact_digest)
    return list(session.exec(query.order_by(col(AuditEntry.id))))
