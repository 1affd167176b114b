"""App passwords: what opens a calendar's CalDAV account, one per device, each with a name and revocable by itself."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import Field, Session, SQLModel, col, select, update

from store.columns import UtcDateTime, sealed
from store.database import Sessions
from store.identifiers import new_id
from store.vault import SubjectCipher

_NAME = "app_passwords.sealed_name"


class AppPassword(SQLModel, table=True):
    """A device's password, of which only a keyed digest is kept."""

    __tablename__ = "app_passwords"
    __table_args__ = (sealed("sealed_name"),)

    id: UUID = Field(default_factory=new_id, primary_key=True)
    calendar_id: UUID = Field(foreign_key="calendars.id", index=True)
    digest: str = Field(unique=True)
    sealed_name: str  # what the citizen calls the device; with the viewer's key
    created_at: datetime = Field(sa_type=UtcDateTime)
    revoked_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    last_used_at: datetime | None = Field(default=None, sa_type=UtcDateTime)  # written at most daily


def add(  # noqa: PLR0913 - of which calendar, known by what, called what, when
    session: Session, cipher: SubjectCipher, calendar_id: UUID, digest: str, name: str, at: datetime
) -> UUID:
    """A new app password of the calendar; `cipher` is the viewer's."""
    row_id = new_id()
    sealed_name = cipher.seal_text(_NAME, row_id, name)
    session.add(AppPassword(id=row_id, calendar_id=calendar_id, digest=digest, sealed_name=sealed_name, created_at=at))
    session.flush()
    return row_id


def of_calendar(session: Session, calendar_id: UUID) -> list[AppPassword]:
    """The oldest first, revoked ones too."""
    query = select(AppPassword).where(col(AppPassword.calendar_id) == calendar_id)
    return list(session.exec(query.order_by(col(AppPassword.created_at), col(AppPassword.id))))


def name_of(cipher: SubjectCipher, row: AppPassword) -> str:
    """What the citizen calls the device; `cipher` is the viewer's. Raises Unsealable."""
    return cipher.open_text(_NAME, row.id, row.sealed_name)


def revoke(session: Session, password_id: UUID, at: datetime) -> bool:
    """False if it was revoked before, or never was."""
    return _revoke(session, col(AppPassword.id) == password_id, at) == 1


def revoke_all(session: Session, calendar_id: UUID, at: datetime) -> None:
    """Revokes whatever app passwords the calendar still has."""
    _revoke(session, col(AppPassword.calendar_id) == calendar_id, at)


def note_used(sessions: Sessions, password_id: UUID, at: datetime) -> bool:
    """Remembers that the password was used. False when the database would not take it: the next use tells again."""
    used = update(AppPassword).where(col(AppPassword.id) == password_id).values(last_used_at=at)
    try:
        with sessions.writing() as session:
            session.connection().execute(used)
    except SQLAlchemyError:
        return False
    return True


def _revoke(session: Session, where: ColumnElement[bool], at: datetime) -> int:
    statement = update(AppPassword).where(where, col(AppPassword.revoked_at).is_(None)).values(revoked_at=at)
    return session.connection().execute(statement.execution_options(synchronize_session=False)).rowcount
