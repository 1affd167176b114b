"""What each level of a calendar shows of an open invitation, in Swedish and English. Pure: knows no table.

An invitation is a to-do: there is no time in it, so level `busy`, which shows nothing but times, shows none.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from feeds.levels import Place, Shown, labelled, lowered, told_before
from store.leaflets import Leaflet
from store.level import Level


@dataclass(frozen=True, slots=True)
class Invited:
    """What an open invitation is about. The texts are the care side's own and may hold anything."""

    time_type: str = field(default="", repr=False)
    performer: str = field(default="", repr=False)
    resource: str = field(default="", repr=False)
    preparations: Leaflet = field(default=Leaflet(), repr=False)


def shown_invitation(invited: Invited, place: Place, level: Level, language: str, way_back: str) -> Shown | None:
    """The texts of one open invitation at a level; None where the level shows none. Below `clinic` no name.

    It is true as long as it stands that a time may be booked, and no more is promised: who has booked, and whether,
    only the care side knows.
    """
    level, words = lowered(level, place), _ENGLISH if language == "en" else _SWEDISH
    if level is Level.BUSY:
        return None
    named = level in (Level.CLINIC, Level.FULL)
    return Shown(
        summary=", ".join([words["book"], place.name] if named and place.name else [words["book"]]),
        location=", ".join(part for part in (place.name, place.address) if part) if named else "",
        description="\n".join([words["means"], f"{words['way']}: {way_back}", *_details(invited, place, level, words)]),
        url=way_back,
    )


def _details(invited: Invited, place: Place, level: Level, words: Mapping[str, str]) -> list[str]:
    if level is Level.VISIT:
        return []
    lines = labelled(words, clinic=place.name, address=place.address, phone=place.phone)
    if level is Level.CLINIC:
        return lines
    lines += labelled(words, time_type=invited.time_type, performer=invited.performer, resource=invited.resource)
    return [*lines, *told_before(invited.preparations, words["care"])]


_SWEDISH: Mapping[str, str] = {
    "book": "Kallelse: boka en tid",
    "means": "Vården har kallat dig och du väljer själv en tid.",
    "way": "Boka på 1177",
    "clinic": "Mottagning",
    "address": "Adress",
    "phone": "Telefon",
    "time_type": "Kallelsen avser",
    "performer": "Du träffar",
    "resource": "Resurs",
    "care": "Information från vården",
}

_ENGLISH: Mapping[str, str] = {
    "book": "Invitation: book a time",
    "means": "You have been invited by a clinic, and choose a time yourself.",
    "way": "Book at 1177",
    "clinic": "Clinic",
    "address": "Address",
    "phone": "Telephone",
    "time_type": "The invitation is for",
    "performer": "You will meet",
    "resource": "Resource",
    "care": "Information from the clinic",
}
