"""From the register's word, or the child's 13th birthday, to what the guardian's program fetches: by due rows alone,
within five minutes of ticks."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from feeds.subscribing import Wishes, make_link, open_calendar
from store.level import Level
from tests.stories.town import SWEDEN, Town, get
from worker import actors
from worker.actors import Kind
from worker.demo.people import Person, population_csv
from worker.web.app import build_app

TICK = timedelta(seconds=5)
SOON = timedelta(minutes=5)
PLACE = 6  # in the cast: the first child, whose guardian is the one before


class Home:
    """A child and a guardian, what each fetches, and what the register says of them."""

    def __init__(self, here: Town) -> None:
        self.here = here
        self.cast = here.enrol(PLACE + 1)
        self.child, self.guardian = self.cast[PLACE], self.cast[PLACE - 1]
        assert self.child.guardians == (self.guardian.identity,)
        self.app = build_app(here.wiring)
        self.own = here.address(self.child)
        self.theirs = self._guardians_address()

    def say(self, changed: Iterable[Person] = ()) -> None:
        """A newer register, with what is said of these persons instead."""
        self.here.clock.forward(self.here.now + TICK)
        said = {person.identity: person for person in [*self.cast, *changed]}
        (self.here.folder / "population.csv").write_text(population_csv(said.values(), self.here.now))

    def visits(self, path: str) -> int:
        answer = get(self.app, path)
        assert answer.status_code == 200
        return answer.text.count("BEGIN:VEVENT")

    def ticks_until(self, is_so: Callable[[], bool]) -> None:
        """The clock's own looks and the actors' own work; no more of them than fit into the time that is promised."""
        until = self.here.now + SOON
        while not is_so():
            assert self.here.now < until, "not within five minutes"
            self.tick()

    def tick(self) -> None:
        self.here.clock.forward(self.here.now + TICK)
        for tick in actors.ticks(self.here.wiring):
            with self.here.wiring.sessions.reading() as session:
                is_due = tick.is_due(session, self.here.now)
            if is_due:
                actors.drain(self.here.wiring, Kind(tick.kind))

    def _guardians_address(self) -> str:
        wiring, now = self.here.wiring, self.here.now
        ids = {"viewer_id": self.here.subject_id(self.guardian), "subject_id": self.here.subject_id(self.child)}
        with wiring.sessions.writing() as session:
            calendar_id = open_calendar(session, wiring.vault, Wishes(Level.VISIT), now=now, **ids)
            return f"/f/{make_link(session, wiring.vault, calendar_id, now).token}.ics"


@pytest.fixture
def home(here: Town) -> Iterator[Home]:
    made = Home(here)
    yield made
    made.app.close()


def test_what_the_register_says_reaches_the_guardians_program_within_five_minutes_and_so_does_its_end(
    home: Home,
) -> None:
    home.here.book(home.child, home.here.now + timedelta(days=20), "V1")
    home.here.poll()
    assert home.visits(home.theirs) == 1
    child, guardian, other = home.child, home.guardian, home.cast[0]
    for said in (
        replace(child, is_protected=True),
        replace(child, has_died=True),
        replace(child, guardians=(other.identity,)),
        replace(guardian, is_protected=True),
        replace(guardian, has_died=True),
    ):
        home.say([said])
        home.ticks_until(lambda: home.visits(home.theirs) == 0)
        home.say()
        home.ticks_until(lambda: home.visits(home.theirs) == 1)
    home.ticks_until(lambda: home.visits(home.own) == 1)


def test_the_13th_birthday_ends_the_guardians_calendar_at_midnight_and_leaves_the_childs_own(home: Home) -> None:
    midnight = datetime(2031, 1, 20, tzinfo=SWEDEN).astimezone(UTC)
    home.here.until(midnight - timedelta(seconds=31))
    home.here.book(home.child, midnight + timedelta(days=9), "V1")
    home.say()
    home.here.poll()
    while home.here.now < midnight - TICK:
        home.tick()
        assert home.visits(home.theirs) == 1

    home.ticks_until(lambda: home.visits(home.theirs) == 0)
    assert home.here.now >= midnight
    assert home.visits(home.own) == 1
    home.here.until(midnight + timedelta(days=29))
    assert home.visits(home.theirs) == 0
    home.here.until(midnight + timedelta(days=30, minutes=5))
    assert get(home.app, home.theirs).status_code == 410
    assert get(home.app, home.own).status_code == 200
