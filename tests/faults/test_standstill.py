"""After workers have stood still or died: what is too late is counted and not sent, the rest goes out in order, and
what a dead worker had in its hands is neither lost nor sent twice."""

import threading
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

import pytest

from notifier import dispatch, receipts
from notifier.channels import Accepted, Channel, Message
from notifier.channels.twilio_receipts import ReceivedReceipt
from notifier.dispatch import DispatchSettings
from notifier.last_check import MOST_CRASHES
from notifier.pacing import Pace
from store import ledger
from store.deliveries import DeliveryState
from store.ledger import LedgerEntry
from store.sending import anything_to_send, claim_to_send
from store.vault import SubjectCipher, Vault, read_key_file
from tests.faults.waiting import wait_until
from tests.stories.town import CENTRE, LABORATORY, SWEDEN, Town
from worker import actors
from worker.actors import Kind
from worker.clock import Metronome
from worker.demo.people import Person

HOUR = timedelta(hours=1)
STANDSTILL = 30 * HOUR
DIED = -1
RADIOLOGY = "SE2321000016-2B20"
SHORT = DispatchSettings(lease=timedelta(seconds=0.6), timeout=timedelta(seconds=0.1))


def at(day: int, hour: int, minute: int = 0) -> datetime:
    """In November 2026, by Swedish clocks; the town's day is Tuesday the 24th."""
    return datetime(2026, 11, day, hour, minute, tzinfo=SWEDEN)


@pytest.fixture
def cast(here: Town) -> list[Person]:
    """Six people, each with visits on the three days to come, known since before."""
    cast = here.enrol(6)
    for place, person in enumerate(cast):
        for day in (25, 26, 27):
            facility = CENTRE if place % 2 else LABORATORY
            here.book(person, at(day, 9 + place, 5 * place), f"V{day}-{place}", facility)
    here.poll()
    here.until(at(24, 12))
    return cast


def test_after_30_hours_what_is_too_late_is_counted_and_the_rest_goes_out_in_visit_order(
    here: Town, cast: list[Person]
) -> None:
    before = {entry.delivery.id for entry in entries(here)}
    here.clock.forward(here.now + STANDSTILL)  # to Wednesday 18.00
    here.register(len(cast))
    here.work()

    late = [entry for entry in entries(here) if entry.delivery.id not in before]
    sent = sorted((entry for entry in late if entry.attempts), key=lambda entry: entry.attempts[0].began_at)
    assert {entry.delivery.state for entry in sent} == {DeliveryState.ACCEPTED}
    assert [entry.delivery.visit_at for entry in sent] == sorted(entry.delivery.visit_at for entry in sent)
    assert [local(entry.delivery.visit_at).day for entry in sent] == [26] * len(cast)  # Friday's: 12 hours later
    expired = [entry.delivery for entry in late if entry.delivery.state == DeliveryState.EXPIRED]
    assert sorted(one.visit_at for one in expired if one.purpose == "reminder") == [
        at(25, 9 + place, 5 * place) for place in range(6)
    ]
    assert {one.reason for one in expired} == {"missed"}
    assert {entry.delivery.state for entry in late} == {DeliveryState.ACCEPTED, DeliveryState.EXPIRED}
    here.until(at(26, 8))
    deadlines = [one.delivery for one in entries(here) if local(one.delivery.visit_at).day == 27]
    assert [(one.purpose, one.state) for one in deadlines] == [("deadline", "accepted")] * 3  # who can cancel at a fee


@pytest.mark.parametrize("back_at", [at(25, 23), at(26, 3), at(26, 8, 30)])
def test_whenever_workers_come_back_nothing_is_told_after_the_visit_or_outside_the_day(
    here: Town, cast: list[Person], back_at: datetime
) -> None:
    before = {entry.delivery.id for entry in entries(here)}
    here.clock.forward(back_at)
    here.register(len(cast))
    here.work()
    for day, hour in ((26, 8), (26, 10), (26, 16), (26, 23), (27, 5), (27, 8), (27, 12)):
        here.until(at(day, hour))

    late = [entry.delivery for entry in entries(here) if entry.delivery.id not in before]
    assert {one.state for one in late} <= {DeliveryState.ACCEPTED, DeliveryState.EXPIRED, DeliveryState.SKIPPED}
    told = [(one.settled_at, one.useful_until) for one in late if one.state == DeliveryState.ACCEPTED]
    assert told
    for settled_at, useful_until in told:
        assert settled_at is not None
        assert settled_at <= useful_until
        assert 8 <= local(settled_at).hour < 20
    assert all(one.state != DeliveryState.SKIPPED or one.reason == "told_recently" for one in late)


