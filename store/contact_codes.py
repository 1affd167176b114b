"""Codes sent to a contact point, to learn that it is the person's: how many, and how often one was tried."""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Index
from sqlmodel import Field, Session, SQLModel, col, func, select, update

from store.columns import UtcDateTime
from store.identifiers import new_id

VALID = timedelta(minutes=10)
MOST_TRIES = 5
MOST_A_DAY = 5
APART = timedelta(minutes=1)
_DAY = timedelta(days=1)


class ContactCode(SQLModel, table=True):
    """One code. What it says follows from its id under our key, and stands nowhere. All times are real."""

    __tablename__ = "contact_codes"
    __table_args__ = (Index("ix_contact_codes_address", "address_digest", "made_at"),)

    id: UUID = Field(default_factory=new_id, primary_key=True)
    contact_id: UUID = Field(foreign_key="contact_points.id", index=True)
    address_digest: str  # keyed: whoever asks, one address is not sent more than so many
    tries: int = Field(default=0)
    made_at: datetime = Field(sa_type=UtcDateTime)
    ended_at: datetime | None = Field(default=None, sa_type=UtcDateTime)  # used, or another was sent since


def may_make(session: Session, address_digest: str, real_now: datetime) -> bool:
    """Whether one more may be sent there: not twice within a minute, not six times within a day."""
    query = select(func.count(), func.max(col(ContactCode.made_at))).where(
        col(ContactCode.address_digest) == address_digest, col(ContactCode.made_at) > real_now - _DAY
    )
    count, last = session.exec(query).one()
    return count < MOST_A_DAY and (last is None or last <= real_now - APART)


def make(session: Session, contact_id: UUID, address_digest: str, real_now: datetime) -> ContactCode:
    """A new code. It ends those sent to the contact point before."""
    open_still = (col(ContactCode.contact_id) == contact_id, col(ContactCode.ended_at).is_(None))
    session.exec(update(ContactCode).where(*open_still).values(ended_at=real_now))
    row = ContactCode(contact_id=contact_id, address_digest=address_digest, made_at=real_now)
    session.add(row)
    session.flush()
    return row


def take_try(session: Session, contact_id: UUID, real_now: datetime) -> UUID | None:
    """The code that stands, one try of which is used up by this; None where there is none, or nothing is left of it.
    Commit whatever comes of the try."""
    stands = (
        col(ContactCode.contact_id) == contact_id,
        col(ContactCode.ended_at).is_(None),
        col(ContactCode.made_at) > real_now - VALID,
        col(ContactCode.tries) < MOST_TRIES,
    )
    statement = update(ContactCode).where(*stands).values(tries=ContactCode.tries + 1).returning(col(ContactCode.id))
    row = session.connection().execute(statement.execution_options(synchronize_session=False)).first()
    return None if row is None else row[0]


def end(session: Session, code_id: UUID, real_now: datetime) -> None:
    session.exec(update(ContactCode).where(col(ContactCode.id) == code_id).values(ended_at=real_now))
