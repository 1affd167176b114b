"""Reading XML from strangers safely, and writing ours: names in Clark notation, fixed prefixes, everything escaped."""

import re
from collections.abc import Iterable
from functools import lru_cache
from xml.sax.saxutils import quoteattr

from lxml import etree

DAV = "{DAV:}"
CALDAV = "{urn:ietf:params:xml:ns:caldav}"
CALENDARSERVER = "{http://calendarserver.org/ns/}"
APPLE = "{http://apple.com/ns/ical/}"

_OURS = {"DAV:": "D", CALDAV[1:-1]: "C", CALENDARSERVER[1:-1]: "CS", APPLE[1:-1]: "A"}
_PREFIXES = {**_OURS, "http://www.w3.org/XML/1998/namespace": "xml"}
NAMESPACES = "".join(f' xmlns:{prefix}="{uri}"' for uri, prefix in _OURS.items())
HEAD = '<?xml version="1.0" encoding="utf-8"?>\n'

_MOST_BYTES = 262_144
_DEEPEST = 64
_MOST_REMEMBERED_BYTES = 2048
_FORBIDDEN = re.compile(rb"<!(?:DOCTYPE|ENTITY)|<\?(?!xml[ \t\r\n])", re.IGNORECASE)
_MOST_NAMES, _MOST_NAME_CHARACTERS = 100, 8192  # in all of one DAV:prop; programs ask for some thirty
_ENCODING = re.compile(rb"""^\s*<\?xml[^>]*?encoding\s*=\s*["']([^"']*)["']""")


_PARSER = etree.XMLParser(
    encoding="utf-8",  # whatever a body itself declares: what was looked through before is what is read
    resolve_entities=False,
    no_network=True,
    load_dtd=False,
    huge_tree=False,
    remove_comments=True,
    remove_pis=True,
)


class Malformed(Exception):
    """A body that is not XML as we take it."""


def parse(body: bytes) -> etree._Element:
    """The root of a request's body. UTF-8 only; no DTD, no entities, no processing instructions. Raises Malformed.

    What could expand is refused before the parser sees it (RFC 4918 20.6).
    """
    body = body.removeprefix(b"\xef\xbb\xbf")
    declared = _ENCODING.match(body[:200])
    if declared is not None and declared[1].lower() not in (b"utf-8", b"utf8", b"us-ascii"):
        raise Malformed("the request body must be UTF-8")
    if b"\0" in body or _FORBIDDEN.search(body):
        raise Malformed("document types, entities and processing instructions are not taken")
    try:
        root = etree.fromstring(body, _PARSER)
    except (etree.XMLSyntaxError, ValueError):
        raise Malformed("the request body is not well-formed XML") from None
    if len(body) > 64 * _DEEPEST and _is_too_deep(root):
        raise Malformed(f"elements are nested more than {_DEEPEST} deep")
    return root


def remembered(body: bytes) -> etree._Element:
    """As `parse`. The root of a small body that came before is the same object, so nobody may change it: programs of
    one kind send the same few bodies again and again."""
    return _remembered(body) if is_small(body) else parse(body)


def is_small(body: bytes) -> bool:
    """Whether what is made of it may be remembered: a number of large ones would be a lot of memory."""
    return len(body) <= _MOST_REMEMBERED_BYTES


def children(element: etree._Element) -> list[etree._Element]:
    """The child elements."""
    return [child for child in element if isinstance(child.tag, str)]


def names_of(elements: Iterable[etree._Element]) -> tuple[str, ...]:
    """Their names in Clark notation. Raises Malformed for more than any program asks for: each resource of an answer
    would repeat them, and what they mean is remembered."""
    names = tuple(str(one.tag) for one in elements)
    if len(names) > _MOST_NAMES or sum(map(len, names)) > _MOST_NAME_CHARACTERS:
        raise Malformed(f"more than {_MOST_NAMES} properties, or longer names than any")
    return names


def text_of(element: etree._Element | None) -> str:
    """All text inside, without the white space around it."""
    if element is None:
        return ""
    return ("".join(map(str, element.itertext())) if len(element) else element.text or "").strip()


def empty(name: str) -> str:
    """`<D:name/>` for a name in Clark notation, whatever its namespace."""
    return f"<{_opening(name)}/>"


def element(name: str, content: str) -> str:
    """An element around content that is XML already."""
    if not content:
        return empty(name)
    return f"<{_opening(name)}>{content}</{_tag(name)}>"


def text(name: str, value: str) -> str:
    """An element around text."""
    return element(name, escape(value))


def escape(value: str) -> str:
    """Text as XML 1.0 may hold it. A carriage return is written as a reference: a parser would else fold it."""
    return value.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("\r", "&#13;")


def attribute(value: str) -> str:
    """A quoted attribute value."""
    return quoteattr(value)


def href(path: str) -> str:
    return f"<D:href>{escape(path)}</D:href>"


_remembered = lru_cache(maxsize=256)(parse)


def _is_too_deep(root: etree._Element) -> bool:
    depth = 0
    for event, _ in etree.iterwalk(root, events=("start", "end")):
        depth += 1 if event == "start" else -1
        if depth > _DEEPEST:
            return True
    return False


@lru_cache(maxsize=512)
def _tag(name: str) -> str:
    uri, local = _parts(name)
    prefix = _PREFIXES.get(uri)
    if prefix is not None:
        return f"{prefix}:{local}"
    return f"x:{local}" if uri else local


@lru_cache(maxsize=512)
def _opening(name: str) -> str:
    tag = _tag(name)
    if not tag.startswith("x:"):
        return tag
    return f"{tag} xmlns:x={quoteattr(_parts(name)[0])}"


def _parts(name: str) -> tuple[str, str]:
    """Namespace and local name. A namespace may hold a brace of its own; a local name cannot."""
    uri, _, local = name[1:].rpartition("}") if name.startswith("{") else ("", "", name)
    return uri, local
