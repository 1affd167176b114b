"""Clinics: our customers' accounts, what they have decided, and whether they have paused."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import Index, text
from sqlmodel import Field, Session, SQLModel, col, select

from store.columns import UtcDateTime
from store.identifiers import new_id


class Clinic(SQLModel, table=True):
    """A customer's account, owning facilities. Exactly one is the operator's own, for codes and notices."""

    __tablename__ = "clinics"
    __table_args__ = (
        Index(
            "uq_clinics_operator",
            "is_operator",
            unique=True,
            sqlite_where=text("is_operator"),
            postgresql_where=text("is_operator"),
        ),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    name: str = Field(unique=True)
    is_operator: bool = Field(default=False)
    phone: str = Field(default="")  # shown in messages: whom to ask
    # SMS and e-mail stay off until the needs-and-risk decision is recorded (HSLF-FS 2016:40, 3 kap. 16 §)
    decision_reference: str | None = Field(default=None)
    decided_on: date | None = Field(default=None)
    decided_by: str | None = Field(default=None)
    paused_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    created_at: datetime = Field(sa_type=UtcDateTime)


def by_name(session: Session, name: str) -> Clinic | None:
    return session.exec(select(Clinic).where(col(Clinic.name) == name)).first()


def all_by_id(session: Session) -> dict[UUID, Clinic]:
    return {clinic.id: clinic for clinic in session.exec(select(Clinic))}
