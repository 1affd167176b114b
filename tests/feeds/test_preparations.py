"""What is to be read before a visit, in the calendar: all of it where it may be shown, and nothing of it elsewhere."""

import pytest

from feeds.subscribing import Wishes
from store.bookings import Details
from store.leaflets import read, written
from store.level import Level
from tests.feeds.world import DAY, World
from worker.sources.rivta.docbook import leaflet_of

DOCBOOK = (
    "<article xmlns='http://docbook.org/ns/docbook'><title>Fasta</title><para>Ät <emphasis>inget</emphasis>.</para>"
    "<itemizedlist><listitem><para>Legitimation</para></listitem></itemizedlist></article>"
)


def described(world: World) -> str:
    (event,) = world.events()
    return str(event["DESCRIPTION"])


def test_a_documents_headings_and_lists_are_plain_lines_in_the_calendar(world: World) -> None:
    world.add(world.now + DAY, details=Details(preparations=written(leaflet_of(DOCBOOK, 4000))))
    world.open()

    assert described(world).endswith("\n\nInformation från vården:\nFasta\n\nÄt inget.\n- Legitimation")


@pytest.mark.parametrize("level", [Level.BUSY, Level.VISIT, Level.CLINIC])
def test_a_calendar_below_full_shows_no_word_of_it(world: World, level: Level) -> None:
    world.add(world.now + DAY, details=Details(preparations="Kanariefågel"))
    world.open(Wishes(level))

    assert b"Kanarief" not in world.body()


def test_the_text_follows_the_visit_when_it_moves(world: World) -> None:
    booking = world.add(world.now + DAY, details=Details(preparations=written(read("**Fasta**."))))
    world.open()

    world.change(booking, start_at=world.now + 4 * DAY, sequence=1, time_version=2)

    assert described(world).endswith("Fasta.")
