"""The population watch: only what the register says explicitly acts; a bad, missing or misdated one changes nothing."""

import os
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from structlog.testing import capture_logs

from feeds.subscribing import Wishes, open_calendar
from store import calendars
from store.calendars import REFRESHING
from store.claims import anything_due
from store.database import Sessions
from store.level import Level
from store.subjects import PLANNING, Subject
from store.vault import Vault
from tests import build
from tests.conftest import NOW
from tests.people import ANNA, BERTIL, EBBA, EVERYBODY
from worker import population
from worker.population import Asking, PopulationWatch
from worker.sources.population import PopulationFile

WEEK = timedelta(days=7)
STRANGER = "191212121212"


def write(path: Path, as_of: datetime = NOW, lines: Sequence[str] = (f"{ANNA.number},no,,",)) -> PopulationFile:
    path.write_text(
        "\n".join([f"# as_of: {as_of.isoformat()}", "identity,protected,deceased_on,guardians", *lines, ""])
    )
    return PopulationFile(path)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "population.csv"


def enrol(sessions: Sessions, vault: Vault, *people: object, **values: object) -> list[UUID]:
    with sessions.writing() as session:
        return [build.subject(session, vault, NOW, person, **values).id for person in people or (ANNA,)]  # type: ignore[arg-type]


def asked(sessions: Sessions, vault: Vault, register: PopulationFile, now: datetime = NOW) -> int:
    total = 0
    while handled := population.ask_due(sessions, vault, Asking(register, now, WEEK)):
        total += handled
    return total


def row(sessions: Sessions, subject_id: UUID) -> Subject:
    with sessions.reading() as session:
        return session.get_one(Subject, subject_id)


def is_woken(sessions: Sessions) -> bool:
    with sessions.reading() as session:
        return anything_due(session, PLANNING, NOW)


def test_everybody_is_asked_about_once_per_register(sessions: Sessions, vault: Vault, path: Path) -> None:
    enrol(sessions, vault, *EVERYBODY)
    register = write(path)

    with sessions.reading() as session:
        assert population.anybody_unasked(session, register)
    assert asked(sessions, vault, register) == len(EVERYBODY)
    with sessions.reading() as session:
        assert not population.anybody_unasked(session, register)
    assert asked(sessions, vault, write(path, NOW + timedelta(hours=1))) == len(EVERYBODY)


def test_without_a_register_nobody_is_asked_about(sessions: Sessions, vault: Vault) -> None:
    enrol(sessions, vault)
    with sessions.reading() as session:
        assert not population.anybody_unasked(session, None)


def test_an_explicit_flag_is_kept_with_the_day_it_was_first_heard_of(
    sessions: Sessions, vault: Vault, path: Path
) -> None:
    (anna,) = enrol(sessions, vault)
    asked(sessions, vault, write(path, NOW, [f"{ANNA.number},yes,,"]))
    later = NOW + timedelta(days=2)
    asked(sessions, vault, write(path, later, [f"{ANNA.number},yes,2026-11-25,"]), later)

    assert (row(sessions, anna).protected_on, row(sessions, anna).deceased_on) == (NOW.date(), date(2026, 11, 25))


def test_a_flag_that_is_lifted_explicitly_is_lifted(sessions: Sessions, vault: Vault, path: Path) -> None:
    (anna,) = enrol(sessions, vault, protected_on=date(2026, 11, 1))
    asked(sessions, vault, write(path))

    assert row(sessions, anna).protected_on is None
    assert is_woken(sessions)


def test_somebody_the_register_leaves_out_is_held_and_keeps_every_flag(
    sessions: Sessions, vault: Vault, path: Path
) -> None:
    anna, bertil = enrol(sessions, vault, ANNA, BERTIL)
    with sessions.writing() as session:
        session.get_one(Subject, bertil).protected_on = date(2026, 11, 1)
    asked(sessions, vault, write(path, lines=[]))

    assert row(sessions, anna).population_as_of is None
    assert (row(sessions, anna).protected_on, row(sessions, anna).deceased_on) == (None, None)
    assert row(sessions, bertil).protected_on == date(2026, 11, 1)
    assert not is_woken(sessions)


def test_unchanged_news_of_somebody_who_is_not_held_wakes_nobody(sessions: Sessions, vault: Vault, path: Path) -> None:
    enrol(sessions, vault)
    asked(sessions, vault, write(path, NOW + timedelta(minutes=1)))

    assert not is_woken(sessions)


@pytest.mark.parametrize("known_at", [None, NOW - timedelta(days=8)], ids=["never heard of", "stale"])
def test_the_first_news_after_a_hold_wakes_planner_and_calendars(
    sessions: Sessions, vault: Vault, path: Path, known_at: datetime | None
) -> None:
    (anna,) = enrol(sessions, vault)
    with sessions.writing() as session:
        open_calendar(session, vault, Wishes(Level.VISIT), viewer_id=anna, subject_id=anna, now=NOW)
        session.get_one(Subject, anna).population_as_of = known_at
    asked(sessions, vault, write(path))

    assert is_woken(sessions)
    with sessions.reading() as session:
        assert anything_due(session, REFRESHING, NOW)


