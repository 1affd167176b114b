"""Letters: what was printed for whom whom no channel reached, about which occasions, and who was handed it when.

Rows are only ever added. What a letter said is not kept: it is made anew from what is known then.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, String, case
from sqlmodel import Field, Session, SQLModel, col, func, select

from store.columns import UtcDateTime, one_of
from store.database import IntegrityError
from store.identifiers import new_id
from store.purposes import Purpose


class Letter(SQLModel, table=True):
    """One letter. `number` stands on it and follows from what it is about: made again, it is the same."""

    __tablename__ = "letters"
    __table_args__ = (
        one_of("purpose", Purpose),
        Index("ix_letters_clinic", "clinic_id", "made_at"),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    number: str = Field(unique=True)
    clinic_id: UUID = Field(foreign_key="clinics.id")
    subject_id: UUID = Field(foreign_key="subjects.id")
    recipient_id: UUID = Field(foreign_key="subjects.id")
    purpose: Purpose = Field(sa_type=String)
    booking_id: UUID = Field(index=True)  # no foreign key: a move may merge the row away
    time_version: int  # the booking's, as told
    template_version_id: UUID = Field(foreign_key="template_versions.id")
    made_at: datetime = Field(sa_type=UtcDateTime)


class LetterOccasion(SQLModel, table=True):
    """What a letter stands for. The key is what makes it single."""

    __tablename__ = "letter_occasions"

    unreached_id: UUID = Field(primary_key=True, foreign_key="unreached.id")
    letter_id: UUID = Field(foreign_key="letters.id", index=True)


class LetterPrint(SQLModel, table=True):
    """A letter handed to somebody of the clinic, the first time or again."""

    __tablename__ = "letter_prints"
    __table_args__ = (CheckConstraint("printed_by <> ''", name="by_somebody"),)

    id: UUID = Field(default_factory=new_id, primary_key=True)
    letter_id: UUID = Field(foreign_key="letters.id", index=True)
    printed_at: datetime = Field(sa_type=UtcDateTime)
    printed_by: str


class PrintedElsewhere(Exception):
    """Somebody else has printed one of these letters meanwhile."""


@dataclass(frozen=True, slots=True)
class Handed:
    """One time that letters were handed over. `again`: how many of them had been printed before."""

    printed_at: datetime
    printed_by: str
    letters: int
    again: int


def keep(session: Session, made: Iterable[tuple[Letter, Collection[UUID]]], by: str) -> None:
    """Writes down letters, each with the unreached occasions it stands for. Raises PrintedElsewhere."""
    try:
        for letter, occasions in made:
            session.add(letter)
            session.flush()
            session.add_all(LetterOccasion(unreached_id=one, letter_id=letter.id) for one in occasions)
            session.add(LetterPrint(letter_id=letter.id, printed_at=letter.made_at, printed_by=by))
        session.flush()
    except IntegrityError:
        raise PrintedElsewhere from None


def keep_print(session: Session, letter_ids: Iterable[UUID], by: str, now: datetime) -> None:
    """Letters printed once more."""
    session.add_all(LetterPrint(letter_id=one, printed_at=now, printed_by=by) for one in letter_ids)
    session.flush()


def printed(session: Session, clinic_id: UUID, since: datetime, until: datetime) -> list[Letter]:
    """The clinic's letters of which a print was made in that time."""
    prints = select(LetterPrint.letter_id).where(
        col(LetterPrint.printed_at) >= since, col(LetterPrint.printed_at) < until
    )
    query = select(Letter).where(col(Letter.clinic_id) == clinic_id, col(Letter.id).in_(prints))
    return list(session.exec(query.order_by(col(Letter.id))))


def numbered(session: Session, clinic_id: UUID, number: str) -> Letter | None:
    query = select(Letter).where(col(Letter.clinic_id) == clinic_id, col(Letter.number) == number)
    return session.exec(query).first()


def occasions(session: Session, letter_ids: Collection[UUID]) -> dict[UUID, UUID]:
    """By unreached occasion, the letter."""
    rows = session.exec(select(LetterOccasion).where(col(LetterOccasion.letter_id).in_(letter_ids)))
    return {row.unreached_id: row.letter_id for row in rows}


def handed_over(session: Session, clinic_id: UUID) -> list[Handed]:
    """Every time that letters were handed to somebody of the clinic, the latest first."""
    at, by = col(LetterPrint.printed_at), col(LetterPrint.printed_by)
    again = func.sum(case((at > col(Letter.made_at), 1), else_=0))
    query = (
        select(at, by, func.count(), again)
        .join(Letter, col(Letter.id) == col(LetterPrint.letter_id))
        .where(col(Letter.clinic_id) == clinic_id)
        .group_by(at, by)
        .order_by(at.desc(), by)
    )
    return [Handed(*row) for row in session.exec(query)]


def about(session: Session, recipient_id: UUID, booking_ids: Collection[UUID]) -> list[Letter]:
    """What the recipient was told of these visits by letter."""
    query = select(Letter).where(col(Letter.recipient_id) == recipient_id, col(Letter.booking_id).in_(booking_ids))
    return list(session.exec(query))
