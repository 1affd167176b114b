"""Texts that people have sent us: who, by a keyed digest, wanted what and when. The words themselves are not kept."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Index, String, UniqueConstraint, func
from sqlmodel import Field, Session, SQLModel, col, delete, select

from store.columns import UtcDateTime, one_of
from store.identifiers import new_id
from store.inserting import insert_unless_there
from store.intents import Intent


class Reply(SQLModel, table=True):
    """One text, once however often its provider brings it."""

    __tablename__ = "replies"
    __table_args__ = (
        UniqueConstraint("provider", "provider_id"),
        one_of("intent", Intent),
        Index("ix_replies_sender", "sender_digest", "received_at"),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    provider: str
    provider_id: str
    sender_digest: str  # keyed, as contact points and suppressions have it
    intent: Intent = Field(sa_type=String)
    is_answered: bool = Field(default=False)
    received_at: datetime = Field(sa_type=UtcDateTime, index=True)  # real time


def add(session: Session, reply: Reply) -> bool:
    """False if it had come before."""
    return insert_unless_there(session, reply)


def is_overtaken(session: Session, sender_digest: str, received_at: datetime) -> bool:
    """Whether the sender has asked for STOP or START in a text received later than that."""
    wishes = col(Reply.intent).in_([Intent.STOP.value, Intent.START.value])
    return _any(session, col(Reply.sender_digest) == sender_digest, wishes, col(Reply.received_at) > received_at)


def answered_since(session: Session, sender_digest: str, intent: Intent, since: datetime) -> int:
    """How many texts of this intent, received then or later, the sender has had answered."""
    query = select(func.count()).select_from(Reply)
    same = (col(Reply.sender_digest) == sender_digest, col(Reply.intent) == intent)
    return session.exec(query.where(*same, col(Reply.is_answered), col(Reply.received_at) >= since)).one()


def note_answered(session: Session, reply_id: UUID) -> None:
    row = session.get_one(Reply, reply_id)
    row.is_answered = True
    session.add(row)


def any_received_before(session: Session, at: datetime) -> bool:
    return _any(session, col(Reply.received_at) < at)


def delete_received_before(session: Session, at: datetime, limit: int = 1000) -> int:
    """Deletes one batch; returns how many."""
    oldest = select(Reply.id).where(col(Reply.received_at) < at).limit(limit)
    return int(session.exec(delete(Reply).where(col(Reply.id).in_(oldest))).rowcount)


def _any(session: Session, *where: object) -> bool:
    return session.exec(select(Reply.id).where(*where).limit(1)).first() is not None  # type: ignore[arg-type]
