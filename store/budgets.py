"""How many messages have been planned for a clinic on a Swedish day, counted so that no two planners exceed its cap."""

from collections.abc import Mapping
from datetime import date
from uuid import UUID

from sqlalchemy import CheckConstraint
from sqlmodel import Field, Session, SQLModel, col, delete, func, select, update

from store.clinics import Clinic
from store.inserting import insert_of


class ClinicDay(SQLModel, table=True):
    """A clinic's messages of one day."""

    __tablename__ = "clinic_days"
    __table_args__ = (CheckConstraint("planned >= 0", name="counts_up"),)

    on: date = Field(primary_key=True)
    clinic_id: UUID = Field(primary_key=True, foreign_key="clinics.id")
    planned: int


def take(session: Session, day: ClinicDay, *, capped: int, cap: int) -> bool:
    """Counts `day.planned` more; False, and nothing is counted, if the `capped` ones of them exceed the cap."""
    if capped > cap:
        return False
    statement = insert_of(session, day).on_conflict_do_update(
        index_elements=["on", "clinic_id"],
        set_={"planned": col(ClinicDay.planned) + day.planned},
        where=(col(ClinicDay.planned) + capped <= cap) if capped else None,
    )
    return session.connection().execute(statement.returning(ClinicDay.planned)).first() is not None


def give_back(session: Session, day: ClinicDay) -> None:
    """What was counted and not planned after all."""
    mine = (col(ClinicDay.clinic_id) == day.clinic_id, col(ClinicDay.on) == day.on)
    statement = update(ClinicDay).where(*mine).values(planned=col(ClinicDay.planned) - day.planned)
    session.exec(statement.execution_options(synchronize_session=False))


def planned_on(session: Session, on: date) -> dict[UUID, int]:
    rows = session.exec(select(ClinicDay.clinic_id, ClinicDay.planned).where(col(ClinicDay.on) == on))
    return dict(rows.all())


def by_clinic(session: Session, on: date) -> Mapping[str, tuple[int, int | None]]:
    """By a clinic's name: how many that day, and its own cap if it has set one."""
    query = (
        select(Clinic.name, ClinicDay.planned, Clinic.messages_per_day)
        .join(ClinicDay, col(ClinicDay.clinic_id) == col(Clinic.id))
        .where(col(ClinicDay.on) == on)
    )
    return {name: (planned, cap) for name, planned, cap in session.exec(query)}


def any_before(session: Session, on: date) -> bool:
    return session.exec(select(func.count()).where(col(ClinicDay.on) < on)).one() > 0


def delete_before(session: Session, on: date) -> int:
    """Forgets days that nobody compares with any more; how many."""
    return session.connection().execute(delete(ClinicDay).where(col(ClinicDay.on) < on)).rowcount
