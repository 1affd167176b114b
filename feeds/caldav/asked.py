"""One request, read as far as every method needs it."""

from enum import StrEnum
from typing import NamedTuple

from feeds.caldav.reading import Caller
from feeds.caldav.resources import Resource, ResourceKind
from feeds.conditional import Conditions


class Depth(StrEnum):
    """RFC 4918 10.2."""

    ZERO = "0"
    ONE = "1"
    INFINITY = "infinity"


class Asked(NamedTuple):
    """What a caller asks of one of their resources. `depth` is None where the header is absent."""

    method: str
    caller: Caller
    resource: Resource
    depth: Depth | None
    prefers_minimal: bool  # Prefer: return=minimal (RFC 8144), or Brief: t
    body: bytes
    conditions: Conditions | None = None  # of a GET or HEAD
    is_unmapped: bool = False  # nothing bears the name: `resource` is the closest collection above it
    leaves_root_out: bool = False  # Prefer: depth-noroot (RFC 8144 3)

    def __repr__(self) -> str:
        """Without what was sent."""
        return f"Asked({self.method}, {self.resource})"

    def stored(self) -> Resource | None:
        """The resource, an object with its content; None: an object that is not there. Raises NotNow."""
        if self.resource.kind is not ResourceKind.OBJECT:
            return self.resource
        return self.caller.named(self.resource.collection, [self.resource.name]).get(self.resource.name)
