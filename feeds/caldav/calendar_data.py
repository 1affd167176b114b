"""What of a component a report gives: calendar-data, RFC 4791 9.6: all of it, or a selection, or with times in UTC."""

from dataclasses import dataclass, replace

from lxml import etree

from feeds.caldav import content_lines, xml
from feeds.caldav.answers import Unmet
from feeds.caldav.content_lines import Component, Line
from feeds.caldav.filters import SCHEDULED
from feeds.caldav.instants import CALENDAR_ZONE, as_utc, instant
from feeds.caldav.time_ranges import TimeRange, closed_range_in
from feeds.caldav.xml import CALDAV, Malformed
from feeds.ical import calendar_object

NAME = f"{CALDAV}calendar-data"
_OPENING, _CLOSING = "<C:calendar-data>", "</C:calendar-data>"
_HEAD, _END = (xml.escape(text) for text in calendar_object(b"\0").decode().split("\0"))
_RANGES = ("expand", "limit-recurrence-set", "limit-freebusy-set")


@dataclass(frozen=True, slots=True)
class Part:
    """What is wanted of the components of a name. `props` says of each property whether its value is wanted, too."""

    props: dict[str, bool] | None  # None: every property
    components: dict[str, "Part"] | None  # None: every component

    def of(self, component: Component) -> Component:
        lines = component.lines if self.props is None else self._lines(component, self.props)
        if self.components is None:
            return Component(component.name, lines, component.components)
        inside = [self.components[one.name].of(one) for one in component.components if one.name in self.components]
        return Component(component.name, lines, inside)

    def _lines(self, component: Component, props: dict[str, bool]) -> list[Line]:
        return [line if props[line.name] else line._replace(value="") for line in component.lines if line.name in props]


@dataclass(frozen=True, slots=True)
class Selection:
    """What is wanted of each component: all of it as it is, unless there is a part or an expansion."""

    part: Part | None = None
    expansion: TimeRange | None = None

    def element(self, component: bytes) -> str:
        if self.part is None and self.expansion is None:
            return f"{_OPENING}{_HEAD}{xml.escape(component.decode())}{_END}{_CLOSING}"
        return f"{_OPENING}{xml.escape(self._selected(component))}{_CLOSING}"

    def _selected(self, component: bytes) -> str:
        calendar = content_lines.read(calendar_object(component))
        if self.expansion is not None:
            calendar = _expanded(calendar, self.expansion)
        return content_lines.written(calendar if self.part is None else self.part.of(calendar))


def selection_in(element: etree._Element) -> Selection:
    """Raises Unmet and Malformed. Of what bounds recurrences nothing is left to do: no component recurs."""
    if (
        element.get("content-type", "text/calendar").lower() != "text/calendar"
        or element.get("version", "2.0") != "2.0"
    ):
        raise Unmet("<C:supported-calendar-data/>")
    found = {str(child.tag).removeprefix(CALDAV): child for child in xml.children(element)}
    if not found:
        return Selection()
    if "expand" in found and "limit-recurrence-set" in found:
        raise Malformed("calendar-data is either expanded or limited")
    ranges = {name: closed_range_in(found[name]) for name in _RANGES if name in found}
    comp = found.get("comp")
    if comp is not None and comp.get("name", "").upper() != "VCALENDAR":
        raise Malformed("the outermost comp is VCALENDAR")
    return Selection(None if comp is None else _part(comp), ranges.get("expand"))


def _part(comp: etree._Element) -> Part:
    inside = xml.children(comp)
    tags = {str(one.tag) for one in inside}
    props = {_name(one): one.get("novalue") != "yes" for one in inside if one.tag == f"{CALDAV}prop"}
    components = {_name(one): _part(one) for one in inside if one.tag == f"{CALDAV}comp"}
    return Part(
        None if f"{CALDAV}allprop" in tags else props,
        None if f"{CALDAV}allcomp" in tags else components,
    )


def _name(element: etree._Element) -> str:
    name = element.get("name", "").upper()
    if not name:
        raise Malformed("comp and prop have a name")
    return name


def _expanded(calendar: Component, within: TimeRange) -> Component:
    """Times in UTC, no zone, and nothing that lies outside the range (RFC 4791 9.6.5)."""
    inside = [
        _in_utc(one)
        for one in calendar.components
        if one.name in SCHEDULED and within.overlaps(one, calendar, CALENDAR_ZONE)
    ]
    return replace(calendar, components=inside)


def _in_utc(component: Component) -> Component:
    return replace(
        component,
        lines=[_line_in_utc(line) for line in component.lines],
        components=[_in_utc(one) for one in component.components],
    )


def _line_in_utc(line: Line) -> Line:
    at = instant(line, CALENDAR_ZONE) if line.parameter("TZID") else None
    return line if at is None else Line(line.name, line.without_parameter("TZID"), as_utc(at))
