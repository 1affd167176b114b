"""Tables for people's spreadsheet programs: CSV in which no cell is ever taken for a formula."""

import csv
import io
from collections.abc import Iterable, Sequence

_BEGINS_A_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\uff1d", "\uff0b", "\uff0d", "\uff20")


def as_csv(rows: Iterable[Sequence[str]]) -> str:
    """The rows with a byte order mark, by which programs know that it is UTF-8."""
    written = io.StringIO()
    csv.writer(written, quoting=csv.QUOTE_ALL, lineterminator="\r\n").writerows(
        [_cell(one) for one in row] for row in rows
    )
    return "\ufeff" + written.getvalue()


def _cell(text: str) -> str:
    """A quotation mark before what a spreadsheet would work out (ASVS 1.2.10)."""
    return f"'{text}" if text.lstrip(" ").startswith(_BEGINS_A_FORMULA) else text
