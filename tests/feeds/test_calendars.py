"""Calendars over time on both databases: what changes, what must not, and who may see nothing at all."""

import re
import threading
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import text

from feeds.calendars import Refreshed, refresh_due, rewrite
from feeds.periods import CalendarRules
from feeds.subscribing import Wishes, open_calendar
from store import calendars, facilities
from store.bookings import Booking, Details
from store.calendars import CalendarComponent, FeedLink
from store.database import Session
from store.level import Level
from store.standing import Standing
from store.subjects import SubjectKey
from store.vault import Vault, make_key_file, read_key_file
from tests import build
from tests.feeds.world import DAY, World
from tests.people import BERTIL


def test_check_27_uid_stays_and_sequence_rises_when_a_visit_moves(world: World) -> None:
    moved = world.add(world.now + 3 * DAY)
    other = world.add(world.now + 9 * DAY)
    world.open()
    before, revision = world.event_bytes(), world.calendar().revision

    world.change(moved, start_at=world.now + 4 * DAY, sequence=1, time_version=2)

    after = world.event_bytes()
    uid, other_uid = world.booking(moved).uid, world.booking(other).uid
    assert world.calendar().revision == revision + 1
    assert after.keys() == before.keys()
    assert b"SEQUENCE:1\r\n" in after[uid]
    assert after[other_uid] == before[other_uid]  # a visit on another day keeps its bytes
    with world.sessions.reading() as session:
        rows = calendars.components(session, world.calendar_id)
        assert (rows[moved].revision, rows[other].revision) == (revision + 1, revision)


def test_check_27_nothing_is_written_when_no_byte_changes(world: World) -> None:
    booking = world.add(world.now + 3 * DAY)
    world.open()
    before, body = world.calendar(), world.body()

    assert world.rewrite(booking) == []

    after = world.calendar()
    assert (after.revision, after.changed_at, after.next_change_at) == (
        before.revision,
        before.changed_at,
        before.next_change_at,
    )
    assert world.body() == body


@pytest.mark.parametrize(
    "change",
    [
        {"may_cancel": True},
        {"standing": Standing.CANCELLED, "sequence": 1},
        {"standing": Standing.GONE, "sequence": 1},
        {"facility": build.KIRURGEN, "sequence": 1},
    ],
)
def test_check_28_every_kind_of_change_breaks_the_etag(world: World, change: dict[str, Any]) -> None:
    booking = world.add(world.now + 3 * DAY)
    with world.sessions.writing() as session:
        build.facility(session, build.KIRURGEN, display_name="Kirurgen")
    world.open()
    before, last_modified = _etag(world), world.calendar().changed_at

    assert world.change(booking, stands_since=world.now, **change) == [world.calendar_id]

    assert _etag(world) != before
    assert world.calendar().changed_at > last_modified


def test_check_28_a_visit_that_is_no_longer_there_breaks_the_etag(world: World) -> None:
    booking = world.add(world.now + 3 * DAY)
    world.open()
    before = _etag(world)

    with world.sessions.writing() as session:
        session.delete(session.get(Booking, booking))
        session.flush()
        rewrite(session, world.vault, world.subject_id, [booking], world.now)

    assert _etag(world) != before
    assert world.events() == []
    with world.sessions.reading() as session:
        row = calendars.components(session, world.calendar_id)[booking]
        assert (row.sealed_body, row.revision) == (None, world.calendar().revision)


def test_check_28_passive_ageing_breaks_the_etag_and_last_modified_rises(world: World) -> None:
    world.add(world.now + DAY)
    world.open()
    before = world.calendar()
    leaves_at = world.now + 31 * DAY
    assert before.next_change_at == leaves_at

    world.set_subject(population_as_of=leaves_at)
    assert refresh_due(world.sessions, world.vault, leaves_at - timedelta(seconds=1)) == Refreshed(0, 0, 0)
    assert refresh_due(world.sessions, world.vault, leaves_at) == Refreshed(1, 1, 0)

    after = world.calendar()
    assert world.events() == []
    assert after.revision == before.revision + 1
    assert after.changed_at >= before.changed_at + timedelta(seconds=1)
    assert after.next_change_at is None


def test_last_modified_is_real_time_and_never_goes_back(world: World) -> None:
    """Business time may be moved; a date ahead of the clock would be refused by caches."""
    booking = world.add(world.now + 3 * DAY)
    world.open()
    seen = [world.calendar().changed_at]
    for number in range(1, 6):
        world.change(booking, sequence=number, start_at=world.now + (3 + number) * DAY)
        seen.append(world.calendar().changed_at)

    assert all(later >= earlier + timedelta(seconds=1) for earlier, later in zip(seen, seen[1:], strict=False))
    assert seen[0] <= datetime.now(UTC)
    assert all(at.microsecond == 0 for at in seen)


