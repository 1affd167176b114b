"""What we ask of the engagement index and of facilities follows the published contracts, by schemas and by zeep."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from lxml import etree
from zeep import Client, Settings

from store.identifiers import PERSONNUMMER, HsaId, SubjectId
from store.leaflets import plain
from tests.wire import schemas
from tests.wire.answers import details, index, record, slot
from tests.wire.platform import Platform, answering
from tests.worker.sources.rivta.conftest import SUBJECT, SourceAt
from tests.worker.sources.rivta.test_contract import NoNetwork, meaning
from worker.sources import Listing, ReportedInvitation, SourceRefused
from worker.sources.rivta import RivtaSource

FACILITY = "SE2321000016-1a2b"
LISTING = Listing(HsaId("SE2321000016-1A2B"), FACILITY, "K1", is_invitation=True)
OWNER = "5565594230"
ACTOR = {"actorId": SUBJECT.number, "actorType": "subject_of_care"}


@pytest.fixture
def source(platform: Platform, source_at: SourceAt) -> RivtaSource:
    return source_at(platform.url, index_logical_address=OWNER)


@pytest.fixture(scope="module")
def clients(shared: Path) -> Iterator[dict[str, Client]]:
    with NoNetwork().session as session:
        transport, settings = NoNetwork(session=session), Settings(strict=True)
        yield {
            name: Client(str(shared / "contracts" / name), transport=transport, settings=settings)
            for name in (schemas.INDEX_WSDL, schemas.DETAILS_WSDL)
        }


def test_the_index_is_asked_as_zeep_would_ask_it_and_without_a_category(
    platform: Platform, source: RivtaSource, clients: dict[str, Client], shared: Path
) -> None:
    platform.behave = answering(index())
    source.listings(SUBJECT)
    (asked,) = platform.questions
    client = clients[schemas.INDEX_WSDL]
    theirs = client.create_message(
        client.service,
        "FindContent",
        registeredResidentIdentification=SUBJECT.number,
        serviceDomain="riv:crm:scheduling",
        _soapheaders={"LogicalAddress": OWNER},
    )
    ours = etree.fromstring(asked.content)
    assert meaning(ours) == meaning(theirs)
    assert schemas.faults_of(ours[1][0], shared / "contracts" / schemas.INDEX_BODY) == []
    operation = client.service._binding._operations["FindContent"]
    assert asked.headers["SOAPAction"].strip('"') == operation.soapaction
    assert asked.path == "/vp/FindContent/1/rivtabp21"


def test_a_facility_is_asked_as_zeep_would_ask_it_at_the_address_as_the_index_wrote_it(
    platform: Platform, source: RivtaSource, clients: dict[str, Client], shared: Path
) -> None:
    platform.behave = answering(details(slot(SUBJECT.number, bookingId="K1")))
    source.invitation(SUBJECT, LISTING)
    (asked,) = platform.questions
    client = clients[schemas.DETAILS_WSDL]
    theirs = client.create_message(
        client.service,
        "GetBookingDetails",
        healthcare_facility=FACILITY,
        bookingId="K1",
        _soapheaders={"LogicalAddress": FACILITY, "actor": ACTOR},
    )
    ours = etree.fromstring(asked.content)
    assert meaning(ours) == meaning(theirs)
    assert schemas.faults_of(ours[1][0], shared / "contracts" / schemas.DETAILS_BODY) == []
    operation = client.service._binding._operations["GetBookingDetails"]
    assert asked.headers["SOAPAction"].strip('"') == operation.soapaction
    assert asked.path == "/vp/GetBookingDetails/1/rivtabp21"


def test_the_answers_of_these_tests_are_valid_by_the_published_schemas(shared: Path) -> None:
    invited = slot(SUBJECT.number, startTimeInclusive=None, isInvitation="true", purpose="Välkommen")
    for answer, body in ((details(invited), schemas.DETAILS_BODY), (index(record(SUBJECT.number)), schemas.INDEX_BODY)):
        assert schemas.faults_of(etree.fromstring(answer)[0][0], shared / "contracts" / body) == []


def test_the_units_text_is_read_and_the_citizens_reason_never(platform: Platform, source: RivtaSource) -> None:
    text = "<article xmlns='http://docbook.org/ns/docbook'><para>Ring först.</para></article>"
    fields = {"startTimeInclusive": None, "endTimeExclusive": None, "bookingId": None, "reason": "ont i ryggen"}
    platform.behave = answering(details(slot(SUBJECT.number, isInvitation="true", purpose=text, **fields)))
    said = source.invitation(SUBJECT, LISTING)
    assert isinstance(said, ReportedInvitation)
    assert (said.booking_id, plain(said.preparations)) == ("K1", "Ring först.")

    platform.behave = answering(details(slot(SUBJECT.number, isInvitation="maybe", **fields)))
    assert b"ryggen" not in source.invitation(SUBJECT, LISTING).content  # type: ignore[union-attr]


def test_without_an_index_or_a_number_that_fits_nothing_is_asked(platform: Platform, source_at: SourceAt) -> None:
    without = source_at(platform.url)
    assert not without.has_invitations
    with pytest.raises(SourceRefused):
        without.listings(SUBJECT)
    reserve = SubjectId("99A", PERSONNUMMER)
    with pytest.raises(SourceRefused):
        source_at(platform.url, index_logical_address=OWNER).listings(reserve)
    assert not source_at(platform.url, index_logical_address=OWNER, direct=False).has_invitations
    assert platform.questions == []
