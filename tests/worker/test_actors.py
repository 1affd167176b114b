"""What a bell sets going: everything due, within the kind's share of the threads, whatever else goes wrong."""

import threading
from dataclasses import replace

import pytest

from tests.faults.conftest import Wire
from tests.faults.conftest import clock as clock
from tests.faults.conftest import providers as providers
from tests.faults.conftest import wire_one as wire_one
from tests.faults.promises import due_reminders, states
from tests.faults.waiting import wait_until
from tests.faults.wired import working
from tests.stories.town import StillClock
from worker import actors
from worker.actors import WORK, Kind, Places, Stopping, Work, answers_at_once, drain, share_of, ticks
from worker.broker import MarksInProcess, open_broker
from worker.demo.providers import RunningProviders
from worker.settings import read_settings
from worker.wiring import Wiring


def test_every_kind_of_due_row_has_work_and_a_question_of_its_own(wire_one: Wire) -> None:
    assert set(WORK) == set(Kind) == {Kind(tick.kind) for tick in ticks(wire_one())}


def test_polls_take_at_most_half_of_the_threads_and_nobody_less_than_one() -> None:
    for threads in (2, 3, 8, 50):
        settings = read_settings({}, worker_threads=threads).settings
        assert share_of(settings, Kind.POLL) == threads // 2
        assert all(share_of(settings, kind) >= 1 for kind in Kind)
        assert answers_at_once(settings) == sum(share_of(settings, kind) for kind in Kind)


def test_a_drain_goes_on_until_nothing_is_due(wire_one: Wire, providers: RunningProviders, clock: StillClock) -> None:
    wiring = wire_one()
    due_reminders(wiring.sessions, wiring.vault, clock.now(), 60)  # more than one batch

    assert drain(wiring, Kind.DISPATCH) == 60
    assert drain(wiring, Kind.DISPATCH) == 0
    assert len(providers.messages()) == 60


def test_a_worker_told_to_stop_leaves_the_rest_free_for_others(
    wire_one: Wire, providers: RunningProviders, clock: StillClock
) -> None:
    wiring = wire_one(worker_threads=2)
    due_reminders(wiring.sessions, wiring.vault, clock.now(), 20)
    drain(wiring, Kind.DISPATCH, lambda: len(providers.messages()) >= 3)

    assert states(wiring.sessions) == {"accepted": 3, "queued": 17}
    assert drain(wire_one(), Kind.DISPATCH) == 17


def test_a_batch_that_fails_is_logged_without_its_words_and_ends_nothing_else(
    wire_one: Wire, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(_wiring: Wiring, _stopping: Stopping) -> int:
        raise ValueError("+46701740605")

    monkeypatch.setattr(actors, "WORK", {**WORK, Kind.PLAN: Work(fail)})

    assert drain(wire_one(), Kind.PLAN) == 0
    said = capsys.readouterr().out
    assert "ValueError" in said
    assert "+46701740605" not in said


class Crowd:
    """Work that lasts until it is let go, and counts how many are at it at once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.at_it = 0
        self.most = 0
        self.may_end = threading.Event()

    def batch(self, _wiring: Wiring, _stopping: Stopping) -> int:
        with self._lock:
            self.at_it += 1
            self.most = max(self.most, self.at_it)
        self.may_end.wait(20)
        with self._lock:
            self.at_it -= 1
        return 0


def test_however_often_the_bell_rings_a_kind_keeps_to_its_share(
    wire_one: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    crowd = Crowd()
    monkeypatch.setattr(actors, "WORK", {**WORK, Kind.POLL: replace(WORK[Kind.POLL], batch=crowd.batch)})
    wiring = wire_one(worker_threads=8)
    places = Places(share_of(wiring.settings, Kind.POLL))
    answers = [threading.Thread(target=drain, args=(wiring, Kind.POLL, lambda: False, places)) for _ in range(6)]
    for answer in answers:
        answer.start()
    wait_until(lambda: crowd.at_it == 4, "the whole share to be at work")
    wait_until(lambda: sum(answer.is_alive() for answer in answers) == 1, "the other bells to be waved off")
    crowd.may_end.set()
    for answer in answers:
        answer.join(20)

    assert crowd.most == 4


def test_hanging_polls_do_not_keep_the_planner_waiting(
    wire_one: Wire, clock: StillClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    crowd = Crowd()
    planned = threading.Event()

    def plan(_wiring: Wiring, _stopping: Stopping) -> int:
        planned.set()
        return 0

    monkeypatch.setattr(
        actors, "WORK", {**WORK, Kind.POLL: replace(WORK[Kind.POLL], batch=crowd.batch), Kind.PLAN: Work(plan)}
    )
    wiring = wire_one(worker_threads=2)
    broker, _ = open_broker("", max_age=60)
    actors.declare(broker, MarksInProcess(60, lambda: 0.0), wiring, lambda: False)
    for _ in range(10):
        broker.get_actor(Kind.POLL).send()
    with working(broker, answers_at_once(wiring.settings)):
        wait_until(lambda: crowd.at_it == 1, "a poll to hang")
        broker.get_actor(Kind.PLAN).send()
        assert planned.wait(20)
        crowd.may_end.set()
