"""The slots of a schedule, and the one of a booking's details: which are the asked subject's, and whether as before.

Telling one from another (the digest) comes first; reading the fields is put off, as most answers change nothing.
"""

import copy
from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import TypeVar

from lxml import etree

from store.identifiers import HsaId, InvalidIdentifier, SubjectId, parse_hsa_id
from worker.sources import NotOpen, ReportedBooking, ReportedInvitation, SourceUnavailable, Unreadable
from worker.sources.rivta.booking import UnreadableField, booking_of, invitation_of
from worker.sources.rivta.contract import DETAILS, SCHEDULE, Contract
from worker.sources.rivta.texts import one_line

_CORE = "{urn:riv:crm:scheduling:1}"
_SUBJECT = "subject_of_care"
_KEPT = (
    "startTimeInclusive",
    "endTimeExclusive",
    "healthcare_facility",
    "bookingId",
    _SUBJECT,
    "purpose",
    "resourceName",
    "healthcare_facility_name",
    "performerName",
    "timeTypeName",
    "timeTypeID",
    "careTypeName",
    "careTypeID",
    "cancel_booking_allowed",
    "rebooking_allowed",
    "message_allowed",
)
_NAMES = {_CORE + name: name for name in _KEPT} | {"{urn:riv:crm:scheduling:1.1}isInvitation": "isInvitation"}
# `reason` is the citizen's own words on their health; the other two have been seen to hold junk, and other people's
# identity numbers. They are neither read nor part of a digest nor put in quarantine.
_NEVER_KEPT = (f"{_CORE}reason", f"{_CORE}performer", f"{_CORE}resourceID")
_MOST_QUARANTINED = 64_000  # bytes
_MOST_ID = 200  # characters

_Read = TypeVar("_Read")


@dataclass(frozen=True, slots=True)
class WireSlot:
    """A timeslotDetail whose digest is known and whose fields are not yet read."""

    element: etree._Element = field(repr=False)
    digest: bytes

    def read(self) -> ReportedBooking | Unreadable:
        return self.read_as(booking_of)

    def read_as(self, of: Callable[[dict[str, str], bytes], _Read]) -> _Read | Unreadable:
        """What the slot's fields say by `of`, which takes them and the digest, and may raise UnreadableField."""
        written = _written(self.element)
        try:
            return of(_once_each(written), self.digest)
        except UnreadableField as fault:
            return self._unreadable(dict(reversed(written)), str(fault))

    def _unreadable(self, fields: dict[str, str], reason: str) -> Unreadable:
        booking_id = one_line(fields.get("bookingId", ""), _MOST_ID)
        content = _quarantined(self.element)
        return Unreadable(_facility(fields), booking_id, reason, content, self.digest)


def slots_of(
    response: etree._Element, subject: SubjectId, contract: Contract = SCHEDULE
) -> tuple[tuple[WireSlot, ...], int]:
    """The slots reported for the subject, and how many were reported for somebody else.

    A slot that names nobody is kept: it is never taken for the subject's, reading it says that it is unreadable.
    """
    slots, foreign = [], 0
    for element in response.iterchildren(f"{{{contract.responder}}}timeslotDetail"):
        written = _written(element)
        if _is_of_another(written, subject):
            foreign += 1
        else:
            slots.append(WireSlot(element, _digest(written)))
    return tuple(slots), foreign


def invitation_in(
    response: etree._Element, subject: SubjectId, booking_id: str
) -> ReportedInvitation | NotOpen | Unreadable:
    """What GetBookingDetails says of a possible open invitation.

    An answer without a slot breaks the contract: whether that means withdrawn, only the facility's system knows.
    """
    slots, foreign = slots_of(response, subject, DETAILS)
    if foreign:
        return NotOpen.OF_ANOTHER
    if len(slots) != 1:
        raise SourceUnavailable("no_slot", "the facility's system says nothing of what it was asked about")
    return slots[0].read_as(lambda fields, digest: invitation_of(fields, digest, booking_id))


def _written(slot: etree._Element) -> list[tuple[str, str]]:
    """Names and texts of the elements that are read, in their order. An empty element counts as absent."""
    named = ((_NAMES.get(child.tag), _text(child)) for child in slot)
    return [(name, text) for name, text in named if name and text]


def _text(element: etree._Element) -> str:
    whole = "".join(map(str, element.itertext())) if len(element) else element.text
    return (whole or "").strip()


def _is_of_another(written: list[tuple[str, str]], subject: SubjectId) -> bool:
    named = [text for name, text in written if name == _SUBJECT]
    return any("".join(text.split()).replace("-", "").upper() != subject.number for text in named)


def _digest(written: list[tuple[str, str]]) -> bytes:
    # No prefix, no white space between elements and no identity number in it; XML cannot hold the separator.
    parts = [f"{name}\0{'' if name == _SUBJECT else text}" for name, text in written]
    return blake2b("\0".join(parts).encode(), digest_size=16).digest()


def _once_each(written: list[tuple[str, str]]) -> dict[str, str]:
    fields = dict(written)
    if len(fields) == len(written):
        return fields
    names = [name for name, _ in written]
    raise UnreadableField(next(name for name in names if names.count(name) > 1), "stands more than once")


def _facility(fields: dict[str, str]) -> HsaId | None:
    try:
        return parse_hsa_id(fields.get("healthcare_facility", ""))
    except InvalidIdentifier:
        return None


def _quarantined(slot: etree._Element) -> bytes:
    kept = copy.deepcopy(slot)
    for element in [child for child in kept if child.tag in _NEVER_KEPT]:
        kept.remove(element)
    return etree.tostring(kept, encoding="UTF-8", with_tail=False)[:_MOST_QUARANTINED]
