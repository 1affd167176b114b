"""REPORT, RFC 3253 3.6: which reports there are on what, and the refusal of any other."""

from collections.abc import Callable
from dataclasses import dataclass

from lxml import etree

from feeds.caldav import (
    answers,
    calendar_access,
    calendar_query,
    expand_property,
    free_busy,
    methods,
    principals,
    sync_collection,
    xml,
)
from feeds.caldav.answers import Answer, Unmet
from feeds.caldav.asked import Asked
from feeds.caldav.properties import Properties, Property
from feeds.caldav.reading import Caller
from feeds.caldav.resources import COLLECTIONS, Resource, ResourceKind
from feeds.caldav.xml import CALDAV, DAV


@dataclass(frozen=True, slots=True)
class _Kind:
    """A report, and on which resources it may be asked for."""

    answer: Callable[[Asked, etree._Element, Properties], Answer]
    kinds: frozenset[ResourceKind]


_CALENDARS = frozenset({ResourceKind.CALENDAR})
_CALENDARS_AND_OBJECTS = frozenset({ResourceKind.CALENDAR, ResourceKind.OBJECT})
_EVERY = frozenset(ResourceKind)
_REPORTS = {
    f"{DAV}expand-property": _Kind(expand_property.expand_property, _EVERY),
    f"{DAV}acl-principal-prop-set": _Kind(principals.acl_principal_prop_set, _EVERY),
    f"{DAV}principal-match": _Kind(principals.principal_match, COLLECTIONS),
    f"{DAV}principal-property-search": _Kind(principals.principal_property_search, principals.WITH_PRINCIPALS),
    f"{DAV}principal-search-property-set": _Kind(principals.principal_search_property_set, principals.WITH_PRINCIPALS),
    f"{DAV}sync-collection": _Kind(sync_collection.sync_collection, _CALENDARS),
    f"{CALDAV}calendar-multiget": _Kind(calendar_access.calendar_multiget, _CALENDARS_AND_OBJECTS),
    f"{CALDAV}calendar-query": _Kind(calendar_query.calendar_query, _CALENDARS_AND_OBJECTS),
    f"{CALDAV}free-busy-query": _Kind(free_busy.free_busy_query, _CALENDARS),
}


def report(asked: Asked, properties: Properties) -> Answer:
    """Raises Malformed."""
    root = xml.remembered(sync_collection.without_token(asked.body))
    kind = _REPORTS.get(str(root.tag))
    if kind is None or asked.resource.kind not in kind.kinds:
        return answers.refused(403, "<D:supported-report/>")
    try:
        return kind.answer(asked, root, properties)
    except Unmet as error:
        return answers.refused(403, error.condition)


def _supported(_: Caller, resource: Resource) -> str:
    return "".join(
        f"<D:supported-report><D:report>{xml.empty(name)}</D:report></D:supported-report>"
        for name, one in _REPORTS.items()
        if resource.kind in one.kinds
    )


PROPERTIES = (
    Property(f"{DAV}supported-report-set", _EVERY, _supported),
    Property(f"{DAV}supported-method-set", _EVERY, lambda _, resource: methods.supported_method_set(resource.kind)),
)
