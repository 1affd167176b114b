"""Keeps who is whose guardian, by the population register's word. Knows no calendar: it returns the children whose
guardians changed."""

from collections.abc import Mapping
from uuid import UUID

from store import guardianships, subjects
from store.custody import Custody
from store.database import Session
from store.guardianships import Guardianship
from store.identifiers import SubjectId
from store.vault import Vault
from worker.sources.population import PersonRecord, PopulationRegister

_Pair = tuple[UUID, UUID]
"""Guardian and child."""


def keep_guardians(
    session: Session, vault: Vault, register: PopulationRegister, people: Mapping[UUID, SubjectId]
) -> set[UUID]:
    """What the register says of these people's guardians, and of whom they are guardians themselves.

    Both ways, because either may be enrolled after the other one was asked about. Somebody who is not enrolled is not
    kept. Returns the children whose guardians are others now.
    """
    records = register.records(people.values())
    said = {person: records[number] for person, number in people.items() if number in records}
    stands = _stands(session, vault, register, people, said)
    rows = guardianships.of_children(session, said.keys() | {child for _, child in stands})
    begun = stands - {(row.guardian_id, row.child_id) for row in rows}
    for guardian, child in sorted(begun):
        guardianships.begin(session, guardian, child, register.as_of)
    changed = [row for row in rows if _change(row, _custody(row, stands, said), register)]
    session.flush()
    return {child for _, child in begun} | {row.child_id for row in changed}


def _stands(
    session: Session,
    vault: Vault,
    register: PopulationRegister,
    people: Mapping[UUID, SubjectId],
    said: Mapping[UUID, PersonRecord],
) -> set[_Pair]:
    children = register.children(people.values())
    others = {guardian for record in said.values() for guardian in record.guardians}
    known = subjects.by_numbers(session, vault, others.union(*children.values()))
    upwards = {(known[one].id, child) for child, record in said.items() for one in record.guardians if one in known}
    downwards = {
        (guardian, known[one].id)
        for guardian, number in people.items()
        for one in children.get(number, ())
        if one in known and not _is_asked_since(known[one], register)
    }
    return {pair for pair in upwards | downwards if pair[0] != pair[1]}


def _is_asked_since(child: subjects.Subject, register: PopulationRegister) -> bool:
    """A newer register has told of the child: another worker reads it already."""
    return child.population_asked_as_of is not None and child.population_asked_as_of > register.as_of


def _custody(row: Guardianship, stands: set[_Pair], said: Mapping[UUID, PersonRecord]) -> Custody:
    """Whom the register leaves out, or gives no guardian at all, it says nothing of: what was withdrawn stays so."""
    if (row.guardian_id, row.child_id) in stands:
        return Custody.STANDS
    if row.child_id not in said:
        return Custody(row.custody)
    if said[row.child_id].guardians:
        return Custody.ENDED
    return Custody.UNSAID if row.custody == Custody.STANDS else Custody(row.custody)


def _change(row: Guardianship, custody: Custody, register: PopulationRegister) -> bool:
    if row.custody == custody:
        return False
    row.custody, row.as_of = custody, register.as_of
    return True
