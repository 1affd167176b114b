"""How text is compared (RFC 4791 7.5): a collation makes two texts equal that it takes for equal. Pure."""

import unicodedata
from collections.abc import Callable, Mapping
from typing import Final

Prepared = Callable[[str], str]

DEFAULT: Final = "i;ascii-casemap"
_MOST_LEARNED = 4096
_ASCII_CAPITALS = {ord(letter): letter.upper() for letter in "abcdefghijklmnopqrstuvwxyz"}


class _Casemap(dict[int, str]):
    """Each character's titlecase, taken apart; learned when first met."""

    def __missing__(self, code: int) -> str:
        prepared = _taken_apart(chr(code))
        if len(self) < _MOST_LEARNED:  # what strangers send must not grow for ever
            self[code] = prepared
        return prepared


_UNICODE_CASEMAP = _Casemap()


def _octet(text: str) -> str:
    return text


def _ascii_casemap(text: str) -> str:
    """RFC 4790 9.2: only a to z are folded."""
    return text.upper() if text.isascii() else text.translate(_ASCII_CAPITALS)


def _unicode_casemap(text: str) -> str:
    """RFC 5051: titlecase by the simple mapping, then decomposed for compatibility."""
    if text.isascii():
        return text.upper()
    return unicodedata.normalize("NFKD", text.translate(_UNICODE_CASEMAP))


def _taken_apart(character: str) -> str:
    title = character.title()
    return unicodedata.normalize("NFKD", title if len(title) == 1 else character)


COLLATIONS: Final[Mapping[str, Prepared]] = {
    "i;ascii-casemap": _ascii_casemap,
    "i;octet": _octet,
    "i;unicode-casemap": _unicode_casemap,
}
