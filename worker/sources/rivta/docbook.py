"""The wire's `purpose`: plain text, or a DocBook 5 document in six elements, to plain text with paragraphs."""

import html
import re

from lxml import etree

from worker.sources.rivta.texts import paragraphs
from worker.sources.rivta.xml import UnsafeXml, parsed

_BLOCKS = {"article", "info", "title", "para", "section", "bibliography"}
_MARKUP = re.compile(r"<[^<>]*>")
_MOST_MARKUP = 200_000  # characters; more than this is read as plain text


def plain_text(purpose: str, most: int) -> str:
    """The purpose as at most `most` characters of plain text, its paragraphs kept. Broken markup is stripped."""
    written = purpose.strip()
    if written[:4] == "&lt;":  # encoded once more than the contract says
        written = html.unescape(written)
    if not written.startswith("<"):
        return paragraphs(written, most)
    return paragraphs(_blocks_or_stripped(written[:_MOST_MARKUP]), most)


def _blocks_or_stripped(markup: str) -> str:
    try:
        root = parsed(markup.encode())
    except UnsafeXml:
        return html.unescape(_MARKUP.sub("\n", markup))
    return "\n\n".join(_blocks(root))


def _blocks(root: etree._Element) -> list[str]:
    """The text of each block, in reading order: what stands before, between and after blocks within it included."""
    found = [""]
    for event, element in etree.iterwalk(root, events=("start", "end")):
        if etree.QName(element).localname in _BLOCKS:
            found.append("")
        found[-1] += (element.text if event == "start" else _tail(element, root)) or ""
    return [block for block in (" ".join(text.split()) for text in found) if block]


def _tail(element: etree._Element, root: etree._Element) -> str | None:
    return None if element is root else element.tail
