"""The wire's `purpose` as a leaflet: plain text, or a DocBook 5 document. The contract allows six elements; lists,
emphasis and links are read too, as producers write them, and every other element is reduced to its text."""

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from lxml import etree

from store.leaflets import Block, BlockKind, Leaflet, Run, from_plain, merged, shortened, web_address
from worker.sources.rivta.texts import one_line, paragraphs
from worker.sources.rivta.xml import UnsafeXml, parsed

_INLINE = frozenset(
    {
        "a", "abbrev", "abbr", "acronym", "b", "citetitle", "em", "email", "emphasis", "foreignphrase", "i", "link",
        "literal", "personname", "phrase", "q", "quote", "span", "strong", "sub", "subscript", "sup", "superscript",
        "trademark", "u", "ulink", "uri",
    }
)  # fmt: skip
_STRONG = frozenset({"b", "em", "emphasis", "i", "strong"})
_LINKS = frozenset({"a", "link", "ulink"})
_ADDRESSES = ("{http://www.w3.org/1999/xlink}href", "href", "url")
_HEADINGS = frozenset({"title", "subtitle", "bridgehead", "h1", "h2", "h3", "h4", "h5", "h6"})
_ITEMS = frozenset({"listitem", "li"})
_NUMBERED = frozenset({"orderedlist", "procedure", "ol"})
_UNREAD = frozenset({"remark", "script", "style"})
_MARKUP = re.compile(r"<[^<>]*>")
_ENTITY = re.compile(r"&[#\w]{1,40};")
_MOST_MARKUP = 200_000  # characters; more than this is read as plain text


def leaflet_of(purpose: str, most: int) -> Leaflet:
    """The purpose as a leaflet of at most `most` characters. Broken markup is stripped; nothing raises."""
    content = purpose.strip()
    if content[:4] == "&lt;":  # encoded once more than the contract says
        content = html.unescape(content).strip()
    if not content.startswith("<"):
        return shortened(from_plain(paragraphs(content, most + 1)), most)
    return shortened(_marked_up(_without_document_type(content[:_MOST_MARKUP]), most), most)


def _without_document_type(markup: str) -> str:
    """What a document type declares is never used: an entity is neither expanded nor fetched."""
    begins = markup.find("<!DOCTYPE")
    if begins < 0:
        return markup
    subset = re.compile(r"[^\[>]*").match(markup, begins + 1)
    end = subset.end() if subset else len(markup)
    closing = "]" if markup[end : end + 1] == "[" else ""
    inside = markup.find(closing, end) if closing else end
    ends = markup.find(">", inside) if inside >= 0 else -1
    return markup[:begins] + markup[ends + 1 :] if ends >= 0 else markup[:begins]


def _marked_up(markup: str, most: int) -> Leaflet:
    try:
        root = parsed(_ENTITY.sub(_known_entity, markup).encode(errors="replace"))
    except UnsafeXml:
        stripped = html.unescape(_MARKUP.sub("\n", markup))
        return from_plain(paragraphs(stripped, most + 1))
    reading = _Reading()
    reading.read(root)
    return Leaflet(tuple(reading.blocks()))


def _known_entity(found: "re.Match[str]") -> str:
    """What HTML calls by name is no entity to XML, but producers write it; any other one has no meaning here."""
    if found[0].startswith("&#") or found[0] in ("&amp;", "&lt;", "&gt;", "&quot;", "&apos;"):
        return found[0]
    meant = html.unescape(found[0])
    return "" if meant == found[0] else html.escape(meant)


@dataclass(slots=True)
class _Piece:
    """One block while it is read."""

    kind: BlockKind = BlockKind.PARAGRAPH
    step: int = 0
    runs: list[Run] = field(default_factory=list)

    def block(self) -> Block | None:
        runs = merged(_spaced(self.runs))
        return Block(self.kind, runs, self.step) if runs else None


class _Reading:
    """Walks a document once, in reading order. Depth and size have been checked."""

    def __init__(self) -> None:
        self._pieces = [_Piece()]
        self._steps: list[int | None] = []  # of each list that is open: its last number, None where it has none

    def read(self, root: etree._Element) -> None:
        unread = 0
        looks: list[Run] = [Run("")]
        for event, element in etree.iterwalk(root, events=("start", "end")):
            name = etree.QName(element).localname.lower()
            if event == "start":
                unread += name in _UNREAD
                looks.append(_look(name, element, looks[-1]))
                self._begin(name)
            text = element.text if event == "start" else None if element is root else element.tail
            if event == "end":
                unread -= name in _UNREAD
                looks.pop()
                self._end(name)
            if text and not unread:
                look = looks[-1]
                self._pieces[-1].runs.append(Run(text, look.is_strong, look.address))

    def blocks(self) -> Iterator[Block]:
        blocks = (piece.block() for piece in self._pieces)
        return (block for block in blocks if block is not None)

    def _begin(self, name: str) -> None:
        if name in _INLINE:
            return
        if name in _NUMBERED or name in ("itemizedlist", "ul"):
            self._steps.append(0 if name in _NUMBERED else None)
        if name in _ITEMS or (name == "step" and self._steps):
            self._begin_item()
        elif name in _HEADINGS:
            self._pieces.append(_Piece(BlockKind.HEADING))
        elif not self._is_at_an_items_words():
            self._pieces.append(_Piece())

    def _begin_item(self) -> None:
        last = self._steps[-1] if self._steps else None
        if last is None:
            self._pieces.append(_Piece(BlockKind.ITEM))
            return
        self._steps[-1] = last + 1
        self._pieces.append(_Piece(BlockKind.STEP, last + 1))

    def _is_at_an_items_words(self) -> bool:
        """DocBook writes an item's words as a paragraph within it."""
        piece = self._pieces[-1]
        return piece.kind in (BlockKind.ITEM, BlockKind.STEP) and not any(run.text.strip() for run in piece.runs)

    def _end(self, name: str) -> None:
        if name in _INLINE:
            return
        if (name in _NUMBERED or name in ("itemizedlist", "ul")) and self._steps:
            self._steps.pop()
        self._pieces.append(_Piece())


def _look(name: str, element: etree._Element, around: Run) -> Run:
    """How the words within an element look: the text of the run is not used."""
    found = next((element.get(attribute) for attribute in _ADDRESSES if element.get(attribute)), "")
    address = web_address(str(found)) if name in _LINKS else ""
    return Run("", around.is_strong or name in _STRONG, address or around.address)


def _spaced(runs: list[Run]) -> Iterator[Run]:
    """Runs with one space between words, none at the ends, and none just inside emphasis or a link."""
    pending, has_begun = "", False
    for run in runs:
        words = one_line(run.text, 4 * len(run.text))  # composing may lengthen it
        if run.text[:1].isspace():
            pending = " "
        if not words:
            continue
        if pending and has_begun:
            yield Run(pending)
        yield Run(words, run.is_strong and not run.address, run.address)
        pending, has_begun = " " if run.text[-1:].isspace() else "", True
