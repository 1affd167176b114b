"""SMS lengths counted a second time, from the tables of 3GPP TS 23.038 (6.2.1, 6.2.1.1) and nothing of the product's: a
text is really encoded, into septets or UTF-16, and the encoded row is really cut into parts."""

from collections.abc import Callable
from itertools import pairwise

_ESCAPE = "\x1b"
# Sixteen to a row, in code order: 0x00-0x0f, 0x10-0x1f, ... 0x70-0x7f.
_ROWS = (
    "@\u00a3$\u00a5\u00e8\u00e9\u00f9\u00ec\u00f2\u00c7\n\u00d8\u00f8\r\u00c5\u00e5",
    "\u0394_\u03a6\u0393\u039b\u03a9\u03a0\u03a8\u03a3\u0398\u039e\x1b\u00c6\u00e6\u00df\u00c9",
    " !\"#\u00a4%&'()*+,-./",
    "0123456789:;<=>?",
    "\u00a1ABCDEFGHIJKLMNO",
    "PQRSTUVWXYZ\u00c4\u00d6\u00d1\u00dc\u00a7",
    "\u00bfabcdefghijklmno",
    "pqrstuvwxyz\u00e4\u00f6\u00f1\u00fc\u00e0",
)
_AFTER_ESCAPE = {
    "\f": 0x0A, "^": 0x14, "{": 0x28, "}": 0x29, "\\": 0x2F, "[": 0x3C, "~": 0x3D, "]": 0x3E, "|": 0x40, "\u20ac": 0x65,
}  # fmt: skip
_CODES = {char: code for code, char in enumerate("".join(_ROWS))}
BASIC = "".join(char for char in _CODES if char != _ESCAPE)
EXTENDED = "".join(_AFTER_ESCAPE)


def counted(text: str) -> tuple[int, int]:
    """Units (septets, or UTF-16 units) and parts of a text as it stands."""
    septets = _septets(text)
    if septets is not None:
        return len(septets), _cuts(septets, 160, 153, lambda last: last == _CODES[_ESCAPE])
    octets = text.encode("utf-16-be")
    units = [int.from_bytes(octets[at:end]) for at, end in pairwise(range(0, len(octets) + 1, 2))]
    return len(units), _cuts(units, 70, 67, lambda last: 0xD800 <= last <= 0xDBFF)


def _septets(text: str) -> list[int] | None:
    """None: the text cannot be written in the basic alphabet."""
    written: list[int] = []
    for char in text:
        if char in BASIC:
            written.append(_CODES[char])
        elif char in EXTENDED:
            written += [_CODES[_ESCAPE], _AFTER_ESCAPE[char]]
        else:
            return None
    return written


def _cuts(row: list[int], alone: int, together: int, begins_pair: Callable[[int], bool]) -> int:
    """How many pieces; no cut falls behind a unit that begins a pair."""
    if len(row) <= alone:
        return 1
    pieces = 0
    while row:
        end = min(together, len(row))
        row = row[end - 1 if begins_pair(row[end - 1]) else end :]
        pieces += 1
    return pieces
