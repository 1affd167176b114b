"""Filters (RFC 4791 9.7): which components they let through, and what of that is known without opening any. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import tzinfo
from typing import Final

from feeds.caldav.collations import COLLATIONS, DEFAULT
from feeds.caldav.content_lines import Component, Line
from feeds.caldav.time_ranges import TimeRange

SCHEDULED: Final = frozenset({"VEVENT", "VTODO", "VJOURNAL", "VFREEBUSY"})
"""What objects are made of; each object of ours holds exactly one of them, of its collection's kind."""


@dataclass(frozen=True, slots=True)
class TextMatch:
    """Text that contains `sought`, which the collation has prepared already."""

    sought: str = field(repr=False)
    collation: str = DEFAULT
    is_negated: bool = False

    def holds(self, text: str) -> bool:
        return (self.sought in COLLATIONS[self.collation](text)) is not self.is_negated


@dataclass(frozen=True, slots=True)
class ParamFilter:
    name: str
    is_absent: bool = False  # is-not-defined
    text: TextMatch | None = None

    def holds(self, line: Line) -> bool:
        values = line.parameter(self.name)
        if values is None or self.is_absent:
            return values is None and self.is_absent
        return self.text is None or self.text.holds(",".join(values))


@dataclass(frozen=True, slots=True)
class PropFilter:
    name: str
    is_absent: bool = False
    time_range: TimeRange | None = None
    text: TextMatch | None = None
    params: tuple[ParamFilter, ...] = ()

    def holds(self, component: Component, floating: tzinfo) -> bool:
        lines = [line for line in component.lines if line.name == self.name]
        if self.is_absent:
            return not lines
        return any(self._fits(line, floating) for line in lines)

    def _fits(self, line: Line, floating: tzinfo) -> bool:
        if self.time_range is not None and not self.time_range.holds_line(line, floating):
            return False
        if self.text is not None and not self.text.holds(line.text):
            return False
        return all(one.holds(line) for one in self.params)


@dataclass(frozen=True, slots=True)
class CompFilter:
    name: str
    is_absent: bool = False
    time_range: TimeRange | None = None
    props: tuple[PropFilter, ...] = ()
    components: tuple["CompFilter", ...] = ()

    def lets_through(self, calendar: Component, floating: tzinfo) -> bool:
        """Of a filter's outermost part."""
        return self._holds((calendar,), calendar, floating)

    def _holds(self, components: Sequence[Component], around: Component, floating: tzinfo) -> bool:
        named = [one for one in components if one.name == self.name]
        if self.is_absent:
            return not named
        return any(self._fits(one, around, floating) for one in named)

    def _fits(self, one: Component, around: Component, floating: tzinfo) -> bool:
        if self.time_range is not None and not self.time_range.overlaps(one, around, floating):
            return False
        if not all(wanted.holds(one, floating) for wanted in self.props):
            return False
        return all(wanted._holds(one.components, one, floating) for wanted in self.components)


@dataclass(frozen=True, slots=True)
class Narrowed:
    """What a filter says of a whole collection before anything is opened."""

    is_empty: bool = False  # nothing there can pass
    time_range: TimeRange | None = None  # of visits
    must_look: bool = False  # each that is left must be looked into


def narrowed(outermost: CompFilter, component: str) -> Narrowed:
    """For a collection of objects that each hold one `component`."""
    if outermost.is_absent:
        return Narrowed(is_empty=True)
    must_look = bool(outermost.props)
    time_range = None
    for one in outermost.components:
        if one.name not in SCHEDULED:
            must_look = True
        elif one.is_absent is (one.name == component):
            return Narrowed(is_empty=True)
        elif not one.is_absent:
            is_by_time = one.time_range is not None and component == "VEVENT" and time_range is None
            time_range = one.time_range if is_by_time else time_range
            must_look |= bool(one.props or one.components) or (one.time_range is not None and not is_by_time)
    return Narrowed(time_range=time_range, must_look=must_look)