def test_a_protection_wakes_the_calendar_so_that_it_is_emptied(sessions: Sessions, vault: Vault, path: Path) -> None:
    (anna,) = enrol(sessions, vault)
    with sessions.writing() as session:
        open_calendar(session, vault, Wishes(Level.VISIT), viewer_id=anna, subject_id=anna, now=NOW)
    asked(sessions, vault, write(path, lines=[f"{ANNA.number},yes,,"]))

    with sessions.writing() as session:
        calendar = calendars.of_viewer(session, anna, anna)
        assert calendar is not None
        assert calendar.next_change_at is not None
        assert calendar.next_change_at <= NOW


def test_many_are_asked_about_in_batches(
    sessions: Sessions, vault: Vault, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(population, "_BATCH", 2)
    enrol(sessions, vault, *EVERYBODY)
    register = write(path)

    assert population.ask_due(sessions, vault, Asking(register, NOW, WEEK)) == 2
    assert asked(sessions, vault, register) == len(EVERYBODY) - 2


def test_somebody_the_register_has_news_of_is_asked_about_before_everybody_else(
    sessions: Sessions, vault: Vault, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A protection must not wait until a million others have been asked about."""
    monkeypatch.setattr(population, "_BATCH", 2)
    ids = enrol(sessions, vault, *EVERYBODY)
    write(path, lines=[f"{person.number},no,," for person in EVERYBODY])
    watching = watch(path)
    watching.current()
    assert not watching.news  # without a register before: those with a flag
    lines = [f"{person.number},{'yes' if person is EBBA else 'no'},," for person in EVERYBODY]
    register = write(path, NOW + timedelta(minutes=1), [*lines, f"{STRANGER},yes,,"])
    touch(path, 1)
    watching.current()
    asking = Asking(register, NOW, WEEK, watching.news)

    assert [len(watching.news), population.ask_due(sessions, vault, asking)] == [2, 1]
    assert row(sessions, ids[-1]).protected_on == NOW.date()
    assert row(sessions, ids[0]).population_asked_as_of is None
    assert [population.ask_due(sessions, vault, asking) for _ in range(3)] == [2, 2, 0]


def watch(path: Path | None) -> PopulationWatch:
    return PopulationWatch(path, lambda: NOW)


def as_of(watching: PopulationWatch) -> datetime | None:
    register = watching.current()
    return register.as_of if register else None


def touch(path: Path, seconds: int) -> None:
    os.utime(path, (seconds, seconds))


def test_a_file_written_anew_is_read_anew(path: Path) -> None:
    write(path)
    watching = watch(path)
    assert as_of(watching) == NOW
    write(path, NOW + timedelta(minutes=5))
    touch(path, 1)

    assert as_of(watching) == NOW + timedelta(minutes=5)


def test_without_a_file_there_is_no_register() -> None:
    assert watch(None).current() is None


@pytest.mark.parametrize(
    "spoil",
    [
        lambda path: path.write_text("identity,protected\n"),
        lambda path: path.write_bytes(b"\xff\xfe"),
        lambda path: path.unlink(),
        lambda path: path.write_text(path.read_text() + f"{ANNA.number},perhaps,,\n"),
        lambda path: write(path, NOW + timedelta(hours=2)),
    ],
    ids=["another file", "not text", "gone", "a field is wrong", "dated ahead"],
)
def test_a_file_that_cannot_be_used_keeps_the_one_before_and_is_told_once_without_a_number(
    path: Path, spoil: object
) -> None:
    write(path)
    watching = watch(path)
    watching.current()
    spoil(path)  # type: ignore[operator]
    if path.exists():
        touch(path, 1)
    with capture_logs() as logged:
        for _ in range(5):
            assert as_of(watching) == NOW

    assert [line["event"] for line in logged] == ["population_unreadable"]
    assert ANNA.number not in str(logged)


def test_a_file_that_comes_back_is_read_and_a_later_fault_is_told_again(path: Path) -> None:
    watching = watch(path)
    with capture_logs() as logged:
        assert watching.current() is None
        write(path)
        assert as_of(watching) == NOW
        path.unlink()
        assert as_of(watching) == NOW

    assert len(logged) == 2


def test_a_register_dated_ahead_does_not_hide_the_right_one_after_it(
    sessions: Sessions, vault: Vault, path: Path
) -> None:
    enrol(sessions, vault)
    write(path, NOW + timedelta(days=365))
    watching = watch(path)
    assert watching.current() is None
    right = write(path)
    touch(path, 1)

    assert as_of(watching) == NOW
    assert asked(sessions, vault, right) == 1
