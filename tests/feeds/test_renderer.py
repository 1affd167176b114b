"""After an upgrade every calendar follows once, a few at a time, and none is found due for ever."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import text
from sqlmodel import col, select

from feeds import ical, renderer
from feeds.calendars import Refreshed, refresh_due
from feeds.subscribing import Wishes, open_calendar
from store import calendars
from store.calendars import Calendar
from store.level import Level
from tests import build
from tests.feeds.world import DAY, World
from tests.people import BERTIL, CECILIA

SOON = timedelta(minutes=10)


@pytest.fixture
def older(world: World, monkeypatch: pytest.MonkeyPatch) -> World:
    """A calendar of two visits, as a version made it that wrote another CLASS."""
    drawn = ical.component
    world.add(world.now + 2 * DAY)
    world.add(world.now + 3 * DAY)
    with monkeypatch.context() as patch:
        patch.setattr(ical, "component", lambda one: drawn(one).replace(b"CLASS:PRIVATE", b"CLASS:PUBLIC"))
        world.open()
    mark_as_older(world)
    return world


def mark_as_older(world: World) -> None:
    with world.sessions.writing() as session:
        session.connection().execute(text("update calendar_bodies set etag = '\"1-1\"'"))


def etag(world: World) -> str:
    with world.sessions.reading() as session:
        body = calendars.body(session, world.calendar_id)
        assert body is not None
        return body.etag


def stamp(event: bytes) -> datetime:
    found = ical.written_at(event)
    assert found is not None
    return found


def test_a_calendar_of_another_version_is_made_anew_once(older: World) -> None:
    before = older.event_bytes()

    following = renderer.follow(older.sessions, older.now)
    assert (following.count, following.until) == (1, older.now + SOON)
    assert refresh_due(older.sessions, older.vault, following.until - timedelta(seconds=1)) == Refreshed(0, 0, 0)
    assert refresh_due(older.sessions, older.vault, following.until) == Refreshed(1, 1, 0)

    for uid, event in older.event_bytes().items():
        assert b"CLASS:PRIVATE" in event
        assert stamp(event) > stamp(before[uid])  # or Google and Outlook pass over it
    assert etag(older) == renderer.etag_of(0, older.calendar().revision)
    assert renderer.follow(older.sessions, older.now).count == 0


def test_a_calendar_whose_text_is_the_same_gets_no_revision_and_is_not_due_for_ever(world: World) -> None:
    world.add(world.now + 2 * DAY)
    world.open()
    mark_as_older(world)
    before = world.calendar()

    until = renderer.follow(world.sessions, world.now).until
    assert refresh_due(world.sessions, world.vault, until) == Refreshed(1, 0, 0)

    after = world.calendar()
    assert (after.revision, after.changed_at, after.next_change_at) == (
        before.revision,
        before.changed_at,
        before.next_change_at,
    )
    assert renderer.follow(world.sessions, world.now).count == 0


def test_a_change_before_its_turn_makes_all_of_an_older_calendar_anew(older: World) -> None:
    """Else a body of this version would keep events of the one before, and nobody would look again."""
    changed = min(older.event_bytes())
    with older.sessions.reading() as session:
        booking_id = next(
            row.booking_id for row in calendars.components(session, older.calendar_id).values() if row.uid == changed
        )
    older.change(booking_id, may_cancel=True)

    assert b"CLASS:PUBLIC" not in older.body()
    assert renderer.follow(older.sessions, older.now).count == 0


def test_a_million_calendars_do_not_come_at_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(renderer, "_A_SECOND", 1)
    monkeypatch.setattr(renderer, "_BATCH", 2)
    world.add(world.now + DAY)
    world.open()
    with world.sessions.writing() as session:
        for person in (BERTIL, CECILIA):
            own = build.subject(session, world.vault, world.now, person).id
            open_calendar(session, world.vault, Wishes(Level.BUSY), viewer_id=own, subject_id=own, now=world.now)
    mark_as_older(world)

    following = renderer.follow(world.sessions, world.now)
    turns = [world.now + SOON + timedelta(seconds=place) for place in range(3)]
    assert following == renderer.Following(3, turns[-1])
    assert turns_of(world) == turns
    assert renderer.follow(world.sessions, world.now + DAY).count == 3  # broken off and begun again
    assert turns_of(world) == turns


def turns_of(world: World) -> list[datetime | None]:
    with world.sessions.reading() as session:
        return [row.next_change_at for row in session.exec(select(Calendar).order_by(col(Calendar.id)))]
