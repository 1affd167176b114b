"""What a calendar shows of open invitations: by level, sealed, with revisions of their own, and in no feed."""

from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import icalendar
import pytest
import vobject

from feeds.calendars import COMPONENT_PLACE, rewrite
from feeds.ical import Task, task
from feeds.invitations import Invited, shown_invitation
from feeds.levels import Place
from feeds.subscribing import Wishes
from store import calendars, invitations
from store.bookings import Details
from store.calendars import ComponentKind
from store.facilities import Facility
from store.identifiers import new_id
from store.invitations import Invitation
from store.leaflets import from_plain
from store.level import Level
from store.subjects import cipher_of
from tests import build
from tests.feeds.caldav.account import Account
from tests.feeds.test_ical import HOSTILE
from tests.feeds.world import DAY, World

WAY = "https://www.1177.se"
CLINIC = Place("Ekens vårdcentral", "Ekgatan 1, Storstad", "010-123 45 67", is_sensitive=False)
CARE = Invited("Hälsosamtal", "Dr Ek", "Rum 4", from_plain("Kom fastande."))


@pytest.mark.parametrize("language", ["sv", "en"])
def test_no_name_stands_below_level_clinic_and_no_care_below_full(language: str) -> None:
    assert shown_invitation(CARE, CLINIC, Level.BUSY, language, WAY) is None
    said = {level: shown_invitation(CARE, CLINIC, level, language, WAY) for level in (Level.VISIT, Level.CLINIC)}
    assert "Ek" not in str(said[Level.VISIT])
    assert said[Level.CLINIC].location == "Ekens vårdcentral, Ekgatan 1, Storstad"  # type: ignore[union-attr]
    for shown in said.values():
        assert shown is not None
        assert f": {WAY}" in shown.description
        assert not any(word in f"{shown.summary} {shown.description}" for word in ("Hälsosamtal", "Dr Ek", "fastande"))
    full = shown_invitation(CARE, CLINIC, Level.FULL, language, WAY)
    assert full is not None
    assert all(word in full.description for word in ("Hälsosamtal", "Dr Ek", "Rum 4", "Kom fastande."))


@pytest.mark.parametrize("level", [Level.CLINIC, Level.FULL])
def test_a_sensitive_facility_lowers_the_level(level: Level) -> None:
    secret = Place("Psykiatrin", "Ekgatan 2", is_sensitive=True)
    assert shown_invitation(CARE, secret, level, "sv", WAY) == shown_invitation(CARE, CLINIC, Level.VISIT, "sv", WAY)


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_stays_one_property_of_the_to_do(text: str, now: datetime) -> None:
    place = Place(text, text, text, is_sensitive=False)
    shown = shown_invitation(Invited(text, text, text, from_plain(text)), place, Level.FULL, "sv", WAY)
    assert shown is not None
    content = task(Task("uid-1", 3, now, date(2027, 1, 15), shown)).decode()
    names = [line.split(":")[0].split(";")[0] for line in content.replace("\r\n ", "").split("\r\n") if line]
    assert sorted(set(names) - {"LOCATION"}) == [
        "BEGIN", "CLASS", "DESCRIPTION", "DTSTAMP", "DUE", "END", "LAST-MODIFIED", "SEQUENCE", "STATUS", "SUMMARY",
        "UID", "URL",
    ]  # fmt: skip
    assert len(names) == len(set(names))
    frame = f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\n{content}END:VCALENDAR\r\n"
    assert vobject.readOne(frame).vtodo.status.value == "NEEDS-ACTION"
    (todo,) = icalendar.Calendar.from_ical(frame).todos
    assert (todo["DUE"].dt, todo["SEQUENCE"], str(todo["CLASS"])) == (date(2027, 1, 15), 3, "PRIVATE")


def invite(world: World, **values: Any) -> UUID:
    """An open invitation as `worker.invitations` writes it, and the calendars after it."""
    with world.sessions.writing() as session:
        row_id = new_id()
        cipher = cipher_of(session, world.vault, world.subject_id)
        fields = {
            "subject_id": world.subject_id,
            "engagement_id": world.engagement.id,
            "source": "region",
            "logical_address": build.VARDCENTRAL,
            "booking_id": f"K-{row_id}",
            "facility": build.VARDCENTRAL,
            "sealed_details": invitations.seal_details(cipher, row_id, Details(preparations="Kom fastande.")),
            "digest": "00",
            "uid": f"{row_id}@kallelse",
            "amended_at": world.now,
            "first_seen_at": world.now,
        }
        session.add(Invitation(id=row_id, **{**fields, **values}))
        rewrite(session, world.vault, world.subject_id, [row_id], world.now)
        return row_id


