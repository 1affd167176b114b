"""Consents: who agreed that we ask about a subject, to which words, and until when. No consent, no question."""

from datetime import date
from uuid import UUID

from sqlalchemy import CheckConstraint
from sqlmodel import Field, Session, SQLModel, col, select, update

from store.identifiers import new_id


class Consent(SQLModel, table=True):
    """One agreement. Withdrawing sets a date; nothing is overwritten."""

    __tablename__ = "consents"
    __table_args__ = (CheckConstraint("withdrawn_on >= given_on", name="withdrawn_after_given"),)

    id: UUID = Field(default_factory=new_id, primary_key=True)
    subject_id: UUID = Field(foreign_key="subjects.id", index=True)
    given_by: UUID = Field(foreign_key="subjects.id")  # the subject, or a guardian
    version: str  # of the words agreed to
    given_on: date
    withdrawn_on: date | None = Field(default=None)


def stands(session: Session, subject_id: UUID) -> bool:
    """Whether at least one consent stands for the subject."""
    query = select(Consent.id).where(col(Consent.subject_id) == subject_id, col(Consent.withdrawn_on).is_(None))
    return session.exec(query.limit(1)).first() is not None


def withdraw_all(session: Session, subject_id: UUID, on: date) -> int:
    """Withdraws every consent that stands for the subject; returns how many."""
    statement = update(Consent).where(col(Consent.subject_id) == subject_id, col(Consent.withdrawn_on).is_(None))
    return session.exec(statement.values(withdrawn_on=on)).rowcount
