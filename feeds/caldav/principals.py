"""Principals and the reports about them, RFC 3744 4 and 9: whoever searches finds nobody but themselves."""

from collections.abc import Iterator
from typing import Final

from lxml import etree

from feeds.caldav import answers, resources, webdav, xml
from feeds.caldav.access_control import principal_of
from feeds.caldav.answers import Answer
from feeds.caldav.asked import Asked, Depth
from feeds.caldav.properties import Properties, Property, Wanted
from feeds.caldav.reading import Caller
from feeds.caldav.resources import SHARED, Resource, ResourceKind
from feeds.caldav.xml import DAV, Malformed

_SEARCHED: Final = f"{DAV}displayname"


def acl_principal_prop_set(asked: Asked, root: etree._Element, properties: Properties) -> Answer:
    """RFC 3744 9.2: properties of the principals that a resource's ACL names. Raises Malformed."""
    _require_depth_zero(asked)
    if asked.stored() is None:
        return answers.NOT_FOUND
    named = [] if asked.resource.kind in SHARED else [resources.principal(asked.caller.account)]
    return _told(asked, named, root, properties)


def principal_match(asked: Asked, root: etree._Element, properties: Properties) -> Answer:
    """RFC 3744 9.3: what in a collection is the caller, or names the caller in a property. Raises Malformed."""
    _require_depth_zero(asked)
    within = _within(asked.caller, asked.resource)
    if root.find(f"{DAV}self") is not None:
        return _told(asked, [one for one in within if one.kind is ResourceKind.PRINCIPAL], root, properties)
    naming = root.find(f"{DAV}principal-property")
    if naming is None:
        raise Malformed("principal-match takes a DAV:self or a DAV:principal-property")
    names = xml.names_of(xml.children(naming))
    matching = [one for one in within if any(_names_caller(asked.caller, one, name, properties) for name in names)]
    return _told(asked, matching, root, properties)


def principal_property_search(asked: Asked, root: etree._Element, properties: Properties) -> Answer:
    """RFC 3744 9.4. Raises Malformed."""
    _require_depth_zero(asked)
    searches = root.findall(f"{DAV}property-search")
    if not searches:
        raise Malformed("principal-property-search takes a DAV:property-search")
    is_anywhere = root.find(f"{DAV}apply-to-principal-collection-set") is not None
    within = _within(asked.caller, resources.principals() if is_anywhere else asked.resource)
    principals = [one for one in within if one.kind is ResourceKind.PRINCIPAL]
    judge = any if root.get("test") == "anyof" else all
    matching = [
        one for one in principals if judge(_is_found(asked.caller, one, search, properties) for search in searches)
    ]
    return _told(asked, matching, root, properties)


def principal_search_property_set(asked: Asked, _: etree._Element, __: Properties) -> Answer:
    """RFC 3744 9.5: by what one may search. Raises Malformed."""
    _require_depth_zero(asked)
    return answers.document(
        "principal-search-property-set",
        f"<D:principal-search-property><D:prop>{xml.empty(_SEARCHED)}</D:prop>"
        '<D:description xml:lang="en">Name</D:description></D:principal-search-property>',
    )


def _require_depth_zero(asked: Asked) -> None:
    if asked.depth not in (None, Depth.ZERO):
        raise Malformed("this report takes Depth: 0")


def _within(caller: Caller, resource: Resource) -> Iterator[Resource]:
    yield resource
    for one in webdav.children(caller, resource):
        yield from _within(caller, one)


def _names_caller(caller: Caller, resource: Resource, name: str, properties: Properties) -> bool:
    one = properties.of(resource.kind).get(name)
    return one is not None and not one.needs_content and principal_of(caller) in one.value(caller, resource)


def _is_found(caller: Caller, principal: Resource, search: etree._Element, properties: Properties) -> bool:
    prop = search.find(f"{DAV}prop")
    names = () if prop is None else xml.names_of(xml.children(prop))
    if set(names) != {_SEARCHED}:
        return False
    value = properties.of(principal.kind)[_SEARCHED].value(caller, principal)
    return xml.escape(xml.text_of(search.find(f"{DAV}match"))).casefold() in value.casefold()


def _told(asked: Asked, matching: list[Resource], root: etree._Element, properties: Properties) -> Answer:
    prop = root.find(f"{DAV}prop")
    wanted = Wanted(() if prop is None else xml.names_of(xml.children(prop)))
    minimal = asked.prefers_minimal
    return answers.multistatus(
        [properties.response(asked.caller, one, wanted, minimal=minimal) for one in matching], minimal=minimal
    )


_PRINCIPAL = frozenset({ResourceKind.PRINCIPAL})
WITH_PRINCIPALS: Final = frozenset({ResourceKind.ROOT, ResourceKind.PRINCIPALS, ResourceKind.PRINCIPAL})
PROPERTIES = (
    Property(f"{DAV}principal-URL", _PRINCIPAL, lambda caller, _: principal_of(caller)),
    Property(f"{DAV}alternate-URI-set", _PRINCIPAL, lambda *_: ""),
    Property(f"{DAV}group-member-set", _PRINCIPAL, lambda *_: ""),
    Property(f"{DAV}group-membership", _PRINCIPAL, lambda *_: ""),
)
