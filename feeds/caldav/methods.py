"""Which methods each kind of resource has (RFC 9110 10.2.1), and the refusal of all others.

No method that writes is named: programs take a calendar for writable whose Allow names PUT.
"""

from typing import Final

from feeds.caldav import answers
from feeds.caldav.answers import Answer
from feeds.caldav.resources import ResourceKind

_EVERYWHERE: Final = ("OPTIONS", "PROPFIND", "PROPPATCH", "REPORT")
_FETCHED: Final = frozenset({ResourceKind.ROOT, ResourceKind.OBJECT})
_ALLOWED: Final = {
    kind: ("OPTIONS", "GET", "HEAD", *_EVERYWHERE[1:]) if kind in _FETCHED else _EVERYWHERE for kind in ResourceKind
}
_ALLOW: Final = {kind: (b"allow", ", ".join(names).encode()) for kind, names in _ALLOWED.items()}
_OPTIONS: Final = {kind: answers.without_content(200, allow) for kind, allow in _ALLOW.items()}


def options(kind: ResourceKind) -> Answer:
    return _OPTIONS[kind]


def not_allowed(kind: ResourceKind, why: str = "Method Not Allowed") -> Answer:
    return answers.plain(405, why, _ALLOW[kind])


def supported_method_set(kind: ResourceKind) -> str:
    """RFC 3253 3.1.3."""
    return "".join(f'<D:supported-method name="{name}"/>' for name in _ALLOWED[kind])
