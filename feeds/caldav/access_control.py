"""Who may do what, RFC 3744 and RFC 5397: the owner may read, and nobody may write."""

from typing import Final

from feeds.caldav import answers, resources, xml
from feeds.caldav.answers import Answer
from feeds.caldav.asked import Asked
from feeds.caldav.properties import Property
from feeds.caldav.reading import Caller
from feeds.caldav.resources import COLLECTIONS, Resource, ResourceKind
from feeds.caldav.xml import DAV

_NEEDED: Final = {
    "DELETE": "unbind",
    "MOVE": "unbind",
    "COPY": "bind",
    "MKCOL": "bind",
    "MKCALENDAR": "bind",
    "POST": "bind",
    "ACL": "write-acl",
    "UNLOCK": "unlock",
}
WRITES: Final = frozenset({*_NEEDED, "PUT", "PATCH", "LOCK"})
_PRIVILEGES = ("<D:read/>", "<D:read-current-user-privilege-set/>", "<D:read-acl/>")


def refuse_write(asked: Asked) -> Answer:
    """403 with what would be needed (RFC 3744 7.1.1), so that a program takes its own change back."""
    privilege = _NEEDED.get(asked.method) or ("bind" if asked.resource.kind in COLLECTIONS else "write-content")
    return answers.refused(
        403,
        f"<D:need-privileges><D:resource>{xml.href(asked.resource.path)}"
        f"<D:privilege><D:{privilege}/></D:privilege></D:resource></D:need-privileges>",
    )


def _principal(caller: Caller, _: Resource) -> str:
    return xml.href(resources.principal(caller.account).path)


def _privileges(_: Caller, resource: Resource) -> str:
    names = (*_PRIVILEGES, "<C:read-free-busy/>") if resource.kind is ResourceKind.CALENDAR else _PRIVILEGES
    return "".join(f"<D:privilege>{name}</D:privilege>" for name in names)


_EVERY = frozenset(ResourceKind)
PROPERTIES = (
    Property(f"{DAV}current-user-principal", _EVERY, _principal),
    Property(f"{DAV}current-user-privilege-set", _EVERY, _privileges),
    Property(f"{DAV}owner", _EVERY, _principal),
    Property(f"{DAV}principal-URL", frozenset({ResourceKind.PRINCIPAL}), _principal),
    Property(f"{DAV}principal-collection-set", _EVERY, lambda *_: xml.href(resources.principals().path)),
)
