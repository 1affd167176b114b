"""One thing looked at, for `kallelse check`, `/health/ready` and `/metrics`."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """`meaning` says what is so and, where it is not well, what to do. It names nobody. `warns`: it is well, and
    somebody should know all the same."""

    what: str
    is_well: bool
    meaning: str
    warns: bool = False
