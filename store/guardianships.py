"""Guardianships: who is a child's guardian by the population register's own word. Both are subjects of ours."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, String
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Field, Session, SQLModel, col, select

from store.columns import UtcDateTime, one_of
from store.custody import Custody


class Guardianship(SQLModel, table=True):
    """A guardian and a child whom the register has named together. A withdrawn one stays, and says so: only then is
    its end something explicit, which not having heard of it is not."""

    __tablename__ = "guardianships"
    __table_args__ = (one_of("custody", Custody), CheckConstraint("guardian_id <> child_id", name="two_people"))

    guardian_id: UUID = Field(primary_key=True, foreign_key="subjects.id")
    child_id: UUID = Field(primary_key=True, foreign_key="subjects.id", index=True)
    custody: Custody = Field(sa_type=String)
    as_of: datetime = Field(sa_type=UtcDateTime)  # of the register that said so first


def custody(session: Session, guardian_id: UUID, child_id: UUID) -> Custody:
    row = session.get(Guardianship, (guardian_id, child_id), populate_existing=True)
    return Custody.UNSAID if row is None else Custody(row.custody)


def of_children(session: Session, child_ids: Collection[UUID]) -> list[Guardianship]:
    return list(session.exec(select(Guardianship).where(col(Guardianship.child_id).in_(child_ids))))


def begin(session: Session, guardian_id: UUID, child_id: UUID, as_of: datetime) -> None:
    """The register names them together for the first time. Two workers may hear it at once: one row is made."""
    row = Guardianship(guardian_id=guardian_id, child_id=child_id, custody=Custody.STANDS, as_of=as_of)
    on_postgresql = session.get_bind().dialect.name == "postgresql"
    made = postgresql.insert(Guardianship) if on_postgresql else sqlite.insert(Guardianship)
    session.connection().execute(made.values(row.model_dump()).on_conflict_do_nothing())
