"""What clinics tell before visits: their own leaflets per facility, time type and language, and the hosts these may
lead to."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from sqlalchemy import UniqueConstraint
from sqlmodel import Field, Session, SQLModel, col, delete, select

from store.columns import UtcDateTime
from store.facilities import Facility
from store.identifiers import new_id
from store.leaflets import Leaflet, joined, linking_only_to, read

FALLBACK = "sv"
ALWAYS_ALLOWED = frozenset({"1177.se", "www.1177.se", "e-tjanster.1177.se"})


class ClinicLeaflet(SQLModel, table=True):
    """One text of a clinic's own, about no person. `facility` and `time_type_id` empty: for all of the clinic's."""

    __tablename__ = "clinic_leaflets"
    __table_args__ = (UniqueConstraint("clinic_id", "facility", "time_type_id", "language"),)

    id: UUID = Field(default_factory=new_id, primary_key=True)
    clinic_id: UUID = Field(foreign_key="clinics.id")
    facility: str = Field(default="")  # canonical HSA-id; it holds for those below it too
    time_type_id: str = Field(default="")
    language: str
    text: str  # a leaflet's written form
    amended_at: datetime = Field(sa_type=UtcDateTime)


class LinkHost(SQLModel, table=True):
    """A host that a clinic's texts may lead to, besides 1177."""

    __tablename__ = "link_hosts"

    clinic_id: UUID = Field(primary_key=True, foreign_key="clinics.id")
    host: str = Field(primary_key=True)


Texts = Mapping[tuple[str, str], Mapping[str, str]]
"""By facility and time type: the text in each language."""


@dataclass(frozen=True, slots=True)
class ClinicPreparations:
    """What the clinics of some facilities tell before visits."""

    texts: Mapping[UUID, Texts] = field(default_factory=dict, repr=False)
    hosts: Mapping[UUID, frozenset[str]] = field(default_factory=dict)

    def texts_for(self, line: Sequence[Facility], time_type_id: str, language: str) -> list[tuple[str, Leaflet]]:
        """What the clinic tells before a visit of this type at the first facility of `line` (`facilities.line`), each
        text with the language it is in: Swedish stands in for one that it lacks.

        What it says of the time type and what it says of every visit are both told, as neither may hide the other;
        of each, the nearest facility's.
        """
        clinic_id = line[0].clinic_id if line else None
        if clinic_id is None or clinic_id not in self.texts:
            return []
        found = [_nearest(self.texts[clinic_id], line, kind) for kind in dict.fromkeys((time_type_id, ""))]
        spoken = [(language if language in one else FALLBACK, one) for one in found]
        return [(known, self._shown(clinic_id, one[known])) for known, one in spoken if known in one]

    def told(self, line: Sequence[Facility], time_type_id: str, language: str) -> Leaflet:
        """The same as one leaflet."""
        return joined(leaflet for _, leaflet in self.texts_for(line, time_type_id, language))

    def _shown(self, clinic_id: UUID, text: str) -> Leaflet:
        """A host that is allowed no longer is led to by no press."""
        return linking_only_to(read(text), self.hosts_of(clinic_id))

    def hosts_of(self, clinic_id: UUID | None) -> frozenset[str]:
        return ALWAYS_ALLOWED | (self.hosts.get(clinic_id, frozenset()) if clinic_id else frozenset())


def of_clinics(session: Session, units: Iterable[Facility]) -> ClinicPreparations:
    """What these facilities' clinics tell before visits at them; `units` holds those above them too."""
    known = list(units)
    clinic_ids = {unit.clinic_id for unit in known if unit.clinic_id is not None}
    if not clinic_ids:
        return ClinicPreparations()
    here = ["", *{unit.hsa_id for unit in known}]
    rows = session.exec(
        select(ClinicLeaflet).where(col(ClinicLeaflet.clinic_id).in_(clinic_ids), col(ClinicLeaflet.facility).in_(here))
    ).all()
    texts: dict[UUID, dict[tuple[str, str], dict[str, str]]] = {}
    for row in rows:
        of_clinic = texts.setdefault(row.clinic_id, {})
        of_clinic.setdefault((row.facility, row.time_type_id), {})[row.language] = row.text
    return ClinicPreparations(texts, _hosts(session, texts) if texts else {})


def places_told(session: Session) -> dict[UUID, frozenset[tuple[str, str]]]:
    """By clinic, for which facilities and time types it has a text. Most have none."""
    found: dict[UUID, set[tuple[str, str]]] = {}
    query = select(ClinicLeaflet.clinic_id, ClinicLeaflet.facility, ClinicLeaflet.time_type_id)
    for clinic_id, facility, time_type_id in session.exec(query.where(col(ClinicLeaflet.language) == FALLBACK)):
        found.setdefault(clinic_id, set()).add((facility, time_type_id))
    return {clinic_id: frozenset(places) for clinic_id, places in found.items()}


def leaflets_of(session: Session, clinic_id: UUID) -> list[ClinicLeaflet]:
    """Every text of the clinic's."""
    query = select(ClinicLeaflet).where(col(ClinicLeaflet.clinic_id) == clinic_id)
    in_order = (col(ClinicLeaflet.facility), col(ClinicLeaflet.time_type_id), col(ClinicLeaflet.language).desc())
    return list(session.exec(query.order_by(*in_order)))


def put_in_place(session: Session, clinic_id: UUID, rows: Iterable[ClinicLeaflet]) -> None:
    """These texts instead of all that the clinic had."""
    session.exec(delete(ClinicLeaflet).where(col(ClinicLeaflet.clinic_id) == clinic_id))
    session.add_all(rows)
    session.flush()


def hosts_of(session: Session, clinic_id: UUID) -> frozenset[str]:
    """The hosts that the clinic's texts may lead to."""
    return ClinicPreparations(hosts=_hosts(session, [clinic_id])).hosts_of(clinic_id)


def allow_host(session: Session, clinic_id: UUID, host: str) -> None:
    if session.get(LinkHost, (clinic_id, host)) is None:
        session.add(LinkHost(clinic_id=clinic_id, host=host))
        session.flush()


def forbid_host(session: Session, clinic_id: UUID, host: str) -> bool:
    """False where it was not allowed."""
    statement = delete(LinkHost).where(col(LinkHost.clinic_id) == clinic_id, col(LinkHost.host) == host)
    return bool(session.exec(statement).rowcount)


def _nearest(texts: Texts, line: Sequence[Facility], time_type_id: str) -> Mapping[str, str]:
    for place in (*(unit.hsa_id for unit in line), ""):
        found = texts.get((place, time_type_id))
        if found is not None:
            return found
    return {}


def _hosts(session: Session, clinic_ids: Collection[UUID]) -> dict[UUID, frozenset[str]]:
    found: dict[UUID, set[str]] = {}
    for row in session.exec(select(LinkHost).where(col(LinkHost.clinic_id).in_(clinic_ids))):
        found.setdefault(row.clinic_id, set()).add(row.host)
    return {clinic_id: frozenset(hosts) for clinic_id, hosts in found.items()}
