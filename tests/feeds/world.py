"""One person with a calendar, in a real database: what the tests of feeds start from."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import icalendar

from feeds.calendars import rewrite
from feeds.links import address_of
from feeds.serving import Serving
from feeds.subscribing import NewLink, Wishes, make_link, open_calendar
from store import bookings, calendars
from store.bookings import Booking
from store.calendars import Calendar
from store.database import Sessions
from store.engagements import Engagement
from store.level import Level
from store.subjects import Subject
from store.vault import Vault
from tests import build
from tests.people import ANNA, Person

DAY = timedelta(days=1)


@dataclass
class World:
    sessions: Sessions
    vault: Vault
    now: datetime
    wishes: Wishes = field(default_factory=lambda: Wishes(Level.FULL))
    person: Person = ANNA

    def __post_init__(self) -> None:
        with self.sessions.writing() as session:
            self.clinic_id = build.clinic(session, self.now).id
            build.facility(session, clinic_id=self.clinic_id)
            self.subject_id = build.subject(session, self.vault, self.now, self.person).id
            self.engagement: Engagement = build.engagement(session, self.subject_id, self.now)

    def add(self, start_at: datetime, **values: Any) -> UUID:
        with self.sessions.writing() as session:
            return build.booking(session, self.vault, self.engagement, start_at, **values).id

    def open(self, wishes: Wishes | None = None) -> NewLink:
        """A calendar of one's own and its address."""
        with self.sessions.writing() as session:
            self.calendar_id = open_calendar(
                session,
                self.vault,
                wishes or self.wishes,
                viewer_id=self.subject_id,
                subject_id=self.subject_id,
                now=self.now,
            )
            self.link = make_link(session, self.vault, self.calendar_id, self.now)
        return self.link

    def change(self, booking_id: UUID, **values: Any) -> list[UUID]:
        """Changes a booking as `worker.sync` would, and rewrites in the same transaction."""
        with self.sessions.writing() as session:
            row = bookings.by_ids(session, [booking_id])[booking_id]
            for name, value in {"amended_at": self.now, **values}.items():
                setattr(row, name, value)
            session.add(row)
            return rewrite(session, self.vault, self.subject_id, [booking_id], self.now)

    def rewrite(self, *booking_ids: UUID) -> list[UUID]:
        with self.sessions.writing() as session:
            return rewrite(session, self.vault, self.subject_id, booking_ids, self.now)

    def set_subject(self, **values: Any) -> None:
        with self.sessions.writing() as session:
            row = session.get(Subject, self.subject_id)
            for name, value in values.items():
                setattr(row, name, value)

    def calendar(self) -> Calendar:
        with self.sessions.reading() as session:
            row = session.get(Calendar, self.calendar_id)
            assert row is not None
            return row

    def booking(self, booking_id: UUID) -> Booking:
        with self.sessions.reading() as session:
            return bookings.by_ids(session, [booking_id])[booking_id]

    def body(self) -> bytes:
        serving = Serving(self.sessions, self.vault)
        try:
            sealed = serving.find_sealed(self.link.token)
            assert sealed is not None
            return serving.content(sealed, compressed=False)
        finally:
            serving.close()

    def events(self) -> list[icalendar.Event]:
        return list(icalendar.Calendar.from_ical(self.body()).events)

    def event_bytes(self) -> dict[str, bytes]:
        """Each event's own bytes, by UID."""
        found = {}
        for part in self.body().split(b"BEGIN:VEVENT\r\n")[1:]:
            text = part.split(b"END:VEVENT\r\n")[0]
            found[str(icalendar.Event.from_ical(b"BEGIN:VEVENT\r\n" + text + b"END:VEVENT\r\n")["UID"])] = text
        return found

    def links(self) -> list[calendars.FeedLink]:
        with self.sessions.reading() as session:
            return calendars.links(session, self.calendar_id)

    @property
    def path(self) -> str:
        return address_of("", self.link.token)
