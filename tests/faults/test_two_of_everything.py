"""Two clocks, two workers, two planners, two polls of one person, bells that ring twice: nobody notices."""

import threading
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TypeVar

from sqlmodel import select

from notifier import planning, ready_texts
from store import engagements
from store.claims import Claim, claim_due
from store.database import Sessions
from store.deliveries import Attempt, DeliveryPart
from store.engagements import POLLING, Engagement
from store.identifiers import SubjectId
from store.subjects import Subject, wake_planning
from tests import build
from tests.faults.conftest import Wire
from tests.faults.promises import due_reminders, states
from tests.faults.waiting import wait_until
from tests.faults.wired import process, working
from tests.people import ANNA, BERTIL, DAVID
from tests.stories.town import StillClock, Town
from worker import actors
from worker.actors import Kind
from worker.broker import open_broker
from worker.clock import Metronome
from worker.demo.progress import is_at_rest
from worker.demo.providers import RunningProviders
from worker.polling import poll_claimed
from worker.sources import BookingSource, IsStored, Snapshot
from worker.wiring import Wiring

T = TypeVar("T")
MANY = 300
PEOPLE = (ANNA, BERTIL, DAVID)
DAY = timedelta(days=1)
REMINDING = timedelta(days=1, hours=7)  # 16.55 on the day before the visits


def test_two_clocks_and_two_workers_send_each_of_300_deliveries_once(
    wire_one: Wire, providers: RunningProviders, clock: StillClock
) -> None:
    first, second = wire_one(), wire_one()
    due_reminders(first.sessions, first.vault, clock.now(), MANY)

    with process(first), process(second):
        wait_until(lambda: states(first.sessions) == {"accepted": MANY}, "300 to be accepted", seconds=90)

    messages = Counter((one.to, one.body) for one in providers.messages())
    assert (len(messages), set(messages.values())) == (MANY, {1})
    assert attempts(first.sessions) == MANY


def test_two_planners_at_once_promise_each_occasion_once(wire_one: Wire, clock: StillClock) -> None:
    wirings = (wire_one(), wire_one())
    remindable(wirings[0], clock.now())
    clock.forward(clock.now() + REMINDING)

    def plan(wiring: Wiring) -> None:
        for _ in range(10):
            wake_everybody(wiring.sessions, clock.now())
            planning.plan_due(wiring.sessions, wiring.vault, wiring.planning, clock.now())

    at_once(plan, wirings * 2)

    assert sorted(occasions(wirings[0].sessions).values()) == [1, 1, 1]
    assert states(wirings[0].sessions) == {"queued": 3}


def test_a_planner_that_has_lost_its_subject_to_another_promises_nothing(wire_one: Wire, clock: StillClock) -> None:
    """Leases that have run out before the work begins: every planner believes that it has every subject."""
    wirings = (wire_one(), wire_one())
    remindable(wirings[0], clock.now())
    clock.forward(clock.now() + REMINDING)
    wake_everybody(wirings[0].sessions, clock.now())
    hasty = [replace(wiring.planning, lease=timedelta(seconds=-1)) for wiring in wirings]

    def plan(place: int) -> None:
        for _ in range(5):
            planning.plan_due(wirings[place].sessions, wirings[place].vault, hasty[place], clock.now())

    at_once(plan, (0, 1))

    assert sorted(occasions(wirings[0].sessions).values()) == [1, 1, 1]
    assert states(wirings[0].sessions) == {"queued": 3}


def test_two_processes_through_a_day_of_business_time_tell_everybody_once(
    wire_one: Wire, providers: RunningProviders, clock: StillClock
) -> None:
    first, second = wire_one(), wire_one()
    remindable(first, clock.now())

    with process(first), process(second):
        for _ in range(12):
            clock.forward(clock.now() + timedelta(hours=3))
            wake_everybody(first.sessions, clock.now())
            wait_until(lambda: is_at_rest(first.sessions, clock.now()), "everything due to be done")

    assert states(first.sessions) == {"accepted": 3}
    assert sorted(one.to for one in providers.messages()) == sorted(str(one.phone) for one in PEOPLE)
    assert sorted(occasions(first.sessions).values()) == [1, 1, 1]


def test_a_doorbell_delivered_five_times_sends_once(
    wire_one: Wire, providers: RunningProviders, clock: StillClock
) -> None:
    wiring = wire_one()
    due_reminders(wiring.sessions, wiring.vault, clock.now(), 5)
    broker, marks = open_broker("", max_age=60)
    actors.declare(broker, marks, wiring, lambda: False)
    for _ in range(5):
        broker.get_actor(Kind.DISPATCH).send()

    with working(broker, 5):
        broker.join(Kind.DISPATCH)

    assert len(providers.messages()) == attempts(wiring.sessions) == 5
    assert states(wiring.sessions) == {"accepted": 5}


