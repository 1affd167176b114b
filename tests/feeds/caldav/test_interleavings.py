"""Transactions that change one calendar at the same time, in whatever order they come and end: no program that holds
any token ever misses a change."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlmodel import Session

from feeds.calendars import rewrite
from store import bookings
from store.standing import Standing
from tests.feeds.caldav.account import Account
from tests.feeds.world import DAY, World

Change = Callable[[World, bookings.Booking], None]
_BLOCKED_SECONDS = 0.03  # a step that takes longer waits for another transaction: others go on meanwhile
_VISITS = 3
_PROGRAMS = 2


class _Undone(Exception):
    """Ends a transaction without its changes."""


class _Transaction:
    """Begins, changes a booking, rewrites the calendar, ends: a step at a time, each when it is told to."""

    def __init__(self, world: World, booking_id: UUID, change: Change, *, commits: bool) -> None:
        self._world = world
        self._booking_id = booking_id
        self._change = change
        self._commits = commits
        self._may_go_on = threading.Semaphore(0)
        self._arrived = threading.Semaphore(0)
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        self._arrived.acquire(timeout=_BLOCKED_SECONDS)

    def step(self) -> None:
        self._may_go_on.release()
        self._arrived.acquire(timeout=_BLOCKED_SECONDS)

    def finish(self) -> None:
        for _ in range(4):
            self._may_go_on.release()

    def join(self) -> None:
        self._thread.join(30)
        assert not self._thread.is_alive(), "a transaction never ended"
        if self._error is not None:
            raise self._error

    def _run(self) -> None:
        try:
            self._wait()
            with self._world.sessions.writing() as session:
                self._transact(session)
        except _Undone:
            pass
        except BaseException as error:  # noqa: BLE001 - told by whoever joins
            self._error = error
        self._arrived.release()

    def _transact(self, session: Session) -> None:
        self._wait()
        row = bookings.by_ids(session, [self._booking_id])[self._booking_id]
        self._change(self._world, row)
        session.add(row)
        session.flush()
        self._wait()
        rewrite(session, self._world.vault, self._world.subject_id, [self._booking_id], self._world.now)
        self._wait()
        if not self._commits:
            raise _Undone

    def _wait(self) -> None:
        self._arrived.release()
        self._may_go_on.acquire()


@dataclass
class _Program:
    """A calendar program: what it holds, and the token that it got with it."""

    token: str = ""
    held: dict[str, str] = field(default_factory=dict)

    def sync(self, account: Account, limit: int | None) -> None:
        """One question, which may end early."""
        said = account.sync(self.token, limit=limit)
        assert said.status == 207
        for href, status in said.statuses().items():
            if "404" in status:
                self.held.pop(href, None)
            elif not status:
                self.held[href] = said.found(href)["getetag"].text or ""
        self.token = said.token


def _move(world: World, row: bookings.Booking) -> None:
    row.start_at += timedelta(hours=1)
    row.sequence += 1
    row.amended_at += timedelta(minutes=1)


def _leave(world: World, row: bookings.Booking) -> None:
    row.standing, row.stands_since = Standing.GONE, world.now - 30 * DAY
    row.amended_at += timedelta(minutes=1)


def _return(world: World, row: bookings.Booking) -> None:
    row.standing, row.stands_since = Standing.BOOKED, world.now
    row.amended_at += timedelta(minutes=1)


_CHANGES = (_move, _leave, _return)
_STEPS = 4  # begin, change, rewrite, end
_TRANSACTION = st.tuples(st.integers(0, _VISITS - 1), st.sampled_from(_CHANGES), st.sampled_from([True, True, False]))
_ORDER = st.permutations([0] * _STEPS + [1] * _STEPS)  # whose next step it is
_LISTENING = st.lists(
    st.lists(st.tuples(st.integers(0, _PROGRAMS - 1), st.none() | st.integers(1, 2)), max_size=2),
    min_size=2 * _STEPS,
    max_size=2 * _STEPS,
)  # which programs ask after each step, and for how much
_SECOND_ENDS_AFTER_THE_FIRST_IS_SEEN = [[], [], [], [], [], [(0, None), (1, 1)], [], []]


@settings(
    max_examples=20,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@example(
    transactions=[(0, _move, True), (1, _move, True)],
    order=[0, 1, 0, 1, 0, 0, 1, 1],
    listening=[[(0, None)], *_SECOND_ENDS_AFTER_THE_FIRST_IS_SEEN[1:]],
)
@example(
    transactions=[(0, _move, True), (1, _leave, True)],
    order=[1, 0, 0, 1, 0, 0, 1, 1],
    listening=_SECOND_ENDS_AFTER_THE_FIRST_IS_SEEN,
)
@given(transactions=st.tuples(_TRANSACTION, _TRANSACTION), order=_ORDER, listening=_LISTENING)
def test_no_program_misses_a_change_whatever_commits_when(
    account: Account,
    transactions: Sequence[tuple[int, Change, bool]],
    order: list[int],
    listening: list[list[tuple[int, int | None]]],
) -> None:
    world = account.world
    visits = [world.add(world.now + day * DAY) for day in range(1, _VISITS + 1)]
    world.rewrite(*visits)
    begun = [_Transaction(world, visits[visit], change, commits=commits) for visit, change, commits in transactions]
    programs = [_Program() for _ in range(_PROGRAMS)]

    for which, asking in zip(order, listening, strict=True):
        begun[which].step()
        for program, limit in asking:
            programs[program].sync(account, limit)
    for one in begun:
        one.finish()
    for one in begun:
        one.join()
    for program in programs:
        _catch_up(program, account)

    fresh = _Program()
    fresh.sync(account, None)
    assert [program.held for program in programs] == [fresh.held] * _PROGRAMS


def _catch_up(program: _Program, account: Account) -> None:
    """Asks until nothing is new."""
    token = None
    while token != program.token:
        token = program.token
        program.sync(account, 2)
