"""Text fit to be sent, and what it costs as SMS: GSM-7 or UCS-2, how many parts (3GPP TS 23.038, 23.040). Pure."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

# TS 23.038, 6.2.1: one septet each; 6.2.1.1: two septets each (escape and character).
_ONE_SEPTET = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_TWO_SEPTETS = frozenset("\f^{}\\[~]|€")
_MOST_MARKS = 4  # combining marks on one letter; more is not writing but noise

# What word processors put in, and what it stands for: each would turn the whole text into UCS-2.
_ORDINARY = {
    "\u00a0": " ", "\u2002": " ", "\u2003": " ", "\u2004": " ", "\u2005": " ", "\u2006": " ", "\u2007": " ",
    "\u2008": " ", "\u2009": " ", "\u200a": " ", "\u202f": " ", "\u205f": " ", "\u3000": " ",
    "\u2018": "'", "\u2019": "'", "\u201a": "'", "\u201b": "'", "\u2032": "'", "\u2039": "'", "\u203a": "'",
    "\u00b4": "'", "`": "'",
    "\u201c": '"', "\u201d": '"', "\u201e": '"', "\u201f": '"', "\u2033": '"', "\u00ab": '"', "\u00bb": '"',
    "\u2010": "-", "\u2011": "-", "\u2012": "-", "\u2013": "-", "\u2014": "-", "\u2015": "-", "\u2212": "-",
    "\u2026": "...", "\u2022": "-",
    "\u2028": "\n", "\u2029": "\n",
}  # fmt: skip
_SUBSTITUTES = str.maketrans(_ORDINARY)
_LINE_ENDS = re.compile(r"\r\n?|\x0b|\x0c|\x85")
_STRIPPED = frozenset({"Cc", "Cf", "Cs", "Co", "Cn"})  # controls, direction overrides, zero-width, tags, surrogates
_JOINERS = frozenset("\u200c\u200d")
_VIRAMA = 9  # the combining class of the marks that joiners steer in the scripts of India and Sri Lanka
_ISOLATE, _END_OF_ISOLATE = "\u2068", "\u2069"


@dataclass(frozen=True, slots=True)
class DearCharacter:
    """A character beyond GSM-7, and where it stands first: `place` counts from 1."""

    place: int
    char: str

    @property
    def name(self) -> str:
        return unicodedata.name(self.char, f"U+{ord(self.char):04X}")


@dataclass(frozen=True, slots=True)
class Cost:
    """What a text costs as SMS. `units`: septets, or UTF-16 units where `costly` holds a character beyond GSM-7."""

    units: int
    parts: int
    costly: tuple[str, ...]

    @property
    def limit(self) -> int:
        """The most units that still make one part."""
        return 70 if self.costly else 160


def cleaned(text: str) -> str:
    """The text with composed letters and plain quotes, dashes and spaces, free of what could hide or turn it around.

    Letters are never changed: å ä ö are GSM-7 and stay, and a Sami name is written as it is. Joiners stay where a
    script needs them: Persian words fall apart or grow together without.
    """
    composed = unicodedata.normalize("NFC", _LINE_ENDS.sub("\n", text)).translate(_SUBSTITUTES)
    visible = "".join(char for char in composed if _is_kept(char))
    return _few_marks(_needed_joiners(visible)).replace("\t", " ")


def isolated(value: str) -> str:
    """A cleaned value to stand in a text that is written from the right: its own direction turns nothing around it."""
    return f"{_ISOLATE}{value}{_END_OF_ISOLATE}" if value else ""


def dear_characters(text: str) -> tuple[DearCharacter, ...]:
    """What in a text, as its author sees it, makes the whole of it UCS-2 once it is cleaned; each character once."""
    composed = unicodedata.normalize("NFC", text)
    found = {}
    for place, char in enumerate(composed, start=1):
        if char not in found and any(one not in _ONE_SEPTET and one not in _TWO_SEPTETS for one in cleaned(char)):
            found[char] = DearCharacter(place, char)
    return tuple(found.values())


def cost(text: str) -> Cost:
    """What a cleaned text costs."""
    costly = tuple(dict.fromkeys(char for char in text if char not in _ONE_SEPTET and char not in _TWO_SEPTETS))
    if costly:
        return _ucs2_cost(text, costly)
    sizes = [2 if char in _TWO_SEPTETS else 1 for char in text]
    return Cost(sum(sizes), _parts(sizes, 160, 153), ())


def _ucs2_cost(text: str, costly: tuple[str, ...]) -> Cost:
    sizes = [2 if ord(char) > 0xFFFF else 1 for char in text]
    return Cost(sum(sizes), _parts(sizes, 70, 67), costly)


def _parts(sizes: list[int], alone: int, together: int) -> int:
    """A character of two units is never cut in two, so a part may end one unit early."""
    if sum(sizes) <= alone:
        return 1
    parts, room = 1, together
    for size in sizes:
        if size > room:
            parts, room = parts + 1, together
        room -= size
    return parts


def _is_kept(char: str) -> bool:
    return char in "\n\t" or char in _JOINERS or unicodedata.category(char) not in _STRIPPED


def _needed_joiners(text: str) -> str:
    """Without the joiners that shape nothing (RFC 5892, appendix A, says where one does)."""
    if _JOINERS.isdisjoint(text):
        return text
    kept: list[str] = []
    for place, char in enumerate(text):
        if char not in _JOINERS or _shapes(kept, text[place + 1 : place + 2]):
            kept.append(char)
    return unicodedata.normalize("NFC", "".join(kept))  # marks that a joiner kept apart have met


def _shapes(before: Sequence[str], after: str) -> bool:
    """Whether a joiner does anything here: after a virama, or between two letters of a script that joins them."""
    for char in reversed(before):
        if unicodedata.combining(char) == _VIRAMA:
            return True
        if not unicodedata.combining(char):
            return _joins(char) and _joins(after)
    return False


def _joins(char: str) -> bool:
    return char != "" and unicodedata.bidirectional(char) == "AL" and unicodedata.category(char).startswith("L")


def _few_marks(text: str) -> str:
    kept: list[str] = []
    marks = 0
    for char in text:
        marks = marks + 1 if unicodedata.combining(char) else 0
        if marks <= _MOST_MARKS:
            kept.append(char)
    return "".join(kept)
