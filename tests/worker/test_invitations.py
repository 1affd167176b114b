"""Looks for open invitations: what is kept and what never is, and whose trouble is whose."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest
from sqlmodel import select
from structlog.testing import capture_logs

from store import engagements
from store.engagements import InvitationLook
from store.identifiers import HsaId, SubjectId
from tests.stories.conftest import here as here
from tests.stories.town import CENTRE, Town
from worker import actors
from worker.actors import Kind
from worker.demo.people import Person
from worker.demo.region_state import AGGREGATOR, INDEX, Fault
from worker.importing import withdraw_consents
from worker.invitations import look_due
from worker.sources import (
    InvitationSource,
    Listing,
    Listings,
    NotOpen,
    ReportedInvitation,
    SourceGarbled,
    Unreadable,
)

LEASE = timedelta(minutes=2)
DAY = timedelta(days=1)


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    return sqlite_url


@pytest.fixture
def anna(here: Town) -> Person:
    (anna,) = here.enrol(1)
    here.poll()
    return anna


@dataclass
class Index:
    """The region's source, with an index and facilities that say what the test wants."""

    behind: InvitationSource
    listed: Listings | None = None
    said: Callable[[], ReportedInvitation | NotOpen | Unreadable] | None = None
    can_ask_directly: bool = True
    has_invitations: bool = True
    name: str = "region"
    asked: list[str] = field(default_factory=list)

    def listings(self, subject: SubjectId) -> Listings:
        return self.listed or self.behind.listings(subject)

    def invitation(self, subject: SubjectId, listing: Listing) -> ReportedInvitation | NotOpen | Unreadable:
        self.asked.append(listing.booking_id)
        return self.said() if self.said else self.behind.invitation(subject, listing)


def looked(here: Town, source: object | None = None) -> InvitationLook:
    """One look at everybody now; the row afterwards."""
    syncing = here.wiring.syncing
    syncing = syncing if source is None else replace(syncing, sources={"region": source})  # type: ignore[dict-item]
    with here.wiring.sessions.writing() as session:
        engagements.wake_all(session, here.now)
    assert look_due(syncing, LEASE, lambda: False) == 1
    with here.wiring.sessions.reading() as session:
        return session.exec(select(InvitationLook)).one()


def index(here: Town, **values: object) -> Index:
    return Index(here.wiring.syncing.sources["region"], **values)  # type: ignore[arg-type]


def written(here: Town) -> bytes:
    """All that the database file and its log hold."""
    return b"".join(path.read_bytes() for path in here.folder.glob("kallelse.db*"))


def listing(booking_id: str, *, is_invitation: bool = True) -> Listing:
    return Listing(HsaId(CENTRE), CENTRE, booking_id, is_invitation)


def test_nothing_of_the_index_is_written_anywhere_until_the_facility_has_spoken(here: Town, anna: Person) -> None:
    here.invite(anna, "K-NEVER-KEPT")
    here.fail(CENTRE, Fault.FAULT)
    look = looked(here)
    assert b"K-NEVER-KEPT" not in written(here)
    assert (look.failures, look.last_error) == (1, "fault")

    here.fail(CENTRE, Fault.OK)
    assert looked(here).failures == 0
    assert b"K-NEVER-KEPT" in written(here)


def test_an_unreadable_index_answer_is_not_even_kept_in_quarantine(here: Town, anna: Person) -> None:
    here.fail(INDEX, Fault.TRUNCATED)
    assert looked(here).last_error == "xml"
    with here.wiring.sessions.reading() as session:
        assert engagements.quarantined(session) == []


def test_an_unreadable_invitation_is_kept_apart_and_the_others_hold(here: Town, anna: Person) -> None:
    here.invite(anna, "GOOD")
    bad = Unreadable(HsaId(CENTRE), "BAD", "isInvitation is neither true nor false", b"<x/>", b"odd")
    source = index(here, listed=Listings((listing("BAD"),), is_whole=True, foreign=0), said=lambda: bad)
    looked(here)
    with capture_logs() as logs:
        looked(here, source)
        looked(here, source)
    assert [one["reason"] for one in logs if one["event"] == "invitation_quarantined"] == [bad.reason]
    assert len(here.to_dos(anna)) == 1

    def garbled() -> NotOpen:
        raise SourceGarbled("xml", "the answer is not well-formed XML", b"<junk")

    looked(here, replace(source, said=garbled))
    with here.wiring.sessions.reading() as session:
        assert [row.reason for row in engagements.quarantined(session)] == [bad.reason, "xml"]


def test_another_persons_invitation_is_dropped_and_alarmed_about(here: Town, anna: Person) -> None:
    listed = Listings((listing("K1"),), is_whole=False, foreign=2)
    with capture_logs() as logs:
        looked(here, index(here, listed=listed, said=lambda: NotOpen.OF_ANOTHER))
    assert [one["count"] for one in logs if one["event"] == "foreign_invitations_dropped"] == [3]
    assert here.to_dos(anna) == []


def test_bookings_that_the_index_lists_are_not_asked_about_again(here: Town, anna: Person) -> None:
    source = index(here, listed=Listings((listing("B1", is_invitation=False),), is_whole=True, foreign=0))
    looked(here, source)
    assert source.asked == []


def test_an_invitation_with_a_time_is_the_schedules_and_costs_no_question_of_its_own(here: Town, anna: Person) -> None:
    here.book(anna, here.now + 9 * DAY, "T1", is_invitation=True)
    here.poll()
    source = index(here, listed=Listings((listing("T1"), listing("K1")), is_whole=True, foreign=0))
    here.invite(anna, "K1")
    looked(here, source)
    assert source.asked == ["K1"]
    assert len(here.to_dos(anna)) == 1


def test_nobody_is_asked_about_without_a_consent_or_without_an_index(here: Town, anna: Person) -> None:
    source = index(here, has_invitations=False)
    assert looked(here, source).next_look_at == here.now + DAY
    with here.wiring.sessions.writing() as session:
        withdraw_consents(session, here.subject_id(anna), here.now)
    before = here.region.state.calls[INDEX]
    looked(here)
    assert here.region.state.calls[INDEX] == before


def test_an_index_in_trouble_is_asked_more_seldom_and_keeps_nobody_from_polls(here: Town, anna: Person) -> None:
    here.fail(INDEX, Fault.FAULT)
    for _ in range(24):
        look = looked(here)
        here.clock.forward(here.now + timedelta(seconds=1))
    assert look.last_error in ("fault", "open")
    assert look.next_look_at is not None
    assert look.next_look_at > here.now + timedelta(minutes=20)
    before = here.region.state.calls[AGGREGATOR]["aggregated"]
    here.wait(DAY / 2)
    assert here.region.state.calls[AGGREGATOR]["aggregated"] > before


def test_an_answer_that_is_as_before_calls_for_no_look(here: Town, anna: Person) -> None:
    before = here.region.state.calls[INDEX]
    for _ in range(3):
        here.clock.forward(here.now + timedelta(hours=1))
        actors.drain(here.wiring, Kind.POLL)
        actors.drain(here.wiring, Kind.INVITATIONS)
    assert here.region.state.calls[INDEX] == before
