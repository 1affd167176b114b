"""Healthcare facilities (the care-unit tree) and the logical addresses that questions about them are routed to."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import JSON, CheckConstraint
from sqlmodel import Field, Session, SQLModel, col, select, update

from store.columns import UtcDateTime
from store.identifiers import HsaId

WHOLE_SOURCE = "*"
"""The address under which a source's own failures are noted: nobody behind it answers us then."""


class Facility(SQLModel, table=True):
    """Where visits are. Made by import, or at first sight in an answer (`imported_at` is then empty)."""

    __tablename__ = "facilities"
    __table_args__ = (CheckConstraint("parent <> hsa_id", name="parent_is_another"),)

    hsa_id: str = Field(primary_key=True)  # canonical, see HsaId
    spelling: str  # as imported or first seen on the wire: what a direct call says
    parent: str | None = Field(default=None, foreign_key="facilities.hsa_id", index=True)
    display_name: str
    message_name: str  # what messages call it; neutral for sensitive ones
    is_sensitive: bool = Field(default=True)  # unknown = most secret
    phone: str = Field(default="")
    address: str = Field(default="")
    clinic_id: UUID | None = Field(default=None, foreign_key="clinics.id", index=True)  # none: calendar only
    cancel_deadline: str = Field(default="")  # "weekdays:1", "hours:24", "" (see notifier.swedish_days)
    remote_time_types: list[str] = Field(default_factory=list, sa_type=JSON)  # time type ids of video and phone visits
    shows_end: bool = Field(default=False)
    frozen_at: datetime | None = Field(default=None, sa_type=UtcDateTime)  # under mass disappearance
    released_at: datetime | None = Field(default=None, sa_type=UtcDateTime)  # by an operator: what was missed is true
    imported_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    first_seen_at: datetime | None = Field(default=None, sa_type=UtcDateTime)  # in any answer, anybody's


class LogicalAddress(SQLModel, table=True):
    """What we know of one address at one source, over all subjects."""

    __tablename__ = "logical_addresses"

    source: str = Field(primary_key=True)
    address: str = Field(primary_key=True)  # canonical HSA-id
    seen_in_evidence_at: datetime | None = Field(default=None, sa_type=UtcDateTime)  # anybody's evidence, lately
    silent_since: datetime | None = Field(default=None, sa_type=UtcDateTime)  # only failures since; None = it answers
    last_failure: str = Field(default="")
    direct_refused_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    not_visible_since: datetime | None = Field(default=None, sa_type=UtcDateTime)  # flagged to operators


def by_ids(session: Session, ids: Iterable[str]) -> dict[HsaId, Facility]:
    rows = session.exec(select(Facility).where(col(Facility.hsa_id).in_(set(ids))))
    return {HsaId(row.hsa_id): row for row in rows}


def with_those_above(session: Session, ids: Iterable[str]) -> dict[HsaId, Facility]:
    """These facilities and all that stand above them."""
    found: dict[HsaId, Facility] = {}
    wanted = {HsaId(one) for one in ids}
    while wanted:
        units = by_ids(session, wanted)
        found |= units
        wanted = {HsaId(unit.parent) for unit in units.values() if unit.parent is not None} - found.keys()
    return found


def line(units: Mapping[HsaId, Facility], hsa_id: str) -> list[Facility]:
    """The unit and those above it, the nearest first, as far as `units` has them."""
    found: list[Facility] = []
    unit = units.get(HsaId(hsa_id))
    while unit is not None and unit not in found:
        found.append(unit)
        unit = units.get(HsaId(unit.parent)) if unit.parent else None
    return found


def sensitive(session: Session) -> frozenset[str]:
    """Every facility whose name is hidden."""
    return frozenset(session.exec(select(Facility.hsa_id).where(col(Facility.is_sensitive))))


def of_clinic(session: Session, clinic_id: UUID) -> list[Facility]:
    query = select(Facility).where(col(Facility.clinic_id) == clinic_id)
    return list(session.exec(query.order_by(col(Facility.message_name))))


def tree(session: Session) -> dict[HsaId, HsaId]:
    """Every facility that has a parent, with that parent."""
    rows = session.exec(select(Facility.hsa_id, Facility.parent).where(col(Facility.parent).is_not(None)))
    return {HsaId(child): HsaId(parent) for child, parent in rows if parent is not None}


def addresses(session: Session, source: str, of: Iterable[str]) -> dict[HsaId, LogicalAddress]:
    rows = session.exec(
        select(LogicalAddress).where(col(LogicalAddress.source) == source, col(LogicalAddress.address).in_(set(of)))
    )
    return {HsaId(row.address): row for row in rows}


def note_evidence(session: Session, source: str, address: str, at: datetime) -> datetime | None:
    """Somebody's answer held the address's own data at `at`: it answers, and we may see it.

    Returns since when it had been silent or not visible; None where it had not.
    """
    row = _address(session, source, address)
    missing_since = min((one for one in (row.silent_since, row.not_visible_since) if one is not None), default=None)
    row.seen_in_evidence_at = at
    row.silent_since = row.not_visible_since = None
    row.last_failure = ""
    session.add(row)
    session.flush()
    return missing_since


def note_direct_answers(session: Session, source: str, of: Iterable[str]) -> None:
    """These addresses answered us directly: an earlier refusal no longer holds."""
    statement = update(LogicalAddress).where(
        col(LogicalAddress.source) == source,
        col(LogicalAddress.address).in_(list(of)),
        col(LogicalAddress.direct_refused_at).is_not(None),
    )
    session.exec(statement.values(direct_refused_at=None).execution_options(synchronize_session=False))


def note_failure(session: Session, source: str, address: str, code: str, at: datetime) -> bool:
    """The address did not answer at `at`; silent since the first such time after its last answer. True if new."""
    row = _address(session, source, address)
    is_new = row.silent_since is None
    row.silent_since = row.silent_since or at
    row.last_failure = code
    session.add(row)
    session.flush()
    return is_new


def note_refusal(  # noqa: PLR0913 - who refused, how, when
    session: Session, source: str, address: str, code: str, at: datetime, unseen: timedelta
) -> bool:
    """The address refused a direct question. Flags it "not visible" when nobody's evidence is younger than `unseen`.

    True if that flag is new.
    """
    row = _address(session, source, address)
    was_visible = row.not_visible_since is None
    row.direct_refused_at = at
    row.last_failure = code
    if row.seen_in_evidence_at is None or at - row.seen_in_evidence_at > unseen:
        row.not_visible_since = row.not_visible_since or at
    session.add(row)
    session.flush()
    return was_visible and row.not_visible_since is not None


def silent(session: Session) -> list[LogicalAddress]:
    """The addresses that have not answered, the longest silent first, and those no longer visible to us."""
    missing = col(LogicalAddress.silent_since).is_not(None) | col(LogicalAddress.not_visible_since).is_not(None)
    return list(session.exec(select(LogicalAddress).where(missing).order_by(col(LogicalAddress.silent_since))))


def _address(session: Session, source: str, address: str) -> LogicalAddress:
    return session.get(LogicalAddress, (source, address)) or LogicalAddress(source=source, address=address)
