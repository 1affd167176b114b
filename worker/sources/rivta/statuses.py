"""ProcessingStatus, the aggregating service's word on each logical address it asked (interoperability headers 1.0)."""

from collections.abc import Mapping

from lxml import etree

from store.identifiers import HsaId, InvalidIdentifier, parse_hsa_id
from worker.sources import AddressStatus
from worker.sources.rivta.envelope import HEADERS

_WORST_LAST = (
    AddressStatus.FROM_SOURCE,
    AddressStatus.FROM_CACHE,
    AddressStatus.FROM_STALE_CACHE,
    AddressStatus.NO_DATA,
)
_KNOWN = {status.value: status for status in _WORST_LAST}


def read_statuses(header: etree._Element | None) -> Mapping[HsaId, AddressStatus]:
    """What was said of each address; of several words on one address the worst.

    An unknown code is NO_DATA. A record without a usable address is left out: it gives evidence for nobody, and takes
    none away from the addresses that are named. No header says nothing of anybody.
    """
    statuses: dict[HsaId, AddressStatus] = {}
    for record in () if header is None else header.iterchildren(f"{{{HEADERS}}}ProcessingStatusList"):
        address = _address(record)
        if address is not None:
            statuses[address] = _worse(statuses.get(address), _status(record))
    return statuses


def _address(record: etree._Element) -> HsaId | None:
    try:
        return parse_hsa_id(record.findtext(f"{{{HEADERS}}}logicalAddress") or "")
    except InvalidIdentifier:
        return None


def _status(record: etree._Element) -> AddressStatus:
    written = record.findtext(f"{{{HEADERS}}}statusCode") or ""
    return _KNOWN.get(written.strip(), AddressStatus.NO_DATA)


def _worse(before: AddressStatus | None, now: AddressStatus) -> AddressStatus:
    return now if before is None else max(before, now, key=_WORST_LAST.index)
