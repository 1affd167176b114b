"""How much a calendar shows. Apart from the tables, so that pure decisions may name it."""

from enum import StrEnum


class Level(StrEnum):
    """How much a calendar shows, the least first."""

    BUSY = "busy"
    VISIT = "visit"
    CLINIC = "clinic"
    FULL = "full"
