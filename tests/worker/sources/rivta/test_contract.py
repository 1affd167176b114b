"""What we send follows the published contract, by the schemas and by a second SOAP client (zeep)."""

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from lxml import etree
from zeep import Client, Settings, Transport

from tests.wire import schemas
from tests.wire.answers import aggregated, slot, status
from tests.wire.platform import Platform, answering
from tests.worker.sources.rivta.conftest import AGGREGATING, SUBJECT
from worker.sources.rivta import RivtaSource

FACILITY = "SE2321000016-1a2b"


class NoNetwork(Transport):
    """The published files lie on disk; anything else is a mistake."""

    def load(self, url: str) -> Any:
        if url.startswith(("http:", "https:")):
            raise AssertionError("a published file was sought on the network")
        return super().load(url)


@pytest.fixture(scope="module")
def zeep_client(shared: Path) -> Iterator[Client]:
    with NoNetwork().session as session:
        transport = NoNetwork(session=session)
        yield Client(str(shared / "contracts" / schemas.WSDL), transport=transport, settings=Settings(strict=True))


def asked(platform: Platform, source: RivtaSource, *, directly: bool) -> etree._Element:
    platform.behave = answering(aggregated([], []))
    if directly:
        source.schedule_at(SUBJECT, FACILITY)
    else:
        source.schedule(SUBJECT)
    return etree.fromstring(platform.questions[-1].content)


@pytest.mark.parametrize("asked_where", ["aggregating", "facility"])
def test_what_we_ask_is_valid_by_the_published_schemas(
    platform: Platform, source: RivtaSource, shared: Path, asked_where: str
) -> None:
    envelope = asked(platform, source, directly=asked_where == "facility")
    logical_address, actor = envelope[0]
    contracts = shared / "contracts"
    assert schemas.faults_of(logical_address, contracts / schemas.REGISTRY) == []
    assert schemas.faults_of(actor, contracts / schemas.HEADERS) == []
    assert schemas.faults_of(envelope[1][0], contracts / schemas.BODY) == []


@pytest.mark.parametrize("asked_where", ["aggregating", "facility"])
def test_zeep_would_ask_the_same(
    platform: Platform, source: RivtaSource, zeep_client: Client, asked_where: str
) -> None:
    address = FACILITY if asked_where == "facility" else AGGREGATING
    theirs = zeep_client.create_message(
        zeep_client.service,
        "GetSubjectOfCareSchedule",
        healthcare_facility=address,
        subject_of_care=SUBJECT.number,
        _soapheaders={
            "LogicalAddress": address,
            "actor": {"actorId": SUBJECT.number, "actorType": "subject_of_care"},
        },
    )
    assert meaning(asked(platform, source, directly=asked_where == "facility")) == meaning(theirs)


def test_the_action_and_the_path_are_the_contracts(
    platform: Platform, source: RivtaSource, zeep_client: Client
) -> None:
    asked(platform, source, directly=False)
    (question,) = platform.questions
    operation = zeep_client.service._binding._operations["GetSubjectOfCareSchedule"]
    assert question.headers["SOAPAction"].strip('"') == operation.soapaction
    assert question.path == "/vp/GetSubjectOfCareSchedule/1/rivtabp21"
    assert question.headers["Content-Type"] == "text/xml; charset=utf-8"


def test_the_answers_of_these_tests_are_valid_and_zeep_reads_them_as_we_do(
    platform: Platform, source: RivtaSource, shared: Path, zeep_client: Client
) -> None:
    answer = aggregated([slot(SUBJECT.number, isInvitation="true")], [status(FACILITY)])
    envelope = etree.fromstring(answer)
    contracts = shared / "contracts"
    assert schemas.faults_of(envelope[0][0], contracts / schemas.HEADERS) == []
    assert schemas.faults_of(envelope[1][0], contracts / schemas.BODY) == []

    platform.behave = answering(answer)
    (ours,) = (reported.read() for reported in source.schedule(SUBJECT).slots)
    service = zeep_client.create_service(
        "{urn:riv:crm:scheduling:GetSubjectOfCareSchedule:1:rivtabp21}GetSubjectOfCareScheduleResponderBinding",
        platform.url,
    )
    (theirs,) = service.GetSubjectOfCareSchedule(FACILITY, SUBJECT.number, _soapheaders=[]).timeslotDetail
    assert (theirs.bookingId, theirs.healthcare_facility) == (ours.booking_id, ours.facility_spelling)
    assert theirs.isInvitation is ours.is_invitation is True


def test_the_schemas_catch_what_they_should(shared: Path) -> None:
    envelope = etree.fromstring(aggregated([slot(SUBJECT.number, startTimeInclusive="202612011330")], []))
    assert schemas.faults_of(envelope[1][0], shared / "contracts" / schemas.BODY)


def meaning(envelope: etree._Element) -> set[tuple[str, str]]:
    """Each leaf's path and text, whatever the prefixes and the order of the headers."""
    tree = etree.parse(io.BytesIO(etree.tostring(envelope)))
    return {(tree.getelementpath(leaf), leaf.text or "") for leaf in tree.iter("*") if not len(leaf)}
