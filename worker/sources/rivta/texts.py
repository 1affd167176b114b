"""Text from outside made fit to keep: composed, free of invisible characters, and no longer than it should be."""

import re
import unicodedata

_JOINERS = "\u200c\u200d"  # they carry meaning in some scripts; all other format characters only hide something
_LINE_BREAK = re.compile(r"\r\n|[\n\r\v\f\x85\u2028\u2029]")
_ROOM_TO_SHRINK = 4  # before composing and collapsing, so that a huge text costs no more than its cap


def one_line(text: str, most: int) -> str:
    """The text as one line of at most `most` characters."""
    return _visible(" ".join(text[: most * _ROOM_TO_SHRINK].split()))[:most].rstrip()


def paragraphs(text: str, most: int) -> str:
    """The text with its line breaks, at most one empty line in a row, at most `most` characters."""
    lines = [one_line(line, most) for line in _LINE_BREAK.split(text[: most * _ROOM_TO_SHRINK])]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()[:most].rstrip()


def _visible(text: str) -> str:
    if text.isascii() and text.isprintable():
        return text
    return "".join(char for char in unicodedata.normalize("NFC", text) if not _is_hidden(char))


def _is_hidden(char: str) -> bool:
    return unicodedata.category(char) in ("Cc", "Cf", "Cs", "Co") and char not in _JOINERS
