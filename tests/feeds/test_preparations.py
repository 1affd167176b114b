"""What is to be read before a visit, in the calendar: all of it where it may be shown, and nothing of it elsewhere."""

from typing import Any

import pytest

from feeds.subscribing import Wishes
from store.bookings import Details
from store.leaflets import read, written
from store.level import Level
from store.preparations import ClinicLeaflet, LinkHost
from tests import build
from tests.feeds.world import DAY, World
from worker.sources.rivta.docbook import leaflet_of

UNIT, CHILD = build.VARDCENTRAL, build.KIRURGEN
DOCBOOK = (
    "<article xmlns='http://docbook.org/ns/docbook'><title>Fasta</title><para>Ät <emphasis>inget</emphasis>.</para>"
    "<itemizedlist><listitem><para>Legitimation</para></listitem></itemizedlist></article>"
)


def write(world: World, text: str, **values: Any) -> None:
    with world.sessions.writing() as session:
        known = {"language": "sv", "clinic_id": world.clinic_id, "amended_at": world.now, **values}
        session.add(ClinicLeaflet(text=text, **known))


def child(world: World, **values: Any) -> None:
    with world.sessions.writing() as session:
        build.facility(session, CHILD, parent=UNIT, clinic_id=world.clinic_id, **values)


def described(world: World) -> str:
    (event,) = world.events()
    return str(event["DESCRIPTION"])


def test_a_documents_headings_and_lists_are_plain_lines_in_the_calendar(world: World) -> None:
    world.add(world.now + DAY, details=Details(preparations=written(leaflet_of(DOCBOOK, 4000))))
    world.open()

    assert described(world).endswith("\n\nInformation från vården:\nFasta\n\nÄt inget.\n- Legitimation")


def test_the_clinics_own_comes_after_the_sources_with_its_form_as_a_https_line(world: World) -> None:
    write(world, "- [ ] Remiss\n- Svara på [formuläret](https://formular.example.se/h)", time_type_id="PROV")
    with world.sessions.writing() as session:
        session.add(LinkHost(clinic_id=world.clinic_id, host="formular.example.se"))
    world.add(world.now + DAY, time_type_id="PROV", details=Details(preparations="Fasta."))
    world.open()

    assert described(world).endswith("Fasta.\n- Remiss\n- Svara på formuläret: https://formular.example.se/h")


@pytest.mark.parametrize("level", [Level.BUSY, Level.VISIT, Level.CLINIC])
def test_a_calendar_below_full_shows_no_word_of_it(world: World, level: Level) -> None:
    write(world, "Kanariefågel")
    world.add(world.now + DAY, details=Details(preparations="Kanariefågel"))
    world.open(Wishes(level))

    assert b"Kanarief" not in world.body()


def test_a_sensitive_units_own_text_is_in_no_calendar(world: World) -> None:
    child(world, is_sensitive=True)
    write(world, "Kanariefågel", facility=UNIT)
    world.add(world.now + DAY, at=CHILD)
    world.open()

    assert b"Kanarief" not in world.body()


def test_a_units_own_text_for_the_time_type_takes_the_place_of_the_one_above_it(world: World) -> None:
    child(world)
    write(world, "Fasta.", facility=UNIT, time_type_id="PROV")
    write(world, "Ta hissen.", facility=CHILD)
    write(world, "Ta med legitimation.", facility=UNIT)
    write(world, "Ring först.")
    world.add(world.now + DAY, at=CHILD, time_type_id="PROV")
    world.open()

    # The general text of the child must not hide the parent's "fast": both are told, each from the nearest.
    assert described(world).endswith("Fasta.\n\nTa hissen.")


def test_another_clinics_text_is_never_told(world: World) -> None:
    with world.sessions.writing() as session:
        other = build.clinic(session, world.now)
    write(world, "Kanariefågel", clinic_id=other.id, facility=UNIT)
    world.add(world.now + DAY)
    world.open()

    assert b"Kanarief" not in world.body()


@pytest.mark.parametrize(("language", "told"), [("sv", "Fasta."), ("en", "Do not eat.")])
def test_a_text_is_told_in_the_calendars_language(world: World, language: str, told: str) -> None:
    write(world, "Fasta.")
    write(world, "Do not eat.", language="en")
    world.add(world.now + DAY)
    world.open(Wishes(Level.FULL, language=language))

    assert described(world).endswith(told)


def test_swedish_is_told_where_the_language_has_no_text(world: World) -> None:
    write(world, "Fasta.")
    world.add(world.now + DAY)
    world.open(Wishes(Level.FULL, language="en"))

    assert described(world).endswith("Fasta.")


def test_the_text_follows_the_visit_when_it_moves(world: World) -> None:
    booking = world.add(world.now + DAY, details=Details(preparations=written(read("**Fasta**."))))
    world.open()

    world.change(booking, start_at=world.now + 4 * DAY, sequence=1, time_version=2)

    assert described(world).endswith("Fasta.")
