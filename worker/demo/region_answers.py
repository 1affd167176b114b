"""What the platform makes of one question: who is asked, what each says, and how it goes wrong. Pure but for counting.

Knows no wire: the answer's parts are data.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from worker.demo.index_soap import IndexQuestion, Row, category_of
from worker.demo.region_soap import DetailsQuestion, Failure, Record, Slot
from worker.demo.region_state import AGGREGATOR, INDEX, Booking, Fault, Invitation, Kind, Region, Unknown
from worker.demo.soap import SoapFault

_READ_TIMED_OUT = Failure("504", "Read timed out")
_FAILURES = {
    Fault.TIMEOUT: _READ_TIMED_OUT,
    Fault.FAULT: Failure("43000", "Fault returned by the producer"),
    Fault.TRUNCATED: Failure("43000", "Unexpected end of document"),
}
_WITHOUT_RECORD = (Fault.NOSTATUS, Fault.DENIED)
_NOT_AUTHORISED = "VP007 Not authorized to call the service contract at this logical address."
_NO_ROUTE = "VP004 No logical address found for the service contract."
_NOT_REACHED = "VP009 Error connecting to service producer at adress."  # the platform's own spelling
_PRODUCER_FAULT = "Tekniskt fel i tidboken."
_NO_SUCH_BOOKING = "Bokningen finns inte."


@dataclass(frozen=True, slots=True)
class Answer:
    """`records` None: no ProcessingStatus header. `waits`: some producer was waited for until the platform gave up."""

    slots: tuple[Slot, ...]
    records: tuple[Record, ...] | None
    waits: bool = False


def aggregated(region: Region, subject: str) -> Answer:
    """Asks every address in the subject's index row, once each. One that we may not call leaves no trace.

    Raises SoapFault when the aggregating service itself answers a fault.
    """
    region.count(AGGREGATOR, Kind.AGGREGATED)
    own = region.fault_of(AGGREGATOR)
    _raise_for(own, _NOT_REACHED)
    if own is Fault.EMPTY:
        return Answer((), ())
    asked = [address for address in region.indexed_addresses(subject) if _has_record(region, address)]
    for address in asked:
        region.count(address, Kind.AGGREGATED)
    records = tuple(Record(address, _FAILURES.get(region.fault_of(address))) for address in asked)
    answering = [record.logical_address for record in records if record.failure is None]
    return Answer(
        _slots(region, [booking for booking in region.coming(subject) if _listed_at(region, booking) in answering]),
        None if own is Fault.NOSTATUS else records,
        any(record.failure is _READ_TIMED_OUT for record in records),
    )


def direct(region: Region, address: str, subject: str) -> Answer:
    """Asks one facility: a parent lists its whole time book, a child its own visits. Raises SoapFault."""
    where = _routed(region, address)
    region.count(where, Kind.DIRECT)
    fault = region.fault_of(where)
    _raise_for(fault, _PRODUCER_FAULT)
    if fault is Fault.EMPTY:
        return Answer((), None)
    facility = region.facility(address)
    names = (facility.hsa_id, where) if not facility.parent else (facility.hsa_id,)
    coming = region.coming(subject)
    return Answer(_slots(region, [booking for booking in coming if _is_at(region, booking, names)]), None)


def details(region: Region, question: DetailsQuestion) -> Slot:
    """Asks one facility about one booking or invitation. What it does not have, it answers with a fault; other systems
    may answer otherwise, the contract does not say. Raises SoapFault."""
    where = _routed(region, question.logical_address)
    region.count(where, Kind.DETAILS)
    fault = region.fault_of(where)
    _raise_for(fault, _PRODUCER_FAULT)
    found = _found(region, question.booking_id)
    if fault is Fault.EMPTY or found is None or region.logical_address(found.facility) != where:
        raise SoapFault("Server", _NO_SUCH_BOOKING)
    return Slot(found, region.facility(found.facility))


def indexed(region: Region, question: IndexQuestion) -> list[Row]:
    """The index's records of a citizen. Raises SoapFault."""
    region.count(INDEX, Kind.INDEX)
    fault = region.fault_of(INDEX)
    _raise_for(fault, _NOT_REACHED)
    if fault is Fault.EMPTY:
        return []
    listed = [one for one in region.indexed(question.subject) if question.category in ("", category_of(one))]
    return [Row(one, region.logical_address(one.facility), _system(region, one)) for one in listed]


def fault_met(region: Region, address: str) -> Fault:
    """The fault that concerns the connection itself: of the aggregating service (`*`) or of the asked facility."""
    try:
        return region.fault_of(region.logical_address(address))
    except Unknown:
        return Fault.OK


def _found(region: Region, booking_id: str) -> Booking | Invitation | None:
    try:
        return region.details(booking_id)
    except Unknown:
        return None


def _system(region: Region, of: Booking | Invitation) -> str:
    """The HSA-id of the system that writes the record: never that of a clinic."""
    return f"{region.logical_address(of.facility)}S"


def _raise_for(fault: Fault, text: str) -> None:
    if fault is Fault.DENIED:
        raise SoapFault("Server", _NOT_AUTHORISED)
    if fault is Fault.FAULT:
        raise SoapFault("Server", text)


def _has_record(region: Region, address: str) -> bool:
    return region.fault_of(address) not in _WITHOUT_RECORD


def _listed_at(region: Region, booking: Booking) -> str:
    """The time book that lists the booking now; none where it answers with nothing."""
    address = region.logical_address(booking.facility)
    return "" if region.fault_of(address) is Fault.EMPTY else address


def _routed(region: Region, address: str) -> str:
    try:
        return region.facility(address).logical_address
    except Unknown:
        raise SoapFault("Server", _NO_ROUTE) from None


def _is_at(region: Region, booking: Booking, names: Sequence[str]) -> bool:
    facility = region.facility(booking.facility)
    return facility.hsa_id in names or facility.logical_address in names


def _slots(region: Region, bookings: Sequence[Booking]) -> tuple[Slot, ...]:
    return tuple(Slot(booking, region.facility(booking.facility)) for booking in bookings)