def test_when_one_clock_dies_the_other_goes_on_ringing(
    wire_one: Wire, providers: RunningProviders, clock: StillClock
) -> None:
    wiring, spare = wire_one(), wire_one()
    broken = threading.Event()

    def now() -> datetime:
        if broken.is_set():
            raise OSError("this clock's machine is gone")
        return clock.now()

    with ExitStack() as parts:
        broker, marks = open_broker("", max_age=0.2)
        bells = actors.declare(broker, marks, wiring, lambda: False)
        parts.enter_context(working(broker, 4))
        for sessions, time in ((wiring.sessions, now), (spare.sessions, clock.now)):
            metronome = Metronome(sessions, time, actors.ticks(wiring), bells.ring, 0.1)
            metronome.start()
            parts.callback(metronome.stop)
        broken.set()
        due_reminders(wiring.sessions, wiring.vault, clock.now(), 3)
        wait_until(lambda: len(providers.messages()) == 3, "the other clock to ring")

    assert attempts(wiring.sessions) == 3


def test_an_older_answer_about_somebody_is_dropped(here: Town) -> None:
    """Two workers ask about one person; the one that asked first is answered last, and knows less."""
    (anna,) = here.enrol(1)
    here.book(anna, here.now + 5 * DAY, "OLD")
    late = LateSource(here.wiring.syncing.sources["region"])
    slow = replace(here.wiring.syncing, sources={"region": late})

    overtaken = claim(here, timedelta(seconds=-1))
    worker = threading.Thread(target=poll_claimed, args=(slow, [overtaken]))
    worker.start()
    assert late.has_answer.wait(10)
    here.clock.forward(here.now + timedelta(seconds=5))
    here.book(anna, here.now + 6 * DAY, "NEW")
    poll_claimed(here.wiring.syncing, [claim(here, timedelta(seconds=60))])
    late.may_answer.set()
    worker.join(10)

    assert not worker.is_alive()
    assert {one.booking_id for one in here.bookings(anna)} == {"OLD", "NEW"}
    assert begun_at(here) == here.now


def test_two_polls_of_one_person_at_once_leave_one_of_each_booking(here: Town) -> None:
    (anna,) = here.enrol(1)
    for number in range(5):
        here.book(anna, here.now + (5 + number) * DAY, f"B{number}")
    claims = [claim(here, timedelta(seconds=-1)), claim(here, timedelta(seconds=60))]

    at_once(lambda one: poll_claimed(here.wiring.syncing, [one]), claims)

    assert sorted(one.booking_id for one in here.bookings(anna)) == [f"B{number}" for number in range(5)]


class LateSource:
    """The region's answer, held back on its way to us."""

    can_ask_directly = False

    def __init__(self, behind: BookingSource) -> None:
        self._behind = behind
        self.name = behind.name
        self.has_answer, self.may_answer = threading.Event(), threading.Event()

    def schedule(self, subject: SubjectId, is_stored: IsStored) -> Snapshot | None:
        answer = self._behind.schedule(subject, is_stored)
        self.has_answer.set()
        assert self.may_answer.wait(10)
        return answer

    def schedule_at(self, subject: SubjectId, facility_spelling: str) -> Snapshot:
        return self._behind.schedule_at(subject, facility_spelling)


def at_once(act: Callable[[T], object], over: Sequence[T]) -> None:
    """Does it for each on a thread of its own, all beginning together. Their exceptions come out here."""
    together = threading.Barrier(len(over))

    def start(one: T) -> None:
        together.wait(10)
        act(one)

    with ThreadPoolExecutor(len(over)) as pool:
        for done in [pool.submit(start, one) for one in over]:
            done.result()


def remindable(wiring: Wiring, now: datetime) -> None:
    """Three people, each with one visit in two days."""
    with wiring.sessions.writing() as session:
        ready_texts.install(session, now)
        clinic = build.clinic(session, now)
        build.facility(session, clinic_id=clinic.id, cancel_deadline="")
        for person in PEOPLE:
            fresh = now + 365 * DAY
            subject = build.subject(
                session, wiring.vault, now, person, population_as_of=fresh, population_asked_as_of=fresh
            )
            of = build.engagement(session, subject.id, now, next_poll_at=None)
            build.booking(session, wiring.vault, of, now + 2 * DAY - timedelta(hours=1))


def wake_everybody(sessions: Sessions, now: datetime) -> None:
    with sessions.writing() as session:
        wake_planning(session, session.exec(select(Subject.id)).all(), now)


def occasions(sessions: Sessions) -> Counter[str]:
    """How often each person's occasion has been promised."""
    with sessions.reading() as session:
        return Counter(f"{part.recipient} {part.occasion}" for part in session.exec(select(DeliveryPart)))


def attempts(sessions: Sessions) -> int:
    with sessions.reading() as session:
        return len(session.exec(select(Attempt.id)).all())


def claim(here: Town, lease: timedelta) -> Claim:
    """The one person's engagement, as a worker takes it; with a lease that has run out, another can take it too."""
    with here.wiring.sessions.writing() as session:
        engagements.wake_all(session, here.now)
        (taken,) = claim_due(session, POLLING, here.now, lease, 1)
        return taken


def begun_at(here: Town) -> datetime | None:
    """When the stored answer was asked for."""
    with here.wiring.sessions.reading() as session:
        return session.exec(select(Engagement)).one().answer_begun_at
