"""Opening calendars and handing out addresses: chosen explicitly, shown once, gone at once."""

import pytest

from feeds.serving import Serving
from feeds.subscribing import Refused, Wishes, make_link, open_calendar, revoke_link, rotate_link
from store.level import Level
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
    "wishes", [Wishes(Level.BUSY, "fi"), Wishes(Level.BUSY, alarms=(-1,)), Wishes(Level.BUSY, past_days=-1)]
)
def test_impossible_wishes_are_refused_in_words(world: World, wishes: Wishes) -> None:
    with world.sessions.writing() as session, pytest.raises(Refused):
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