class Watch:
    """Monotonic time that passes only while somebody sleeps."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self._lock = threading.Lock()

    def now(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        with self._lock:
            self.seconds += seconds


def test_after_12_hours_nobody_is_woken_and_in_the_morning_what_is_of_use_goes_in_visit_order_and_paced(
    here: Town, cast: list[Person]
) -> None:
    """From Tuesday noon to midnight: Wednesday's visits were to be reminded of at 16.00."""
    for place, person in enumerate(cast):
        here.book(person, at(25, 15, 5 * place), f"SCAN{place}", RADIOLOGY)
    here.poll()
    here.wait(timedelta(minutes=3))  # those that are new are confirmed
    before, told = {entry.delivery.id for entry in entries(here)}, len(here.providers.messages())
    watch, a_second = Watch(), 2
    here.wiring = replace(here.wiring, pace=Pace(a_second, watch.now, watch.sleep))

    here.clock.forward(here.now + 12 * HOUR)
    here.register(len(cast))
    here.work()
    assert len(here.providers.messages()) == told
    here.until(at(25, 8))

    late = [entry.delivery for entry in entries(here) if entry.delivery.id not in before]
    sent = {one.id: one for one in late if one.state == DeliveryState.ACCEPTED}
    missed = sorted(one.visit_at for one in late if one.state == DeliveryState.EXPIRED)
    assert missed == [at(25, 9 + place, 5 * place) for place in range(3)]  # of use until 05.00, 06.05 and 07.10
    assert sorted(one.visit_at for one in sent.values()) == [
        *(at(25, 9 + place, 5 * place) for place in range(3, 6)),
        *(at(25, 15, 5 * place) for place in range(6)),
    ]
    assert len(late) == len(sent) + len(missed)
    assert all(one.settled_at == at(25, 8) <= one.useful_until for one in sent.values())
    order = [entry for entry in entries(here) if entry.delivery.id in sent]
    order.sort(key=lambda entry: entry.attempts[0].began_at)
    assert [one.delivery.visit_at for one in order] == sorted(one.delivery.visit_at for one in order)
    texts = sum(one.channel == "sms" for one in sent.values())
    assert watch.seconds >= (texts - 1) / a_second > 2


@pytest.fixture
def two(here: Town) -> list[Person]:
    """Two people with a visit tomorrow each, of which they are reminded today at 16.00."""
    two = here.enrol(2)
    for place, person in enumerate(two):
        here.book(person, at(25, 10 + place), f"V{place}")
    here.poll()
    here.until(at(24, 15, 59))
    assert here.providers.messages() == []
    return two


def test_a_tick_ten_minutes_late_loses_nothing(here: Town, two: list[Person]) -> None:
    def ring(kind: str) -> None:
        actors.drain(here.wiring, Kind(kind))

    clock = Metronome(here.wiring.sessions, here.clock.now, actors.ticks(here.wiring), ring, seconds=3600)
    clock.tick()
    here.clock.forward(at(24, 16, 10))
    clock.tick()

    assert [one.to for one in here.providers.messages()] == [person.phone for person in two]


@dataclass
class Ward:
    """One town with two people's reminders due."""

    here: Town
    people: list[Person]

    def send(self, channel: Channel | None = None, vault: Vault | None = None) -> int:
        """One worker's batch under a short lease: how many deliveries, or DIED."""
        wiring = self.here.wiring
        channels = wiring.channels if channel is None else {**wiring.channels, "sms": channel}
        try:
            return dispatch.send_due(wiring.sessions, vault or wiring.vault, channels, wiring.now, SHORT).total()
        except SystemExit:
            return DIED

    def is_free(self) -> bool:
        """Whether a delivery is due that no living worker holds."""
        with self.here.wiring.sessions.reading() as session:
            return anything_to_send(session, self.here.now)

    def deliveries(self) -> list[LedgerEntry]:
        """The reminders, the first visit first."""
        found = [entry for entry in entries(self.here) if entry.delivery.purpose == "reminder"]
        return sorted(found, key=lambda entry: entry.delivery.visit_at)


