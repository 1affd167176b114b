"""Opening calendars and handing out addresses: chosen explicitly, shown once, gone at once."""

import re

import pytest

from feeds.accounts import plain
from feeds.serving import Serving
from feeds.subscribing import (
    Refused,
    Wishes,
    make_device,
    make_link,
    open_calendar,
    remove_device,
    revoke_link,
    rotate_link,
)
from store import app_passwords, calendars
from store.level import Level
from store.subjects import cipher_of
from store.vault import Vault
from tests.feeds.world import DAY, World


def test_check_31_rotating_makes_the_old_address_gone_at_once_and_leaves_the_calendar(world: World) -> None:
    world.add(world.now + DAY)
    old = world.open()
    before = world.calendar()
    with world.sessions.writing() as session:
        new = rotate_link(session, world.vault, old.link_id, world.now)

    serving = Serving(world.sessions, world.vault)
    states = [serving.find(link.token) for link in (old, new)]
    serving.close()
    assert [state and state.is_revoked for state in states] == [True, False]
    assert world.calendar() == before


def test_an_address_is_rotated_or_revoked_once(world: World) -> None:
    link = world.open()
    with world.sessions.writing() as session:
        revoke_link(session, link.link_id, world.now)
    with pytest.raises(Refused), world.sessions.writing() as session:
        revoke_link(session, link.link_id, world.now)
    with pytest.raises(Refused), world.sessions.writing() as session:
        rotate_link(session, world.vault, link.link_id, world.now)
    assert len(world.links()) == 1


@pytest.mark.parametrize("held", [{"population_as_of": None}, {"protected_on": "today"}, {"deceased_on": "today"}])
def test_no_new_address_for_whom_we_may_not_show(world: World, held: dict[str, str | None]) -> None:
    link = world.open()
    world.set_subject(**{name: world.now.date() if value else None for name, value in held.items()})

    with world.sessions.writing() as session:
        with pytest.raises(Refused):
            make_link(session, world.vault, world.calendar_id, world.now)
        with pytest.raises(Refused):
            _open(world, session, world.wishes)
    with world.sessions.writing() as session, pytest.raises(Refused):
        rotate_link(session, world.vault, link.link_id, world.now)
    assert [one.revoked_at for one in world.links()] == [None]  # a refusal takes nothing away


def test_opening_again_changes_what_the_same_calendar_shows(world: World) -> None:
    world.add(world.now + DAY)
    world.open(Wishes(Level.VISIT))
    first, body = world.calendar(), world.body()

    with world.sessions.writing() as session:
        assert _open(world, session, Wishes(Level.CLINIC, "en", (60, 60, 15), 7)) == first.id

    again = world.calendar()
    assert again.revision == first.revision + 1
    assert (again.alarms, again.past_days) == ([15, 60], 7)
    assert world.body() != body
    assert world.events()[0]["SUMMARY"] == "Booked time, Ekens vårdcentral"
    assert len(world.events()[0].alarms.times) == 2


@pytest.mark.parametrize(
    ("wishes", "bounds"),
    [
        (Wishes(Level.BUSY, "fi"), "(sv)"),
        (Wishes(Level.BUSY, alarms=(60, -1)), "0 to 40320 minutes"),
        (Wishes(Level.BUSY, alarms=(40_321,)), "0 to 40320 minutes"),
        (Wishes(Level.BUSY, alarms=tuple(range(6))), "at most 5"),
        (Wishes(Level.BUSY, past_days=-1), "0 to 366 days"),
        (Wishes(Level.BUSY, past_days=10**12), "0 to 366 days"),
    ],
)
def test_impossible_wishes_are_refused_in_words(world: World, wishes: Wishes, bounds: str) -> None:
    with world.sessions.writing() as session, pytest.raises(Refused, match=re.escape(bounds)):
        _open(world, session, wishes)


def test_a_token_is_found_only_with_the_key_it_was_digested_with(world: World, vault: Vault) -> None:
    world.open()
    serving = Serving(world.sessions, vault)
    assert serving.find(world.link.token) is not None
    assert serving.find("A" * 43) is None
    serving.close()


def _open(world: World, session, wishes: Wishes):  # noqa: ANN001, ANN202
    return open_calendar(
        session, world.vault, wishes, viewer_id=world.subject_id, subject_id=world.subject_id, now=world.now
    )


def test_each_device_has_a_password_of_its_own_which_is_kept_only_as_a_digest(world: World) -> None:
    world.open()
    with world.sessions.writing() as session:
        phone = make_device(session, world.vault, world.calendar_id, "Annas telefon", world.now)
        tablet = make_device(session, world.vault, world.calendar_id, "Surfplattan", world.now)
        rows = app_passwords.of_calendar(session, world.calendar_id)
        cipher = cipher_of(session, world.vault, world.subject_id)

        assert phone.account == tablet.account
        assert [app_passwords.name_of(cipher, row) for row in rows] == ["Annas telefon", "Surfplattan"]
        kept = repr([row.model_dump() for row in rows])
        assert plain(phone.password) not in kept
        assert "Annas" not in kept
        assert phone.password not in repr(phone)


def test_a_removed_device_leaves_the_others_and_cannot_be_removed_twice(world: World) -> None:
    world.open()
    with world.sessions.writing() as session:
        phone = make_device(session, world.vault, world.calendar_id, "Telefon", world.now)
        make_device(session, world.vault, world.calendar_id, "Dator", world.now)
        remove_device(session, phone.password_id, world.now)
        assert [row.revoked_at for row in app_passwords.of_calendar(session, world.calendar_id)] == [world.now, None]
        with pytest.raises(Refused, match="no longer in use"):
            remove_device(session, phone.password_id, world.now)


@pytest.mark.parametrize("name", ["", " \r\n", "x" * 61])
def test_a_device_needs_a_name_that_one_can_tell_it_by(world: World, name: str) -> None:
    world.open()
    with world.sessions.writing() as session, pytest.raises(Refused, match="give the device a name"):
        make_device(session, world.vault, world.calendar_id, name, world.now)


def test_nobody_fills_the_table_with_devices(world: World) -> None:
    world.open()
    with world.sessions.writing() as session:
        for number in range(20):
            make_device(session, world.vault, world.calendar_id, f"Enhet {number}", world.now)
        with pytest.raises(Refused, match="remove one"):
            make_device(session, world.vault, world.calendar_id, "En till", world.now)


def test_withdrawn_access_takes_every_device_along(world: World) -> None:
    world.open()
    with world.sessions.writing() as session:
        make_device(session, world.vault, world.calendar_id, "Telefon", world.now)
        calendars.revoke_access_to_subject(session, world.subject_id, world.now)

        assert [row.revoked_at for row in app_passwords.of_calendar(session, world.calendar_id)] == [world.now]


def test_after_a_restored_backup_no_validator_is_what_it_was(world: World) -> None:
    """A program that saw revision 7 of the lost time would else be told that another revision 7 is unchanged."""
    world.add(world.now + DAY)
    world.open()
    with world.sessions.writing() as session:
        before = calendars.body(session, world.calendar_id).etag
        calendars.begin_epoch(session, world.now + DAY)
    with world.sessions.writing() as session:
        after = calendars.body(session, world.calendar_id).etag
        calendar = calendars.locked(session, world.calendar_id)

        assert after == f'"{int((world.now + DAY).timestamp())}.{before[1:]}'
        assert calendar.changed_at == world.now + DAY
