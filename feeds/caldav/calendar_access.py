"""CalDAV, RFC 4791: the properties of calendars, and the reports calendar-multiget, calendar-query and free-busy."""

from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from lxml import etree

from feeds import ical
from feeds.caldav import answers, calendar_data, resources, xml
from feeds.caldav.answers import Answer
from feeds.caldav.asked import Asked
from feeds.caldav.calendar_data import Selection
from feeds.caldav.properties import Properties, Property, Wanted
from feeds.caldav.reading import Caller
from feeds.caldav.resources import Resource, ResourceKind
from feeds.caldav.xml import APPLE, CALDAV, CALENDARSERVER, DAV, Malformed
from feeds.levels import about
from store.calendars import ComponentKind

COMPONENTS: Final = {ComponentKind.VISIT: "VEVENT", ComponentKind.INVITATION: "VTODO"}
_LARGEST: Final = 20_000  # octets; a component of ours is far below


@dataclass(frozen=True, slots=True)
class Report:
    """What a report tells of each component."""

    wanted: Wanted
    selection: Selection | None

    @property
    def needs_content(self) -> bool:
        return self.selection is not None

    def response(self, asked: Asked, properties: Properties, resource: Resource) -> str:
        more = "" if self.selection is None else self.selection.element(resource.content or b"")
        return properties.response(asked.caller, resource, self.wanted, minimal=asked.prefers_minimal, more=more)


def report_in(prop: etree._Element | None) -> Report:
    """What a DAV:prop of a report asks for. Raises Malformed, calendar_data.Unsupported."""
    if prop is None:
        return Report(Wanted(()), None)
    data = prop.find(calendar_data.NAME)
    names = tuple(str(one.tag) for one in xml.children(prop) if one.tag != calendar_data.NAME)
    return Report(Wanted(names), None if data is None else calendar_data.selection_in(data))


def calendar_multiget(asked: Asked, root: etree._Element, properties: Properties) -> Answer:
    """RFC 4791 7.9: the components of these addresses, each unknown one as 404. Raises Malformed."""
    report = report_in(root.find(f"{DAV}prop"))
    hrefs = [xml.text_of(one) for one in xml.children(root) if one.tag == f"{DAV}href"]
    if not hrefs:
        raise Malformed("calendar-multiget names no DAV:href")
    kind = asked.resource.collection
    sought = {href: _name(asked.caller, kind, href) for href in hrefs}
    stored = asked.caller.named(kind, [name for name in sought.values() if name])
    return answers.multistatus(
        [
            report.response(asked, properties, stored[name])
            if name in stored
            else answers.response(href, "404 Not Found")
            for href, name in sought.items()
        ],
        minimal=asked.prefers_minimal,
    )


def _name(caller: Caller, kind: ComponentKind, href: str) -> str:
    """Of the object that a href names; empty for what is none in this collection."""
    try:
        path = href if href.startswith("/") else urlsplit(href).path
    except ValueError:
        return ""
    return resources.name_in(path, caller.account, kind)


def _ctag(caller: Caller, resource: Resource) -> str:
    return f'"{caller.etag_prefix}{caller.revision(resource.collection)}"'


def _components(_: Caller, resource: Resource) -> str:
    return f'<C:comp name="{COMPONENTS[resource.collection]}"/>'


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
        lambda caller, _: xml.escape(about(caller.level, (), caller.language)),
    ),
    Property(f"{CALDAV}calendar-timezone", _CALENDARS, lambda *_: xml.escape(ical.zone())),
    Property(f"{CALDAV}supported-calendar-component-set", _CALENDARS, _components),
    Property(
        f"{CALDAV}supported-calendar-data",
        _CALENDARS,
        lambda *_: '<C:calendar-data content-type="text/calendar" version="2.0"/>',
    ),
    Property(f"{CALDAV}max-resource-size", _CALENDARS, lambda *_: str(_LARGEST)),
    Property(f"{CALENDARSERVER}getctag", _CALENDARS, _ctag),
    Property(f"{APPLE}calendar-color", _CALENDARS, lambda *_: "#008080FF"),
    Property(
        f"{APPLE}calendar-order",
        _CALENDARS,
        lambda _, resource: str([*ComponentKind].index(resource.collection) + 1),
    ),
)
