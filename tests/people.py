"""The cast. Each test says only what differs from these. Only published test identity numbers and fictitious phones."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Person:
    number: str
    phone: str | None = None
    email: str | None = None
    language: str = "sv"


ANNA = Person("198004262385", phone="+46701740605", email="anna@example.se")
BERTIL = Person("198108222384", phone="+46701740606")
CECILIA = Person("198204212396", email="cecilia@example.se")
DAVID = Person("198308172397", phone="+46701740607", language="en")
EBBA = Person("201801202381", phone="+46701740608")  # a child
EVERYBODY = (ANNA, BERTIL, CECILIA, DAVID, EBBA)
