"""Letters as a PDF: A4 sheets for Swedish window envelopes (E65, C5; window on the right), each letter on a new one.

Knows no visit and no person. What can show through a window is the letter's number, by which whoever puts the address
there finds it.
"""

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cache

import fontpkg_noto_sans
from babel.dates import format_date
from fpdf import FPDF
from fpdf.enums import XPos, YPos
from fpdf.fonts import TTFFont
from fpdf.prefs import ViewerPreferences

_FONT = "noto"
_FONT_FILE = fontpkg_noto_sans.ROOT / "files" / "NotoSans[wdth,wght].ttf"
_MARGIN, _RIGHT, _BOTTOM = 25, 30, 28
_WIDTH = 210 - _MARGIN - _RIGHT
_NUMBER_AT = (110, 74)  # in the window wherever the sheet slides: 100-190 across, 55-79 down
_TEXT_FROM = 105  # below the first fold; nothing else stands at 42-92, which a window may show
_LONGEST_SENDER = 120  # in three lines, above the window
_FOLDS = (99, 148.5)  # E65: in three; C5: in two
_GREY = 90
_WHY = {
    "sv": "Du får det här brevet för att vi inte har kunnat nå dig på annat sätt. Lämna gärna ett mobilnummer till"
    " mottagningen.",
    "en": "You get this letter because we could not reach you in another way. Please give the clinic your mobile"
    " number.",
}
_NUMBER = {"sv": "Brev", "en": "Letter"}
_PAGE = {"sv": "sida", "en": "page"}
_PHONE = {"sv": "Telefon", "en": "Phone"}


@dataclass(frozen=True, slots=True)
class Sheet:
    """What one letter says."""

    letter: str  # its number
    sender: str = field(repr=False)
    phone: str = field(repr=False)
    language: str
    subject_line: str = field(repr=False)
    text: str = field(repr=False)


def can_show(text: str) -> bool:
    """Whether the letters' font has every sign of the text."""
    return all(sign == "\n" or ord(sign) in _signs() for sign in text)


def as_pdf(sheets: Sequence[Sheet], printed_at: datetime, on: date) -> bytes:
    """The letters as PDF/A-2u, in their order. `printed_at` stands in the file's own data, `on` above each letter."""
    with closing(_Letters(on)) as pdf:
        pdf.set_creation_date(printed_at)
        spoken = {sheet.language for sheet in sheets}
        pdf.set_lang(spoken.pop() if len(spoken) == 1 else "sv")
        for sheet in sheets:
            pdf.letter(sheet)
        return bytes(pdf.output())


class _Letters(FPDF):
    """The library draws `footer` and `header` whenever a page ends and the next begins."""

    def __init__(self, on: date) -> None:
        super().__init__(format="A4", unit="mm", enforce_compliance="PDF/A-2U")
        self._on = on
        self._coming: Sheet | None = None
        self._sheet = Sheet("", "", "", "sv", "", "")
        self._page_of_letter = 0
        self.set_title("Brev")
        # Printed on both sides, one person's letter would begin on the back of another's.
        self.viewer_preferences = ViewerPreferences(display_doc_title=True, duplex="Simplex")
        self.add_font(_FONT, "", _FONT_FILE)
        self.set_margins(_MARGIN, _MARGIN, _RIGHT)
        self.set_auto_page_break(True, _BOTTOM)  # noqa: FBT003 - the library's own order

    @property
    def font(self) -> TTFFont:
        (font,) = (one for one in self.fonts.values() if isinstance(one, TTFFont))
        return font

    def close(self) -> None:
        """The library keeps the font's file open."""
        self.font.ttfont.close()

    def letter(self, sheet: Sheet) -> None:
        self._coming = sheet
        self.add_page()
        self._say(sheet.subject_line, 14, 7)
        for paragraph in sheet.text.split("\n\n"):
            self.ln(2.8)
            self._say(paragraph, 11, 5.6)
        self.ln(7)
        self._say(_WHY[_said(sheet)], 9, 4.6, grey=True)

    def header(self) -> None:
        if self._coming is None:
            self._page_of_letter += 1
            return
        self._sheet, self._coming, self._page_of_letter = self._coming, None, 1
        self._mark_folds()
        self.set_xy(_MARGIN, 14)
        self._say(self._sheet.sender[:_LONGEST_SENDER], 12, 5.5, width=_WIDTH - 50)
        if self._sheet.phone:
            self._say(f"{_PHONE[_said(self._sheet)]} {self._sheet.phone}", 10, 5)
        self._put(_MARGIN + _WIDTH - 50, 14, format_date(self._on, "d MMMM y", _said(self._sheet)), 10, align="R")
        self._put(*_NUMBER_AT, self._reference, 9)
        self.set_xy(_MARGIN, _TEXT_FROM)

    def footer(self) -> None:
        self._put(_MARGIN, 297 - 18, f"{self._reference}, {_PAGE[_said(self._sheet)]} {self._page_of_letter}", 8)

    @property
    def _reference(self) -> str:
        return f"{_NUMBER[_said(self._sheet)]} {self._sheet.letter}"

    def _mark_folds(self) -> None:
        self.set_draw_color(_GREY)
        self.set_line_width(0.1)
        for down in _FOLDS:
            self.line(4, down, 8, down)

    def _say(self, text: str, size: float, height: float, *, width: float = _WIDTH, grey: bool = False) -> None:
        """Lines in the column of text, with page breaks."""
        self.set_font(_FONT, size=size)
        self.set_text_color(_GREY if grey else 0)
        self.multi_cell(width, height, text, align="L", new_x=XPos.LMARGIN, new_y=YPos.NEXT)

    def _put(self, across: float, down: float, text: str, size: float, align: str = "L") -> None:
        self.set_font(_FONT, size=size)
        self.set_text_color(_GREY)
        self.set_xy(across, down)
        self.cell(50, 5, text, align=align)


def _said(sheet: Sheet) -> str:
    """The language of what stands around the words."""
    return "en" if sheet.language == "en" else "sv"


@cache
def _signs() -> frozenset[int]:
    with closing(_Letters(date.min)) as pdf:
        return frozenset(pdf.font.cmap)
