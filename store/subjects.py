"""Subjects: who is cared for, under a keyed pseudonym, with their sealed number and contact points.

The wrapped keys stand in a table of their own: they lie apart in backups, and destroying one erases the person.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import String, UniqueConstraint, func, true
from sqlmodel import Field, Session, SQLModel, col, select

from store.claims import Due, wake
from store.columns import Claimable, UtcDateTime, one_of, sealed
from store.identifiers import SubjectId, new_id
from store.vault import KeyDestroyed, SubjectCipher, Vault


class ContactKind(StrEnum):
    PHONE = "phone"
    EMAIL = "email"


class Subject(Claimable, table=True):
    """A person. `protected_on` and `deceased_on` are set only by an explicit statement of the population register."""

    __tablename__ = "subjects"
    __table_args__ = (sealed("sealed_number"),)

    id: UUID = Field(default_factory=new_id, primary_key=True)
    pseudonym: str = Field(unique=True)  # keyed digest of the number
    oid: str
    sealed_number: str
    language: str = Field(default="sv")
    protected_on: date | None = Field(default=None)
    deceased_on: date | None = Field(default=None)
    population_as_of: datetime | None = Field(default=None, sa_type=UtcDateTime)  # of what the register last said
    population_asked_as_of: datetime | None = Field(default=None, sa_type=UtcDateTime)  # of the register last looked in
    next_planning_at: datetime | None = Field(default=None, sa_type=UtcDateTime, index=True)
    created_at: datetime = Field(sa_type=UtcDateTime)


class SubjectKey(SQLModel, table=True):
    """A person's wrapped key."""

    __tablename__ = "subject_keys"
    __table_args__ = (sealed("wrapped"),)

    subject_id: UUID = Field(primary_key=True, foreign_key="subjects.id")
    wrapped: str