def end(world: World, row_id: UUID) -> None:
    with world.sessions.writing() as session:
        session.get_one(Invitation, row_id).over_at = world.now
        rewrite(session, world.vault, world.subject_id, [row_id], world.now)


def to_dos(world: World) -> dict[UUID, str | None]:
    """By invitation, unfolded; None for one that has been taken away."""
    with world.sessions.reading() as session:
        cipher = cipher_of(session, world.vault, world.subject_id)
        rows = calendars.components(session, world.calendar_id)
        sealed = {one: row.sealed_body for one, row in rows.items() if row.kind == ComponentKind.INVITATION}
    opened = {one: cipher.open(COMPONENT_PLACE, one, body) for one, body in sealed.items() if body is not None}
    return {one: opened[one].replace(b"\r\n ", b"").decode() if one in opened else None for one in sealed}


def test_an_invitation_has_a_revision_of_its_own_and_changes_no_byte_of_the_feed(world: World) -> None:
    visit = world.add(world.now + 3 * DAY)
    world.open()
    before, body = world.calendar(), world.body()
    row_id = invite(world)

    after = world.calendar()
    assert (after.revision, after.invitations_revision) == (before.revision + 1, before.revision + 1)
    assert world.body() == body
    assert "Kom fastande." in str(to_dos(world)[row_id])

    end(world, row_id)
    assert to_dos(world) == {row_id: None}  # its row stays, so that a sync can tell of it
    assert world.calendar().invitations_revision == after.revision + 1
    world.change(visit, sequence=1, start_at=world.now + 4 * DAY)
    assert world.calendar().invitations_revision == after.revision + 1


def test_a_visit_that_changes_leaves_the_invitations_bytes_alone(world: World) -> None:
    visit = world.add(world.now + 3 * DAY)
    world.open()
    invite(world)
    before = to_dos(world)
    world.change(visit, sequence=1, start_at=world.now + 4 * DAY)
    assert to_dos(world) == before


def test_the_level_that_is_chosen_holds_for_invitations_too(world: World) -> None:
    world.open(Wishes(Level.BUSY))
    row_id = invite(world)
    assert to_dos(world) == {}
    for level, is_shown in ((Level.VISIT, True), (Level.BUSY, False)):
        world.open(Wishes(level))
        assert (to_dos(world)[row_id] is not None) is is_shown


def test_protection_takes_invitations_away_and_an_unheard_register_leaves_them(world: World) -> None:
    world.open()
    row_id = invite(world)
    world.set_subject(population_as_of=None)
    end(world, row_id)
    assert to_dos(world)[row_id] is not None
    world.set_subject(population_as_of=world.now, protected_on=world.now.date())
    world.rewrite()
    assert to_dos(world) == {row_id: None}


def test_a_device_lists_the_to_do_among_its_tasks_and_never_among_its_visits(world: World) -> None:
    world.open()
    row_id = invite(world, due_on=date(2027, 1, 15))
    phone = Account(world)
    try:
        (listed,) = set(members(phone, phone.invitations))
        to_do = phone.ask("GET", listed)
        assert to_do.headers["content-type"].endswith("component=VTODO")
        assert b"DUE;VALUE=DATE:20270115" in to_do.content
        assert members(phone, phone.visits) == []
        end(world, row_id)
        assert members(phone, phone.invitations) == []
    finally:
        phone.close()


def members(phone: Account, collection: str) -> list[str]:
    return [href for href in phone.propfind(collection, depth="1").texts("//D:response/D:href") if href != collection]


def test_a_to_do_is_stamped_anew_when_the_places_name_changes(world: World) -> None:
    world.open()
    row_id = invite(world)
    before = str(to_dos(world)[row_id])
    with world.sessions.writing() as session:
        session.get_one(Facility, build.VARDCENTRAL).display_name = "Nya vårdcentralen"
        rewrite(session, world.vault, world.subject_id, [row_id], world.now + DAY)
    after = str(to_dos(world)[row_id])
    assert "Nya vårdcentralen" in after
    assert stamp(after) > stamp(before)


def stamp(to_do: str) -> str:
    return to_do.split("LAST-MODIFIED:")[1].split("\r\n")[0]


def test_a_place_that_is_described_anew_is_shown_anew_where_somebody_is_only_invited(world: World) -> None:
    world.open()
    invite(world)
    with world.sessions.writing() as session:
        calendars.wake_calendars_at(session, [build.VARDCENTRAL], world.now - timedelta(seconds=1))
    assert world.calendar().next_change_at == world.now - timedelta(seconds=1)
