"""What a CALDAV:filter asks for (RFC 4791 9.7); one that cannot be meant is refused before any work is done."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from lxml import etree

from feeds.caldav import xml
from feeds.caldav.answers import Unmet
from feeds.caldav.collations import COLLATIONS, DEFAULT
from feeds.caldav.filters import SCHEDULED, CompFilter, ParamFilter, PropFilter, TextMatch
from feeds.caldav.time_ranges import TimeRange, time_range_in
from feeds.caldav.xml import CALDAV, Malformed

_MOST_PARTS = 32  # each costs a look into each component
_NESTS: Final = {
    "VCALENDAR": SCHEDULED | {"VTIMEZONE"},
    "VEVENT": frozenset({"VALARM"}),
    "VTODO": frozenset({"VALARM"}),
    "VTIMEZONE": frozenset({"STANDARD", "DAYLIGHT"}),
}
_PLACED: Final = frozenset({"VCALENDAR"}).union(*_NESTS.values())
_TIMED: Final = SCHEDULED | {"VALARM"}
_DATES: Final = frozenset(
    {"DTSTART", "DTEND", "DUE", "DTSTAMP", "CREATED", "LAST-MODIFIED", "COMPLETED", "RECURRENCE-ID", "EXDATE", "RDATE"}
)
_INVALID = "<C:valid-filter/>"


@dataclass(slots=True)
class _Parts:
    """How many parts of a filter have been read."""

    read: int = field(default=0)

    def count(self) -> None:
        self.read += 1
        if self.read > _MOST_PARTS:
            raise Unmet("<C:supported-filter/>")


def filter_in(element: etree._Element | None) -> CompFilter:
    """The outermost comp-filter, of VCALENDAR. Raises Unmet."""
    if element is None:
        raise Unmet(_INVALID)
    inside = _parts(element, {"comp-filter"})
    if len(inside) != 1:
        raise Unmet(_INVALID)
    outermost = _component(inside[0], _Parts())
    if outermost.name != "VCALENDAR":
        raise Unmet(_INVALID)
    return outermost


def _component(element: etree._Element, parts: _Parts) -> CompFilter:
    parts.count()
    name = _name(element)
    inside = _parts(element, {"is-not-defined", "time-range", "prop-filter", "comp-filter"})
    if _is_absent(inside):
        return CompFilter(name, is_absent=True)
    time_range = _time_range(inside)
    if time_range is not None and name not in _TIMED:
        raise Unmet(_INVALID)
    components = tuple(_component(one, parts) for one in _named(inside, "comp-filter"))
    if any(one.name in _PLACED and one.name not in _NESTS.get(name, ()) for one in components):
        raise Unmet(_INVALID)
    props = tuple(_property(one, parts) for one in _named(inside, "prop-filter"))
    return CompFilter(name, time_range=time_range, props=props, components=components)


def _property(element: etree._Element, parts: _Parts) -> PropFilter:
    parts.count()
    name = _name(element)
    inside = _parts(element, {"is-not-defined", "time-range", "text-match", "param-filter"})
    if _is_absent(inside):
        return PropFilter(name, is_absent=True)
    time_range, text = _time_range(inside), _text_match(inside)
    if time_range is not None and (text is not None or name not in _DATES):
        raise _unanswerable(name) if name.startswith("X-") else Unmet(_INVALID)
    return PropFilter(
        name,
        time_range=time_range,
        text=text,
        params=tuple(_parameter(one, parts) for one in _named(inside, "param-filter")),
    )


def _unanswerable(name: str) -> Unmet:
    """Nobody says what the values of an extension are."""
    return Unmet(f"<C:supported-filter><C:prop-filter name={xml.attribute(name)}/></C:supported-filter>")


def _parameter(element: etree._Element, parts: _Parts) -> ParamFilter:
    parts.count()
    inside = _parts(element, {"is-not-defined", "text-match"})
    return ParamFilter(_name(element), is_absent=_is_absent(inside), text=_text_match(inside))


def _text_match(inside: Iterable[etree._Element]) -> TextMatch | None:
    element = _only(inside, "text-match")
    if element is None:
        return None
    collation = element.get("collation", DEFAULT)
    if collation not in COLLATIONS:
        raise Unmet("<C:supported-collation/>")
    negate = element.get("negate-condition", "no")
    if negate not in ("yes", "no"):
        raise Unmet(_INVALID)
    sought = COLLATIONS[collation]("".join(map(str, element.itertext())))
    return TextMatch(sought, collation, is_negated=negate == "yes")


def _time_range(inside: Iterable[etree._Element]) -> TimeRange | None:
    element = _only(inside, "time-range")
    try:
        return None if element is None else time_range_in(element)
    except Malformed:
        raise Unmet(_INVALID) from None


def _is_absent(inside: list[etree._Element]) -> bool:
    """is-not-defined leaves nothing else to ask."""
    is_absent = _only(inside, "is-not-defined") is not None
    if is_absent and len(inside) > 1:
        raise Unmet(_INVALID)
    return is_absent


def _only(inside: Iterable[etree._Element], name: str) -> etree._Element | None:
    found = _named(inside, name)
    if len(found) > 1:
        raise Unmet(_INVALID)
    return found[0] if found else None


def _named(inside: Iterable[etree._Element], name: str) -> list[etree._Element]:
    return [one for one in inside if one.tag == f"{CALDAV}{name}"]


def _parts(element: etree._Element, allowed: set[str]) -> list[etree._Element]:
    """What is inside, as far as it is CalDAV's: extensions of others are passed over (RFC 4918 17)."""
    inside = [one for one in xml.children(element) if str(one.tag).startswith(CALDAV)]
    if any(str(one.tag).removeprefix(CALDAV) not in allowed for one in inside):
        raise Unmet(_INVALID)
    return inside


def _name(element: etree._Element) -> str:
    """Names of components, properties and parameters are the same in small letters (RFC 5545 1.3)."""
    name = element.get("name", "").upper()
    if not name:
        raise Unmet(_INVALID)
    return name
