"""The two sides of an e-mail: its words as text and, in our own frame and escaped, as HTML. Knows no clinic's
template."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from jinja2 import Environment, PackageLoader, StrictUndefined

from notifier.languages import is_from_the_right
from store.leaflets import Leaflet, plain

_STOPPING = {
    "sv": "Vill du inte ha påminnelser med e-post? Avsluta dem här: {}",
    "en": "No more reminders by e-mail? End them here: {}",
}
_DISOWNING = {
    "sv": "Är det här inte till dig? Säg till här: {}",
    "en": "Is this not meant for you? Tell us here: {}",
}


@dataclass(frozen=True, slots=True)
class Enclosed:
    """What is to be read before one visit, under a heading; `texts`: each with the language it is in."""

    heading: str = field(repr=False)
    texts: tuple[tuple[str, Leaflet], ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Tail:
    """What follows a mail's words: what it encloses, and then what every mail ends with."""

    enclosed: tuple[Enclosed, ...] = field(default=(), repr=False)
    foot: str = field(default="", repr=False)


def html(subject_line: str, text: str, language: str, links: Sequence[str], tail: Tail = Tail()) -> str:
    """The mail's HTML. Blank lines part paragraphs; any of `links`, where it stands in the text, can be pressed."""
    return (
        _environment()
        .get_template("email.html")
        .render(
            subject_line=subject_line,
            paragraphs=_paragraphs(text, links),
            enclosed=[_section(one, language) for one in tail.enclosed],
            foot=_paragraphs(tail.foot, links),
            language=language,
            direction="rtl" if is_from_the_right(language) else "ltr",
        )
    )


def text(words: str, tail: Tail) -> str:
    """The mail's text."""
    told = [f"{one.heading}\n\n" + "\n\n".join(plain(leaflet) for _, leaflet in one.texts) for one in tail.enclosed]
    return "\n\n".join([words, *told]) + tail.foot


def footer(language: str, unsubscribing: str, disowning: str) -> str:
    """What every mail ends with, where we have pages for it."""
    said = "en" if language == "en" else "sv"
    lines = [words[said].format(link) for words, link in ((_STOPPING, unsubscribing), (_DISOWNING, disowning)) if link]
    return "".join(f"\n\n{line}" for line in lines)


def _paragraphs(text: str, links: Sequence[str]) -> list[list[list[tuple[str, bool]]]]:
    return [
        [_pieces(line, links) for line in paragraph.split("\n")]
        for paragraph in text.split("\n\n")
        if paragraph.strip()
    ]


def _section(one: Enclosed, language: str) -> dict[str, object]:
    """With each text its language, where that is another than the mail's."""
    texts = [
        {
            "language": "" if spoken == language else spoken,
            "direction": "rtl" if is_from_the_right(spoken) else "ltr",
            "groups": leaflet.groups(),
        }
        for spoken, leaflet in one.texts
    ]
    return {"heading": one.heading, "texts": texts}


def _pieces(line: str, links: Sequence[str]) -> list[tuple[str, bool]]:
    """The line, cut around its links; with each piece whether it is one."""
    alternatives = "|".join(re.escape(link) for link in sorted(links, key=len, reverse=True) if link)
    pieces = re.split(f"({alternatives})", line) if alternatives else [line]
    return [(piece, piece in links) for piece in pieces if piece]


@lru_cache(maxsize=1)
def _environment() -> Environment:
    return Environment(loader=PackageLoader("notifier"), autoescape=True, undefined=StrictUndefined)
