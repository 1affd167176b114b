"""What the platform makes of one question: who is asked, what each says, and how it goes wrong. Pure but for counting.

Knows no wire: the answer's parts are data.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from worker.demo.region_soap import Failure, Record, Slot, SoapFault
from worker.demo.region_state import AGGREGATOR, Booking, Fault, Kind, Region, Unknown

_READ_TIMED_OUT = Failure("504", "Read timed out")
_FAILURES = {
    Fault.TIMEOUT: _READ_TIMED_OUT,
    Fault.FAULT: Failure("43000", "Fault returned by the producer"),
    Fault.TRUNCATED: Failure("43000", "Unexpected end of document"),
}
_WITHOUT_RECORD = (Fault.NOSTATUS, Fault.DENIED)
_NOT_AUTHORISED = "VP007 Not authorized to call the service contract GetSubjectOfCareSchedule at this logical address."
_NO_ROUTE = "VP004 No logical address found for the service contract GetSubjectOfCareSchedule."
_NOT_REACHED = "VP009 Error connecting to service producer at adress."  # the platform's own spelling
_PRODUCER_FAULT = "Tekniskt fel i tidboken."


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


def fault_met(region: Region, address: str) -> Fault:
    """The fault that concerns the connection itself: of the aggregating service (`*`) or of the asked facility."""
    try:
        return region.fault_of(region.logical_address(address))
    except Unknown:
        return Fault.OK


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
