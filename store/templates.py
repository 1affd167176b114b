"""Templates, their immutable versions, and the rules that say when, whom, by which channels and with which words."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, String, UniqueConstraint, or_, text
from sqlmodel import Field, Session, SQLModel, col, select

from store.columns import UtcDateTime, one_of
from store.identifiers import new_id
from store.purposes import Purpose

_SHIPPED_FIELDS = ("purpose", "offset", "template_name", "is_active", "weekdays_only", "visits_from")
# UNIQUE takes every NULL for another value: those shipped (no clinic) need an index of their own.
_SHIPPED: dict[str, Any] = {"sqlite_where": text("clinic_id is null"), "postgresql_where": text("clinic_id is null")}


class VersionState(StrEnum):
    DRAFT = "draft"
    APPROVED = "approved"
    ACTIVE = "active"
    RETIRED = "retired"


class Template(SQLModel, table=True):
    """Words for one purpose by one channel. `clinic_id` is empty for those shipped with the product."""

    __tablename__ = "templates"
    __table_args__ = (
        UniqueConstraint("clinic_id", "name", "channel"),
        Index("uq_templates_shipped", "name", "channel", unique=True, **_SHIPPED),
        one_of("purpose", Purpose),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    clinic_id: UUID | None = Field(default=None, foreign_key="clinics.id")
    name: str  # "day_before", "day_before_merged", ...
    purpose: Purpose = Field(sa_type=String)
    channel: str  # "sms", "email"


class TemplateVersion(SQLModel, table=True):
    """Words agreed in one language. Never changed once made; a delivery's part pins one."""

    __tablename__ = "template_versions"
    __table_args__ = (
        UniqueConstraint("template_id", "language", "number"),
        one_of("state", VersionState),
        CheckConstraint("number >= 1", name="counted_from_one"),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    template_id: UUID = Field(foreign_key="templates.id", index=True)
    language: str
    number: int
    state: VersionState = Field(sa_type=String)
    subject_line: str = Field(default="")  # e-mail only
    text: str
    written_by: str
    approved_by: str | None = Field(default=None)
    approved_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    activated_at: datetime | None = Field(default=None, sa_type=UtcDateTime)  # last; a rollback goes by it
    activated_by: str | None = Field(default=None)
    # the Swedish version that a translation was made from; no foreign key, as SQLite cannot add one
    made_from_id: UUID | None = Field(default=None)
    made_at: datetime = Field(sa_type=UtcDateTime)


class ReminderRule(SQLModel, table=True):
    """When whom is told. `clinic_id` is empty for the default rules, which hold where a clinic has none of its own."""

    __tablename__ = "reminder_rules"
    __table_args__ = (
        UniqueConstraint("clinic_id", "name"),
        Index("uq_reminder_rules_default", "name", unique=True, **_SHIPPED),
        one_of("purpose", Purpose),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    clinic_id: UUID | None = Field(default=None, foreign_key="clinics.id")
    name: str  # "deadline", "day_before", "preparations"
    purpose: Purpose = Field(sa_type=String)
    offset: str  # "deadline:24h:10.00", "days:1:16.00", "days:5:10.00": see notifier.rules
    template_name: str
    channels: str = Field(default="sms,email")  # the first that reaches the recipient
    is_active: bool = Field(default=True)
    weekdays_only: bool = Field(default=False)
    visits_from: str = Field(default="")  # "11.00": only visits that begin then or later, or have preparations


class VersionKey(NamedTuple):
    """What a template version is looked up by. `clinic_id` None: shipped."""

    clinic_id: UUID | None
    name: str
    channel: str
    language: str


@dataclass(frozen=True, slots=True)
class Shipped:
    """One template that comes with the product, in one language. `subject_line` is empty for SMS."""

    name: str
    purpose: Purpose
    channel: str
    language: str
    subject_line: str
    text: str


def active_versions(session: Session) -> dict[VersionKey, UUID]:
    """Every version in use."""
    query = (
        select(Template, TemplateVersion)
        .join(TemplateVersion, col(TemplateVersion.template_id) == col(Template.id))
        .where(col(TemplateVersion.state) == VersionState.ACTIVE)
    )
    return {
        VersionKey(template.clinic_id, template.name, template.channel, version.language): version.id
        for template, version in session.exec(query)
    }


def purposes_in_use(session: Session, clinic_id: UUID) -> dict[tuple[str, str], Purpose]:
    """By name and channel, the purposes of the words in use that a clinic may send: the shipped ones and its own."""
    query = (
        select(Template)
        .join(TemplateVersion, col(TemplateVersion.template_id) == col(Template.id))
        .where(
            col(TemplateVersion.state) == VersionState.ACTIVE,
            or_(col(Template.clinic_id).is_(None), col(Template.clinic_id) == clinic_id),
        )
    )
    return {(row.name, row.channel): Purpose(row.purpose) for row in session.exec(query)}


def versions(session: Session, ids: Iterable[UUID]) -> dict[UUID, TemplateVersion]:
    rows = session.exec(select(TemplateVersion).where(col(TemplateVersion.id).in_(set(ids))))
    return {row.id: row for row in rows}


def reminder_rules(session: Session) -> list[ReminderRule]:
    """Every clinic's rules and the default ones, also those switched off (they switch off a default)."""
    return list(session.exec(select(ReminderRule).order_by(col(ReminderRule.name))))


def ship(session: Session, shipped: Shipped, now: datetime) -> None:
    """Makes the shipped words the active version of a template without a clinic; unchanged words are left alone."""
    template = _shipped_template(session, shipped)
    rows = session.exec(
        select(TemplateVersion)
        .where(
            col(TemplateVersion.template_id) == template.id,
            col(TemplateVersion.language) == shipped.language,
        )
        .order_by(col(TemplateVersion.number))
    ).all()
    active = next((row for row in rows if row.state == VersionState.ACTIVE), None)
    if active is not None and (active.subject_line, active.text) == (shipped.subject_line, shipped.text):
        return
    if active is not None:
        active.state = VersionState.RETIRED
    session.add(
        TemplateVersion(
            template_id=template.id,
            language=shipped.language,
            number=max((row.number for row in rows), default=0) + 1,
            state=VersionState.ACTIVE,
            subject_line=shipped.subject_line,
            text=shipped.text,
            written_by="kallelse",
            approved_by="kallelse",
            activated_at=now,
            made_at=now,
        )
    )
    session.flush()


def ship_rule(session: Session, shipped: ReminderRule) -> bool:
    """Adds a default rule of this name, or brings it up to date; True if anything changed."""
    query = select(ReminderRule).where(col(ReminderRule.clinic_id).is_(None), col(ReminderRule.name) == shipped.name)
    rule = session.exec(query).first()
    if rule is None:
        session.add(shipped)
        session.flush()
        return True
    wanted = {name: getattr(shipped, name) for name in _SHIPPED_FIELDS}
    if all(getattr(rule, name) == value for name, value in wanted.items()):
        return False
    rule.sqlmodel_update(wanted)
    session.add(rule)
    session.flush()
    return True


def _shipped_template(session: Session, shipped: Shipped) -> Template:
    query = select(Template).where(
        col(Template.clinic_id).is_(None),
        col(Template.name) == shipped.name,
        col(Template.channel) == shipped.channel,
    )
    found = session.exec(query).first()
    if found is not None:
        return found
    made = Template(name=shipped.name, purpose=shipped.purpose, channel=shipped.channel)
    session.add(made)
    session.flush()
    return made
