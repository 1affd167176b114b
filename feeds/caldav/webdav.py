"""WebDAV, RFC 4918: PROPFIND, PROPPATCH, GET, and the properties that it defines."""

from functools import lru_cache
from typing import Final

from lxml import etree

from feeds.caldav import answers, methods, xml
from feeds.caldav.answers import Answer
from feeds.caldav.asked import Asked, Depth
from feeds.caldav.properties import Properties, Property, Wanted
from feeds.caldav.reading import Caller
from feeds.caldav.resources import COLLECTIONS, Resource, ResourceKind, calendar, home, homes, principal, principals
from feeds.caldav.xml import DAV, Malformed
from feeds.conditional import Verdict, http_date, verdict
from feeds.levels import calendar_name, invitations_name
from store.calendars import ComponentKind

_COMPONENT_TYPES: Final = {ComponentKind.VISIT: "VEVENT", ComponentKind.INVITATION: "VTODO"}
_EVERY_PROPERTY = Wanted()
_CHOICES: Final = (f"{DAV}prop", f"{DAV}propname", f"{DAV}allprop")
_ADVICE: Final = "This is a CalDAV address: give it to a calendar program, with the account name and an app password."


def propfind(asked: Asked, properties: Properties) -> Answer:
    """RFC 4918 9.1. Depth infinity, which an absent header means, is not for collections. Raises Malformed."""
    if asked.depth in (None, Depth.INFINITY) and asked.resource.kind in COLLECTIONS:
        return answers.refused(403, "<D:propfind-finite-depth/>")
    wanted = wanted_in(asked.body)
    resource = asked.stored()
    if resource is None:
        return answers.NOT_FOUND
    below: list[Resource] = []
    if asked.depth is Depth.ONE:
        is_calendar = resource.kind is ResourceKind.CALENDAR
        with_content = is_calendar and properties.needs_content(ResourceKind.OBJECT, wanted)
        below = children(asked.caller, resource, with_content=with_content)
    without_root = asked.leaves_root_out and asked.depth is Depth.ONE
    minimal = asked.prefers_minimal
    return answers.multistatus(
        (
            *(() if without_root else (properties.response(asked.caller, resource, wanted, minimal=minimal),)),
            *properties.responses(asked.caller, below, wanted, minimal=minimal),
        ),
        minimal=minimal,
        without_root=without_root,
    )


def proppatch(asked: Asked) -> Answer:
    """RFC 4918 9.2: every property is protected, and each is refused by itself: macOS gives an account up that answers
    403 as a whole. Raises Malformed."""
    root = xml.parse(asked.body)
    if root.tag != f"{DAV}propertyupdate":
        raise Malformed("PROPPATCH takes a DAV:propertyupdate")
    names = xml.names_of(
        one
        for change in xml.children(root)
        if change.tag in (f"{DAV}set", f"{DAV}remove")
        for prop in xml.children(change)
        if prop.tag == f"{DAV}prop"
        for one in xml.children(prop)
    )
    if not names:
        raise Malformed("PROPPATCH names no property")
    if asked.stored() is None:
        return answers.NOT_FOUND
    elements = "".join(xml.empty(name) for name in dict.fromkeys(names))
    return answers.multistatus(
        [
            f"<D:response>{xml.href(asked.resource.path)}<D:propstat><D:prop>{elements}</D:prop>"
            "<D:status>HTTP/1.1 403 Forbidden</D:status>"
            "<D:error><D:cannot-modify-protected-property/></D:error></D:propstat></D:response>"
        ]
    )


def get(asked: Asked) -> Answer:
    """One component as a calendar of its own, unless the caller has it. A part of one is not to be had (Range)."""
    if asked.resource.kind is ResourceKind.ROOT:
        return answers.whole(_ADVICE.encode(), b"text/plain; charset=utf-8")
    if asked.resource.kind is not ResourceKind.OBJECT:
        return methods.not_allowed(asked.resource.kind, _ADVICE)
    stored = asked.stored()
    if stored is None or stored.content is None:
        return answers.NOT_FOUND
    judged = _judged(asked, stored)
    if judged is Verdict.FAILS:
        return answers.PRECONDITION_FAILED
    validators = (
        (b"etag", stored.etag.encode()),
        (b"last-modified", _modified(asked.caller, stored).encode()),
    )
    if judged is Verdict.UNCHANGED:
        return answers.without_content(304, *validators)
    return answers.whole(stored.content, content_type(stored).encode(), *validators)


