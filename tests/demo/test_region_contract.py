"""The region against the published contract: its schemas, its WSDL and a second, independent client."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
import zeep
from lxml import etree
from zeep.helpers import serialize_object

from tests.demo.conftest import AGGREGATOR, PATH, QUESTION, Asker, texts
from worker.demo.facilities import FACILITIES
from worker.demo.region import RunningRegion

CONTRACTS = Path(__file__).parents[3] / "shared" / "contracts" / "riv-crm-scheduling-1.1"
CORE = CONTRACTS / "core_components"
INTERACTION = CONTRACTS / "interactions" / "GetSubjectOfCareScheduleInteraction"
WRAPPER = b"""<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema">
<xs:import namespace="urn:riv:crm:scheduling:GetSubjectOfCareScheduleResponder:1" schemaLocation="%b"/>
<xs:import namespace="urn:riv:interoperability:headers:1" schemaLocation="%b"/></xs:schema>"""
SUBJECT = "204001011234"

pytestmark = pytest.mark.skipif(not CONTRACTS.exists(), reason="the published contracts are not beside the project")


class _Repaired(etree.Resolver):
    """Takes away the literal ^ and $ that make the published pattern refuse every real number."""

    def resolve(self, system_url, public_id, context):  # type: ignore[no-untyped-def]  # lxml's own signature has no types
        path = Path(system_url.removeprefix("file://"))
        if not path.exists():
            return None
        text = path.read_text("utf-8-sig").replace("^[0-9]{8}[0-9pPtTfF][0-9]{3}$", "[0-9]{8}[0-9pPtTfF][0-9]{3}")
        return self.resolve_string(text.encode(), context, base_url=str(path))


@pytest.fixture(scope="module")
def schema() -> etree.XMLSchema:
    parser = etree.XMLParser()
    parser.resolvers.add(_Repaired())
    responder = INTERACTION / "GetSubjectOfCareScheduleResponder_1.1.xsd"
    headers = CORE / "interoperability_headers_1.0.xsd"
    wrapper = etree.fromstring(WRAPPER % (bytes(responder), bytes(headers)), parser, base_url=str(CORE / "wrapper.xsd"))
    return etree.XMLSchema(wrapper)


def faults_of(schema: etree.XMLSchema, envelope: etree._Element) -> list[str]:
    """What the schemas say against the message: header blocks and body, each by itself."""
    blocks = [block for part in envelope for block in part]
    return [str(schema.error_log) for block in blocks if not schema.validate(etree.ElementTree(block))]


def test_every_citizens_answer_validates_but_for_the_one_vendors_short_times(
    schema: etree.XMLSchema, region: RunningRegion, asker: Asker
) -> None:
    asker.set_faults(**{"SE2321000016-2B10": "timeout", "SE2321000016-2B20": "fault"})
    for person in region.cast.people:
        answer = asker.ask(person.identity)
        for time in (*answer.iter("{*}startTimeInclusive"), *answer.iter("{*}endTimeExclusive")):
            time.text = (time.text or "").ljust(14, "0")
        assert faults_of(schema, answer) == []


def test_the_schema_really_refuses_what_breaks_the_contract(schema: etree.XMLSchema, asker: Asker) -> None:
    asker.book(subject=SUBJECT, facility="SE2321000016-4D20", start="2026-12-01T13:30:00")
    assert texts(asker.ask(SUBJECT), "startTimeInclusive") == ["202612011330"]
    assert faults_of(schema, asker.ask(SUBJECT)) != []


@pytest.mark.parametrize("facility", [unit for unit in FACILITIES if not unit.system.writes_minutes_only])
def test_direct_answers_of_every_facility_validate(schema: etree.XMLSchema, asker: Asker, facility: object) -> None:
    unit = str(facility.hsa_id)  # type: ignore[attr-defined]
    asker.book(subject=SUBJECT, facility=unit, start="2026-12-01T13:30:00", invitation=True, reason="ont & <trött>")
    answer = asker.ask(SUBJECT, unit)
    assert texts(answer, "isInvitation") == ["true"]
    assert faults_of(schema, answer) == []


@pytest.fixture
def client(region: RunningRegion) -> Iterator[zeep.Client]:
    session = requests.Session()
    session.trust_env = False
    wsdl = INTERACTION / "GetSubjectOfCareScheduleInteraction_1.1_RIVTABP21.wsdl"
    with session:
        yield zeep.Client(str(wsdl), transport=zeep.Transport(session=session))


def test_a_client_made_from_the_published_wsdl_understands_the_region(
    client: zeep.Client, region: RunningRegion, asker: Asker
) -> None:
    asker.book(id="z-1", subject=SUBJECT, facility="SE2321000016-3C01", start="2026-12-01T13:30:00", invitation=True)
    binding = "{urn:riv:crm:scheduling:GetSubjectOfCareSchedule:1:rivtabp21}GetSubjectOfCareScheduleResponderBinding"
    service = client.create_service(binding, f"{region.url}{PATH}")
    answer = service.GetSubjectOfCareSchedule(
        healthcare_facility=AGGREGATOR,
        subject_of_care=SUBJECT,
        _soapheaders={"LogicalAddress": AGGREGATOR, "actor": {"actorId": SUBJECT, "actorType": "subject_of_care"}},
    )
    [slot] = serialize_object(answer)["timeslotDetail"]
    assert (slot["bookingId"], slot["isInvitation"]) == ("z-1", True)
    asker.set_faults(**{"*": "denied"})
    with pytest.raises(zeep.exceptions.Fault, match="^VP007 "):
        service.GetSubjectOfCareSchedule(
            healthcare_facility=AGGREGATOR,
            subject_of_care=SUBJECT,
            _soapheaders={"LogicalAddress": AGGREGATOR, "actor": {"actorId": SUBJECT, "actorType": "subject_of_care"}},
        )


def test_each_vendors_habit_shows_on_the_wire(asker: Asker) -> None:
    start = "2026-12-01T13:30:00"
    for facility in ("SE2321000016-5E30", "SE2321000016-7A50", "SE2321000016-2B20"):
        asker.book(id=facility[-4:], subject=SUBJECT, facility=facility, start=start)
    slots = {texts(slot, "bookingId")[0]: slot for slot in asker.ask(SUBJECT).iter("{*}timeslotDetail")}
    assert texts(slots["5E30"], "healthcare_facility") == ["se2321000016-5e30"]
    assert texts(slots["7A50"], "resourceID") == [""]
    assert texts(slots["5E30"], "resourceID") == []
    article = etree.fromstring(texts(slots["2B20"], "purpose")[0])
    assert article.tag == "{http://docbook.org/ns/docbook}article"
    assert len(texts(article, "para")) == 2


@pytest.mark.parametrize(
    ("spoilt", "by", "begins"),
    [
        (f">{AGGREGATOR}</LogicalAddress>", "></LogicalAddress>", "VP003 "),
        (f">{AGGREGATOR}</LogicalAddress>", ">SE2321000016-NONE</LogicalAddress>", "VP004 "),
        (f">{AGGREGATOR}</LogicalAddress>", ">*</LogicalAddress>", "VP004 "),
        ("actorId", "someId", "The header Actor"),
        (">subject_of_care<", ">1.2.752.129.2.1.3.1<", "The header Actor"),
        (f"<subject_of_care>{SUBJECT}</subject_of_care>", "", "The message lacks a subject_of_care"),
        ("healthcare_facility>", "facility>", "The message lacks healthcare_facility"),
        ("</s:Envelope>", "", "The message is not well-formed"),
    ],
)
def test_a_question_that_is_amiss_gets_the_platforms_fault(asker: Asker, spoilt: str, by: str, begins: str) -> None:
    question = QUESTION.format(address=AGGREGATOR, subject=SUBJECT)
    assert spoilt in question
    answer = asker.http.post(PATH, content=question.replace(spoilt, by).encode())
    assert answer.status_code == 500
    assert texts(etree.fromstring(answer.content), "faultstring")[0].startswith(begins)
