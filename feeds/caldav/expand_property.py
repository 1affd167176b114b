"""expand-property, RFC 3253 3.8: properties of a resource and of those that they point to, in one answer.

What it costs grows with what was asked for and not with its square: a property of ours points to one resource.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from lxml import etree

from feeds.caldav import answers, resources, webdav, xml
from feeds.caldav.answers import Answer
from feeds.caldav.asked import Asked, Depth
from feeds.caldav.properties import Properties, Wanted
from feeds.caldav.reading import Caller
from feeds.caldav.resources import Resource, ResourceKind
from feeds.caldav.xml import DAV, Malformed

_DEEPEST: Final = 8
_MOST_PROPERTIES: Final = 100
_MOST_ANSWERED: Final = 20_000  # properties, of all resources together
_LONGEST_NAME: Final = 200
_NOT_BINDABLE: Final = "{http://www.w3.org/2000/xmlns/}"
_PROPERTY: Final = f"{DAV}property"
_HREF = re.compile(r"<D:href>([^<]*)</D:href>")


@dataclass(frozen=True, slots=True)
class _Expansion:
    """A property that is asked for, and what of the resources that it points to."""

    name: str
    below: "tuple[_Expansion, ...]"


def expand_property(asked: Asked, root: etree._Element, properties: Properties) -> Answer:
    """Depth 0 is meant where none is said; 1 asks the members too. Raises Malformed."""
    if asked.depth is Depth.INFINITY:
        raise Malformed("expand-property takes Depth: 0 or 1")
    expansions = _expansions_in(root)
    count = sum(1 for _ in root.iter(_PROPERTY))
    if count > _MOST_PROPERTIES:
        raise Malformed(f"more than {_MOST_PROPERTIES} properties")
    resource = asked.stored()
    if resource is None:
        return answers.NOT_FOUND
    below = _members(asked, expansions, properties) if asked.depth is Depth.ONE else []
    if count * (1 + len(below)) > _MOST_ANSWERED:
        return answers.refused(403, "<D:number-of-matches-within-limits/>")
    expanding = _Expanding(asked.caller, properties, asked.prefers_minimal)
    return answers.multistatus(
        [expanding.response(one, expansions) for one in (resource, *below)], minimal=asked.prefers_minimal
    )


@dataclass(frozen=True, slots=True)
class _Expanding:
    caller: Caller
    properties: Properties
    minimal: bool

    def response(self, resource: Resource, expansions: Iterable[_Expansion]) -> str:
        known = self.properties.of(resource.kind)
        expanded = [one for one in expansions if one.below and one.name in known]
        others = tuple(one.name for one in expansions if not (one.below and one.name in known))
        more = "".join(
            xml.element(one.name, self._with_resources(known[one.name].value(self.caller, resource), one.below))
            for one in expanded
        )
        return self.properties.response(self.caller, resource, Wanted(others), minimal=self.minimal, more=more)

    def _with_resources(self, value: str, below: tuple[_Expansion, ...]) -> str:
        """The value with a response in the place of each address in it."""

        def response(found: re.Match[str]) -> str:
            resource = resources.resource_at(found[1].encode(), self.caller.account)
            return found[0] if resource is None else self.response(resource, below)

        return _HREF.sub(response, value)


def _members(asked: Asked, expansions: Iterable[_Expansion], properties: Properties) -> list[Resource]:
    wanted = Wanted(tuple(one.name for one in expansions))
    with_content = properties.needs_content(ResourceKind.OBJECT, wanted)
    return webdav.children(asked.caller, asked.resource, with_content=with_content)


def _expansions_in(element: etree._Element, depth: int = 0) -> tuple[_Expansion, ...]:
    if depth > _DEEPEST:
        raise Malformed(f"properties are nested more than {_DEEPEST} deep")
    return tuple(
        _Expansion(_name_of(one), _expansions_in(one, depth + 1))
        for one in xml.children(element)
        if one.tag == _PROPERTY
    )


def _name_of(element: etree._Element) -> str:
    """In Clark notation. A name becomes an element of the answer, and so must be one."""
    try:
        name = etree.QName(element.get("namespace", "DAV:") or None, element.get("name", "")).text
    except ValueError:
        raise Malformed("a DAV:property bears a name and a namespace") from None
    if len(name) > _LONGEST_NAME or name.startswith(_NOT_BINDABLE):
        raise Malformed("this is no property's name")
    return name
