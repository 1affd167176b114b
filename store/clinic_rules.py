"""A clinic's own reminder rules: those for all its visits, and narrower ones for some of them."""

from collections.abc import Collection, Iterable
from uuid import UUID

from sqlalchemy import CheckConstraint, String, UniqueConstraint
from sqlmodel import Field, Session, SQLModel, col, delete, select

from store.columns import one_of
from store.facilities import Facility
from store.identifiers import new_id
from store.purposes import Purpose
from store.templates import ReminderRule


class ScopedRule(SQLModel, table=True):
    """A rule for some of a clinic's visits. What is empty does not matter (never NULL: UNIQUE would not see those)."""

    __tablename__ = "scoped_rules"
    __table_args__ = (
        UniqueConstraint("clinic_id", "name", "facility", "time_type", "mode", "origin"),
        one_of("purpose", Purpose),
        CheckConstraint("mode in ('', 'on_site', 'remote')", name="mode_known"),
        CheckConstraint("origin in ('', 'invitation', 'booking')", name="origin_known"),
        CheckConstraint("facility || time_type || mode || origin <> ''", name="is_narrower"),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    clinic_id: UUID = Field(foreign_key="clinics.id")
    name: str
    facility: str = Field(default="")  # an HSA-id; the rule holds below it too
    time_type: str = Field(default="")
    mode: str = Field(default="")
    origin: str = Field(default="")
    purpose: Purpose = Field(sa_type=String)
    offset: str
    template_name: str
    channels: str
    weekdays_only: bool = Field(default=False)
    visits_from: str = Field(default="")
    is_active: bool = Field(default=True)


StoredRule = ReminderRule | ScopedRule


def all_scoped(session: Session) -> list[ScopedRule]:
    return list(session.exec(select(ScopedRule).order_by(col(ScopedRule.name), col(ScopedRule.id))))


def of_clinic(session: Session, clinic_id: UUID) -> list[StoredRule]:
    """The clinic's own rules, the wide ones first."""
    wide = session.exec(select(ReminderRule).where(col(ReminderRule.clinic_id) == clinic_id))
    narrow = session.exec(select(ScopedRule).where(col(ScopedRule.clinic_id) == clinic_id))
    return [*wide, *narrow]


def shipped(session: Session) -> list[ReminderRule]:
    """The default rules."""
    rows = select(ReminderRule).where(col(ReminderRule.clinic_id).is_(None)).order_by(col(ReminderRule.name))
    return list(session.exec(rows))


def replace_rules(session: Session, gone: Iterable[StoredRule], kept: Iterable[StoredRule]) -> None:
    """Deletes the first, adds or updates the second."""
    for row in gone:
        session.exec(delete(type(row)).where(col(type(row).id) == row.id))
    session.flush()
    session.add_all(kept)
    session.flush()


def facilities_of(session: Session, clinic_ids: Collection[UUID]) -> list[Facility]:
    """The facilities that these clinics own."""
    query = select(Facility).where(col(Facility.clinic_id).in_(list(clinic_ids))).order_by(col(Facility.hsa_id))
    return list(session.exec(query))