def wanted_in(body: bytes) -> Wanted:
    """What a PROPFIND asks for; an empty body asks for all (RFC 4918 9.1). Raises Malformed."""
    if not body:
        return _EVERY_PROPERTY
    root = xml.remembered(body)
    return _remembered(root) if xml.is_small(body) else _wanted(root)


def children(caller: Caller, resource: Resource, *, with_content: bool = False) -> list[Resource]:
    """What stands in a collection, for this caller. Raises NotNow."""
    if resource.kind is ResourceKind.CALENDAR:
        return caller.contents(resource.collection) if with_content else caller.members(resource.collection)
    if resource.kind is ResourceKind.HOME:
        return [calendar(caller.account, one) for one in ComponentKind]
    if resource.kind is ResourceKind.ROOT:
        return [principals(), homes()]
    if resource.kind is ResourceKind.PRINCIPALS:
        return [principal(caller.account)]
    return [home(caller.account)] if resource.kind is ResourceKind.HOMES else []


def content_type(resource: Resource) -> str:
    return f"text/calendar; charset=utf-8; component={_COMPONENT_TYPES[resource.collection]}"


def _judged(asked: Asked, stored: Resource) -> Verdict:
    if asked.conditions is None:
        return Verdict.HOLDS
    return verdict(asked.conditions, stored.etag, asked.caller.changed_at)


def _wanted(root: etree._Element) -> Wanted:
    if root.tag != f"{DAV}propfind":
        raise Malformed("PROPFIND takes a DAV:propfind")
    found = {str(child.tag): child for child in xml.children(root)}
    asked_for = [name for name in _CHOICES if name in found]
    if len(asked_for) != 1:
        raise Malformed("a DAV:propfind holds prop, propname or allprop")
    if asked_for == [f"{DAV}propname"]:
        return Wanted(only_names=True)
    if asked_for == [f"{DAV}prop"]:
        return Wanted(xml.names_of(xml.children(found[f"{DAV}prop"])))
    include = found.get(f"{DAV}include")
    return Wanted(include=() if include is None else xml.names_of(xml.children(include)))


_remembered = lru_cache(maxsize=256)(_wanted)


def _display_name(caller: Caller, resource: Resource) -> str:
    if resource.collection is ComponentKind.INVITATION:
        return xml.escape(invitations_name(caller.language))
    return xml.escape(calendar_name(caller.language))


def _resource_type(_: Caller, resource: Resource) -> str:
    return _RESOURCE_TYPES[resource.kind]


def _modified(caller: Caller, _: Resource) -> str:
    """When the calendar last changed, of everything in it: real time, never behind the octets (a component that comes
    back may bear an older LAST-MODIFIED), and told without opening any."""
    return http_date(caller.changed_at)


_RESOURCE_TYPES = {
    **dict.fromkeys(COLLECTIONS, "<D:collection/>"),
    ResourceKind.PRINCIPAL: "<D:collection/><D:principal/>",
    ResourceKind.CALENDAR: "<D:collection/><C:calendar/>",
    ResourceKind.OBJECT: "",
}
_OBJECTS = frozenset({ResourceKind.OBJECT})
_NAMED = frozenset({ResourceKind.PRINCIPAL, ResourceKind.HOME, ResourceKind.CALENDAR})
PROPERTIES = (
    Property(f"{DAV}resourcetype", frozenset(ResourceKind), _resource_type, in_allprop=True, is_collections=True),
    Property(f"{DAV}displayname", _NAMED, _display_name, in_allprop=True),
    Property(f"{DAV}getetag", _OBJECTS, lambda _, resource: resource.etag, in_allprop=True),
    Property(
        f"{DAV}getcontenttype",
        _OBJECTS,
        lambda _, resource: content_type(resource),
        in_allprop=True,
        is_collections=True,
    ),
    Property(
        f"{DAV}getcontentlength",
        _OBJECTS,
        lambda _, resource: str(len(resource.content or b"")),
        in_allprop=True,
        needs_content=True,
    ),
    Property(
        f"{DAV}getlastmodified",
        _OBJECTS | {ResourceKind.CALENDAR},
        _modified,
        in_allprop=True,
        is_collections=True,
    ),
    Property(f"{DAV}supportedlock", frozenset(ResourceKind), lambda *_: "", in_allprop=True),
    Property(f"{DAV}lockdiscovery", frozenset(ResourceKind), lambda *_: "", in_allprop=True),
)
