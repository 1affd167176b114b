"""GetSubjectOfCareSchedule 1.1 as the national platform speaks it: reads questions, writes answers and faults.

Written from the contract alone. Must know nothing of how Kallelse reads the same messages.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from xml.sax.saxutils import escape

from lxml import etree

from worker.demo.care_units import BookingSystem, Facility
from worker.demo.region_state import SWEDEN, Booking

AGGREGATING_SERVICE = "5565594230"

_SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
_REGISTRY = "urn:riv:itintegration:registry:1"
_HEADERS = "urn:riv:interoperability:headers:1"
_RESPONDER = "urn:riv:crm:scheduling:GetSubjectOfCareScheduleResponder:1"
_CORE = "urn:riv:crm:scheduling:1"
_CORE_1_1 = "urn:riv:crm:scheduling:1.1"
_DOCBOOK = "http://docbook.org/ns/docbook"
_PREFIXES = {"soapenv": _SOAP, "h": _HEADERS, "r": _RESPONDER, "c": _CORE, "e": _CORE_1_1}
_ACTOR_TYPES = ("subject_of_care", "subject_of_care_agent")
_MINUTES = "%Y%m%d%H%M"
_SECONDS = "%Y%m%d%H%M%S"


class SoapFault(Exception):
    """A question that gets a SOAP fault: `code` as in SOAP 1.1; `text` begins with the platform's own code, if any."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code
        self.text = text


@dataclass(frozen=True, slots=True)
class Question:
    """One citizen's schedule, asked for at a logical address."""

    logical_address: str
    subject: str = field(repr=False)

    @property
    def is_aggregated(self) -> bool:
        return self.logical_address == AGGREGATING_SERVICE


@dataclass(frozen=True, slots=True)
class Slot:
    """A booking, and the facility whose booking system writes it."""

    booking: Booking
    facility: Facility


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a producer gave no data (LastUnsuccessfulSynchErrorType). The causing agent is always the platform."""

    code: str
    text: str


@dataclass(frozen=True, slots=True)
class Record:
    """One producer's ProcessingStatus; without a failure it is DataFromSource."""

    logical_address: str
    failure: Failure | None = None


def read_question(message: bytes) -> Question:
    """Raises SoapFault as the platform would: VP003 without an address, a client fault for anything else amiss."""
    envelope = _parse(message)
    address = _text(envelope, f"{{{_SOAP}}}Header/{{{_REGISTRY}}}LogicalAddress")
    if not address:
        raise SoapFault("Server", "VP003 No LogicalAddress found in message header.")
    _check_actor(envelope)
    body = f"{{{_SOAP}}}Body/{{{_RESPONDER}}}GetSubjectOfCareSchedule"
    if not _text(envelope, f"{body}/{{{_RESPONDER}}}healthcare_facility"):
        raise SoapFault("Client", "The message lacks healthcare_facility.")
    subject = _text(envelope, f"{body}/{{{_RESPONDER}}}subject_of_care")
    if len(subject) != 12:
        raise SoapFault("Client", "The message lacks a subject_of_care of twelve characters.")
    return Question(address, subject)


def aggregated_answer(slots: Sequence[Slot], records: Sequence[Record] | None, now: datetime) -> bytes:
    """An aggregated answer with its ProcessingStatus; `records` None leaves that header out."""
    envelope = _envelope()
    if records is not None:
        header = etree.SubElement(envelope, f"{{{_SOAP}}}Header")
        status = etree.SubElement(header, f"{{{_HEADERS}}}ProcessingStatus")
        for record in records:
            _write_record(status, record, _local(now))
    return _with_slots(envelope, slots)


def direct_answer(slots: Sequence[Slot]) -> bytes:
    """One producer's own answer: no ProcessingStatus."""
    return _with_slots(_envelope(), slots)


def fault_answer(fault: SoapFault) -> bytes:
    """To be sent with HTTP status 500 (SOAP 1.1, 6.2)."""
    envelope = etree.Element(f"{{{_SOAP}}}Envelope", nsmap={"soapenv": _SOAP})
    body = etree.SubElement(envelope, f"{{{_SOAP}}}Body")
    element = etree.SubElement(body, f"{{{_SOAP}}}Fault")
    etree.SubElement(element, "faultcode").text = f"soapenv:{fault.code}"
    etree.SubElement(element, "faultstring").text = fault.text
    return _serialised(envelope)


def _parse(message: bytes) -> etree._Element:
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        return etree.fromstring(message, parser)
    except etree.XMLSyntaxError:
        raise SoapFault("Client", "The message is not well-formed XML.") from None


def _text(parent: etree._Element, path: str) -> str:
    return (parent.findtext(path) or "").strip()


def _check_actor(envelope: etree._Element) -> None:
    actor = f"{{{_SOAP}}}Header/{{{_HEADERS}}}Actor"
    if not _text(envelope, f"{actor}/{{{_HEADERS}}}actorId"):
        raise SoapFault("Client", "The header Actor with actorId is missing.")
    if _text(envelope, f"{actor}/{{{_HEADERS}}}actorType") not in _ACTOR_TYPES:
        raise SoapFault("Client", "The header Actor has no known actorType.")


