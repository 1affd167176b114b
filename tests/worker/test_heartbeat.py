"""A process says that it lives only while it gets on with its work."""

import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from store import heartbeats
from store.database import Session, Sessions, open_database
from store.heartbeats import Beat, Part
from tests.faults.conftest import Wire
from tests.faults.conftest import clock as clock
from tests.faults.conftest import providers as providers
from tests.faults.conftest import wire_one as wire_one
from tests.faults.programs import KALLELSE, free_port, is_listening, running
from tests.faults.waiting import wait_until
from tests.faults.wired import process
from tests.store.test_heartbeats import silenced
from worker.actors import Kind, drain
from worker.clock import Metronome, Tick
from worker.demo.people import people, population_csv
from worker.heartbeat import EVERY, Heart, beating

MINUTE = timedelta(minutes=1)


@pytest.fixture
def heard(sessions: Sessions) -> Callable[[], dict[Part, Beat]]:
    def read() -> dict[Part, Beat]:
        with sessions.reading() as session:
            return {beat.kind: beat for beat in heartbeats.beats(session)}

    return read


@pytest.fixture
def lose(sessions: Sessions) -> Callable[[Part], None]:
    """Makes a part's last word a minute old: what comes after is a new one."""

    def silence(part: Part) -> None:
        with sessions.writing() as session:
            silenced(session, part, MINUTE)

    return silence


def test_beats_are_written_at_an_even_rate_however_busy_the_work(
    sessions: Sessions, heard: Callable[[], dict[Part, Beat]], lose: Callable[[Part], None]
) -> None:
    time = [0.0]
    heart = Heart(sessions, lambda: time[0])
    heart.beat(Part.CLOCK)
    lose(Part.CLOCK)
    time[0] = EVERY.total_seconds() - 1
    heart.beat(Part.CLOCK)
    assert heard()[Part.CLOCK].silent_for >= MINUTE

    time[0] += 1
    heart.beat(Part.CLOCK)
    assert heard()[Part.CLOCK].silent_for < MINUTE
    heart.stop()
    assert heard() == {}


def test_a_database_that_is_away_does_not_stop_the_work(capsys: pytest.CaptureFixture[str]) -> None:
    unreachable = open_database("sqlite:////nowhere/at/all.db")
    heart = Heart(unreachable)
    heart.beat(Part.CLOCK)
    heart.stop()
    unreachable.close()

    said = "".join(capsys.readouterr())
    assert said.count("heartbeat_not_written") == 1
    assert "OperationalError" in said


def clock_with(sessions: Sessions, heart: Heart, *ticks: Tick) -> Metronome:
    return Metronome(sessions, lambda: datetime.now(UTC), ticks, lambda _: None, 3600, lambda: heart.beat(Part.CLOCK))


def test_a_clock_that_cannot_look_or_ring_does_not_claim_to_live(
    sessions: Sessions, heard: Callable[[], dict[Part, Beat]]
) -> None:
    def fail(_session: Session, _now: object) -> bool:
        raise ValueError

    well, ill = Tick("plan", lambda *_: False), Tick("dispatch", fail)
    clock_with(sessions, Heart(sessions), ill, well).tick()
    assert heard() == {}

    clock_with(sessions, Heart(sessions), well).tick()
    assert heard().keys() == {Part.CLOCK}


def test_a_web_process_whose_loop_stands_still_falls_silent(
    sessions: Sessions, heard: Callable[[], dict[Part, Beat]], lose: Callable[[Part], None]
) -> None:
    moved = threading.Event()
    with beating(Heart(sessions, _always_time()), Part.WEB, moved):
        moved.set()
        wait_until(lambda: Part.WEB in heard(), "the first beat", seconds=90)
        wait_until(lambda: not moved.is_set(), "the beat to be over", seconds=90)
        lose(Part.WEB)
        moved.set()
        wait_until(lambda: heard()[Part.WEB].silent_for < MINUTE, "the loop's next turn to be heard", seconds=90)
        assert not moved.is_set()


def test_worker_and_clock_are_heard_through_the_bells_and_leave_no_row_behind(
    wire_one: Wire, heard: Callable[[], dict[Part, Beat]]
) -> None:
    with process(wire_one()):
        wait_until(lambda: heard().keys() == {Part.CLOCK, Part.WORKER}, "both to be heard", seconds=90)
    assert heard() == {}


def test_a_worker_lives_by_the_bell_made_for_it_and_not_by_one_kind_of_work(
    wire_one: Wire, heard: Callable[[], dict[Part, Beat]]
) -> None:
    wiring = wire_one()
    drain(wiring, Kind.DISPATCH)
    assert heard() == {}

    assert drain(wiring, Kind.BEAT) == 0
    assert heard().keys() == {Part.WORKER}


def _always_time() -> Callable[[], float]:
    """A clock by which every beat is due."""
    times: Iterator[float] = iter(range(0, 10**9, int(EVERY.total_seconds()) + 1))
    return lambda: next(times)


@pytest.mark.fault
@pytest.mark.slow
def test_one_process_is_ready_by_itself_and_says_so_until_it_is_stopped(tmp_path: Path) -> None:
    port = free_port()
    (tmp_path / "population.csv").write_text(population_csv(people(1), datetime.now(UTC)))
    environment = {
        "KALLELSE_DATABASE_URL": f"sqlite:///{tmp_path}/kallelse.db",
        "KALLELSE_POPULATION": str(tmp_path / "population.csv"),
        "KALLELSE_PAPER_FOLDER": str(tmp_path / "paper"),
        "KALLELSE_TICK_SECONDS": "0.2",
    }
    with running([KALLELSE, "up", "--port", str(port)], environment, tmp_path / "up.log") as up:
        wait_until(lambda: is_listening(port) or up.exit_code is not None, "the web to listen", seconds=90)
        wait_until(lambda: ready(port), "everything to be well", seconds=90)
        assert up.terminate() == 0
    sessions = open_database(environment["KALLELSE_DATABASE_URL"])
    with sessions.reading() as session:
        assert heartbeats.beats(session) == []
    sessions.close()
    said = up.said()
    assert said.index('"event": "running"') < said.index('"event": "stopping"') < said.index('"event": "stopped"')
    assert '"process": "up"' in said


def ready(port: int) -> bool:
    answer = httpx.get(f"http://127.0.0.1:{port}/health/ready", trust_env=False, timeout=30)
    return answer.status_code == 200
