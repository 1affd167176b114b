"""What the population register says of custody. Apart from the tables, so that pure decisions may name it."""

from enum import StrEnum


class Custody(StrEnum):
    """The register's last word on whether somebody is a child's guardian."""

    STANDS = "stands"
    ENDED = "ended"  # it names others
    UNSAID = "unsaid"  # it knows the child and names no guardian at all, which nobody can be sure is meant
