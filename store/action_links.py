"""Links in messages by which people answer: kept as keyed digests of what they carry, never the token itself."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, String
from sqlmodel import Field, Session, SQLModel, col, delete, select

from store.columns import UtcDateTime, one_of
from store.identifiers import new_id
from store.inserting import insert_unless_there
from store.link_actions import LinkAction


class ActionLink(SQLModel, table=True):
    """One link: whose, to which address it went, and whether it has been used. All times are real."""

    __tablename__ = "action_links"
    __table_args__ = (one_of("action", LinkAction),)

    id: UUID = Field(default_factory=new_id, primary_key=True)
    digest: str = Field(unique=True)  # keyed, of the token
    action: LinkAction = Field(sa_type=String)
    recipient_id: UUID = Field(foreign_key="subjects.id", index=True)
    contact_digest: str  # keyed, as suppressions have it
    channel: str
    made_at: datetime = Field(sa_type=UtcDateTime)
    expires_at: datetime = Field(sa_type=UtcDateTime, index=True)
    used_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class LinkedVisit(SQLModel, table=True):
    """A visit that a link is about, as it was told."""

    __tablename__ = "action_link_visits"

    link_id: UUID = Field(primary_key=True, foreign_key="action_links.id")
    booking_id: UUID = Field(primary_key=True)  # no foreign key: a move may merge the row away
    time_version: int


def add(session: Session, link: ActionLink, visits: Collection[tuple[UUID, int]] = ()) -> None:
    """Keeps a link, once however often its message is made."""
    if not insert_unless_there(session, link):
        return
    rows = [LinkedVisit(link_id=link.id, booking_id=booking, time_version=version) for booking, version in visits]
    session.add_all(rows)
    session.flush()


def find(session: Session, digest: str, *, locked: bool = False) -> ActionLink | None:
    """The link with this token's digest. `locked`: until the transaction ends, so that it is used once."""
    query = select(ActionLink).where(col(ActionLink.digest) == digest)
    return session.exec(query.with_for_update() if locked else query).first()


def visits(session: Session, link_id: UUID) -> list[LinkedVisit]:
    query = select(LinkedVisit).where(col(LinkedVisit.link_id) == link_id)
    return list(session.exec(query.order_by(col(LinkedVisit.booking_id))))


def any_expired_before(session: Session, at: datetime) -> bool:
    return session.exec(select(ActionLink.id).where(_expired(at)).limit(1)).first() is not None


def delete_expired_before(session: Session, at: datetime, limit: int = 1000) -> int:
    """Deletes one batch; returns how many."""
    gone = session.exec(select(ActionLink.id).where(_expired(at)).limit(limit)).all()
    if gone:
        session.exec(delete(LinkedVisit).where(col(LinkedVisit.link_id).in_(gone)))
        session.exec(delete(ActionLink).where(col(ActionLink.id).in_(gone)))
    return len(gone)


def _expired(at: datetime) -> ColumnElement[bool]:
    return col(ActionLink.expires_at) < at
