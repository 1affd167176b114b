"""Calendars: one viewer's view of one subject, its rising revision, its links, and what was rendered for it."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, CheckConstraint, ColumnElement, Index, String, UniqueConstraint, and_, func, literal, or_
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import Field, Session, SQLModel, col, select, update

from store import app_passwords
from store.bookings import Booking
from store.claims import Due, wake
from store.columns import Claimable, UtcDateTime, lease_clock, one_of, sealed
from store.database import Sessions
from store.facilities import WHOLE_SOURCE
from store.identifiers import new_id
from store.invitations import subjects_invited_to
from store.level import Level as Level  # apart, so that pure decisions may name it
from store.standing import Standing


class ComponentKind(StrEnum):
    """Which of a calendar's two collections a component stands in."""

    VISIT = "visit"
    INVITATION = "invitation"  # an open one: a to-do, as it has no time


class Calendar(Claimable, table=True):
    """One viewer's view of one subject. The row's lock makes commit order and revision order the same."""

    __tablename__ = "calendars"
    __table_args__ = (
        UniqueConstraint("viewer_id", "subject_id"),
        one_of("level", Level),
        CheckConstraint("revision >= 0 and past_days >= 0", name="counts"),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    viewer_id: UUID = Field(foreign_key="subjects.id")  # the person, or a guardian
    subject_id: UUID = Field(foreign_key="subjects.id", index=True)
    level: Level = Field(sa_type=String)
    language: str = Field(default="sv")
    alarms: list[int] = Field(default_factory=list, sa_type=JSON)  # minutes before the visit; none unless asked for
    past_days: int = Field(default=30)  # how long a passed visit is shown
    revision: int = Field(default=0)
    invitations_revision: int = Field(default=0)  # the revision at which open invitations last changed
    epoch: int = Field(default=0)  # when a backup was last restored, Unix seconds: what was told before says nothing
    account: str | None = Field(default=None, unique=True, index=True)  # CalDAV's user name, once there is a device
    changed_at: datetime = Field(sa_type=UtcDateTime)  # Last-Modified: max(previous + 1 s, real time), whole seconds
    next_change_at: datetime | None = Field(default=None, sa_type=UtcDateTime, index=True)  # what time alone changes
    emptied_at: datetime | None = Field(default=None, sa_type=UtcDateTime)  # explicit protection or death
    created_at: datetime = Field(sa_type=UtcDateTime)


class CalendarComponent(SQLModel, table=True):
    """One booking as one calendar shows it. A removed one leaves its row, so that a sync can tell of it."""

    __tablename__ = "calendar_components"
    __table_args__ = (
        sealed("sealed_body"),
        one_of("kind", ComponentKind),
        Index("ix_calendar_components_changes", "calendar_id", "revision", "booking_id"),
    )

    calendar_id: UUID = Field(primary_key=True, foreign_key="calendars.id")
    booking_id: UUID = Field(primary_key=True)  # no foreign key: a component outlives a row merged by a move
    kind: ComponentKind = Field(default=ComponentKind.VISIT, sa_type=String)
    uid: str
    starts_at: datetime = Field(sa_type=UtcDateTime)  # the order in the joined body
    ends_at: datetime | None = Field(default=None, sa_type=UtcDateTime)  # None where no end is shown
    revision: int  # of the calendar, when it last changed
    sealed_body: str | None = Field(default=None)  # with the subject's key, row id = booking id; None: removed


class CalendarBody(SQLModel, table=True):
    """The joined text, ready to serve, and its gzip copy."""

    __tablename__ = "calendar_bodies"
    __table_args__ = (sealed("sealed_body"), sealed("sealed_gzip"))

    calendar_id: UUID = Field(primary_key=True, foreign_key="calendars.id")
    revision: int
    etag: str
    sealed_body: str  # with the subject's key, row id = calendar id
    sealed_gzip: str


class FeedLink(SQLModel, table=True):
    """A subscription address. Rotating makes a new one and revokes this; the calendar is untouched."""

    __tablename__ = "feed_links"

    id: UUID = Field(default_factory=new_id, primary_key=True)
    calendar_id: UUID = Field(foreign_key="calendars.id", index=True)
    token_digest: str = Field(unique=True)
    created_at: datetime = Field(sa_type=UtcDateTime)
    revoked_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    last_fetched_at: datetime | None = Field(default=None, sa_type=UtcDateTime)  # written at most daily


REFRESHING = Due(Calendar, "next_change_at")


def wake_calendars(session: Session, subject_ids: Sequence[UUID], at: datetime) -> None:
    """Has these subjects' calendars looked at anew at `at`, or sooner if they were to be."""
    ids = session.exec(select(Calendar.id).where(col(Calendar.subject_id).in_(subject_ids))).all()
    wake(session, REFRESHING, ids, at)


def wake_calendars_about(session: Session, person_ids: Collection[UUID], at: datetime) -> None:
    """As `wake_calendars`, and the calendars that these people see of others too: their own standing changed."""
    theirs = or_(col(Calendar.subject_id).in_(person_ids), col(Calendar.viewer_id).in_(person_ids))
    wake(session, REFRESHING, session.exec(select(Calendar.id).where(theirs)).all(), at)


def wake_calendars_of_address(session: Session, source: str, address: str, at: datetime) -> None:
    """Has the calendars looked at anew at `at` that hold a visit to come at this address, or anywhere at the source."""
    concerned = select(Booking.subject_id).where(
        col(Booking.source) == source,
        col(Booking.standing) == Standing.BOOKED,
    )
    if address != WHOLE_SOURCE:
        concerned = concerned.where(col(Booking.logical_address) == address)
    ids = session.exec(select(Calendar.id).where(col(Calendar.subject_id).in_(concerned))).all()
    wake(session, REFRESHING, ids, at)


def not_marked(session: Session, mark: str, after: UUID | None, limit: int) -> list[UUID]:
    """Calendars whose ETag does not end in `mark`, in the order of their ids, from the one behind `after`."""
    query = select(CalendarBody.calendar_id).where(~col(CalendarBody.etag).endswith(mark, autoescape=True))
    if after is not None:
        query = query.where(col(CalendarBody.calendar_id) > after)
    return list(session.exec(query.order_by(col(CalendarBody.calendar_id)).limit(limit)))


def locked_of_subject(session: Session, subject_id: UUID) -> list[Calendar]:
    """The subject's calendars in the order of their ids, as they stand now, locked until the transaction ends."""
    return _locked(session, col(Calendar.subject_id) == subject_id)


def locked(session: Session, calendar_id: UUID) -> Calendar | None:
    """The calendar as it stands now, locked until the transaction ends."""
    return next(iter(_locked(session, col(Calendar.id) == calendar_id)), None)


def of_viewer(session: Session, viewer_id: UUID, subject_id: UUID) -> Calendar | None:
    """The viewer's calendar of the subject, locked."""
    mine = and_(col(Calendar.viewer_id) == viewer_id, col(Calendar.subject_id) == subject_id)
    return next(iter(_locked(session, mine)), None)


def components(session: Session, calendar_id: UUID) -> dict[UUID, CalendarComponent]:
    """By booking, removed ones too."""
    query = select(CalendarComponent).where(col(CalendarComponent.calendar_id) == calendar_id)
    return {row.booking_id: row for row in session.exec(query.execution_options(populate_existing=True))}


def body(session: Session, calendar_id: UUID) -> CalendarBody | None:
    return session.get(CalendarBody, calendar_id, populate_existing=True)


def advance(session: Session, calendar: Calendar) -> int:
    """The calendar's next revision; Last-Modified moves with it, by a second at least and never back.

    Real time is the database's, so that several processes agree.
    """
    real_now = session.connection().execute(select(lease_clock())).scalar_one().replace(microsecond=0)
    statement = (
        update(Calendar)
        .where(col(Calendar.id) == calendar.id)
        .values(
            revision=col(Calendar.revision) + 1,
            changed_at=max(calendar.changed_at + timedelta(seconds=1), real_now),
        )
        .returning(col(Calendar.revision))
        .execution_options(synchronize_session=False)
    )
    return session.connection().execute(statement).scalar_one()


def note_invitations(session: Session, calendar: Calendar, revision: int) -> None:
    """The calendar's open invitations changed at this revision."""
    _set(session, calendar.id, invitations_revision=revision)


def begin_epoch(session: Session, at: datetime) -> None:
    """A backup has been restored: what programs were told of revisions that it does not know says nothing any more.

    Every validator changes (ETag, Last-Modified, sync-token), so that each program fetches everything once.
    """
    epoch = int(at.timestamp())
    session.connection().execute(update(Calendar).values(epoch=epoch, changed_at=at.replace(microsecond=0)))
    session.connection().execute(
        update(CalendarBody).values(etag=literal(f'"{epoch}.') + func.substr(col(CalendarBody.etag), 2))
    )


def look_again_at(session: Session, calendar: Calendar, at: datetime | None, now: datetime) -> None:
    """Sets when time alone changes the calendar. One that is due already stays due: somebody wants it looked at."""
    if calendar.next_change_at == at or (calendar.next_change_at is not None and calendar.next_change_at <= now):
        return
    _set(session, calendar.id, next_change_at=at, wakes=col(Calendar.wakes) + 1)


def set_emptied_at(session: Session, calendar: Calendar, at: datetime | None) -> None:
    if calendar.emptied_at != at:
        _set(session, calendar.id, emptied_at=at)


def link(session: Session, link_id: UUID) -> FeedLink | None:
    return session.get(FeedLink, link_id, populate_existing=True)


def links(session: Session, calendar_id: UUID) -> list[FeedLink]:
    """The calendar's links, the oldest first, revoked ones too."""
    query = select(FeedLink).where(col(FeedLink.calendar_id) == calendar_id)
    return list(session.exec(query.order_by(col(FeedLink.created_at), col(FeedLink.id))))


def revoke_link(session: Session, link_id: UUID, at: datetime) -> bool:
    """False if it was revoked before, or never was."""
    return _revoke(session, col(FeedLink.id) == link_id, at) == 1


def revoke_access(session: Session, calendar_id: UUID, at: datetime) -> None:
    """Revokes whatever links and app passwords the calendar still has."""
    _revoke(session, col(FeedLink.calendar_id) == calendar_id, at)
    app_passwords.revoke_all(session, calendar_id, at)


def note_fetched(sessions: Sessions, link_id: UUID, at: datetime) -> bool:
    """Remembers that the link was used. False when the database would not take it: the next use tells again."""
    used = update(FeedLink).where(col(FeedLink.id) == link_id).values(last_fetched_at=at)
    try:
        with sessions.writing() as session:
            session.connection().execute(used)
    except SQLAlchemyError:
        return False
    return True


def _locked(session: Session, where: ColumnElement[bool]) -> list[Calendar]:
    query = select(Calendar).where(where).order_by(col(Calendar.id)).with_for_update()
    return list(session.exec(query.execution_options(populate_existing=True)))


def _set(session: Session, calendar_id: UUID, **values: Any) -> None:  # noqa: ANN401 - values or expressions
    statement = update(Calendar).where(col(Calendar.id) == calendar_id).values(**values)
    session.connection().execute(statement.execution_options(synchronize_session=False))


def _revoke(session: Session, where: ColumnElement[bool], at: datetime) -> int:
    statement = update(FeedLink).where(where, col(FeedLink.revoked_at).is_(None)).values(revoked_at=at)
    return session.connection().execute(statement.execution_options(synchronize_session=False)).rowcount


def wake_calendars_at(session: Session, facilities: Sequence[str], at: datetime) -> None:
    """Has the calendars that show these facilities looked at anew: what is known of the places changed."""
    visiting = session.exec(select(Booking.subject_id).where(col(Booking.facility).in_(facilities)).distinct()).all()
    wake_calendars(session, list({*visiting, *subjects_invited_to(session, facilities)}), at)


def revoke_access_to_subject(session: Session, subject_id: UUID, at: datetime) -> None:
    """Every address and app password of every calendar of the subject is gone at once."""
    for calendar_id in session.exec(select(Calendar.id).where(col(Calendar.subject_id) == subject_id)).all():
        revoke_access(session, calendar_id, at)
