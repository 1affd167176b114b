"""What each doorbell sets going: claim what is due, batch by batch, until nothing is. Bells carry no ids.

Retry lives in the rows, so actors have none; a bell lost costs one tick, a bell too many nothing.
"""

import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from functools import partial

import dramatiq
import structlog

from feeds import calendars as feed_calendars
from notifier import dispatch, following, planning, receipts
from notifier.providers import Providers, judge, members
from notifier.replanning import ReplanningSettings, replan_due
from notifier.resolving import ResolvingSettings, resolve_due
from store import heartbeats, ledger, sending, unsettled
from store.bookings import PASSING
from store.calendars import REFRESHING
from store.claims import anything_due
from store.database import Session
from store.engagements import LOOKING, POLLING
from store.failpoints import CrashPoint, reached
from store.heartbeats import Part
from store.replannings import REPLANNING
from store.subjects import PLANNING
from worker import passing, population, retention
from worker.broker import Line, Marks
from worker.clock import Tick
from worker.heartbeat import EVERY
from worker.invitations import look_due
from worker.polling import poll_due
from worker.settings import Settings
from worker.wiring import Wiring

log = structlog.get_logger()

Stopping = Callable[[], bool]
Batch = Callable[[Wiring, Stopping], int]
"""Handles one batch of due rows and returns how many; 0 means nothing is due."""


class Kind(StrEnum):
    """The kinds of due rows, each with a doorbell and a queue of its own."""

    POLL = "poll"
    INVITATIONS = "invitations"
    PLAN = "plan"
    REPLAN = "replan"
    DISPATCH = "dispatch"
    RECOVER = "recover"
    RESOLVE = "resolve"
    RECEIPTS = "receipts"
    FOLLOW = "follow"
    WEIGHTS = "weights"  # how messages are shared between providers
    CALENDARS = "calendars"
    PASSING = "passing"
    POPULATION = "population"
    RETENTION = "retention"
    BEAT = "beat"  # no row's: by answering it a worker shows that it hears bells and gets on with its work


@dataclass(frozen=True, slots=True)
class Work:
    """A kind's batch, the share of the worker's threads it may take, and whom it makes work for."""

    batch: Batch
    share: float = 0.0  # of all threads; at least one
    then: tuple[Kind, ...] = ()


class Places:
    """A kind's share of the worker's threads. Each loop gives its own place back: one slow source keeps one of them."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._free = threading.Semaphore(count)

    def take(self) -> int:
        """Takes all that are free; how many."""
        taken = 0
        while taken < self._count and self._free.acquire(blocking=False):
            taken += 1
        return taken

    def give_back(self) -> None:
        self._free.release()


class Bells:
    """Rings: sends a kind's message unless one is already under way."""

    def __init__(self, actors: Mapping[Kind, dramatiq.Actor[[], None]], marks: Marks, line: Line) -> None:
        self._actors = actors
        self._marks = marks
        self.line = line

    def ring(self, kind: str) -> None:
        """Without a broker nothing is rung: what is due is due at the next tick too."""
        self.line.attempt(lambda: self._marks.set(kind) and self._actors[Kind(kind)].send())

    def answered(self, kind: str) -> None:
        """The bell no longer rings."""
        self.line.attempt(lambda: self._marks.clear(kind))


def declare(broker: dramatiq.Broker, marks: Marks, wiring: Wiring, stopping: Stopping) -> Bells:
    """Declares one actor per kind on the broker. Web and clock processes declare them too, in order to ring."""
    actors: dict[Kind, dramatiq.Actor[[], None]] = {}
    bells = Bells(actors, marks, Line(wiring.settings.tick_seconds / 2, time.monotonic))
    for kind in Kind:
        answer = _answering(kind, wiring, bells, stopping)
        declare_actor = dramatiq.actor(broker=broker, actor_name=kind.value, queue_name=kind.value, max_retries=0)
        actors[kind] = declare_actor(answer)
    return bells


