"""Clinics: our customers' accounts, their colleagues, what they have decided, and whether they have paused."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import Index, String, UniqueConstraint, text
from sqlmodel import Field, Session, SQLModel, col, select

from store.columns import UtcDateTime, one_of
from store.identifiers import new_id
from store.inserting import insert_unless_there

_OPERATORS_OWN = "Driften"


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
    decision_covers_texts: bool = Field(default=False)  # whole texts before visits in e-mail, sensitive ones by link
    # kronor, and the day of the figure: the clinic's own, told in its messages
    missed_visit_cost: int | None = Field(default=None)
    missed_visit_cost_on: date | None = Field(default=None)
    paused_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    weekdays_only: bool = Field(default=False)  # of its reminders
    confirms: bool = Field(default=True)  # whether a new booking is confirmed
    messages_per_day: int | None = Field(default=None)  # its cap; None: the installation's
    created_at: datetime = Field(sa_type=UtcDateTime)


class Role(StrEnum):
    """What a colleague may do. Both write and approve texts, never the same one."""

    ADMINISTRATOR = "administrator"
    WRITER = "writer"


class Colleague(SQLModel, table=True):
    """Somebody who works for a clinic, by their work's contact points: no citizen, so not sealed, and never logged."""

    __tablename__ = "colleagues"
    __table_args__ = (UniqueConstraint("clinic_id", "email"), one_of("role", Role))

    id: UUID = Field(default_factory=new_id, primary_key=True)
    clinic_id: UUID = Field(foreign_key="clinics.id")
    email: str = Field(repr=False)
    phone: str = Field(default="", repr=False)  # E.164; empty: none registered
    role: Role = Field(sa_type=String)
    added_at: datetime = Field(sa_type=UtcDateTime)


def by_name(session: Session, name: str) -> Clinic | None:
    return session.exec(select(Clinic).where(col(Clinic.name) == name)).first()


def all_by_id(session: Session) -> dict[UUID, Clinic]:
    return {clinic.id: clinic for clinic in session.exec(select(Clinic))}


def add(session: Session, name: str, now: datetime, phone: str = "") -> Clinic:
    """A new clinic, without a decision: it gets no messages."""
    row = Clinic(id=new_id(), name=name, phone=phone, created_at=now)
    session.add(row)
    session.flush()
    return row


def operators_own(session: Session, now: datetime) -> Clinic:
    """The account of codes and of notices that are about no clinic's visit; made when it is first needed."""
    found = session.exec(select(Clinic).where(col(Clinic.is_operator))).first()
    if found is None:
        insert_unless_there(session, Clinic(name=_OPERATORS_OWN, is_operator=True, created_at=now))
        found = session.exec(select(Clinic).where(col(Clinic.is_operator))).one()
    return found


@dataclass(frozen=True, slots=True)
class Decision:
    """A needs-and-risk decision (HSLF-FS 2016:40, 3 kap. 16 §). `covers_texts`: also whole texts before visits."""

    reference: str
    decided_by: str
    decided_on: date
    covers_texts: bool = False


def record_decision(clinic: Clinic, decision: Decision) -> None:
    """A later one takes an earlier one's place."""
    clinic.decision_reference, clinic.decided_by = decision.reference, decision.decided_by
    clinic.decided_on, clinic.decision_covers_texts = decision.decided_on, decision.covers_texts


def may_send(clinic: Clinic) -> bool:
    """Whether the clinic's needs-and-risk decision is recorded, with its day and who made it."""
    return clinic.decided_on is not None and bool(clinic.decided_by)


def colleagues(session: Session, clinic_id: UUID) -> list[Colleague]:
    """The first added first."""
    query = select(Colleague).where(col(Colleague.clinic_id) == clinic_id)
    return list(session.exec(query.order_by(col(Colleague.added_at), col(Colleague.id))))


def colleague(session: Session, clinic_id: UUID, email: str) -> Colleague | None:
    """By the e-mail address in its normal form."""
    query = select(Colleague).where(col(Colleague.clinic_id) == clinic_id, col(Colleague.email) == email)
    return session.exec(query).first()
