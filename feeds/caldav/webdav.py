"""WebDAV, RFC 4918: PROPFIND, PROPPATCH, GET, and the properties that it defines."""

from functools import lru_cache
from typing import Final

from lxml import etree

from feeds.caldav import answers, xml
from feeds.caldav.answers import Answer
from feeds.caldav.asked import Asked, Depth
from feeds.caldav.properties import Properties, Property, Wanted
from feeds.caldav.reading import Caller
from feeds.caldav.resources import COLLECTIONS, Resource, ResourceKind, calendar, home, homes, principal, principals
from feeds.caldav.xml import DAV, Malformed
from feeds.ical import written_at
from feeds.levels import calendar_name, invitations_name
from feeds.web.conditional import http_date, matching_etag
from store.calendars import ComponentKind

_COMPONENT_TYPES: Final = {ComponentKind.VISIT: "VEVENT", ComponentKind.INVITATION: "VTODO"}
_EVERY_PROPERTY = Wanted()


def propfind(asked: Asked, properties: Properties) -> Answer:
    """RFC 4918 9.1. Depth infinity, which an absent header means, is not for collections. Raises Malformed."""
    resource = asked.resource
    if asked.depth in (None, Depth.INFINITY) and resource.kind in COLLECTIONS:
        return answers.refused(403, "<D:propfind-finite-depth/>")
    wanted = wanted_in(asked.body)
    below = _children(asked, properties, wanted) if asked.depth is Depth.ONE else []
    if resource.kind is ResourceKind.OBJECT:
        stored = asked.caller.named(resource.collection, [resource.name]).get(resource.name)
        if stored is None:
            return answers.NOT_FOUND
        resource = stored
    minimal = asked.prefers_minimal
    return answers.multistatus(
        (
            properties.response(asked.caller, resource, wanted, minimal=minimal),
            *properties.responses(asked.caller, below, wanted, minimal=minimal),
        ),
        minimal=minimal,
    )


def proppatch(asked: Asked) -> Answer:
    """RFC 4918 9.2: every property is protected, and each is refused by itself: macOS gives an account up that answers
    403 as a whole. Raises Malformed."""
    root = xml.parse(asked.body)
    if root.tag != f"{DAV}propertyupdate":
        raise Malformed("PROPPATCH takes a DAV:propertyupdate")
    names = [
        str(one.tag)
        for change in xml.children(root)
        if change.tag in (f"{DAV}set", f"{DAV}remove")
        for prop in xml.children(change)
        if prop.tag == f"{DAV}prop"
        for one in xml.children(prop)
    ]
    if not names:
        raise Malformed("PROPPATCH names no property")
    elements = "".join(xml.empty(name) for name in dict.fromkeys(names))
    return answers.multistatus(
        [
            f"<D:response>{xml.href(asked.resource.path)}<D:propstat><D:prop>{elements}</D:prop>"
            "<D:status>HTTP/1.1 403 Forbidden</D:status>"
            "<D:error><D:cannot-modify-protected-property/></D:error></D:propstat></D:response>"
        ]
    )


def get(asked: Asked) -> Answer:
    """One component as a calendar of its own; 304 for one that the caller has (RFC 9110 13.1.2)."""
    resource = asked.resource
    if resource.kind is not ResourceKind.OBJECT:
        return _NOT_TO_BE_FETCHED
    stored = asked.caller.named(resource.collection, [resource.name]).get(resource.name)
    if stored is None or stored.content is None:
        return answers.NOT_FOUND
    etag = (b"etag", stored.etag.encode())
    if asked.if_none_match and matching_etag(asked.if_none_match, stored.etag):
        return answers.without_content(304, etag)
    return answers.whole(stored.content, content_type(resource).encode(), etag, (b"last-modified", _modified(stored)))


def wanted_in(body: bytes) -> Wanted:
    """What a PROPFIND asks for; an empty body asks for all (RFC 4918 9.1). Raises Malformed."""
    return _wanted(xml.remembered(body)) if body else _EVERY_PROPERTY


def names_in(prop: etree._Element) -> tuple[str, ...]:
    """The names in a DAV:prop."""
    return tuple(str(one.tag) for one in xml.children(prop))


def content_type(resource: Resource) -> str:
    return f"text/calendar; charset=utf-8; component={_COMPONENT_TYPES[resource.collection]}"


@lru_cache(maxsize=256)
def _wanted(root: etree._Element) -> Wanted:
    if root.tag != f"{DAV}propfind":
        raise Malformed("PROPFIND takes a DAV:propfind")
    found = {str(child.tag): child for child in xml.children(root)}
    if f"{DAV}prop" in found:
        return Wanted(names_in(found[f"{DAV}prop"]))
    if f"{DAV}propname" in found:
        return Wanted(only_names=True)
    if f"{DAV}allprop" in found:
        include = found.get(f"{DAV}include")
        return Wanted(include=() if include is None else names_in(include))
    raise Malformed("a DAV:propfind holds prop, propname or allprop")


def _children(asked: Asked, properties: Properties, wanted: Wanted) -> list[Resource]:
    caller, kind = asked.caller, asked.resource.kind
    if kind is ResourceKind.ROOT:
        return [principals(), homes()]
    if kind is ResourceKind.PRINCIPALS:
        return [principal(caller.account)]
    if kind is ResourceKind.HOMES:
        return [home(caller.account)]
    if kind is ResourceKind.HOME:
        return [calendar(caller.account, one) for one in ComponentKind]
    if kind is not ResourceKind.CALENDAR:
        return []
    collection = asked.resource.collection
    if properties.needs_content(ResourceKind.OBJECT, wanted):
        return caller.contents(collection)
    return caller.members(collection)


_NOT_TO_BE_FETCHED = answers.plain(
    405,
    "This is a CalDAV address: give it to a calendar program, with the account name and an app password.",
    (b"allow", b"OPTIONS, PROPFIND, PROPPATCH, REPORT"),
)


def _display_name(caller: Caller, resource: Resource) -> str:
    if resource.collection is ComponentKind.INVITATION:
        return xml.escape(invitations_name(caller.language))
    return xml.escape(calendar_name(caller.language))


def _resource_type(_: Caller, resource: Resource) -> str:
    return _RESOURCE_TYPES[resource.kind]


def _modified(resource: Resource) -> bytes:
    at = written_at(resource.content or b"")
    return http_date(at).encode() if at else b""


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
        _OBJECTS,
        lambda _, resource: _modified(resource).decode(),
        in_allprop=True,
        needs_content=True,
    ),
    Property(f"{DAV}supportedlock", frozenset(ResourceKind), lambda *_: "", in_allprop=True),
    Property(f"{DAV}lockdiscovery", frozenset(ResourceKind), lambda *_: "", in_allprop=True),
)
