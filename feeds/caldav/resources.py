"""The tree of an account, and which of its resources a path names.

Principal, home and calendars are different paths (a home that is itself a calendar never ends iOS's set-up). Whose
account it is follows from the login: a path is only compared with it, and a stranger's is as unknown as none.
"""

import re
from collections.abc import Iterable
from enum import StrEnum
from typing import Final, NamedTuple
from urllib.parse import unquote_to_bytes

from feeds.ical import calendar_object
from store.calendars import ComponentKind

ROOT: Final = "/dav/"
_PATH = re.compile(
    rb"/dav(?:/(?:(?P<principals>principals)(?:/(?P<principal>[^/]+))?"
    rb"|(?P<homes>calendars)(?:/(?P<home>[^/]+)(?:/(?P<collection>[^/]+)(?:/(?P<object>[^/]+))?)?)?))?/?"
)
_OBJECT = re.compile(r"([0-9a-f]{32})\.ics")
_LONGEST_PATH = 200
_COLLECTIONS = {b"visits": ComponentKind.VISIT, b"invitations": ComponentKind.INVITATION}
_COLLECTION_NAMES = {kind: name.decode() for name, kind in _COLLECTIONS.items()}


class ResourceKind(StrEnum):
    ROOT = "root"
    PRINCIPALS = "principals"
    PRINCIPAL = "principal"
    HOMES = "homes"
    HOME = "home"
    CALENDAR = "calendar"
    OBJECT = "object"


COLLECTIONS: Final = frozenset(ResourceKind) - {ResourceKind.OBJECT}
SHARED: Final = frozenset({ResourceKind.ROOT, ResourceKind.PRINCIPALS, ResourceKind.HOMES})
"""Everybody's, and the same to everybody: nothing in them tells of anybody else."""


class Resource(NamedTuple):
    """One resource of the caller's account. `etag` and `component` are an object's; `component` is None unless it has
    been asked for. (A tuple, as a request makes one for each component.)"""

    kind: ResourceKind
    path: str
    collection: ComponentKind = ComponentKind.VISIT  # of a calendar and of the objects in it
    name: str = ""  # an object's, without its ending
    etag: str = ""
    component: bytes | None = None

    @property
    def content(self) -> bytes | None:
        """The component as a calendar of its own."""
        return None if self.component is None else calendar_object(self.component)

    def __repr__(self) -> str:
        """Without the component."""
        return f"Resource({self.kind}, {self.path})"


def resource_at(raw_path: bytes, account: str | None) -> Resource | None:
    """The resource of this account that a path names, with or without its last slash; None: none does.

    Without an account: what the path would name in the account that it names, whether or not there is such an account.

    Percent-encoding is undone once: programs differ in what they encode. A slash that had to be decoded divides
    nothing. Whether an object is there is not looked up.
    """
    if len(raw_path) > _LONGEST_PATH or b"%2f" in raw_path.lower():
        return None
    found = _PATH.fullmatch(unquote_to_bytes(raw_path) if b"%" in raw_path else raw_path)
    if found is None:
        return None
    owner = found["principal"] or found["home"]
    if account is None:
        account = (owner or b"").decode("latin-1")
    elif owner is not None and owner != account.encode():
        return None
    if found["collection"] is None:
        return _above_calendars(found, account)
    kind = _COLLECTIONS.get(found["collection"])
    if kind is None or found["object"] is None:
        return None if kind is None else calendar(account, kind)
    named = _OBJECT.fullmatch(found["object"].decode("latin-1"))
    return None if named is None else object_in(account, kind, named[1])


def names_in(paths: Iterable[str], account: str, kind: ComponentKind) -> list[str]:
    """The names of the objects in this collection that the paths name; empty for one that names none there."""
    inside = calendar_path(account, kind)
    return [_own_name(path, inside) or _name(path, account, kind) for path in paths]


def closest_above(raw_path: bytes, account: str) -> Resource | None:
    """The closest collection above a path that names nothing; None: it lies in nobody's account, or in another's.

    Names beside the accounts' are taken for others': whether there is such an account shows nowhere.
    """
    above = raw_path[:_LONGEST_PATH].rstrip(b"/")
    while (above := above.rpartition(b"/")[0]) and (found := resource_at(above, account)) is None:
        pass
    is_inside = above and found is not None and found.kind not in (ResourceKind.PRINCIPALS, ResourceKind.HOMES)
    return found if is_inside else None


def parent_of(resource: Resource, account: str) -> Resource:
    """The collection that a resource stands in; the root stands in itself."""
    if resource.kind is ResourceKind.OBJECT:
        return calendar(account, resource.collection)
    if resource.kind is ResourceKind.CALENDAR:
        return home(account)
    if resource.kind is ResourceKind.HOME:
        return homes()
    return principals() if resource.kind is ResourceKind.PRINCIPAL else root()


def root() -> Resource:
    return Resource(ResourceKind.ROOT, ROOT)


def principals() -> Resource:
    return Resource(ResourceKind.PRINCIPALS, "/dav/principals/")


def principal(account: str) -> Resource:
    return Resource(ResourceKind.PRINCIPAL, f"/dav/principals/{account}/")


def homes() -> Resource:
    return Resource(ResourceKind.HOMES, "/dav/calendars/")


def home(account: str) -> Resource:
    return Resource(ResourceKind.HOME, f"/dav/calendars/{account}/")


def calendar_path(account: str, kind: ComponentKind) -> str:
    return f"/dav/calendars/{account}/{_COLLECTION_NAMES[kind]}/"


def calendar(account: str, kind: ComponentKind) -> Resource:
    return Resource(ResourceKind.CALENDAR, calendar_path(account, kind), kind)


def object_in(account: str, kind: ComponentKind, name: str, etag: str = "", component: bytes | None = None) -> Resource:
    path = f"{calendar_path(account, kind)}{name}.ics"
    return Resource(ResourceKind.OBJECT, path, kind, name, etag, component)


def _own_name(path: str, inside: str) -> str:
    """Of a path as we write it ourselves, which nearly every one is."""
    if not path.startswith(inside):
        return ""
    named = _OBJECT.fullmatch(path, len(inside))
    return named[1] if named else ""


def _name(path: str, account: str, kind: ComponentKind) -> str:
    found = resource_at(path.encode(), account)
    if found is None or found.kind is not ResourceKind.OBJECT or found.collection is not kind:
        return ""
    return found.name


def _above_calendars(found: re.Match[bytes], account: str) -> Resource:
    if found["principal"] is not None:
        return principal(account)
    if found["home"] is not None:
        return home(account)
    if found["principals"] is not None:
        return principals()
    return homes() if found["homes"] is not None else root()