def test_check_30_a_cancelled_visit_is_marked_for_14_days(world: World) -> None:
    booking = world.add(world.now + 60 * DAY)
    world.open()

    world.change(booking, standing=Standing.CANCELLED, stands_since=world.now, sequence=1)
    event = world.events()[0]
    assert (event["STATUS"], event["SUMMARY"]) == ("CANCELLED", "Avbokad: Bokad tid, Ekens vårdcentral")

    later = world.now + 14 * DAY
    world.set_subject(population_as_of=later)
    assert refresh_due(world.sessions, world.vault, later).rewritten == 1
    assert world.events() == []


def test_b41_a_cancelled_visit_that_is_booked_again_stands_anew_under_its_uid(world: World) -> None:
    booking = world.add(world.now + 60 * DAY)
    world.open()
    world.change(booking, standing=Standing.CANCELLED, stands_since=world.now, sequence=1)
    world.change(booking, standing=Standing.BOOKED, stands_since=world.now, sequence=2)

    (event,) = world.events()
    assert (event["STATUS"], event["SEQUENCE"], event["UID"]) == ("CONFIRMED", 2, world.booking(booking).uid)
    assert event["SUMMARY"] == "Bokad tid, Ekens vårdcentral"


def test_a_candidate_has_no_component_until_it_is_released(world: World) -> None:
    booking = world.add(world.now + 3 * DAY, candidate_until=world.now + timedelta(minutes=15))
    world.open()
    assert world.events() == []

    world.change(booking, candidate_until=None)
    assert len(world.events()) == 1


def test_a_candidate_that_nobody_releases_shows_itself_after_its_wait(world: World) -> None:
    wait = timedelta(minutes=15)
    world.add(world.now + 3 * DAY, candidate_until=world.now + wait)
    world.open()

    assert refresh_due(world.sessions, world.vault, world.now + wait).rewritten == 1
    assert len(world.events()) == 1


def test_a_moved_visit_and_its_replacement_are_one_event(world: World) -> None:
    """The old row takes the new facts, the candidate's row goes: one UID, one event, also if both were shown."""
    old = world.add(world.now + 3 * DAY)
    new = world.add(world.now + 4 * DAY)
    world.open()

    with world.sessions.writing() as session:
        session.delete(session.get(Booking, new))
        row = session.get(Booking, old)
        assert row is not None
        row.start_at, row.sequence = world.now + 4 * DAY, 1
        session.flush()
        rewrite(session, world.vault, world.subject_id, [old, new], world.now)

    assert [str(event["UID"]) for event in world.events()] == [world.booking(old).uid]


@pytest.mark.parametrize("heard", [None, -8 * DAY])
def test_unknown_or_stale_population_data_holds_the_calendar_and_empties_nothing(
    world: World, heard: timedelta | None
) -> None:
    booking = world.add(world.now + 3 * DAY)
    world.open()
    revision, body = world.calendar().revision, world.body()
    world.set_subject(population_as_of=None if heard is None else world.now + heard)

    assert world.change(booking, standing=Standing.CANCELLED, stands_since=world.now, sequence=1) == []

    assert world.calendar().revision == revision
    assert world.body() == body
    soon = world.calendar().next_change_at
    assert soon == world.now + CalendarRules().look_again
    assert refresh_due(world.sessions, world.vault, soon).rewritten == 0
    assert world.body() == body

    world.set_subject(population_as_of=soon)  # the register speaks again: what was missed is shown
    assert refresh_due(world.sessions, world.vault, soon + CalendarRules().look_again).rewritten == 1
    assert world.events()[0]["STATUS"] == "CANCELLED"


@pytest.mark.parametrize("flag", ["protected_on", "deceased_on"])
def test_an_explicit_flag_empties_for_30_days_and_then_the_address_is_gone(world: World, flag: str) -> None:
    world.add(world.now + 3 * DAY)
    world.open()
    world.set_subject(**{flag: world.now.date()})

    assert world.rewrite() == [world.calendar_id]
    assert world.events() == []
    assert b"BEGIN:VTIMEZONE" in world.body()
    assert world.links()[0].revoked_at is None

    refresh_due(world.sessions, world.vault, world.now + 30 * DAY - timedelta(seconds=1))
    assert world.links()[0].revoked_at is None
    refresh_due(world.sessions, world.vault, world.now + 30 * DAY)
    assert world.links()[0].revoked_at == world.now + 30 * DAY
    assert world.calendar().next_change_at is None


