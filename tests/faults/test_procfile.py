"""The product from its Procfile, on PostgreSQL and each broker, with everybody else in processes of their own."""

import os
import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from store.database import Sessions, open_database
from tests.faults.deployment import Deployment, deployment
from tests.faults.procfile import by_honcho
from tests.faults.promises import claimed
from tests.faults.servers import rabbitmq_broker as rabbitmq_broker
from tests.faults.servers import rabbitmq_of_the_session as rabbitmq_of_the_session
from tests.faults.servers import redis_broker as redis_broker
from tests.faults.waiting import wait_until
from tests.stories.town import CENTRE, SWEDEN
from worker.demo.people import Person

pytestmark = [pytest.mark.fault, pytest.mark.timeout(600)]
CLINIC = "Björkängens vårdcentral"
NEW = "A-NEW-ONE"
TOLD = [("confirmation", "delivered"), ("moved", "delivered"), ("reminder", "delivered")]


@pytest.fixture(params=["redis", "rabbitmq"])
def broker_url(request: pytest.FixtureRequest) -> str:
    """A broker of the test's own, or the one that TESTS_REDIS_URL or TESTS_RABBITMQ_URL names."""
    given = os.environ.get(f"TESTS_{request.param.upper()}_URL")
    return given or str(request.getfixturevalue(f"{request.param}_broker").url)


@pytest.fixture
def place(postgresql_url: str, broker_url: str, tmp_path: Path) -> Iterator[Deployment]:
    with deployment(tmp_path, postgresql_url, broker_url, citizens=1) as here:
        yield here


@pytest.fixture
def sessions(postgresql_url: str) -> Iterator[Sessions]:
    opened = open_database(postgresql_url, pool_size=1)
    yield opened
    opened.close()


def test_a_visit_that_is_made_and_moved_shows_in_the_calendar_and_is_told_and_reminded_of_once(
    place: Deployment, sessions: Sessions
) -> None:
    """What the whole is for, with two workers, as its operator, its citizen and the clinic see it."""
    (anna,) = place.enrol(1, CLINIC)
    url = place.feed_url(anna)
    first, second = midday(place.began_at, days=5), midday(place.began_at, days=6)
    visit = {"id": NEW, "subject": anna.identity, "facility": CENTRE, "start": wall(first)}
    with by_honcho(place.environment, place.folder) as honcho:
        wait_until(lambda: "BEGIN:VEVENT" in place.feed(url), "the visits known from the start", seconds=120)
        place.care("POST", "bookings", visit)
        wait_until(lambda: shows(place.feed(url), first), "the new visit in the calendar", seconds=120)
        wait_until(lambda: told_of(place, anna, first) == 1, "the confirmation to arrive", seconds=120)

        place.care("PATCH", f"bookings/{NEW}", {"start": wall(second)})
        wait_until(lambda: shows(place.feed(url), second), "the new time in the calendar", seconds=120)
        wait_until(lambda: told_of(place, anna, second) == 1, "the notice of the move to arrive", seconds=120)
        assert not shows(place.feed(url), first)

        place.forward(second.replace(hour=16, minute=1) - timedelta(days=1))
        wait_until(lambda: told_of(place, anna, second) == 2, "the reminder of the day before to arrive", seconds=120)
        wait_until(lambda: what_was_sent(place) == TOLD, "the receipts to come in by the web", seconds=120)
        ends = honcho.terminate()

    assert claimed(sessions) == 0
    assert sorted(ends) == ["clock.1", "web.1", "worker.1", "worker.2"]
    assert set(ends.values()) == {0}, ends


def midday(now: datetime, days: int) -> datetime:
    """13.35 so many days ahead: no visit of the cast's is then."""
    return now.astimezone(SWEDEN).replace(hour=13, minute=35) + timedelta(days=days)


def wall(at: datetime) -> str:
    return at.replace(tzinfo=None).isoformat()


def shows(feed: str, at: datetime) -> bool:
    return re.search(rf"^DTSTART;TZID=[^:]*:{at:%Y%m%dT%H%M}00", feed, re.MULTILINE) is not None


def told_of(place: Deployment, person: Person, at: datetime) -> int:
    """How many texts that the person got name that time of that day."""
    return sum(f" {at.day} " in text and "13.35" in text for text in place.told(person))


def what_was_sent(place: Deployment) -> list[tuple[str, str]]:
    """By the operator's ledger: the purpose and state of each delivery that was tried."""
    return [(entry["purpose"], entry["state"]) for entry in place.ledger() if entry["attempts"]]
