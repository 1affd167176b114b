"""A RIV-TA platform as a booking source: the aggregating service's answer, or one facility's own, as a snapshot; and
as a source of open invitations, by the engagement index and each facility's own word."""

import re
from collections.abc import Mapping
from hashlib import blake2b

from store.identifiers import HsaId, InvalidIdentifier, SubjectId, parse_hsa_id
from worker.sources import (
    AddressStatus,
    IsStored,
    Listing,
    Listings,
    NotOpen,
    ReportedInvitation,
    ReportedSlot,
    Snapshot,
    SourceRefused,
    SourceUnavailable,
    Unreadable,
)
from worker.sources.rivta.client import Answer, Client
from worker.sources.rivta.contract import DETAILS, INDEX
from worker.sources.rivta.envelope import Opened, details_question, fault_in, index_question, opened, question
from worker.sources.rivta.faults import error_of_status
from worker.sources.rivta.index import listings_in
from worker.sources.rivta.octets import octets_of
from worker.sources.rivta.schedule import invitation_in, slots_of
from worker.sources.rivta.settings import RivtaSettings
from worker.sources.rivta.statuses import read_statuses

_ASKABLE = re.compile(r"[0-9]{8}[0-9PTF][0-9]{3}")  # SubjectOfCareIdType: most reserve numbers have no place in it


class RivtaSource:
    """One platform; may be shared between threads. Every question raises SourceError when it gets no usable answer."""

    def __init__(self, settings: RivtaSettings) -> None:
        """Raises OSError when a certificate, key or trust file cannot be used."""
        self._settings = settings
        self._client = Client(settings)

    @property
    def name(self) -> str:
        return self._settings.name

    @property
    def can_ask_directly(self) -> bool:
        return self._settings.direct

    @property
    def has_invitations(self) -> bool:
        return self.can_ask_directly and self._settings.index_logical_address is not None

    def schedule(self, subject: SubjectId, is_stored: IsStored = lambda _: False) -> Snapshot | None:
        """All coming bookings of the subject, with what was said of each address asked."""
        content = _good(self._asked(subject, self._settings.logical_address))
        octets = octets_of(content)
        return None if is_stored(octets) else _snapshot(self.name, subject, opened(content), octets=octets)

    def schedule_at(self, subject: SubjectId, facility_spelling: str) -> Snapshot:
        """What the facility itself has for the subject; its answer is evidence."""
        if not self.can_ask_directly:
            raise SourceRefused("direct", "this platform may not be asked about single facilities")
        facility = _facility(facility_spelling)
        answered = opened(_good(self._asked(subject, facility_spelling)))
        _refuse_second_hand(read_statuses(answered.status))
        return _snapshot(self.name, subject, answered, facility)

    def listings(self, subject: SubjectId) -> Listings:
        """What the engagement index lists of the subject, under every category."""
        address = self._settings.index_logical_address
        if address is None:
            raise SourceRefused("index", "this platform's engagement index may not be asked")
        _require_askable(subject)
        answer = self._client.ask(index_question(subject.number, logical_address=address), INDEX)
        return listings_in(opened(_good(answer), INDEX).response, subject)

    def invitation(self, subject: SubjectId, listing: Listing) -> ReportedInvitation | NotOpen | Unreadable:
        """What the facility itself says of something listed."""
        _require_askable(subject)
        asked = details_question(subject.number, address=listing.spelling, booking_id=listing.booking_id)
        answered = opened(_good(self._client.ask(asked, DETAILS)), DETAILS)
        return invitation_in(answered.response, subject, listing.booking_id)

    def close(self) -> None:
        self._client.close()

    def _asked(self, subject: SubjectId, address: str) -> Answer:
        _require_askable(subject)
        return self._client.ask(question(subject.number, logical_address=address, facility=address))


def _require_askable(subject: SubjectId) -> None:
    if _ASKABLE.fullmatch(subject.number) is None:
        raise SourceRefused("identity", "the contract has no place for this kind of identity number")


def _facility(spelling: str) -> HsaId:
    try:
        return parse_hsa_id(spelling)
    except InvalidIdentifier as fault:
        raise SourceRefused("address", f"the facility cannot be asked: {fault}") from None


def _good(answer: Answer) -> bytes:
    if answer.status == 200:
        return answer.content
    raise fault_in(answer.content) or error_of_status(answer.status)


def _refuse_second_hand(statuses: Mapping[HsaId, AddressStatus]) -> None:
    # A facility's system can itself be an aggregating one; an answer from a cache or in part is no evidence.
    if any(status is not AddressStatus.FROM_SOURCE for status in statuses.values()):
        raise SourceUnavailable("second_hand", "the facility's answer says that it is not fresh or not whole")


def _snapshot(
    source: str, subject: SubjectId, answered: Opened, direct_to: HsaId | None = None, octets: bytes = b""
) -> Snapshot:
    statuses = {} if direct_to else read_statuses(answered.status)
    slots, foreign = slots_of(answered.response, subject)
    return Snapshot(source, direct_to, statuses, slots, foreign, _digest(slots, statuses), octets)


def _digest(slots: tuple[ReportedSlot, ...], statuses: Mapping[HsaId, AddressStatus]) -> bytes:
    said = sorted(f"{address}\0{status}" for address, status in statuses.items())
    digests = sorted(slot.digest for slot in slots)
    return blake2b(b"".join(digests) + b"\0" + "\0".join(said).encode(), digest_size=16).digest()