def test_an_emptied_calendar_that_had_no_visits_closes_too(world: World) -> None:
    world.open()
    world.set_subject(protected_on=world.now.date())
    world.rewrite()

    refresh_due(world.sessions, world.vault, world.now + 30 * DAY)
    assert world.links()[0].revoked_at is not None


def test_when_protection_ends_in_time_everything_is_back(world: World) -> None:
    world.add(world.now + 3 * DAY)
    world.open()
    before = world.event_bytes()
    world.set_subject(protected_on=world.now.date())
    world.rewrite()
    world.set_subject(protected_on=None)
    world.rewrite()

    assert world.event_bytes() == before
    assert world.calendar().emptied_at is None


def test_a_silent_clinic_changes_the_calendar_only_on_crossing_24_hours_and_back(world: World) -> None:
    world.add(world.now + 5 * DAY)
    world.open(Wishes(Level.CLINIC))
    quiet = world.body()
    since = world.now + timedelta(hours=1)
    with world.sessions.writing() as session:
        _be_silent(session, build.VARDCENTRAL, since)
        calendars.wake_calendars_of_address(session, "region", build.VARDCENTRAL, since + DAY)

    assert refresh_due(world.sessions, world.vault, since + timedelta(hours=23)) == Refreshed(0, 0, 0)
    assert refresh_due(world.sessions, world.vault, since + DAY) == Refreshed(1, 1, 0)
    assert "svar från Ekens vårdcentral sedan tisdag 24 november kl. 10.55" in _unfolded(world.body())
    assert world.body().split(b"BEGIN:VEVENT")[1:] == quiet.split(b"BEGIN:VEVENT")[1:]

    answered = since + 2 * DAY
    with world.sessions.writing() as session:
        _be_silent(session, build.VARDCENTRAL, None)
        calendars.wake_calendars_of_address(session, "region", build.VARDCENTRAL, answered)
    assert refresh_due(world.sessions, world.vault, answered).rewritten == 1
    assert world.body() == quiet


def test_a_silent_sensitive_clinic_is_not_named_at_any_level(world: World) -> None:
    with world.sessions.writing() as session:
        build.facility(session, build.PSYKIATRIN, display_name="Psykiatrin", is_sensitive=True)
        _be_silent(session, build.PSYKIATRIN, world.now - 2 * DAY)
    world.add(world.now + 5 * DAY, at=build.PSYKIATRIN, details=Details("Psykiatrin", "Dr P", "", "Samtal", "", "X"))
    world.open(Wishes(Level.FULL))

    assert "från en mottagning sedan" in _unfolded(world.body())
    assert not re.search("Psykiatrin|Dr P|Samtal", _unfolded(world.body()))


def test_a_child_unit_below_a_sensitive_one_is_as_secret(world: World) -> None:
    with world.sessions.writing() as session:
        build.facility(session, build.PSYKIATRIN, display_name="Psykiatrin", is_sensitive=True)
        build.facility(session, build.KIRURGEN, parent=build.PSYKIATRIN, display_name="Team Blå", is_sensitive=False)
    world.add(world.now + 5 * DAY, at=build.KIRURGEN)
    world.open(Wishes(Level.FULL))

    assert "Team Blå" not in _unfolded(world.body())


def test_a_child_unit_takes_its_address_from_the_one_above(world: World) -> None:
    with world.sessions.writing() as session:
        build.facility(
            session, build.KIRURGEN, parent=build.VARDCENTRAL, display_name="Ekens labb", address="", phone=""
        )
    world.add(world.now + 5 * DAY, at=build.KIRURGEN)
    world.open(Wishes(Level.CLINIC))

    assert world.events()[0]["LOCATION"] == "Ekens labb, Ekgatan 1, Storstad"


def test_a_facility_seen_only_on_the_wire_is_not_named(world: World) -> None:
    with world.sessions.writing() as session:
        session.add(
            facilities.Facility(hsa_id="SE1-NEW", spelling="SE1-new", display_name="Hudkliniken", message_name="")
        )
    world.add(world.now + 5 * DAY, at="SE1-NEW", details=Details("Hudkliniken"))
    world.open(Wishes(Level.FULL))

    assert "Hudkliniken" not in _unfolded(world.body())


