"""Who may do what, RFC 3744 and RFC 5397: the owner may read, and nobody may write."""

from typing import Final

from feeds.caldav import answers, resources, xml
from feeds.caldav.answers import Answer
from feeds.caldav.asked import Asked
from feeds.caldav.properties import Property
from feeds.caldav.reading import Caller
from feeds.caldav.resources import COLLECTIONS, SHARED, Resource, ResourceKind
from feeds.caldav.xml import DAV

_IN_PARENT: Final = {"DELETE": "unbind", "MOVE": "unbind", "COPY": "bind", "MKCOL": "bind", "MKCALENDAR": "bind"}
_ON_RESOURCE: Final = {"POST": "bind", "ACL": "write-acl", "UNLOCK": "unlock"}
_TO_CONTENT: Final = ("PUT", "PATCH", "LOCK")
WRITES: Final = frozenset((*_IN_PARENT, *_ON_RESOURCE, *_TO_CONTENT))

_READ, _READ_ACL, _READ_OWN = "<D:read/>", "<D:read-acl/>", "<D:read-current-user-privilege-set/>"
_READ_FREE_BUSY = "<C:read-free-busy/>"


def refuse_write(asked: Asked) -> Answer:
    """403 with what would be needed of which resource (RFC 3744 7.1.1 and appendix B), so that a program takes its own
    change back. Where a move or a copy would go plays no part. Raises NotNow."""
    resource, privilege = _needed(asked)
    return answers.refused(
        403,
        f"<D:need-privileges><D:resource>{xml.href(resource.path)}"
        f"<D:privilege><D:{privilege}/></D:privilege></D:resource></D:need-privileges>",
    )


def _needed(asked: Asked) -> tuple[Resource, str]:
    resource, method = asked.resource, asked.method
    if method in _ON_RESOURCE:
        return resource, _ON_RESOURCE[method]
    above = resource if asked.is_unmapped else resources.parent_of(resource, asked.caller.account)
    if method in _IN_PARENT:
        return above, _IN_PARENT[method]
    if asked.is_unmapped or asked.stored() is None:
        return above, "bind"
    return resource, "write-content"


def principal_of(caller: Caller) -> str:
    return xml.href(resources.principal(caller.account).path)


def _principal(caller: Caller, _: Resource) -> str:
    return principal_of(caller)


def _owner(caller: Caller, resource: Resource) -> str:
    return "" if resource.kind in SHARED else principal_of(caller)


def _granted(kind: ResourceKind) -> str:
    """Each by itself: programs take an aggregate for something else, and a missing set for no right to read."""
    names = (_READ, _READ_OWN, _READ_ACL, *((_READ_FREE_BUSY,) if kind is ResourceKind.CALENDAR else ()))
    return "".join(f"<D:privilege>{name}</D:privilege>" for name in names)


def _acl(caller: Caller, resource: Resource) -> str:
    who = "<D:authenticated/>" if resource.kind in SHARED else principal_of(caller)
    return f"<D:ace><D:principal>{who}</D:principal><D:grant>{_GRANTED[resource.kind]}</D:grant><D:protected/></D:ace>"


def _supported(name: str, description: str, *below: str, abstract: bool = False) -> str:
    marks = "<D:abstract/>" if abstract else ""
    return (
        f"<D:supported-privilege><D:privilege>{name}</D:privilege>{marks}"
        f'<D:description xml:lang="en">{description}</D:description>{"".join(below)}</D:supported-privilege>'
    )


def _tree(kind: ResourceKind) -> str:
    """Every privilege there is, those too that nobody has: refusals name them."""
    free_busy = [_supported(_READ_FREE_BUSY, "Read when busy")] if kind is ResourceKind.CALENDAR else []
    members = [_supported("<D:bind/>", "Add members"), _supported("<D:unbind/>", "Remove members")]
    return _supported(
        "<D:all/>",
        "Everything",
        _supported(_READ, "Read", *free_busy),
        _supported(_READ_ACL, "Read who may do what"),
        _supported(_READ_OWN, "Read what oneself may do"),
        _supported(
            "<D:write/>",
            "Write",
            _supported("<D:write-properties/>", "Write properties"),
            _supported("<D:write-content/>", "Write content"),
            *(members if kind in COLLECTIONS else ()),
            abstract=True,
        ),
        _supported("<D:write-acl/>", "Say who may do what"),
        _supported("<D:unlock/>", "Unlock"),
        abstract=True,
    )


_EVERY = frozenset(ResourceKind)
_GRANTED: Final = {kind: _granted(kind) for kind in ResourceKind}
_TREES: Final = {kind: _tree(kind) for kind in ResourceKind}
PROPERTIES = (
    Property(f"{DAV}current-user-principal", _EVERY, _principal),
    Property(f"{DAV}current-user-privilege-set", _EVERY, lambda _, resource: _GRANTED[resource.kind]),
    Property(f"{DAV}owner", _EVERY, _owner),
    Property(f"{DAV}group", _EVERY, lambda *_: ""),
    Property(f"{DAV}supported-privilege-set", _EVERY, lambda _, resource: _TREES[resource.kind]),
    Property(f"{DAV}acl", _EVERY, _acl),
    Property(f"{DAV}acl-restrictions", _EVERY, lambda *_: "<D:grant-only/><D:no-invert/>"),
    Property(f"{DAV}inherited-acl-set", _EVERY, lambda *_: ""),
    Property(f"{DAV}principal-collection-set", _EVERY, lambda *_: xml.href(resources.principals().path)),
)
