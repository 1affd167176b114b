"""What any source of open invitations must do, whatever its wire: the index leads, the facility's own answer says.

An adapter's subclass gives the fixture `world`: a real server on this machine that speaks the adapter's wire.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import date

import pytest

from store.identifiers import PERSONNUMMER, HsaId, SubjectId
from tests.people import ANNA, BERTIL
from tests.wire import answers
from tests.wire.platform import Platform, answering, resetting
from worker.sources import (
    InvitationSource,
    Listing,
    NotOpen,
    ReportedInvitation,
    SourceError,
    SourceGarbled,
    SourceRefused,
    SourceUnavailable,
    Unreadable,
)
from worker.sources.rivta import RivtaSettings, RivtaSource

SUBJECT = SubjectId(ANNA.number, PERSONNUMMER)
OTHER = SubjectId(BERTIL.number, PERSONNUMMER)
CLINIC = HsaId("SE2321000016-1A2B")
LISTING = Listing(CLINIC, CLINIC, "K1", is_invitation=True)


@dataclass(frozen=True)
class Invited:
    """One invitation as the world has it. `until` is the exclusive end, as 14 digits; a `start` makes it a visit."""

    id: str = "K1"
    subject: SubjectId = SUBJECT
    start: str | None = None
    until: str | None = None
    is_invitation: str | None = "true"
    room: str = ""


class World(ABC):
    """A source, its index and a facility."""

    source: InvitationSource

    @abstractmethod
    def lists(self, *invited: Invited, where: str | None = CLINIC, category: str | None = "Invitation") -> None:
        """From now on the index answers these."""

    @abstractmethod
    def says(self, *invited: Invited) -> None:
        """From now on the facility answers these."""

    @abstractmethod
    def breaks_off(self) -> None: ...

    @abstractmethod
    def refuses(self) -> None: ...

    @abstractmethod
    def talks_nonsense(self) -> None: ...


class InvitationSourceTests:
    """Inherit, and give `world`."""

    def test_it_satisfies_the_protocol(self, world: World) -> None:
        assert isinstance(world.source, InvitationSource)
        assert world.source.has_invitations

    def test_what_the_index_lists_says_where_to_ask(self, world: World) -> None:
        world.lists(Invited("K1"), Invited("K2"), Invited("K1"))
        found = world.source.listings(SUBJECT)
        assert [(one.address, one.booking_id, one.is_invitation) for one in found.listed] == [
            (CLINIC, "K1", True),
            (CLINIC, "K2", True),
        ]
        assert (found.is_whole, found.foreign) == (True, 0)

    def test_an_index_without_anything_is_a_whole_answer(self, world: World) -> None:
        world.lists()
        found = world.source.listings(SUBJECT)
        assert (found.listed, found.is_whole) == ((), True)

    def test_a_booking_in_the_index_is_no_invitation(self, world: World) -> None:
        world.lists(Invited(), category="Booking")
        assert [one.is_invitation for one in world.source.listings(SUBJECT).listed] == [False]

    def test_another_persons_record_is_dropped_counted_and_spoils_the_proof(self, world: World) -> None:
        world.lists(Invited("K1"), Invited("K2", subject=OTHER))
        found = world.source.listings(SUBJECT)
        assert ([one.booking_id for one in found.listed], found.is_whole, found.foreign) == (["K1"], False, 1)

    @pytest.mark.parametrize("spoilt", [{"where": "vårdcentralen"}, {"where": None}, {"category": None}])
    def test_an_unreadable_record_spoils_the_proof(self, world: World, spoilt: dict[str, str | None]) -> None:
        world.lists(Invited(), **spoilt)
        found = world.source.listings(SUBJECT)
        assert (found.listed, found.is_whole) == ((), False)

    def test_more_records_than_anybody_has_are_no_proof(self, world: World) -> None:
        world.lists(*(Invited(f"K{number}") for number in range(201)))
        found = world.source.listings(SUBJECT)
        assert (len(found.listed), found.is_whole) == (200, False)

    def test_an_open_invitation_has_no_time(self, world: World) -> None:
        world.says(Invited())
        said = world.source.invitation(SUBJECT, LISTING)
        assert isinstance(said, ReportedInvitation)
        assert (said.booking_id, said.facility, said.due_on) == ("K1", CLINIC, None)

    @pytest.mark.parametrize(
        ("until", "day"),
        [
            ("20270116000000", date(2027, 1, 15)),
            ("20270115170000", date(2027, 1, 15)),
            ("20270116000001", date(2027, 1, 16)),
        ],
    )
    def test_an_end_without_a_start_is_the_last_day(self, world: World, until: str, day: date) -> None:
        world.says(Invited(until=until))
        said = world.source.invitation(SUBJECT, LISTING)
        assert isinstance(said, ReportedInvitation)
        assert said.due_on == day

    @pytest.mark.parametrize(
        ("invited", "instead"),
        [
            (Invited(start="20261201133000"), NotOpen.HAS_TIME),
            (Invited(start="20261201133000", is_invitation=None), NotOpen.HAS_TIME),
            (Invited(is_invitation=None), NotOpen.NOT_INVITED),
            (Invited(is_invitation="false"), NotOpen.NOT_INVITED),
            (Invited(subject=OTHER), NotOpen.OF_ANOTHER),
        ],
    )
    def test_what_is_no_open_invitation_of_the_subjects_says_so(
        self, world: World, invited: Invited, instead: NotOpen
    ) -> None:
        world.says(invited)
        assert world.source.invitation(SUBJECT, LISTING) is instead

    @pytest.mark.parametrize(
        "invited",
        [Invited("K9"), Invited(start="soon"), Invited(until="20270230000000"), Invited(is_invitation="maybe")],
    )
    def test_what_cannot_be_read_says_so_without_its_value(self, world: World, invited: Invited) -> None:
        world.says(invited)
        said = world.source.invitation(SUBJECT, LISTING)
        assert isinstance(said, Unreadable)
        assert "maybe" not in said.reason
        assert "soon" not in said.reason

    def test_the_digest_changes_with_the_content_alone(self, world: World) -> None:
        digests = []
        for room in ("", "4", "4"):
            world.says(Invited(room=room))
            said = world.source.invitation(SUBJECT, LISTING)
            assert isinstance(said, ReportedInvitation)
            digests.append(said.digest)
        assert digests[0] != digests[1] == digests[2]

    def test_an_answer_without_a_slot_is_no_answer(self, world: World) -> None:
        world.says()
        with pytest.raises(SourceUnavailable):
            world.source.invitation(SUBJECT, LISTING)

    def test_each_trouble_is_told_apart_and_holds_no_identity_number(self, world: World) -> None:
        troubles = {
            world.breaks_off: SourceUnavailable,
            world.refuses: SourceRefused,
            world.talks_nonsense: SourceGarbled,
        }
        for trouble, kind in troubles.items():
            trouble()
            for ask in (lambda: world.source.listings(SUBJECT), lambda: world.source.invitation(SUBJECT, LISTING)):
                with pytest.raises(SourceError) as caught:
                    ask()
                assert type(caught.value) is kind
                assert SUBJECT.number not in f"{caught.value} {caught.value!r}"


class RivtaWorld(World):
    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        settings = RivtaSettings("region", platform.url, "5565594230", direct=True, index_logical_address="5565594230")
        self.source: RivtaSource = RivtaSource(settings)

    def lists(self, *invited: Invited, where: str | None = CLINIC, category: str | None = "Invitation") -> None:
        records = [
            answers.record(
                one.subject.number,
                businessObjectInstanceIdentifier=one.id,
                logicalAddress=where,
                categorization=category,
            )
            for one in invited
        ]
        self._platform.behave = answering(answers.index(*records))

    def says(self, *invited: Invited) -> None:
        slots = [
            answers.slot(
                one.subject.number,
                startTimeInclusive=one.start,
                endTimeExclusive=one.until,
                bookingId=one.id,
                resourceName=one.room,
                isInvitation=one.is_invitation,
            )
            for one in invited
        ]
        self._platform.behave = answering(answers.details(*slots))

    def breaks_off(self) -> None:
        self._platform.behave = resetting

    def refuses(self) -> None:
        self._platform.behave = answering(answers.fault(f"VP007 {SUBJECT.number} not authorized"), 500)

    def talks_nonsense(self) -> None:
        self._platform.behave = answering(f"<html>{SUBJECT.number}</html>".encode())


class TestRivta(InvitationSourceTests):
    @pytest.fixture
    def world(self) -> Iterator[World]:
        with ExitStack() as stack:
            world = RivtaWorld(stack.enter_context(Platform(resetting)))
            stack.callback(world.source.close)
            yield world
