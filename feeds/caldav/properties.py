"""Properties: what each kind of resource has, and the parts of a multistatus that tell them (RFC 4918 9.1, 14.22).

Which properties there are, the files of the RFCs that define them say.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from feeds.caldav import xml
from feeds.caldav.reading import Caller
from feeds.caldav.resources import Resource, ResourceKind

_FOUND_END = "</D:prop><D:status>HTTP/1.1 200 OK</D:status></D:propstat>"

Value = Callable[[Caller, Resource], str]
"""The content of a property's element, as XML."""


@dataclass(frozen=True, slots=True)
class Property:
    """One live property. All are protected: nothing that a program sets is kept."""

    name: str  # in Clark notation
    kinds: frozenset[ResourceKind]
    value: Value
    in_allprop: bool = False
    needs_content: bool = False
    is_collections: bool = False  # the same for all objects of a collection: rendered once for them
    begins_with_attributes: bool = False  # the value begins with attributes of the element, and ">"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What was asked for: named properties, or all (`names` None, with `include`), or only what there is."""

    names: tuple[str, ...] | None = None
    only_names: bool = False
    include: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Plan:
    """How one kind of resource answers what was asked for."""

    found: tuple[tuple[str, Property, str], ...]  # opening tag, property, closing tag
    missing: str  # the propstat of what there is not
    needs_content: bool


class Properties:
    """All properties by kind of resource and name."""

    def __init__(self, properties: Iterable[Property]) -> None:
        self._by_kind: dict[ResourceKind, dict[str, Property]] = {kind: {} for kind in ResourceKind}
        for one in properties:
            for kind in one.kinds:
                self._by_kind[kind][one.name] = one
        self._plan = lru_cache(maxsize=256)(self._made_plan)

    def of(self, kind: ResourceKind) -> Mapping[str, Property]:
        return self._by_kind[kind]

    def needs_content(self, kind: ResourceKind, wanted: Wanted) -> bool:
        """Whether resources of this kind must come with their contents."""
        return self._plan(kind, wanted).needs_content

    def response(  # noqa: PLR0913 - who asks what of which, and how much of it
        self, caller: Caller, resource: Resource, wanted: Wanted, *, minimal: bool = False, more: str = ""
    ) -> str:
        """The response element of one resource; `more` are properties that the caller has rendered already.

        `minimal` leaves out what there is not (RFC 8144 2.1).
        """
        plan = self._plan(resource.kind, wanted)
        found = "".join(
            [f"{opening}{one.value(caller, resource)}{closing}" for opening, one, closing in plan.found]
            if not wanted.only_names
            else [xml.empty(one.name) for _, one, _ in plan.found]
        )
        missing = "" if minimal else plan.missing
        if not found and not more and missing:
            return f"<D:response>{xml.href(resource.path)}{missing}</D:response>"
        return (
            f"<D:response>{xml.href(resource.path)}<D:propstat><D:prop>{found}{more}{_FOUND_END}{missing}</D:response>"
        )

    def responses(  # noqa: PLR0913 - who asks what of which, and how much of it
        self,
        caller: Caller,
        resources: Sequence[Resource],
        wanted: Wanted,
        *,
        minimal: bool = False,
        more: Value | None = None,
    ) -> list[str]:
        """The response elements of one collection's members: what all objects in it have alike is rendered once.

        `more` gives further properties of an object, as elements.
        """
        if not resources or (more is None and (resources[0].kind is not ResourceKind.OBJECT or wanted.only_names)):
            return [self.response(caller, one, wanted, minimal=minimal) for one in resources]
        plan = self._plan(ResourceKind.OBJECT, wanted)
        pieces, last = _pieces(caller, resources[0], plan, more, minimal=minimal)
        responses = []
        for one in resources:
            told = [_OPENING, one.path]
            for text, value in pieces:
                told += (text, value(caller, one))
            told.append(last)
            responses.append("".join(told))
        return responses

    def _made_plan(self, kind: ResourceKind, wanted: Wanted) -> _Plan:
        known = self._by_kind[kind]
        if wanted.only_names:
            names: Iterable[str] = known
        elif wanted.names is None:
            standard = [name for name, one in known.items() if one.in_allprop]
            names = dict.fromkeys((*standard, *wanted.include))
        else:
            names = dict.fromkeys(wanted.names)
        found = tuple((*_tags(known[name]), known[name]) for name in names if name in known)
        return _Plan(
            tuple((opening, one, closing) for opening, closing, one in found),
            _missing([name for name in names if name not in known]),
            any(one.needs_content for _, _, one in found) and not wanted.only_names,
        )


_OPENING = "<D:response><D:href>"


def _pieces(
    caller: Caller, example: Resource, plan: _Plan, more: Value | None, *, minimal: bool
) -> tuple[list[tuple[str, Value]], str]:
    """A response after its path: each text and the value that follows it, and the text after the last."""
    pieces: list[tuple[str, Value]] = []
    text = "</D:href>"
    if plan.found or more or minimal:
        text += "<D:propstat><D:prop>"
        for opening, one, closing in plan.found:
            text += opening
            if one.is_collections:
                text += one.value(caller, example)
            else:
                pieces.append((text, one.value))
                text = ""
            text += closing
        if more:
            pieces.append((text, more))
            text = ""
        text += _FOUND_END
    return pieces, f"{text}{'' if minimal else plan.missing}</D:response>"


def _tags(one: Property) -> tuple[str, str]:
    opening, _, closing = xml.element(one.name, "\0").partition("\0")
    return opening.removesuffix(">") if one.begins_with_attributes else opening, closing


def _missing(names: Iterable[str]) -> str:
    elements = "".join(xml.empty(name) for name in names)
    if not elements:
        return ""
    return f"<D:propstat><D:prop>{elements}</D:prop><D:status>HTTP/1.1 404 Not Found</D:status></D:propstat>"
