"""The HTML side of an e-mail: the same words as the text, in our own frame, escaped. Knows no clinic's template."""

import re
from collections.abc import Sequence
from functools import lru_cache

from jinja2 import Environment, PackageLoader, StrictUndefined

from notifier.languages import is_from_the_right

_STOPPING = {
    "sv": "Vill du inte ha påminnelser med e-post? Avsluta dem här: {}",
    "en": "No more reminders by e-mail? End them here: {}",
}
_DISOWNING = {
    "sv": "Är det här inte till dig? Säg till här: {}",
    "en": "Is this not meant for you? Tell us here: {}",
}


def html(subject_line: str, text: str, language: str, links: Sequence[str]) -> str:
    """The mail's HTML. Blank lines part paragraphs; any of `links`, where it stands in the text, can be pressed."""
    paragraphs = [
        [_pieces(line, links) for line in paragraph.split("\n")]
        for paragraph in text.split("\n\n")
        if paragraph.strip()
    ]
    frame = _environment().get_template("email.html")
    direction = "rtl" if is_from_the_right(language) else "ltr"
    return frame.render(subject_line=subject_line, paragraphs=paragraphs, language=language, direction=direction)


def footer(language: str, unsubscribing: str, disowning: str) -> str:
    """What every mail ends with, where we have pages for it."""
    said = "en" if language == "en" else "sv"
    lines = [words[said].format(link) for words, link in ((_STOPPING, unsubscribing), (_DISOWNING, disowning)) if link]
    return "".join(f"\n\n{line}" for line in lines)


def _pieces(line: str, links: Sequence[str]) -> list[tuple[str, bool]]:
    """The line, cut around its links; with each piece whether it is one."""
    alternatives = "|".join(re.escape(link) for link in sorted(links, key=len, reverse=True) if link)
    pieces = re.split(f"({alternatives})", line) if alternatives else [line]
    return [(piece, piece in links) for piece in pieces if piece]


@lru_cache(maxsize=1)
def _environment() -> Environment:
    return Environment(loader=PackageLoader("notifier"), autoescape=True, undefined=StrictUndefined)
