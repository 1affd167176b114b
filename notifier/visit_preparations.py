"""What one person is to read before visits: the source's text and the clinic's own, and where each may be shown.

Reads; sends and writes nothing.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from store import bookings, facilities, preparations
from store.bookings import Booking
from store.clinics import Clinic
from store.database import Session
from store.facilities import Facility
from store.identifiers import HsaId
from store.leaflets import Leaflet, joined, linking_only_to, read, written
from store.preparations import FALLBACK, ClinicPreparations
from store.vault import SubjectCipher, Vault


@dataclass(frozen=True, slots=True)
class ToRead:
    """Before one visit. `texts`: each with the language it is in.

    `on_page`: it may be shown to whoever has the link. `in_mail`: it may stand in an e-mail. What is for neither is
    to be read on 1177, so only the source's own text counts then.
    """

    booking_id: UUID
    start_at: datetime
    clinic: str = field(repr=False)  # the facility's name in messages
    texts: tuple[tuple[str, Leaflet], ...] = field(repr=False)
    canonical: str = field(repr=False)  # the same in whatever language it is read: tells whether it has changed
    on_page: bool
    in_mail: bool

    @property
    def leaflet(self) -> Leaflet:
        return joined(leaflet for _, leaflet in self.texts)

    def digest(self, vault: Vault) -> str:
        """Tells whether a text is the one that was read, and nothing of what it says."""
        return vault.digest("preparations_read", self.canonical)


class Shelf:
    """What there is to read before some visits of one clinic's, whoever's they are."""

    def __init__(self, session: Session, clinic: Clinic, visits: Iterable[Booking]) -> None:
        self._clinic = clinic
        self._units: Mapping[HsaId, Facility] = facilities.with_those_above(
            session, {visit.facility for visit in visits}
        )
        self._own: ClinicPreparations = preparations.of_clinics(session, self._units.values())

    def to_read(self, cipher: SubjectCipher, visit: Booking, language: str) -> ToRead | None:
        """None where there is nothing. Raises Unsealable.

        A sensitive unit's text stands in no e-mail; behind a link it stands where the clinic's needs-and-risk decision
        covers such texts. Anybody else's stands in e-mail where the decision covers them.
        """
        line = facilities.line(self._units, visit.facility)
        is_sensitive = not line or any(unit.is_sensitive for unit in line)
        covered = self._clinic.decision_covers_texts
        on_page = covered or not is_sensitive
        said = read(bookings.open_details(cipher, visit).preparations)
        own = self._own.texts_for(line, visit.time_type_id, language) if on_page else []
        texts = _kept([(FALLBACK, said), *own], self._own.hosts_of(self._clinic.id))
        if not texts:
            return None
        known = self._own.told(line, visit.time_type_id, FALLBACK) if on_page else Leaflet()
        return ToRead(
            booking_id=visit.id,
            start_at=visit.start_at,
            clinic=line[0].message_name if line else "",
            texts=texts,
            canonical=written(joined([said, known])),
            on_page=on_page,
            in_mail=covered and not is_sensitive,
        )


def to_read(
    session: Session, cipher: SubjectCipher, visits: Sequence[Booking], clinic: Clinic, language: str
) -> dict[UUID, ToRead]:
    """Before each of these visits of one person that has anything to be read. Raises Unsealable."""
    shelf = Shelf(session, clinic, visits)
    found = ((visit.id, shelf.to_read(cipher, visit, language)) for visit in visits)
    return {booking_id: one for booking_id, one in found if one is not None}


def _kept(texts: Sequence[tuple[str, Leaflet]], hosts: Collection[str]) -> tuple[tuple[str, Leaflet], ...]:
    """Each different text once, leading only to hosts that the clinic allows."""
    by_leaflet = {linking_only_to(leaflet, hosts): language for language, leaflet in reversed(texts) if leaflet}
    return tuple((language, leaflet) for leaflet, language in reversed(by_leaflet.items()))
