"""XML from outside, read with everything dangerous refused: DTDs, entities, network, depth, size. Knows no contract."""

import re

from lxml import etree

_MOST_MARKS = 600_000  # elements and attributes cost many times their bytes; 5,000 bookings need about 230,000
_PROLOG = re.compile(rb"(?:\xef\xbb\xbf)?(?:[ \t\r\n]|<\?.*?\?>|<!--.*?-->)*", re.DOTALL)
_ROOT = re.compile(rb"<[^\x00-\x40\[-^`{-\x7f]")
_TOO_DEEP = etree.XPath("boolean(" + "/*" * 65 + ")")


class UnsafeXml(Exception):
    """XML that is not read. `code` is short and stable; the content is never repeated."""

    def __init__(self, code: str, meaning: str) -> None:
        super().__init__(f"{code}: {meaning}")
        self.code = code
        self.meaning = meaning


def parsed(content: bytes) -> etree._Element:
    """The root of a UTF-8 document without DTD, comments and processing instructions left out. Raises UnsafeXml."""
    _refuse_unsafe(content)
    try:
        root = etree.fromstring(content, _parser())
    except (etree.XMLSyntaxError, ValueError):
        raise UnsafeXml("xml", "the answer is not well-formed XML, or was cut off") from None
    if _TOO_DEEP(root):
        raise UnsafeXml("depth", "the answer's elements lie deeper than 64")
    return root


def _refuse_unsafe(content: bytes) -> None:
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        raise UnsafeXml("charset", "the answer is not UTF-8") from None
    prolog = _PROLOG.match(content)
    root_at = prolog.end() if prolog else 0
    if content[root_at : root_at + 9] == b"<!DOCTYPE":
        raise UnsafeXml("dtd", "the answer brings a document type; those are never read")
    if not _ROOT.match(content, root_at):
        raise UnsafeXml("xml", "the answer is not XML in UTF-8")
    if content.count(b"<") + content.count(b"=") > _MOST_MARKS:
        raise UnsafeXml("complexity", "the answer has more elements and attributes than any real one")


def _parser() -> etree.XMLParser:
    # One for each document: parsers are not for sharing between threads. The encoding overrides what the document says.
    return etree.XMLParser(
        encoding="utf-8",
        resolve_entities=False,
        load_dtd=False,
        no_network=True,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
        collect_ids=False,
    )
