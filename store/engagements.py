"""Engagements: that a subject has something at a source, when to ask next, and what the last answer said of whom."""

import hashlib
from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import Index, String, UniqueConstraint, text
from sqlmodel import Field, Session, SQLModel, col, delete, select

from store.claims import Due, wake
from store.columns import Claimable, UtcDateTime, sealed
from store.identifiers import HsaId, new_id
from store.vault import SubjectCipher, Vault


class Engagement(Claimable, table=True):
    """One subject at one source: polls, second looks and wake-ups all claim this row."""

    __tablename__ = "engagements"
    __table_args__ = (
        UniqueConstraint("subject_id", "source"),
        Index(
            "ix_engagements_answered",  # whose answer is the oldest
            "answer_begun_at",
            sqlite_where=text("next_poll_at is not null"),
            postgresql_where=text("next_poll_at is not null"),
        ),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    subject_id: UUID = Field(foreign_key="subjects.id")
    source: str
    next_poll_at: datetime | None = Field(default=None, sa_type=UtcDateTime, index=True)  # None: no consent stands
    answer_begun_at: datetime | None = Field(default=None, sa_type=UtcDateTime)  # when the stored answer was asked for
    first_evidence_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    changed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)  # last time an answer changed something
    digest: str = Field(default="")  # hex; of the stored answer
    answer_digest: str = Field(default="")  # keyed; of the stored answer's octets, where nothing hangs in the air
    failures: int = Field(default=0)  # in a row
    last_error: str = Field(default="")  # its code
    created_at: datetime = Field(sa_type=UtcDateTime)


class InvitationLook(Claimable, table=True):
    """When to look for an engagement's open invitations: a row of its own, so that looks and polls do not wait for
    each other. Made with the engagement's first answer."""

    __tablename__ = "invitation_looks"

    id: UUID = Field(primary_key=True, foreign_key="engagements.id", ondelete="CASCADE")  # the engagement's
    next_look_at: datetime | None = Field(default=None, sa_type=UtcDateTime, index=True)
    failures: int = Field(default=0)  # in a row
    last_error: str = Field(default="")  # its code


class EngagementAddress(SQLModel, table=True):
    """What this subject's answers say of one logical address. Written only when its status changes.

    While `status` is evidence (DataFromSource or "direct"), the last evidence is the engagement's `answer_begun_at`.
    """

    __tablename__ = "engagement_addresses"

    engagement_id: UUID = Field(primary_key=True, foreign_key="engagements.id")
    address: str = Field(primary_key=True)  # canonical HSA-id
    status: str = Field(sa_type=String)  # a ProcessingStatus code, or "no_record"
    status_since: datetime = Field(sa_type=UtcDateTime)  # for no_record: clean answers without a record since then
    first_evidence_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    last_evidence_at: datetime | None = Field(default=None, sa_type=UtcDateTime)  # as of `status_since`
    last_direct_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class Quarantined(SQLModel, table=True):
    """What could not be read, with its reason, sealed and kept seven days."""

    __tablename__ = "quarantine"
    __table_args__ = (UniqueConstraint("engagement_id", "digest"), sealed("sealed_content"))

    id: UUID = Field(default_factory=new_id, primary_key=True)
    engagement_id: UUID = Field(foreign_key="engagements.id")
    facility: str | None = Field(default=None)
    booking_id: str = Field(default="")
    reason: str
    digest: str  # hex, of the content: the same one is kept once
    sealed_content: str
    seen_at: datetime = Field(sa_type=UtcDateTime, index=True)


POLLING = Due(Engagement, "next_poll_at")
LOOKING = Due(InvitationLook, "next_look_at")


def answer_digest(vault: Vault, engagement_id: UUID, octets: bytes) -> str:
    """What the octets of an answer are known by again. Keyed: they hold an identity number that could be guessed."""
    return vault.digest("answer", f"{engagement_id}|{octets.hex()}")


def of_subject(session: Session, subject_id: UUID) -> list[Engagement]:
    return list(session.exec(select(Engagement).where(col(Engagement.subject_id) == subject_id)))


EVIDENCE_STATUSES = ("DataFromSource", "direct")


def address_rows(session: Session, engagement_id: UUID) -> dict[HsaId, EngagementAddress]:
    rows = session.exec(select(EngagementAddress).where(col(EngagementAddress.engagement_id) == engagement_id))
    return {HsaId(row.address): row for row in rows}


def quarantine(  # noqa: PLR0913 - what, of whom, why, and where it came from
    session: Session,
    cipher: SubjectCipher,
    engagement_id: UUID,
    content: bytes,
    reason: str,
    *,
    now: datetime,
    facility: str | None = None,
    booking_id: str = "",
) -> bool:
    """Keeps unreadable content, sealed, with its reason; the same content is kept once. True if it is new."""
    digest = hashlib.blake2b(content, digest_size=16).hexdigest()
    known = select(Quarantined.id).where(
        col(Quarantined.engagement_id) == engagement_id, col(Quarantined.digest) == digest
    )
    if session.exec(known).first() is not None:
        return False
    row_id = new_id()
    session.add(
        Quarantined(
            id=row_id,
            engagement_id=engagement_id,
            facility=facility,
            booking_id=booking_id,
            reason=reason,
            digest=digest,
            sealed_content=cipher.seal("quarantine.sealed_content", row_id, content),
            seen_at=now,
        )
    )
    session.flush()
    return True


def wake_polls(session: Session, subject_ids: Iterable[UUID], at: datetime) -> None:
    """Has these subjects' engagements asked about at `at`, or sooner if they were to be."""
    ids = session.exec(select(Engagement.id).where(col(Engagement.subject_id).in_(list(subject_ids)))).all()
    _wake(session, ids, at)


def wake_all(session: Session, at: datetime, subject_id: UUID | None = None) -> int:
    """Has everybody, or one subject, asked about at `at`; returns how many engagements."""
    query = select(Engagement.id).where(col(Engagement.next_poll_at).is_not(None))
    if subject_id is not None:
        query = query.where(col(Engagement.subject_id) == subject_id)
    ids = session.exec(query).all()
    _wake(session, ids, at)
    return len(ids)


def look_for_invitations(session: Session, engagement_id: UUID, at: datetime) -> None:
    """Has the engagement's open invitations looked for at `at`, or sooner if they were to be."""
    if not wake(session, LOOKING, [engagement_id], at):
        session.add(InvitationLook(id=engagement_id, next_look_at=at))


def quarantined(session: Session) -> list[Quarantined]:
    """What lies in quarantine, the oldest first."""
    return list(session.exec(select(Quarantined).order_by(col(Quarantined.seen_at), col(Quarantined.id))))


def any_quarantined_before(session: Session, at: datetime) -> bool:
    return session.exec(select(Quarantined.id).where(col(Quarantined.seen_at) < at).limit(1)).first() is not None


def delete_quarantined(session: Session, before: datetime) -> int:
    """Deletes what was quarantined before that; returns how many."""
    return session.exec(delete(Quarantined).where(col(Quarantined.seen_at) < before)).rowcount


def _wake(session: Session, ids: Sequence[UUID], at: datetime) -> None:
    wake(session, POLLING, ids, at)
    wake(session, LOOKING, ids, at)
