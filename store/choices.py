"""What citizens have chosen about being told. In the clear: times of day, channels, and clinics that
their bookings tell of too; who they are does not."""

from collections.abc import Collection, Iterable
from datetime import datetime
from uuid import UUID

from sqlmodel import Field, Session, SQLModel, col, delete, select

from store.columns import UtcDateTime


class Choice(SQLModel, table=True):
    """One citizen's choices, as text that the rules read."""

    __tablename__ = "choices"

    subject_id: UUID = Field(primary_key=True, foreign_key="subjects.id")
    channels: str = Field(default="")  # "email,sms"; "none": nothing but what must arrive
    quiet_from: str = Field(default="")  # "21.00"
    quiet_until: str = Field(default="")
    offsets: str = Field(default="")  # more reminders: "days:7:10.00,hours:2"
    chosen_at: datetime = Field(sa_type=UtcDateTime)


class RemindedBy(SQLModel, table=True):
    """A clinic whose own reminders are enough for a citizen."""

    __tablename__ = "reminded_by"

    subject_id: UUID = Field(primary_key=True, foreign_key="subjects.id")
    clinic_id: UUID = Field(primary_key=True, foreign_key="clinics.id")


def of_subjects(session: Session, subject_ids: Collection[UUID]) -> dict[UUID, Choice]:
    """The choices of those who have made any."""
    rows = session.exec(select(Choice).where(col(Choice.subject_id).in_(list(subject_ids))))
    return {row.subject_id: row for row in rows}


def reminded_by(session: Session, subject_ids: Collection[UUID]) -> dict[UUID, set[UUID]]:
    """By citizen, the clinics whose own reminders are enough for them."""
    found: dict[UUID, set[UUID]] = {}
    for row in session.exec(select(RemindedBy).where(col(RemindedBy.subject_id).in_(list(subject_ids)))):
        found.setdefault(row.subject_id, set()).add(row.clinic_id)
    return found


def keep(session: Session, choice: Choice, clinic_ids: Iterable[UUID]) -> None:
    """Puts the citizen's choices in the place of those before."""
    session.merge(choice)
    session.exec(delete(RemindedBy).where(col(RemindedBy.subject_id) == choice.subject_id))
    session.add_all(RemindedBy(subject_id=choice.subject_id, clinic_id=one) for one in set(clinic_ids))
    session.flush()
