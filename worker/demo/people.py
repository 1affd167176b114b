"""The citizens of the simulated region: published test identity numbers with invented names and contact points.

Writes the two files a real deployment would be given: subjects with their consent, and the population register.
"""

import csv
import io
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

SUBJECT_COLUMNS = ("identity", "language", "phone", "email", "consent_given_on", "consent_version", "level")
POPULATION_COLUMNS = ("identity", "protected", "deceased_on", "guardians")
MOST_CITIZENS = 45

# Numbers that Skatteverket and Inera publish for tests: they belong to nobody.
_IDENTITIES = (
    "198204212396",
    "195704289999",
    "200002292399",
    "198804202383",
    "194608239986",
    "198108222384",
    "201801202381",
    "198308172397",
    "198612092380",
    "197302889931",
    "198508122382",
    "198404152392",
    "198708152387",
    "198004262385",
    "198611062384",
    "194911172296",
    "200004059937",
    "194804032094",
    "201710022383",
    "192011189228",
    "191212121212",
    "188803099368",
    "190905271474",
    "190901219931",
    "202402292383",
    "190001019801",
    "189001019802",
    "189001029819",
    "189001039800",
    "189001049817",
    "189001059808",
    "189001069815",
    "189001079806",
    "189001089813",
    "189001099804",
    "189001109819",
    "189001119800",
    "189001129817",
    "189001139808",
    "189001149815",
    "189001159806",
    "189001169813",
    "189001179804",
    "189001189811",
    "189001199802",
)
_GUARDIANS = {
    "201801202381": ("198108222384",),
    "201710022383": ("198804202383", "198308172397"),
    "202402292383": ("198612092380",),
}
_PROTECTED = "198508122382"
_DECEASED = "194911172296"
_WOMEN = ("Elsa", "Maja", "Åsa", "Fatima", "Britt-Marie", "Linnéa", "Sofia", "Ulla", "Zahra", "Ingrid", "Karin", "Moa")
_MEN = ("Johan", "Erik", "Ahmed", "Sven-Åke", "Oskar", "Björn", "Mehmet", "Lars", "Göran", "Viktor", "Nils", "Ivan")
_FAMILIES = (
    "Andersson",
    "Öberg",
    "Lindström",
    "Åkesson",
    "Haddad",
    "Nyström",
    "Bergqvist",
    "Sjölund",
    "Jansson",
    "Demir",
    "Ek",
)
_FIRST_PHONE = 46701740605
_LEVELS = ("full", "clinic", "visit", "clinic", "full", "busy")


@dataclass(frozen=True, slots=True)
class Person:
    """A citizen. An empty phone or e-mail address means that there is none; `level` is the calendar's."""

    identity: str = field(repr=False)
    name: str
    language: str
    phone: str = field(repr=False)
    email: str = field(repr=False)
    level: str
    guardians: tuple[str, ...] = field(default=(), repr=False)
    is_protected: bool = False
    has_died: bool = False

    @property
    def is_child(self) -> bool:
        return bool(self.guardians)


def people(citizens: int) -> tuple[Person, ...]:
    """The first so many citizens, always the same ones. Raises ValueError beyond `MOST_CITIZENS`."""
    if not 1 <= citizens <= MOST_CITIZENS:
        raise ValueError(f"the simulated region has 1 to {MOST_CITIZENS} citizens")
    return tuple(_person(place) for place in range(citizens))


def subjects_csv(citizens: Iterable[Person], now: datetime) -> str:
    """What `subjects import` takes: everybody has consented a month before `now`."""
    consent_given_on = (now - timedelta(days=30)).date().isoformat()
    rows = (_subject_row(person, consent_given_on) for person in citizens)
    return _csv(SUBJECT_COLUMNS, rows)


def population_csv(citizens: Iterable[Person], now: datetime) -> str:
    """The population register of `now`, with its date in the first line."""
    died_on = (now - timedelta(days=3)).date()
    rows = (_population_row(person, died_on) for person in citizens)
    return f"# as_of: {now.isoformat(timespec='seconds')}\n" + _csv(POPULATION_COLUMNS, rows)


def _person(place: int) -> Person:
    identity = _IDENTITIES[place]
    phone, email = _contact_points(place)
    return Person(
        identity=identity,
        name=_name(identity, place),
        language="en" if place % 7 == 3 else "sv",
        phone=phone,
        email=email,
        level=_LEVELS[place % len(_LEVELS)],
        guardians=_GUARDIANS.get(identity, ()),
        is_protected=identity == _PROTECTED,
        has_died=identity == _DECEASED,
    )


def _name(identity: str, place: int) -> str:
    first_names = _MEN if int(identity[10]) % 2 else _WOMEN
    return f"{first_names[place % len(first_names)]} {_FAMILIES[place % len(_FAMILIES)]}"


def _contact_points(place: int) -> tuple[str, str]:
    """Most have a phone, every third an e-mail address, some of them nothing else. A child has a guardian's phone."""
    guardian = _GUARDIANS.get(_IDENTITIES[place], (_IDENTITIES[place],))[0]
    phone = f"+{_FIRST_PHONE + _IDENTITIES.index(guardian)}"
    email = f"invanare{place + 1}@example.se"
    if place % 6 == 4:
        return "", email
    return phone, email if place % 3 == 2 else ""


def _subject_row(person: Person, consent_given_on: str) -> tuple[str, ...]:
    return (person.identity, person.language, person.phone, person.email, consent_given_on, "1", person.level)


def _population_row(person: Person, died_on: date) -> tuple[str, ...]:
    return (
        person.identity,
        "yes" if person.is_protected else "no",
        died_on.isoformat() if person.has_died else "",
        "|".join(person.guardians),
    )


def _csv(columns: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = io.StringIO()
    writer = csv.writer(lines, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)
    return lines.getvalue()