class ContactPoint(SQLModel, table=True):
    """A phone or e-mail address of a subject, the lowest `place` first."""

    __tablename__ = "contact_points"
    __table_args__ = (
        UniqueConstraint("subject_id", "kind", "digest"),
        one_of("kind", ContactKind),
        sealed("sealed_address"),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    subject_id: UUID = Field(foreign_key="subjects.id", index=True)
    kind: ContactKind = Field(sa_type=String)
    sealed_address: str
    digest: str = Field(index=True)  # keyed, for suppressions and inbound texts
    place: int = Field(default=0)
    origin: str  # "imported", "citizen", ...
    added_at: datetime = Field(sa_type=UtcDateTime)
    dead_since: datetime | None = Field(
        default=None, sa_type=UtcDateTime
    )  # a provider says it cannot be reached, or who has it that it is theirs
    dead_reason: str = Field(default="")  # "invalid_number", "unreachable", "not_mobile"


PLANNING = Due(Subject, "next_planning_at")


@dataclass(frozen=True, slots=True)
class Contact:
    """A contact point opened for use."""

    id: UUID
    kind: ContactKind
    address: str = field(repr=False)
    digest: str
    is_dead: bool


def by_number(session: Session, vault: Vault, subject: SubjectId) -> Subject | None:
    return session.exec(select(Subject).where(col(Subject.pseudonym) == pseudonym(vault, subject))).first()


def by_numbers(session: Session, vault: Vault, numbers: Iterable[SubjectId]) -> dict[SubjectId, Subject]:
    """Those of these people whom we know."""
    pseudonyms = {pseudonym(vault, number): number for number in numbers}
    rows = session.exec(select(Subject).where(col(Subject.pseudonym).in_(pseudonyms))) if pseudonyms else ()
    return {pseudonyms[row.pseudonym]: row for row in rows}


def add(session: Session, vault: Vault, subject: SubjectId, *, language: str, now: datetime) -> Subject:
    """A new subject with a key of their own. The caller has looked that there is none."""
    subject_id = new_id()
    wrapped = vault.new_wrapped_key(subject_id)
    cipher = vault.cipher(subject_id, wrapped)
    row = Subject(
        id=subject_id,
        pseudonym=pseudonym(vault, subject),
        oid=subject.oid,
        sealed_number=cipher.seal_text("subjects.sealed_number", subject_id, subject.number),
        language=language,
        created_at=now,
    )
    session.add(row)
    session.flush()
    session.add(SubjectKey(subject_id=subject_id, wrapped=wrapped))
    session.flush()
    return row


def cipher_of(session: Session, vault: Vault, subject_id: UUID) -> SubjectCipher:
    """The person's cipher. Raises KeyDestroyed when they have been erased, Unsealable when the key does not open."""
    wrapped = session.exec(select(SubjectKey.wrapped).where(col(SubjectKey.subject_id) == subject_id)).first()
    if wrapped is None:
        raise KeyDestroyed("this subject's key has been destroyed")
    return vault.cipher(subject_id, wrapped)


def number_of(subject: Subject, cipher: SubjectCipher) -> SubjectId:
    number = cipher.open_text("subjects.sealed_number", subject.id, subject.sealed_number)
    return SubjectId(number, subject.oid)


def pseudonym(vault: Vault, subject: SubjectId) -> str:
    return vault.digest("subject", f"{subject.oid}|{subject.number}")


def add_contact(
    session: Session, vault: Vault, subject_id: UUID, kind: ContactKind, address: str, *, now: datetime
) -> ContactPoint:
    """Adds an imported contact point, already in its normal form (E.164, lower-case domain); the same one once."""
    digest = vault.digest(kind, address)
    known = session.exec(
        select(ContactPoint).where(
            col(ContactPoint.subject_id) == subject_id,
            col(ContactPoint.kind) == kind,
            col(ContactPoint.digest) == digest,
        )
    ).first()
    if known is not None:
        return known
    row_id = new_id()
    cipher = cipher_of(session, vault, subject_id)
    row = ContactPoint(
        id=row_id,
        subject_id=subject_id,
        kind=kind,
        sealed_address=cipher.seal_text("contact_points.sealed_address", row_id, address),
        digest=digest,
        origin="imported",
        added_at=now,
    )
    session.add(row)
    session.flush()
    return row


def contacts(session: Session, cipher: SubjectCipher, subject_id: UUID) -> list[Contact]:
    """The subject's contact points, the preferred first."""
    rows = session.exec(
        select(ContactPoint)
        .where(col(ContactPoint.subject_id) == subject_id)
        .order_by(col(ContactPoint.place), col(ContactPoint.id))
    )
    return [opened(cipher, row) for row in rows]


def holders(session: Session, digest: str) -> list[tuple[ContactPoint, Subject]]:
    """Who has this address, whoever prefers it most first. Their contact points stay locked, where the database can, so
    that what an address's owner says twice at once is heard one after the other."""
    query = (
        select(ContactPoint, Subject)
        .join(Subject, col(Subject.id) == col(ContactPoint.subject_id))
        .where(col(ContactPoint.digest) == digest)
        .order_by(col(ContactPoint.place), col(ContactPoint.id))
    )
    return list(session.exec(query.with_for_update(of=ContactPoint)))


def holder_ids(session: Session, digest: str) -> list[UUID]:
    """Who has this address; nothing is locked."""
    return list(session.exec(select(ContactPoint.subject_id).where(col(ContactPoint.digest) == digest)))


def digests(session: Session, subject_id: UUID, kind: ContactKind) -> list[str]:
    """Of the person's addresses of this kind."""
    query = select(ContactPoint.digest).where(col(ContactPoint.subject_id) == subject_id)
    return list(session.exec(query.where(col(ContactPoint.kind) == kind)))


def opened(cipher: SubjectCipher, row: ContactPoint) -> Contact:
    """The contact point for use. Raises Unsealable."""
    address = cipher.open_text("contact_points.sealed_address", row.id, row.sealed_address)
    return Contact(row.id, ContactKind(row.kind), address, row.digest, row.dead_since is not None)


def unasked_since(session: Session, as_of: datetime, limit: int, among: Sequence[UUID] | None = None) -> list[Subject]:
    """Subjects whom the population register of `as_of` has not been asked about; `among` these, where given."""
    older = col(Subject.population_asked_as_of).is_(None) | (col(Subject.population_asked_as_of) < as_of)
    query = select(Subject).where(older, true() if among is None else col(Subject.id).in_(among))
    return list(session.exec(query.order_by(col(Subject.id)).limit(limit)))


def count_due(session: Session, now: datetime, most: int) -> int:
    """How many are due to be planned; counts no further than `most`."""
    due = select(Subject.id).where(col(Subject.next_planning_at) <= now).limit(most).subquery()
    return session.exec(select(func.count()).select_from(due)).one()


def count(session: Session) -> int:
    return session.exec(select(func.count()).select_from(Subject)).one()


def wake_planning(session: Session, subject_ids: Iterable[UUID], at: datetime) -> None:
    """Has the planner look at these subjects at `at`, or sooner if it was to."""
    wake(session, PLANNING, list(subject_ids), at)