def drain(wiring: Wiring, kind: Kind, stopping: Stopping = lambda: False, places: Places | None = None) -> int:
    """Handles everything due of a kind, on as many threads as `places` has free (by default the kind's whole share);
    returns how much."""
    places = places or Places(share_of(wiring.settings, kind))
    loops = places.take()
    loop = partial(_loop, wiring, kind, stopping, places)
    if loops <= 1:
        return loop() if loops else 0  # none is free: those at work look again before they end
    with ThreadPoolExecutor(loops, thread_name_prefix=kind.value) as pool:
        return sum(one.result() for one in [pool.submit(loop) for _ in range(loops)])


def share_of(settings: Settings, kind: Kind) -> int:
    """How many threads of a worker a kind may have at work at once."""
    return max(1, int(settings.worker_threads * WORK[kind].share))


def answers_at_once(settings: Settings) -> int:
    """How many doorbells can be under answer at once, so that no kind waits for another one's slow work."""
    return sum(share_of(settings, kind) for kind in Kind)


def ticks(wiring: Wiring) -> list[Tick]:
    """Every kind with its question, for the metronome."""
    return [
        Tick(Kind.POLL, lambda session, now: anything_due(session, POLLING, now)),
        Tick(Kind.INVITATIONS, lambda session, now: anything_due(session, LOOKING, now)),
        Tick(Kind.PLAN, lambda session, now: anything_due(session, PLANNING, now)),
        Tick(Kind.REPLAN, lambda session, now: anything_due(session, REPLANNING, now)),
        Tick(Kind.DISPATCH, sending.anything_to_send),
        Tick(Kind.RECOVER, lambda session, _now: unsettled.anything_lost(session)),
        Tick(Kind.RESOLVE, lambda session, _now: unsettled.anything_to_ask(session)),
        Tick(Kind.RECEIPTS, lambda session, _now: ledger.anything_to_apply(session, datetime.now(UTC))),
        Tick(Kind.FOLLOW, following.anything_due),
        Tick(Kind.WEIGHTS, lambda _session, _now: bool(_shared(wiring)) and wiring.judging.is_due()),
        Tick(Kind.CALENDARS, lambda session, now: anything_due(session, REFRESHING, now)),
        Tick(Kind.PASSING, lambda session, now: anything_due(session, PASSING, now)),
        Tick(Kind.POPULATION, partial(_is_population_due, wiring)),
        Tick(Kind.RETENTION, retention.anything_due),
        Tick(Kind.BEAT, lambda session, _now: heartbeats.is_overdue(session, Part.WORKER, EVERY)),
    ]


def _answering(kind: Kind, wiring: Wiring, bells: Bells, stopping: Stopping) -> Callable[[], None]:
    places = Places(share_of(wiring.settings, kind))  # all answers to this bell share them

    def answer() -> None:
        bells.answered(kind)  # first: a ring during the work is then not lost
        reached(CrashPoint.C4)
        handled = drain(wiring, kind, stopping, places)
        if handled:
            log.info("worked", kind=str(kind), count=handled)
            for following in WORK[kind].then:
                bells.ring(following)

    return answer


def _loop(wiring: Wiring, kind: Kind, stopping: Stopping, places: Places) -> int:
    total = 0
    try:
        while not stopping() and (handled := WORK[kind].batch(wiring, stopping)):
            total += handled
    except Exception as error:  # noqa: BLE001 - the actor wrapper: claims run out, and the row is due again
        log.error("work_failed", kind=str(kind), error=type(error).__name__)
    finally:
        places.give_back()
    return total


def _poll(wiring: Wiring, stopping: Stopping) -> int:
    return poll_due(wiring.syncing, wiring.lease + 2 * wiring.poll_timeout, stopping)


def _invitations(wiring: Wiring, stopping: Stopping) -> int:
    return look_due(wiring.syncing, wiring.lease + 2 * wiring.poll_timeout, stopping)


def _plan(wiring: Wiring, _stopping: Stopping) -> int:
    return planning.plan_due(wiring.sessions, wiring.vault, wiring.planning, wiring.now()).subjects


def _replan(wiring: Wiring, _stopping: Stopping) -> int:
    return replan_due(wiring.sessions, wiring.now(), ReplanningSettings(lease=wiring.lease))


