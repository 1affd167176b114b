"""Subjects: who is cared for, under a keyed pseudonym, with their sealed number and contact points.

The wrapped keys stand in a table of their own: they lie apart in backups, and destroying one erases the person.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from enum import StrEnum
from uuid import UUID

from sqlalchemy import Index, String, UniqueConstraint, func, text, true
from sqlmodel import Field, Session, SQLModel, col, select

from store.claims import Due, wake
from store.columns import Claimable, UtcDateTime, one_of, sealed
from store.custody import guarded_until
from store.identifiers import SubjectId, new_id
from store.vault import KeyDestroyed, SubjectCipher, Vault

IMPORTED = "imported"
OWN = "citizen"


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
        Index(
            "ix_contact_points_forgetting",
            "address_until",
            sqlite_where=text("address_until is not null"),
            postgresql_where=text("address_until is not null"),
        ),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    subject_id: UUID = Field(foreign_key="subjects.id", index=True)
    kind: ContactKind = Field(sa_type=String)
    sealed_address: str
    digest: str = Field(index=True)  # keyed, for suppressions and inbound texts
    place: int = Field(default=0)
    origin: str  # "imported": somebody else says so; "citizen": the person, and it is used once verified
    said_by: str = Field(default="")  # of an imported one: who says so
    said_on: date | None = Field(default=None)  # and as of which day; None: as of `added_at`
    added_at: datetime = Field(sa_type=UtcDateTime)
    verified_at: datetime | None = Field(default=None, sa_type=UtcDateTime)  # the person had a code sent there
    dead_since: datetime | None = Field(
        default=None, sa_type=UtcDateTime
    )  # a provider says it cannot be reached, or who has it that it is theirs
    dead_reason: str = Field(default="")  # "invalid_number", "unreachable", "not_mobile", "wrong_person", "grown_up"
    removed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)  # by the person; another may stand for it
    address_until: datetime | None = Field(default=None, sa_type=UtcDateTime)  # of a removed one: then it is forgotten


PLANNING = Due(Subject, "next_planning_at")


@dataclass(frozen=True, slots=True)
class Contact:
    """A contact point opened for use."""

    id: UUID
    kind: ContactKind
    address: str = field(repr=False)
    digest: str
    is_dead: bool
    said_at: datetime
    is_imported: bool = True
    verified_at: datetime | None = None
    is_removed: bool = False

    @property
    def is_usable(self) -> bool:
        """Whether anything may be sent there: what the person has written down is theirs only once it is verified."""
        return not (self.is_dead or self.is_removed) and (self.is_imported or self.verified_at is not None)

    def has_ended(self, grown_at: datetime | None, now: datetime) -> bool:
        """Given before the person turned 13, when it may have been a guardian's, and not verified since."""
        return grown_at is not None and (self.verified_at or self.said_at) < grown_at <= now


@dataclass(frozen=True, slots=True)
class Said:
    """Who gives a contact point of somebody else, and as of which day."""

    by: str
    on: date


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


def add_contact(  # noqa: PLR0913 - whose, what, from whom
    session: Session,
    vault: Vault,
    subject_id: UUID,
    kind: ContactKind,
    address: str,
    *,
    now: datetime,
    said: Said | None = None,
    origin: str = IMPORTED,
) -> ContactPoint:
    """Adds a contact point, already in its normal form (E.164, lower-case domain); the same one once. One that is known
    is said anew at most: what was removed, or is dead, comes back only by being verified."""
    digest = vault.digest(kind, address)
    known = session.exec(
        select(ContactPoint).where(
            col(ContactPoint.subject_id) == subject_id,
            col(ContactPoint.kind) == kind,
            col(ContactPoint.digest) == digest,
        )
    ).first()
    if known is not None:
        _say_anew(known, said)
        if known.removed_at is not None:  # its address may be forgotten by now
            known.sealed_address = _sealed(cipher_of(session, vault, subject_id), known.id, address)
        return known
    row_id = new_id()
    cipher = cipher_of(session, vault, subject_id)
    row = ContactPoint(
        id=row_id,
        subject_id=subject_id,
        kind=kind,
        sealed_address=_sealed(cipher, row_id, address),
        digest=digest,
        origin=origin,
        said_by="" if said is None else said.by,
        said_on=None if said is None else said.on,
        added_at=now,
    )
    session.add(row)
    session.flush()
    return row


def contacts(session: Session, cipher: SubjectCipher, subject_id: UUID) -> list[Contact]:
    """The subject's contact points, the preferred first: of those at the same place what is verified, and what is
    newest."""
    query = select(ContactPoint).where(col(ContactPoint.subject_id) == subject_id)
    rows = session.exec(query.order_by(col(ContactPoint.id))).all()
    newest = sorted(rows, key=lambda row: row.verified_at or said_at(row), reverse=True)
    return [opened(cipher, row) for row in sorted(newest, key=lambda row: (row.place, row.verified_at is None))]


def said_at(row: ContactPoint) -> datetime:
    """As of when it was given: the beginning of that day, where a day was named."""
    return row.added_at if row.said_on is None else datetime.combine(row.said_on, time(), UTC)


def grown_at(subject: Subject, cipher: SubjectCipher) -> datetime | None:
    """The 13th birthday; None where the number does not tell it."""
    born_on = number_of(subject, cipher).born_on
    return None if born_on is None else guarded_until(born_on)


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
    return Contact(
        id=row.id,
        kind=ContactKind(row.kind),
        address=address,
        digest=row.digest,
        is_dead=row.dead_since is not None,
        said_at=said_at(row),
        is_imported=row.origin == IMPORTED,
        verified_at=row.verified_at,
        is_removed=row.removed_at is not None,
    )


def seal_nothing(cipher: SubjectCipher, row: ContactPoint) -> None:
    """Its address is forgotten; its digest stays, so that no imported file brings it back."""
    row.sealed_address, row.address_until = _sealed(cipher, row.id, ""), None


def _sealed(cipher: SubjectCipher, row_id: UUID, address: str) -> str:
    return cipher.seal_text("contact_points.sealed_address", row_id, address)


def _say_anew(row: ContactPoint, said: Said | None) -> None:
    if said is not None and (row.said_on is None or said.on > row.said_on):
        row.said_by, row.said_on = said.by, said.on


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
