"""FindContent 1.0 of an engagement index: reads questions, writes answers. Written from the contract alone.

Must know nothing of how Kallelse reads the same messages.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from lxml import etree

from worker.demo.region_state import Booking, Invitation
from worker.demo.soap import SOAP, SoapFault, address_of, new_envelope, payload_text, read_envelope, serialised, text_of

INDEX_OWNER = "5565594230"

_RESPONDER = "urn:riv:itintegration:engagementindex:FindContentResponder:1"
_CORE = "urn:riv:itintegration:engagementindex:1"
_DOMAIN = "riv:crm:scheduling"
_SECONDS = "%Y%m%d%H%M%S"


@dataclass(frozen=True, slots=True)
class Row:
    """One record of the index: one booking or invitation, and where it is."""

    of: Booking | Invitation
    logical_address: str
    source_system: str


@dataclass(frozen=True, slots=True)
class IndexQuestion:
    """What the index has of a citizen."""

    subject: str = field(repr=False)
    category: str


def read_index_question(message: bytes) -> IndexQuestion:
    """Raises SoapFault as the platform would."""
    envelope = read_envelope(message)
    if address_of(envelope) != INDEX_OWNER:
        raise SoapFault("Server", "VP004 No logical address found for the service contract FindContent.")
    subject = payload_text(envelope, "FindContent", _RESPONDER, "registeredResidentIdentification")
    if payload_text(envelope, "FindContent", _RESPONDER, "serviceDomain") != _DOMAIN:
        raise SoapFault("Client", "EI004 The index knows no such service domain.")
    category = f"{{{SOAP}}}Body/{{{_RESPONDER}}}FindContent/{{{_RESPONDER}}}categorization"
    return IndexQuestion(subject, text_of(envelope, category))


def index_answer(rows: Sequence[Row], now: datetime) -> bytes:
    envelope = new_envelope({"r": _RESPONDER, "c": _CORE})
    body = etree.SubElement(envelope, f"{{{SOAP}}}Body")
    response = etree.SubElement(body, f"{{{_RESPONDER}}}FindContentResponse")
    for row in rows:
        record = etree.SubElement(response, f"{{{_RESPONDER}}}engagement")
        for name, text in _elements(row, now):
            etree.SubElement(record, f"{{{_CORE}}}{name}").text = text
    return serialised(envelope)


def category_of(of: Booking | Invitation) -> str:
    return "Invitation" if of.is_invitation else "Booking"


def _elements(row: Row, now: datetime) -> Iterator[tuple[str, str]]:
    """EngagementType in the schema's order. The most recent content is a booking's start; of an open invitation it is
    the unit's own date."""
    yield "registeredResidentIdentification", row.of.subject
    yield "serviceDomain", _DOMAIN
    yield "categorization", category_of(row.of)
    yield "logicalAddress", row.logical_address
    yield "businessObjectInstanceIdentifier", row.of.id
    yield "clinicalProcessInterestId", "NA"
    at = row.of.start_at or row.of.end_at
    if at is not None:
        yield "mostRecentContent", at.strftime(_SECONDS)
    yield "sourceSystem", row.source_system
    yield "updateTime", now.strftime(_SECONDS)
    yield "dataController", row.source_system
    yield "owner", INDEX_OWNER
