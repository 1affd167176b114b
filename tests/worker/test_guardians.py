"""Who is whose guardian: only what the register says, whoever was enrolled first, and only of people we know."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from sqlmodel import select

from feeds.subscribing import Wishes, open_calendar
from store import guardianships
from store.calendars import REFRESHING
from store.claims import anything_due
from store.custody import Custody
from store.database import Sessions
from store.guardianships import Guardianship
from store.level import Level
from store.vault import Vault
from tests.conftest import NOW
from tests.people import ANNA, BERTIL, CECILIA, EBBA, Person
from tests.worker.test_population import asked, enrol, write
from worker.sources.population import PopulationFile

HOUR = timedelta(hours=1)


@dataclass
class Registry:
    """A register's file, and who has been enrolled."""

    sessions: Sessions
    vault: Vault
    path: Path

    def enrol(self, *people: Person) -> list[UUID]:
        return enrol(self.sessions, self.vault, *people)

    def write(self, guardians: Sequence[Person], as_of: datetime = NOW, child: Person | None = EBBA) -> PopulationFile:
        grown = [f"{person.number},no,," for person in (ANNA, BERTIL, CECILIA)]
        children = [f"{child.number},no,,{'|'.join(one.number for one in guardians)}"] if child else []
        return write(self.path, as_of, [*grown, *children])

    def says(self, *guardians: Person, as_of: datetime = NOW, child: Person | None = EBBA) -> None:
        asked(self.sessions, self.vault, self.write(guardians, as_of, child), as_of)

    def kept(self) -> dict[tuple[UUID, UUID], str]:
        with self.sessions.reading() as session:
            rows = session.exec(select(Guardianship)).all()
            return {(row.guardian_id, row.child_id): row.custody for row in rows}


@pytest.fixture
def registry(sessions: Sessions, vault: Vault, tmp_path: Path) -> Registry:
    return Registry(sessions, vault, tmp_path / "population.csv")


def test_guardians_are_kept_and_those_who_are_not_enrolled_are_not(registry: Registry) -> None:
    anna, ebba = registry.enrol(ANNA, EBBA)
    registry.says(ANNA, BERTIL)

    assert registry.kept() == {(anna, ebba): "stands"}


@pytest.mark.parametrize(("first", "then"), [(EBBA, ANNA), (ANNA, EBBA)], ids=["the child first", "the guardian first"])
def test_whoever_is_enrolled_later_is_found_although_the_register_is_the_same(
    registry: Registry, first: Person, then: Person
) -> None:
    ids = {first.number: registry.enrol(first)[0]}
    registry.says(ANNA)
    ids[then.number] = registry.enrol(then)[0]
    registry.says(ANNA)

    assert registry.kept() == {(ids[ANNA.number], ids[EBBA.number]): "stands"}


def test_an_older_register_does_not_make_a_guardian_whom_a_newer_one_has_dropped(registry: Registry) -> None:
    registry.enrol(EBBA)
    registry.says(BERTIL, as_of=NOW + HOUR)
    registry.enrol(ANNA)
    registry.says(ANNA)

    assert registry.kept() == {}


def test_custody_ends_only_when_others_are_named_and_stays_ended_until_it_is_said_anew(registry: Registry) -> None:
    anna, _, ebba = registry.enrol(ANNA, BERTIL, EBBA)
    seen = []
    for hours, guardians in enumerate([[ANNA], [], [ANNA], [BERTIL], [], [ANNA, BERTIL]]):
        registry.says(*guardians, as_of=NOW + hours * HOUR)
        seen.append(registry.kept()[anna, ebba])
    assert seen == ["stands", "unsaid", "stands", "ended", "ended", "stands"]


def test_a_register_that_leaves_the_child_out_says_nothing_of_guardians(registry: Registry) -> None:
    anna, ebba = registry.enrol(ANNA, EBBA)
    registry.says(ANNA)
    registry.says(as_of=NOW + HOUR, child=None)

    assert registry.kept() == {(anna, ebba): "stands"}


def test_a_change_of_guardians_wakes_the_calendars_and_no_change_wakes_none(registry: Registry) -> None:
    anna, _, ebba = registry.enrol(ANNA, BERTIL, EBBA)
    registry.says(ANNA)
    with registry.sessions.writing() as session:
        ids = {"viewer_id": anna, "subject_id": ebba}
        open_calendar(session, registry.vault, Wishes(Level.VISIT), now=NOW, **ids)
    registry.says(ANNA, as_of=NOW + HOUR)
    assert not _is_woken(registry)
    registry.says(BERTIL, as_of=NOW + 2 * HOUR)
    assert _is_woken(registry)


def test_nobody_is_their_own_guardian(registry: Registry) -> None:
    registry.enrol(EBBA)
    registry.says(EBBA)

    assert registry.kept() == {}


def test_a_guardian_whom_two_workers_hear_of_is_kept_once(registry: Registry) -> None:
    anna, ebba = registry.enrol(ANNA, EBBA)
    with registry.sessions.writing() as session:
        for _ in range(2):
            guardianships.begin(session, anna, ebba, NOW)

    assert registry.kept() == {(anna, ebba): Custody.STANDS}


def _is_woken(registry: Registry) -> bool:
    with registry.sessions.reading() as session:
        return anything_due(session, REFRESHING, NOW + 3 * HOUR)