def test_ends_are_shown_only_where_the_facility_says_they_are_right(world: World) -> None:
    end_at = world.now + 3 * DAY + timedelta(minutes=30)
    booking = world.add(world.now + 3 * DAY, end_at=end_at)
    world.open()
    assert "DTEND" not in world.events()[0]

    with world.sessions.writing() as session:
        row = session.get(facilities.Facility, build.VARDCENTRAL)
        assert row is not None
        row.shows_end = True
    world.rewrite(booking)
    assert world.events()[0]["DTEND"].dt == end_at


def test_one_unreadable_calendar_does_not_stop_the_others_and_is_counted(world: World) -> None:
    world.add(world.now + DAY)
    world.open()
    with world.sessions.writing() as session:
        other = build.subject(session, world.vault, world.now, BERTIL)
        engagement = build.engagement(session, other.id, world.now)
        build.booking(session, world.vault, engagement, world.now + DAY)
        open_calendar(session, world.vault, Wishes(Level.BUSY), viewer_id=other.id, subject_id=other.id, now=world.now)
        other.population_as_of = world.now + 31 * DAY
        session.delete(session.get(SubjectKey, world.subject_id))
    world.set_subject(population_as_of=world.now + 31 * DAY)

    assert refresh_due(world.sessions, world.vault, world.now + 31 * DAY) == Refreshed(2, 1, 1)
    assert world.calendar().next_change_at == world.now + 31 * DAY + CalendarRules().look_again


def test_a_wake_up_during_a_rewrite_is_not_lost(world: World) -> None:
    """A calendar that somebody has made due stays due, although a change of one booking came in between."""
    booking = world.add(world.now + 3 * DAY)
    world.open()
    with world.sessions.writing() as session:
        calendars.wake_calendars(session, [world.subject_id], world.now)

    world.change(booking, sequence=1)

    assert world.calendar().next_change_at == world.now
    assert refresh_due(world.sessions, world.vault, world.now).looked_at == 1
    assert refresh_due(world.sessions, world.vault, world.now).looked_at == 0


def test_two_changes_at_once_both_show_and_revisions_rise_one_by_one(world: World) -> None:
    booked = [world.add(world.now + (2 + number) * DAY) for number in range(4)]
    world.open()
    revision = world.calendar().revision
    begin = threading.Barrier(len(booked))

    def cancel(index: int) -> None:
        begin.wait(10)
        world.change(booked[index], standing=Standing.CANCELLED, stands_since=world.now, sequence=1)

    threads = [threading.Thread(target=cancel, args=(index,)) for index in range(len(booked))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    assert [event["STATUS"] for event in world.events()] == ["CANCELLED"] * 4
    assert world.calendar().revision == revision + 4


def test_two_refreshers_at_once_write_a_calendar_once(world: World) -> None:
    world.add(world.now + DAY)
    world.open()
    later = world.now + 31 * DAY
    world.set_subject(population_as_of=later)
    begin = threading.Barrier(2)
    rounds: list[Refreshed] = []

    def refresh() -> None:
        begin.wait(10)
        rounds.append(refresh_due(world.sessions, world.vault, later))

    threads = [threading.Thread(target=refresh) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    assert sorted(one.rewritten for one in rounds) == [0, 1]
    assert world.calendar().revision == 2


def test_what_is_stored_is_sealed(world: World) -> None:
    world.add(world.now + 3 * DAY, details=Details(performer_name="Dr Ek"))
    world.open()
    with world.sessions.reading() as session:
        stored = [row.sealed_body or "" for row in session.scalars(_all(CalendarComponent))]
        body = calendars.body(session, world.calendar_id)
        links = list(session.scalars(_all(FeedLink)))
    assert body is not None
    assert all(one.startswith("k1.") for one in [*stored, body.sealed_body, body.sealed_gzip])
    assert world.link.token not in str([link.model_dump() for link in links])
    assert world.link.token not in repr(world.link)


def test_a_rewrite_without_any_calendar_costs_nothing(world: World, tmp_path: Any) -> None:
    booking = world.add(world.now + 3 * DAY)
    make_key_file(tmp_path / "other.json")
    strangers = Vault(read_key_file(tmp_path / "other.json"))
    with world.sessions.writing() as session:
        assert rewrite(session, strangers, world.subject_id, [booking, uuid4()], world.now) == []


def _etag(world: World) -> str:
    with world.sessions.reading() as session:
        return str(session.execute(text("select etag from calendar_bodies")).scalar_one())


def _be_silent(session: Session, address: str, since: datetime | None) -> None:
    session.merge(facilities.LogicalAddress(source="region", address=address, silent_since=since))


def _all(table: Any) -> Any:
    from sqlmodel import select

    return select(table)


def _unfolded(body: bytes) -> str:
    return body.decode().replace("\r\n ", "").replace("\\,", ",")
