"""SOAP 1.1 envelopes (RIV-TA BP 2.1): writing questions, opening answers."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from lxml import etree

from worker.sources import SourceError, SourceGarbled
from worker.sources.rivta.contract import DETAILS, INDEX, SCHEDULE, Contract
from worker.sources.rivta.faults import error_of_fault, garbled
from worker.sources.rivta.xml import UnsafeXml, parsed

SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
REGISTRY = "urn:riv:itintegration:registry:1"
HEADERS = "urn:riv:interoperability:headers:1"

SERVICE_DOMAIN = "riv:crm:scheduling"

_NUMBER = "{number}"  # no address has braces
_PREFIXES = {"soap": SOAP, "itr": REGISTRY, "ih": HEADERS}
_STATUS = f"{{{HEADERS}}}ProcessingStatus"
_UNDERSTOOD = {_STATUS, f"{{{HEADERS}}}Actor", f"{{{REGISTRY}}}LogicalAddress"}


@dataclass(frozen=True, slots=True)
class Opened:
    """An answer's two halves. `status` is the aggregating service's ProcessingStatus header, if any."""

    status: etree._Element | None
    response: etree._Element


def question(subject_number: str, *, logical_address: str, facility: str) -> bytes:
    """The question for one subject's schedule, asked by the subject, as bytes to post. The number is not escaped."""
    return subject_number.encode("ascii").join(_around_the_number(logical_address, facility))


def details_question(subject_number: str, *, address: str, booking_id: str) -> bytes:
    """The question about one booking or invitation, asked of its facility by the subject."""
    fields = {"healthcare_facility": address, "bookingId": booking_id}
    return etree.tostring(_asking(DETAILS, address, subject_number, fields), xml_declaration=True, encoding="UTF-8")


def index_question(subject_number: str, *, logical_address: str) -> bytes:
    """The question what the engagement index lists of a subject: no category, as the aggregating service asks too."""
    fields = {"registeredResidentIdentification": subject_number, "serviceDomain": SERVICE_DOMAIN}
    return etree.tostring(_asking(INDEX, logical_address, None, fields), xml_declaration=True, encoding="UTF-8")


def opened(content: bytes, contract: Contract = SCHEDULE) -> Opened:
    """The halves of a well-formed answer. Raises the SourceError that a fault amounts to, else SourceGarbled."""
    envelope = _envelope(content)
    headers = envelope.findall(f"{{{SOAP}}}Header/*")
    payload = _payload(envelope, content)
    if payload.tag == f"{{{SOAP}}}Fault":
        raise error_of_fault(payload)
    if payload.tag != contract.response:
        raise garbled("unexpected", "the answer is to some other question", content)
    if any(_must_be_understood(header) for header in headers):
        raise garbled("must_understand", "the answer has a header that must be understood and is not", content)
    return Opened(next((header for header in headers if header.tag == _STATUS), None), payload)


def fault_in(content: bytes) -> SourceError | None:
    """What a refusal's SOAP fault amounts to; None where the content holds no such fault."""
    try:
        opened(content)
    except SourceGarbled:
        return None
    except SourceError as error:
        return error
    return None


@lru_cache(maxsize=1024)
def _around_the_number(logical_address: str, facility: str) -> list[bytes]:
    """What stands before, between and after the places of the number: the same for everybody."""
    fields = {"healthcare_facility": facility, "subject_of_care": _NUMBER}
    envelope = _asking(SCHEDULE, logical_address, _NUMBER, fields)
    return etree.tostring(envelope, xml_declaration=True, encoding="UTF-8").split(_NUMBER.encode())


def _asking(
    contract: Contract, logical_address: str, actor_id: str | None, fields: Mapping[str, str]
) -> etree._Element:
    """A question's envelope; without an actor where the contract has no such header."""
    envelope = etree.Element(f"{{{SOAP}}}Envelope", nsmap={**_PREFIXES, "r": contract.responder})
    header = etree.SubElement(envelope, f"{{{SOAP}}}Header")
    _add(header, REGISTRY, "LogicalAddress", logical_address)
    if actor_id is not None:
        actor = etree.SubElement(header, f"{{{HEADERS}}}Actor")
        _add(actor, HEADERS, "actorId", actor_id)
        _add(actor, HEADERS, "actorType", "subject_of_care")
    body = etree.SubElement(envelope, f"{{{SOAP}}}Body")
    asked = etree.SubElement(body, f"{{{contract.responder}}}{contract.name}")
    for name, text in fields.items():
        _add(asked, contract.responder, name, text)
    return envelope


def _add(parent: etree._Element, namespace: str, name: str, text: str) -> None:
    etree.SubElement(parent, f"{{{namespace}}}{name}").text = text


def _envelope(content: bytes) -> etree._Element:
    try:
        root = parsed(content)
    except UnsafeXml as unsafe:
        raise garbled(unsafe.code, unsafe.meaning, content) from None
    if root.tag != f"{{{SOAP}}}Envelope":
        raise garbled("not_soap", "the answer is not a SOAP 1.1 envelope", content)
    return root


def _payload(envelope: etree._Element, content: bytes) -> etree._Element:
    body = envelope.find(f"{{{SOAP}}}Body")
    if body is None or len(body) != 1:
        raise garbled("body", "the answer's body does not hold exactly one element", content)
    return body[0]


def _must_be_understood(header: etree._Element) -> bool:
    return header.get(f"{{{SOAP}}}mustUnderstand") in ("1", "true") and header.tag not in _UNDERSTOOD
