"""CalDAV, RFC 4791: the properties of calendars, what its reports tell of each component, and calendar-multiget."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from lxml import etree

from feeds import ical
from feeds.caldav import answers, calendar_data, resources, time_ranges, xml
from feeds.caldav.answers import Answer
from feeds.caldav.asked import Asked
from feeds.caldav.calendar_data import Selection
from feeds.caldav.collations import COLLATIONS
from feeds.caldav.properties import Properties, Property, Wanted
from feeds.caldav.reading import Caller
from feeds.caldav.resources import Resource, ResourceKind
from feeds.caldav.xml import APPLE, CALDAV, CALENDARSERVER, DAV, Malformed
from feeds.levels import about
from store.calendars import ComponentKind

COMPONENTS: Final = {ComponentKind.VISIT: "VEVENT", ComponentKind.INVITATION: "VTODO"}
_LARGEST: Final = 20_000  # octets; a component of ours is far below
_ASKING: Final = frozenset({f"{DAV}prop", f"{DAV}allprop", f"{DAV}propname"})


@dataclass(frozen=True, slots=True)
class Report:
    """What a report tells of each component."""

    wanted: Wanted
    selection: Selection | None

    @property
    def needs_content(self) -> bool:
        return self.selection is not None

    def response(self, asked: Asked, properties: Properties, resource: Resource) -> str:
        """Of one object."""
        (only,) = self.responses(asked, properties, [resource])
        return only

    def responses(self, asked: Asked, properties: Properties, told: Sequence[Resource]) -> list[str]:
        """Of several objects of one collection."""
        selection = self.selection
        more = None if selection is None else lambda _, resource: selection.element(resource.component or b"")
        return properties.responses(asked.caller, told, self.wanted, minimal=asked.prefers_minimal, more=more)


def report_in(asked: etree._Element | None) -> Report:
    """What a DAV:prop, allprop or propname of a report asks for. Raises Malformed, Unmet."""
    if asked is None:
        return Report(Wanted(()), None)
    if asked.tag != f"{DAV}prop":
        return Report(Wanted(only_names=asked.tag == f"{DAV}propname"), None)
    data = asked.find(calendar_data.NAME)
    names = xml.names_of(one for one in xml.children(asked) if one.tag != calendar_data.NAME)
    return Report(Wanted(names), None if data is None else calendar_data.selection_in(data))


def asked_in(root: etree._Element) -> etree._Element | None:
    """Where a report of this RFC says what it asks for."""
    return next((one for one in xml.children(root) if one.tag in _ASKING), None)


def calendar_multiget(asked: Asked, root: etree._Element, properties: Properties) -> Answer:
    """RFC 4791 7.9: the components of these addresses, each once, and each unknown one as 404. Raises Malformed, Unmet.

    Of an object only itself can be asked for.
    """
    report = report_in(asked_in(root))
    hrefs = [xml.text_of(one) for one in xml.children(root) if one.tag == f"{DAV}href"]
    if not hrefs:
        raise Malformed("calendar-multiget names no DAV:href")
    kind = asked.resource.collection
    names = resources.names_in(map(_path, hrefs), asked.caller.account, kind)
    sought = dict(zip(hrefs, names, strict=True))
    stored = asked.caller.named(kind, [name for name in names if name])
    if asked.resource.name:
        stored = {name: one for name, one in stored.items() if name == asked.resource.name}
    told = {stored[name].path if name in stored else href: stored.get(name) for href, name in sought.items()}
    found = iter(report.responses(asked, properties, [one for one in told.values() if one is not None]))
    return answers.multistatus(
        [answers.response(path, "404 Not Found") if one is None else next(found) for path, one in told.items()],
        minimal=asked.prefers_minimal,
    )


def _path(href: str) -> str:
    """Of a reference, which may be a whole URL. Empty for what is none."""
    if href.startswith("/"):
        return href
    try:
        return urlsplit(href).path
    except ValueError:
        return ""


def _ctag(caller: Caller, resource: Resource) -> str:
    return f'"{caller.etag_prefix}{caller.revision(resource.collection)}"'


def _description(caller: Caller, _: Resource) -> str:
    language = xml.attribute(caller.language)
    return f" xml:lang={language}>{xml.escape(about(caller.level, (), caller.language))}"


def _components(_: Caller, resource: Resource) -> str:
    return f'<C:comp name="{COMPONENTS[resource.collection]}"/>'


_COLLATIONS = "".join(f"<C:supported-collation>{name}</C:supported-collation>" for name in COLLATIONS)
_CALENDARS = frozenset({ResourceKind.CALENDAR})
PROPERTIES = (
    Property(
        f"{CALDAV}calendar-home-set",
        frozenset({ResourceKind.PRINCIPAL}),
        lambda caller, _: xml.href(resources.home(caller.account).path),
    ),
    Property(
        f"{CALDAV}calendar-description",
        _CALENDARS,
        _description,
        begins_with_attributes=True,
    ),
    Property(f"{CALDAV}calendar-timezone", _CALENDARS, lambda *_: xml.escape(ical.zone())),
    Property(f"{CALDAV}supported-calendar-component-set", _CALENDARS, _components),
    Property(
        f"{CALDAV}supported-calendar-data",
        _CALENDARS,
        lambda *_: '<C:calendar-data content-type="text/calendar" version="2.0"/>',
    ),
    Property(f"{CALDAV}supported-collation-set", _CALENDARS, lambda *_: _COLLATIONS),
    Property(f"{CALDAV}max-resource-size", _CALENDARS, lambda *_: str(_LARGEST)),
    Property(f"{CALDAV}min-date-time", _CALENDARS, lambda *_: time_ranges.MIN_DATE_TIME),
    Property(f"{CALDAV}max-date-time", _CALENDARS, lambda *_: time_ranges.MAX_DATE_TIME),
    Property(f"{CALDAV}max-instances", _CALENDARS, lambda *_: "1"),  # nothing recurs
    Property(
        f"{CALDAV}max-attendees-per-instance", _CALENDARS, lambda *_: "1"
    ),  # the least that it can say; none has any
    Property(f"{CALENDARSERVER}getctag", _CALENDARS, _ctag),
    Property(f"{APPLE}calendar-color", _CALENDARS, lambda *_: "#008080FF"),
    Property(
        f"{APPLE}calendar-order",
        _CALENDARS,
        lambda _, resource: str([*ComponentKind].index(resource.collection) + 1),
    ),
)
