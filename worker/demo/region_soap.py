"""GetSubjectOfCareSchedule and GetBookingDetails 1.1 as the platform speaks them: reads questions, writes answers.

Written from the contract alone. Must know nothing of how Kallelse reads the same messages.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from xml.sax.saxutils import escape

from lxml import etree

from worker.demo.care_units import BookingSystem, Facility
from worker.demo.region_state import SWEDEN, Booking, Invitation
from worker.demo.soap import (
    HEADERS,
    SOAP,
    SoapFault,
    address_of,
    check_actor,
    new_envelope,
    payload_text,
    read_envelope,
    serialised,
    text_of,
)

AGGREGATING_SERVICE = "5565594230"

_RESPONDER = "urn:riv:crm:scheduling:GetSubjectOfCareScheduleResponder:1"
_CORE = "urn:riv:crm:scheduling:1"
_CORE_1_1 = "urn:riv:crm:scheduling:1.1"
_DOCBOOK = "http://docbook.org/ns/docbook"
_DETAILS = "urn:riv:crm:scheduling:GetBookingDetailsResponder:1"
_PREFIXES = {"h": HEADERS, "c": _CORE, "e": _CORE_1_1}
_MINUTES = "%Y%m%d%H%M"
_SECONDS = "%Y%m%d%H%M%S"


@dataclass(frozen=True, slots=True)
class Question:
    """One citizen's schedule, asked for at a logical address."""

    logical_address: str
    subject: str = field(repr=False)

    @property
    def is_aggregated(self) -> bool:
        return self.logical_address == AGGREGATING_SERVICE


@dataclass(frozen=True, slots=True)
class DetailsQuestion:
    """One booking or invitation, asked for at a logical address."""

    logical_address: str
    booking_id: str


@dataclass(frozen=True, slots=True)
class Slot:
    """A booking or open invitation, and the facility whose booking system writes it."""

    booking: Booking | Invitation
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
    envelope = read_envelope(message)
    address = address_of(envelope)
    check_actor(envelope)
    payload_text(envelope, "GetSubjectOfCareSchedule", _RESPONDER, "healthcare_facility")
    subject = text_of(
        envelope, f"{{{SOAP}}}Body/{{{_RESPONDER}}}GetSubjectOfCareSchedule/{{{_RESPONDER}}}subject_of_care"
    )
    if len(subject) != 12:
        raise SoapFault("Client", "The message lacks a subject_of_care of twelve characters.")
    return Question(address, subject)


def read_details_question(message: bytes) -> DetailsQuestion:
    """Raises SoapFault."""
    envelope = read_envelope(message)
    address = address_of(envelope)
    check_actor(envelope)
    payload_text(envelope, "GetBookingDetails", _DETAILS, "healthcare_facility")
    return DetailsQuestion(address, payload_text(envelope, "GetBookingDetails", _DETAILS, "bookingId"))


def aggregated_answer(slots: Sequence[Slot], records: Sequence[Record] | None, now: datetime) -> bytes:
    """An aggregated answer with its ProcessingStatus; `records` None leaves that header out."""
    envelope = _envelope()
    if records is not None:
        header = etree.SubElement(envelope, f"{{{SOAP}}}Header")
        status = etree.SubElement(header, f"{{{HEADERS}}}ProcessingStatus")
        for record in records:
            _write_record(status, record, _local(now))
    return _with_slots(envelope, slots)


def direct_answer(slots: Sequence[Slot]) -> bytes:
    """One producer's own answer: no ProcessingStatus."""
    return _with_slots(_envelope(), slots)


def details_answer(slot: Slot) -> bytes:
    """The facility's answer about one booking or open invitation."""
    envelope = new_envelope({**_PREFIXES, "r": _DETAILS})
    body = etree.SubElement(envelope, f"{{{SOAP}}}Body")
    response = etree.SubElement(body, f"{{{_DETAILS}}}GetBookingDetailsResponse")
    _write_slot(etree.SubElement(response, f"{{{_DETAILS}}}timeslotDetail"), slot)
    return serialised(envelope)


def _envelope() -> etree._Element:
    return new_envelope({**_PREFIXES, "r": _RESPONDER})


def _with_slots(envelope: etree._Element, slots: Sequence[Slot]) -> bytes:
    body = etree.SubElement(envelope, f"{{{SOAP}}}Body")
    response = etree.SubElement(body, f"{{{_RESPONDER}}}GetSubjectOfCareScheduleResponse")
    for slot in slots:
        _write_slot(etree.SubElement(response, f"{{{_RESPONDER}}}timeslotDetail"), slot)
    return serialised(envelope)


def _write_slot(detail: etree._Element, slot: Slot) -> None:
    for name, text in _elements(slot.booking, slot.facility):
        etree.SubElement(detail, name).text = text


def _write_record(status: etree._Element, record: Record, now: str) -> None:
    element = etree.SubElement(status, f"{{{HEADERS}}}ProcessingStatusList")
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
    element = etree.SubElement(record, f"{{{HEADERS}}}lastUnsuccessfulSynchError")
    _write(element, "causingAgent", "virtualization_platform")
    _write(element, "code", failure.code)
    _write(element, "text", failure.text)


def _write(parent: etree._Element, name: str, text: str) -> None:
    etree.SubElement(parent, f"{{{HEADERS}}}{name}").text = text


def _elements(booking: Booking | Invitation, facility: Facility) -> Iterator[tuple[str, str]]:
    """TimeslotType in the schema's order. What has no content is left out, unless the vendor writes it anyway."""
    system = facility.system
    for name, text in _core_elements(booking, facility):
        if text or system.writes_empty_elements:
            yield f"{{{_CORE}}}{name}", text
    if booking.is_invitation:
        yield f"{{{_CORE_1_1}}}isInvitation", "true"


def _core_elements(booking: Booking | Invitation, facility: Facility) -> Iterator[tuple[str, str]]:
    system = facility.system
    yield "startTimeInclusive", _time(booking.start_at, system)
    yield "endTimeExclusive", _time(booking.end_at, system)  # of an open invitation: after its last day
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


def _time(at: datetime | None, system: BookingSystem) -> str:
    if at is None:
        return ""
    return at.strftime(_MINUTES if system.writes_minutes_only else _SECONDS)


def _hsa_id(hsa_id: str, system: BookingSystem) -> str:
    return hsa_id.lower() if system.writes_lower_case_ids else hsa_id


def _purpose(booking: Booking | Invitation, system: BookingSystem) -> str:
    return _docbook(booking) if booking.purpose and system.writes_docbook else booking.purpose


def _docbook(booking: Booking | Invitation) -> str:
    """A DocBook 5.0 article as text: the serialiser then encodes it once more, as the contract wants (TKB 13.7)."""
    paragraphs = "".join(f"<para>{escape(text)}</para>" for text in booking.purpose.split("\n\n"))
    title = escape(booking.time_type_name)
    section = f"<section><title>Förberedelser</title>{paragraphs}</section>"
    return f'<article xmlns="{_DOCBOOK}" version="5.0"><info><title>{title}</title></info>{section}</article>'


def _boolean(truth: bool) -> str:  # noqa: FBT001  # a word for a truth value has nothing else to take
    return "true" if truth else "false"


def _local(at: datetime) -> str:
    return at.astimezone(SWEDEN).strftime(_SECONDS)
