"""What any booking source must do, whatever its wire: each adapter brings a world of its own and inherits the rest.

An adapter's subclass gives the fixture `world`: a real server on this machine that speaks the adapter's wire.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import pytest

from store.identifiers import PERSONNUMMER, HsaId, SubjectId, parse_hsa_id
from tests.people import ANNA, BERTIL
from tests.wire import answers
from tests.wire.platform import Behaviour, Platform, answering, resetting
from worker.sources import (
    AddressStatus,
    BookingSource,
    ReportedBooking,
    Snapshot,
    SourceError,
    SourceGarbled,
    SourceRefused,
    SourceUnavailable,
    Unreadable,
)
from worker.sources.rivta import RivtaSettings, RivtaSource

SUBJECT = SubjectId(ANNA.number, PERSONNUMMER)
OTHER = SubjectId(BERTIL.number, PERSONNUMMER)
NORTH, SOUTH = HsaId("SE2321000016-1A2B"), HsaId("SE2321000016-3C4D")


@dataclass(frozen=True)
class Booked:
    """One booking as the world has it. `start` is Swedish local time, or None for one that cannot be read."""

    id: str = "1001"
    subject: SubjectId = SUBJECT
    facility: str = NORTH
    start: datetime | None = field(default_factory=lambda: datetime(2026, 12, 1, 13, 30))  # noqa: DTZ001
    room: str = ""


class World(ABC):
    """A source and what stands behind it."""

    source: BookingSource

    @abstractmethod
    def has(self, *booked: Booked, silent: frozenset[HsaId] = frozenset()) -> None:
        """From now on these are answered, whoever is asked about; `silent` facilities do not answer in time."""

    @abstractmethod
    def breaks_off(self) -> None: ...

    @abstractmethod
    def refuses(self) -> None: ...

    @abstractmethod
    def talks_nonsense(self) -> None: ...


class BookingSourceTests:
    """Inherit, and give `world`."""

    def test_it_satisfies_the_protocol(self, world: World) -> None:
        source: BookingSource = world.source
        assert source.name
        assert isinstance(source.can_ask_directly, bool)

    def test_a_booking_comes_with_its_instant_in_utc(self, world: World) -> None:
        world.has(Booked())
        (booking,) = bookings(world.source.schedule(SUBJECT))
        assert (booking.booking_id, booking.facility) == ("1001", NORTH)
        assert booking.start_at == datetime(2026, 12, 1, 12, 30, tzinfo=UTC)
        assert booking.start_at.tzinfo is UTC

    def test_an_unchanged_answer_has_an_unchanged_digest_in_any_order(self, world: World) -> None:
        one, two = Booked("1"), Booked("2", facility=SOUTH)
        before, after = snapshots(world, lambda: world.has(one, two), lambda: world.has(two, one))
        assert before.digest == after.digest

    def test_only_the_changed_booking_has_a_changed_digest(self, world: World) -> None:
        one, two = Booked("1"), Booked("2")
        before, after = snapshots(world, lambda: world.has(one, two), lambda: world.has(one, replace(two, room="4")))
        assert before.digest != after.digest
        assert len({slot.digest for slot in before.slots} & {slot.digest for slot in after.slots}) == 1

    def test_the_digest_of_a_booking_is_that_of_its_slot(self, world: World) -> None:
        world.has(Booked())
        (slot,) = world.source.schedule(SUBJECT).slots
        assert slot.read().digest == slot.digest
        assert slot.read() == slot.read()

    def test_another_persons_booking_is_dropped_and_counted(self, world: World) -> None:
        world.has(Booked("1"), Booked("2", subject=OTHER))
        snapshot = world.source.schedule(SUBJECT)
        assert ([one.booking_id for one in bookings(snapshot)], snapshot.foreign) == (["1"], 1)

    def test_a_booking_that_cannot_be_read_leaves_the_others_readable(self, world: World) -> None:
        world.has(Booked("1"), Booked("2", start=None))
        readings = [slot.read() for slot in world.source.schedule(SUBJECT).slots]
        (bad,) = [reading for reading in readings if isinstance(reading, Unreadable)]
        assert (bad.facility, bad.booking_id) == (NORTH, "2")
        assert SUBJECT.number not in bad.reason
        assert len(readings) == 2

    def test_an_empty_answer_is_an_answer_and_not_an_error(self, world: World) -> None:
        world.has()
        snapshot = world.source.schedule(SUBJECT)
        assert (snapshot.slots, snapshot.foreign) == ((), 0)

    def test_a_silent_facility_gives_no_evidence(self, world: World) -> None:
        world.has(Booked("1"), Booked("2", facility=SOUTH), silent=frozenset({SOUTH}))
        snapshot = world.source.schedule(SUBJECT)
        assert snapshot.direct_to is None
        assert snapshot.statuses[NORTH] is AddressStatus.FROM_SOURCE
        assert snapshot.statuses.get(SOUTH) is not AddressStatus.FROM_SOURCE

    def test_silence_alone_changes_the_digest(self, world: World) -> None:
        one = Booked("1")
        before, after = snapshots(
            world,
            lambda: world.has(one),
            lambda: world.has(one, Booked("2", facility=SOUTH), silent=frozenset({SOUTH})),
        )
        assert before.digest != after.digest

    def test_a_facility_asked_directly_answers_for_itself(self, world: World) -> None:
        if not world.source.can_ask_directly:
            pytest.skip("this source is not asked about single facilities")
        world.has(Booked())
        snapshot = world.source.schedule_at(SUBJECT, NORTH.lower())
        assert (snapshot.direct_to, dict(snapshot.statuses), len(snapshot.slots)) == (NORTH, {}, 1)

    def test_a_connection_that_breaks_is_unavailable(self, world: World) -> None:
        world.breaks_off()
        assert type(error(world)) is SourceUnavailable

    def test_a_refusal_needs_a_person(self, world: World) -> None:
        world.refuses()
        assert type(error(world)) is SourceRefused

    def test_nonsense_is_kept_as_evidence(self, world: World) -> None:
        world.talks_nonsense()
        caught = error(world)
        assert isinstance(caught, SourceGarbled)
        assert caught.content

    def test_no_error_and_no_repr_holds_an_identity_number(self, world: World) -> None:
        for trouble in (world.breaks_off, world.refuses, world.talks_nonsense):
            trouble()
            caught = error(world)
            assert SUBJECT.number not in f"{caught} {caught!r}"
            assert len(caught.code) <= 20
        world.has(Booked())
        assert SUBJECT.number not in repr(world.source.schedule(SUBJECT))


def bookings(snapshot: Snapshot) -> list[ReportedBooking]:
    readings = [slot.read() for slot in snapshot.slots]
    return [reading for reading in readings if isinstance(reading, ReportedBooking)]


def snapshots(world: World, *changes: Callable[[], None]) -> list[Snapshot]:
    taken = []
    for change in changes:
        change()
        taken.append(world.source.schedule(SUBJECT))
    return taken


def error(world: World) -> SourceError:
    with pytest.raises(SourceError) as caught:
        world.source.schedule(SUBJECT)
    return caught.value


class RivtaWorld(World):
    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self.source: RivtaSource = RivtaSource(RivtaSettings("region", platform.url, "5565594230", direct=True))

    def has(self, *booked: Booked, silent: frozenset[HsaId] = frozenset()) -> None:
        told = [_slot(one) for one in booked if parse_hsa_id(one.facility) not in silent]
        said = [answers.status(address) for address in sorted({one.facility for one in booked} - silent)]
        failed = [answers.status(address, "NoDataSynchFailed") for address in silent]
        self._behave(answering(answers.aggregated(told, said + failed)) if silent else _by_address(told, said))

    def breaks_off(self) -> None:
        self._behave(resetting)

    def refuses(self) -> None:
        self._behave(answering(answers.fault(f"VP007 {SUBJECT.number} not authorized"), 500))

    def talks_nonsense(self) -> None:
        self._behave(answering(f"<html>{SUBJECT.number}</html>".encode()))

    def _behave(self, behaviour: Behaviour) -> None:
        self._platform.behave = behaviour


class TestRivta(BookingSourceTests):
    @pytest.fixture
    def world(self) -> Iterator[World]:
        with ExitStack() as stack:
            platform = stack.enter_context(Platform(resetting))
            world = RivtaWorld(platform)
            stack.callback(world.source.close)
            yield world


def _slot(one: Booked) -> str:
    start = None if one.start is None else f"{one.start:%Y%m%d%H%M%S}"
    facts = {"bookingId": one.id, "healthcare_facility": one.facility, "resourceName": one.room}
    return answers.slot(one.subject.number, startTimeInclusive=start, endTimeExclusive=None, **facts)


def _by_address(told: list[str], said: list[str]) -> Behaviour:
    """The aggregating service's answer, or the facility's own, by the logical address that was asked."""

    def behave(handler) -> None:  # type: ignore[no-untyped-def]
        aggregating = b"LogicalAddress>5565594230<" in handler.server.platform.questions[-1].content
        answering(answers.aggregated(told, said) if aggregating else answers.direct(*told))(handler)

    return behave