@pytest.fixture
def ward(here: Town, two: list[Person]) -> Ward:
    here.clock.forward(at(24, 16))
    actors.drain(here.wiring, Kind.PLAN)
    return Ward(here, two)


def test_a_worker_that_dies_before_its_attempt_costs_one_lease(ward: Ward) -> None:
    with ward.here.wiring.sessions.writing() as session:
        assert len(claim_to_send(session, ward.here.now, timedelta(seconds=1), 50)) == 2
    assert ward.send() == 0
    wait_until(ward.is_free, "the dead worker's lease to run out")
    while ward.send():
        pass

    assert {(one.delivery.state, one.delivery.crash_count) for one in ward.deliveries()} == {("accepted", 1)}
    assert len(ward.here.providers.messages()) == 2


def test_a_delivery_that_kills_every_worker_is_set_aside_and_the_others_go_out(ward: Ward) -> None:
    victim = ward.deliveries()[0].delivery
    vault = DeadlyVault(read_key_file(ward.here.folder / "keys.json"))
    vault.victim = victim.subject_id
    deaths = 0
    while any(entry.delivery.state == DeliveryState.QUEUED for entry in ward.deliveries()):
        wait_until(ward.is_free, "the dead worker's lease to run out")
        deaths += ward.send(vault=vault) == DIED

    assert deaths == 1 + MOST_CRASHES  # the first time it may have been the other one of its batch
    first, second = (entry.delivery for entry in ward.deliveries())
    assert (first.state, first.reason) == ("failed", "poison")
    assert second.state == "accepted"
    assert [one.to for one in ward.here.providers.messages()] == [ward.people[1].phone]


class DeadlyVault(Vault):
    """What kills the worker that opens one person's key."""

    victim: UUID

    def cipher(self, subject_id: UUID, wrapped: str) -> SubjectCipher:
        if subject_id == self.victim:
            raise SystemExit
        return super().cipher(subject_id, wrapped)


def test_a_worker_that_dies_after_its_attempt_leaves_it_uncertain_until_a_late_receipt(ward: Ward) -> None:
    here = ward.here
    assert ward.send(DyingAfterwards(here.wiring.channels["sms"])) == DIED
    wiring = here.wiring
    wait_until(lambda: dispatch.recover(wiring.sessions, wiring.patience) == 1, "the dead worker's lease to run out")
    wait_until(ward.is_free, "the other delivery's lease to run out")
    while ward.send():
        pass
    for _ in range(12):
        here.wait(HOUR)

    assert [entry.delivery.state for entry in ward.deliveries()] == ["uncertain", "accepted"]
    assert [one.to for one in here.providers.messages()] == [person.phone for person in ward.people]

    (attempt,) = ward.deliveries()[0].attempts
    taken = here.providers.messages()[0].id
    arrived = ReceivedReceipt("twilio", taken, "delivered", "", attempt.public_id)
    assert receipts.record(here.wiring.sessions, arrived, attempt.began_at)
    here.work()

    assert [entry.delivery.state for entry in ward.deliveries()] == ["delivered", "accepted"]
    assert ward.deliveries()[0].attempts[0].provider_id == taken


class DyingAfterwards:
    """A channel whose worker dies when the provider has the message, before it can say so."""

    name = "sms"

    def __init__(self, behind: Channel) -> None:
        self._behind = behind
        self.provider = behind.provider

    def send(self, message: Message) -> Accepted:
        self._behind.send(message)
        raise SystemExit


def entries(here: Town) -> list[LedgerEntry]:
    with here.wiring.sessions.reading() as session:
        return list(ledger.entries(session, here.wiring.vault))


def local(instant: datetime) -> datetime:
    return instant.astimezone(SWEDEN)