def _dispatch(wiring: Wiring, stopping: Stopping) -> int:
    counts = dispatch.send_due(wiring.sessions, wiring.vault, wiring.channels, wiring.now, wiring.dispatching, stopping)
    return counts.total()


def _recover(wiring: Wiring, _stopping: Stopping) -> int:
    return dispatch.recover(wiring.sessions, wiring.patience)


def _resolve(wiring: Wiring, _stopping: Stopping) -> int:
    settings = ResolvingSettings(wiring.patience, wiring.lease)
    return resolve_due(wiring.sessions, wiring.vault, wiring.channels, wiring.now(), settings)


def _receipts(wiring: Wiring, _stopping: Stopping) -> int:
    return receipts.apply_due(wiring.sessions, datetime.now(UTC), wiring.now(), wiring.patience)


def _follow(wiring: Wiring, _stopping: Stopping) -> int:
    resting = [
        name
        for name, channel in wiring.channels.items()
        if all(wiring.pace.rests_for(one.provider) for one in members(channel))
    ]
    return following.follow_due(wiring.sessions, wiring.vault, wiring.planning, wiring.now(), resting)


def _weights(wiring: Wiring, _stopping: Stopping) -> int:
    """By real time: providers are judged, not visits."""
    for one in _shared(wiring):
        with wiring.sessions.writing() as session:
            judge(session, one, datetime.now(UTC))
    return 0


def _shared(wiring: Wiring) -> list[Providers]:
    """The channels that have several providers."""
    return [one for one in wiring.channels.values() if isinstance(one, Providers)]


def _calendars(wiring: Wiring, _stopping: Stopping) -> int:
    rules = wiring.syncing.calendar_rules
    refreshed = feed_calendars.refresh_due(wiring.sessions, wiring.vault, wiring.now(), rules, lease=wiring.lease)
    if refreshed.unsealable:
        log.error("calendars_unsealable", count=refreshed.unsealable)
    return refreshed.looked_at


def _passing(wiring: Wiring, _stopping: Stopping) -> int:
    return passing.pass_due(wiring.sessions, wiring.vault, wiring.now, wiring.lease)


def _population(wiring: Wiring, _stopping: Stopping) -> int:
    register = wiring.population.current()
    if register is None:
        return 0
    asking = population.Asking(register, wiring.now(), wiring.population_stale_after, wiring.population.news)
    return population.ask_due(wiring.sessions, wiring.vault, asking)


def _is_population_due(wiring: Wiring, session: Session, _now: object) -> bool:
    return population.anybody_unasked(session, wiring.population.current())


def _retention(wiring: Wiring, _stopping: Stopping) -> int:
    return retention.forget_due(wiring.sessions, wiring.vault, wiring.now())


def _beat(wiring: Wiring, _stopping: Stopping) -> int:
    wiring.heart.beat(Part.WORKER)
    return 0


WORK: Mapping[Kind, Work] = {
    Kind.POLL: Work(_poll, share=0.5, then=(Kind.PLAN,)),
    Kind.INVITATIONS: Work(_invitations, share=0.25),
    Kind.PLAN: Work(_plan, then=(Kind.DISPATCH,)),
    Kind.REPLAN: Work(_replan, then=(Kind.PLAN,)),
    Kind.DISPATCH: Work(_dispatch, share=0.5, then=(Kind.FOLLOW,)),
    Kind.RECOVER: Work(_recover),
    Kind.RESOLVE: Work(_resolve, then=(Kind.RECEIPTS, Kind.DISPATCH)),
    Kind.RECEIPTS: Work(_receipts, then=(Kind.FOLLOW,)),
    Kind.FOLLOW: Work(_follow, then=(Kind.DISPATCH,)),
    Kind.WEIGHTS: Work(_weights),
    Kind.CALENDARS: Work(_calendars),
    Kind.PASSING: Work(_passing),
    Kind.POPULATION: Work(_population, then=(Kind.PLAN, Kind.CALENDARS)),
    Kind.RETENTION: Work(_retention),
    Kind.BEAT: Work(_beat),
}
