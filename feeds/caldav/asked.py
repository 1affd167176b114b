"""One request, read as far as every method needs it."""

from dataclasses import dataclass, field
from enum import StrEnum

from feeds.caldav.reading import Caller
from feeds.caldav.resources import Resource


class Depth(StrEnum):
    """RFC 4918 10.2."""

    ZERO = "0"
    ONE = "1"
    INFINITY = "infinity"


@dataclass(frozen=True, slots=True)
class Asked:
    """What a caller asks of one of their resources. `depth` is None where the header is absent."""

    method: str
    caller: Caller
    resource: Resource
    depth: Depth | None
    prefers_minimal: bool  # Prefer: return=minimal (RFC 8144), or Brief: t
    if_none_match: str
    body: bytes = field(repr=False)
