"""An engagement index's answer (FindContent 1.0): where to ask about a subject's bookings and invitations.

What stands there may be used to address a question of the same domain and for nothing else (TKB engagementindex 4.3).
"""

from lxml import etree

from store.identifiers import InvalidIdentifier, SubjectId, parse_hsa_id
from worker.sources import Listing, Listings
from worker.sources.rivta.booking import UnreadableField, booking_id_of
from worker.sources.rivta.contract import INDEX

_RECORD = f"{{{INDEX.responder}}}engagement"
_CORE = "{urn:riv:itintegration:engagementindex:1}"
_INVITATION, _BOOKING = "invitation", "booking"
_MOST_LISTED = 200  # of one subject: no real one has so many, and each may mean a question


def listings_in(response: etree._Element, subject: SubjectId) -> Listings:
    """What is listed for the subject, each once."""
    records = list(response.iterchildren(_RECORD))
    own = [record for record in records if not _is_of_another(record, subject)]
    read = [(record, _listing(record)) for record in own[:_MOST_LISTED]]
    is_readable = all(listing is not None or _category(record) == _BOOKING for record, listing in read)
    listed = tuple(dict.fromkeys(listing for _, listing in read if listing is not None))
    is_whole = is_readable and len(own) == len(records) and len(own) <= _MOST_LISTED
    return Listings(listed, is_whole, foreign=len(records) - len(own))


def _is_of_another(record: etree._Element, subject: SubjectId) -> bool:
    return _text(record, "registeredResidentIdentification").replace("-", "").upper() != subject.number


def _listing(record: etree._Element) -> Listing | None:
    """None where it does not say what it is, or where."""
    spelling, category = _text(record, "logicalAddress"), _category(record)
    try:
        address = parse_hsa_id(spelling)
        booking_id = booking_id_of(_text(record, "businessObjectInstanceIdentifier"))
    except (InvalidIdentifier, UnreadableField):
        return None
    return Listing(address, spelling, booking_id, category == _INVITATION) if category else None


def _category(record: etree._Element) -> str:
    return _text(record, "categorization").lower()


def _text(record: etree._Element, name: str) -> str:
    return (record.findtext(_CORE + name) or "").strip()
