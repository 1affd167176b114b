"""What a request says, as it was sent: its path undecoded, and its headers within bounds. Decides nothing."""

from collections.abc import Iterable, Mapping, MutableMapping
from typing import Any

Headers = Mapping[bytes, str]

_MOST_BYTES = 16_384
_NONE: frozenset[bytes] = frozenset()


def path_of(scope: MutableMapping[str, Any]) -> bytes:
    """As it came over the wire, undecoded."""
    raw_path: bytes | None = scope.get("raw_path")
    return raw_path or str(scope["path"]).encode()


def deciding(
    headers: Iterable[tuple[bytes, bytes]], names: frozenset[bytes], once: frozenset[bytes] = _NONE
) -> Headers | None:
    """Those of these names, several of one name joined into a list (RFC 9110 5.3); of those that may stand `once` only,
    the first: a second login changes nothing.

    None: all headers together are longer than any calendar program's.
    """
    size = 0
    found: dict[bytes, str] = {}
    for name, value in headers:
        size += len(name) + len(value)
        if name not in names:
            continue
        if name not in found:
            found[name] = value.decode("latin-1")
        elif name not in once:
            found[name] = f"{found[name]}, {value.decode('latin-1')}"
    return None if size > _MOST_BYTES else found