def _envelope() -> etree._Element:
    return etree.Element(f"{{{_SOAP}}}Envelope", nsmap=_PREFIXES)


def _with_slots(envelope: etree._Element, slots: Sequence[Slot]) -> bytes:
    body = etree.SubElement(envelope, f"{{{_SOAP}}}Body")
    response = etree.SubElement(body, f"{{{_RESPONDER}}}GetSubjectOfCareScheduleResponse")
    for slot in slots:
        detail = etree.SubElement(response, f"{{{_RESPONDER}}}timeslotDetail")
        for name, text in _elements(slot.booking, slot.facility):
            etree.SubElement(detail, name).text = text
    return _serialised(envelope)


def _serialised(envelope: etree._Element) -> bytes:
    return etree.tostring(envelope, xml_declaration=True, encoding="UTF-8")


def _write_record(status: etree._Element, record: Record, now: str) -> None:
    element = etree.SubElement(status, f"{{{_HEADERS}}}ProcessingStatusList")
    is_in_synch = record.failure is None
    _write(element, "logicalAddress", record.logical_address)
    _write(element, "statusCode", "DataFromSource" if is_in_synch else "NoDataSynchFailed")
    _write(element, "isResponseFromCache", "false")
    _write(element, "isResponseInSynch", _boolean(is_in_synch))
    _write(element, "lastSuccessfulSynch", now if is_in_synch else "")  # required by the schema, even when empty
    if record.failure is not None:
        _write(element, "lastUnsuccessfulSynch", now)
        _write_failure(element, record.failure)


def _write_failure(record: etree._Element, failure: Failure) -> None:
    element = etree.SubElement(record, f"{{{_HEADERS}}}lastUnsuccessfulSynchError")
    _write(element, "causingAgent", "virtualization_platform")
    _write(element, "code", failure.code)
    _write(element, "text", failure.text)


def _write(parent: etree._Element, name: str, text: str) -> None:
    etree.SubElement(parent, f"{{{_HEADERS}}}{name}").text = text


def _elements(booking: Booking, facility: Facility) -> Iterator[tuple[str, str]]:
    """TimeslotType in the schema's order. What has no content is left out, unless the vendor writes it anyway."""
    system = facility.system
    for name, text in _core_elements(booking, facility):
        if text or system.writes_empty_elements:
            yield f"{{{_CORE}}}{name}", text
    if booking.is_invitation:
        yield f"{{{_CORE_1_1}}}isInvitation", "true"


def _core_elements(booking: Booking, facility: Facility) -> Iterator[tuple[str, str]]:
    system = facility.system
    yield "startTimeInclusive", _time(booking.start_at, system)
    yield "endTimeExclusive", _time(booking.end_at, system)
    yield "healthcare_facility", _hsa_id(facility.hsa_id, system)
    yield "performer", _hsa_id(f"{facility.hsa_id}P1", system) if booking.performer else ""
    yield "bookingId", booking.id
    yield "subject_of_care", booking.subject
    yield "purpose", _purpose(booking, system)
    yield "reason", booking.reason
    yield "resourceName", booking.resource
    yield "healthcare_facility_name", facility.name
    yield "performerName", booking.performer
    yield "resourceID", ""
    yield "timeTypeName", booking.time_type_name
    yield "timeTypeID", booking.time_type
    yield "careTypeName", booking.care_type
    yield "careTypeID", ""
    yield "cancel_booking_allowed", _boolean(booking.may_cancel)
    yield "rebooking_allowed", _boolean(booking.may_rebook)


def _time(at: datetime, system: BookingSystem) -> str:
    return at.strftime(_MINUTES if system.writes_minutes_only else _SECONDS)


def _hsa_id(hsa_id: str, system: BookingSystem) -> str:
    return hsa_id.lower() if system.writes_lower_case_ids else hsa_id


def _purpose(booking: Booking, system: BookingSystem) -> str:
    return _docbook(booking) if booking.purpose and system.writes_docbook else booking.purpose


def _docbook(booking: Booking) -> str:
    """A DocBook 5.0 article as text: the serialiser then encodes it once more, as the contract wants (TKB 13.7)."""
    paragraphs = "".join(f"<para>{escape(text)}</para>" for text in booking.purpose.split("\n\n"))
    title = escape(booking.time_type_name)
    section = f"<section><title>Förberedelser</title>{paragraphs}</section>"
    return f'<article xmlns="{_DOCBOOK}" version="5.0"><info><title>{title}</title></info>{section}</article>'


def _boolean(truth: bool) -> str:  # noqa: FBT001  # a word for a truth value has nothing else to take
    return "true" if truth else "false"


def _local(at: datetime) -> str:
    return at.astimezone(SWEDEN).strftime(_SECONDS)
