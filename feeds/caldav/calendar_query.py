"""Asking a calendar for what a filter lets through: calendar-query, RFC 4791 7.8.

The commonest questions (all visits, the visits of some weeks) are answered by what is stored beside the components:
none is opened. Only what asks for more is looked into.
"""

from dataclasses import dataclass
from datetime import tzinfo

from lxml import etree

from feeds.caldav import answers, content_lines
from feeds.caldav.answers import Answer, Unmet
from feeds.caldav.asked import Asked, Depth
from feeds.caldav.calendar_access import COMPONENTS, asked_in, report_in
from feeds.caldav.content_lines import Garbled
from feeds.caldav.filter_reading import filter_in
from feeds.caldav.filters import CompFilter, narrowed
from feeds.caldav.instants import CALENDAR_ZONE, zone_named
from feeds.caldav.properties import Properties
from feeds.caldav.resources import Resource, ResourceKind
from feeds.caldav.xml import CALDAV


@dataclass(frozen=True, slots=True)
class _Query:
    filter: CompFilter
    floating: tzinfo  # where dates without a zone belong
    with_content: bool

    def lets_through(self, resource: Resource) -> bool:
        return self.filter.lets_through(content_lines.read(resource.content or b""), self.floating)


def calendar_query(asked: Asked, root: etree._Element, properties: Properties) -> Answer:
    """RFC 4791 7.8. Programs leave Depth out where they mean 1. Raises Malformed, Unmet."""
    report = report_in(asked_in(root))
    query = _Query(
        filter_in(root.find(f"{CALDAV}filter")),
        _zone_in(root.find(f"{CALDAV}timezone")),
        report.needs_content or properties.needs_content(ResourceKind.OBJECT, report.wanted),
    )
    if asked.resource.kind is ResourceKind.OBJECT:
        found = _object(asked, query)
    else:
        found = [] if asked.depth is Depth.ZERO else _members(asked, query)
    if found is None:
        return answers.NOT_FOUND
    return answers.multistatus(report.responses(asked, properties, found), minimal=asked.prefers_minimal)


def _object(asked: Asked, query: _Query) -> list[Resource] | None:
    """The object that is asked itself, if it passes; None: it is not there."""
    resource = asked.resource
    stored = asked.caller.named(resource.collection, [resource.name]).get(resource.name)
    if stored is None:
        return None
    return [stored] if query.lets_through(stored) else []


def _members(asked: Asked, query: _Query) -> list[Resource]:
    caller, kind = asked.caller, asked.resource.collection
    known = narrowed(query.filter, COMPONENTS[kind])
    if known.is_empty:
        caller.revision(kind)
        return []
    opened = query.with_content or known.must_look
    if known.time_range is not None:
        there = caller.within(kind, known.time_range.start_at, known.time_range.end_at, with_content=opened)
    else:
        there = caller.contents(kind) if opened else caller.members(kind)
    return [one for one in there if query.lets_through(one)] if known.must_look else there


def _zone_in(element: etree._Element | None) -> tzinfo:
    """The zone of dates that name none: by its name, as every program writes it; else the calendar's own.

    Raises Unmet for what is no calendar with exactly one zone (RFC 4791 7.8).
    """
    if element is None:
        return CALENDAR_ZONE
    try:
        calendar = content_lines.read("".join(map(str, element.itertext())).strip().encode())
    except Garbled:
        raise Unmet("<C:valid-calendar-data/>") from None
    zones = [one.first("TZID") for one in calendar.components if one.name == "VTIMEZONE"]
    if calendar.name != "VCALENDAR" or len(zones) != 1 or zones[0] is None:
        raise Unmet("<C:valid-calendar-data/>")
    return zone_named(zones[0].value) or CALENDAR_ZONE
