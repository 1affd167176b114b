"""Letters as a PDF, read back by a program that shares no code with what wrote it."""

import io
import re
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from pypdf import PageObject, PdfReader

from notifier.channels.letter_sheets import Sheet, as_pdf, can_show

SHEET = Sheet(
    "K7MPX-4R2TQ",
    "Ekens vårdcentral",
    "010-123 45 67",
    "sv",
    "Påminnelse: ditt besök fredag 27 november",
    "Du har ett besök.\n\nMottagning: Åsö – Łódź, Київ\nTelefon: 010-123 45 67",
)
WINDOW = (88.0, 40.0, 210.0, 93.0)  # millimetres from the upper left: what may ever show, as far as a sheet can slide


def read(*sheets: Sheet) -> PdfReader:
    return PdfReader(io.BytesIO(as_pdf(sheets, datetime(2026, 11, 25, 9, tzinfo=UTC), date(2026, 11, 25))))


def shown_in_window(page: PageObject) -> set[str]:
    found: set[str] = set()
    left, top, right, bottom = WINDOW

    def see(text: str, _current: object, matrix: list[float], _font: object, _size: object) -> None:
        across, down = matrix[4] / 72 * 25.4, 297 - matrix[5] / 72 * 25.4
        if text.strip() and left <= across <= right and top <= down <= bottom:
            found.add(text.strip())

    page.extract_text(visitor_text=see)
    return found


def test_nothing_but_a_letters_number_can_show_through_the_envelopes_window() -> None:
    longest = replace(SHEET, letter="ABCDE-FGHJK", sender="Vårdcentralen " * 40, text="Ett ord till. " * 900)

    for page in read(SHEET, longest).pages[:2]:
        assert [re.sub(r"[A-Z0-9-]{11}$", "N", one) for one in shown_in_window(page)] == ["Brev N"]


def test_each_letter_begins_on_a_sheet_of_its_own_and_every_page_says_whose_it_is() -> None:
    pages = [page.extract_text() for page in read(replace(SHEET, text="Ett ord till. " * 400), SHEET).pages]

    assert len(pages) == 3
    assert ["sida 1" in page for page in pages] == [True, False, True]
    assert "K7MPX-4R2TQ, sida 2" in pages[1]
    assert "25 november 2026" in pages[2]


def test_the_words_are_read_back_as_they_were_written() -> None:
    said = read(SHEET).pages[0].extract_text()

    assert SHEET.text.split("\n\n")[1] in said
    assert SHEET.subject_line in said
    assert "Please give the clinic" in read(replace(SHEET, language="en")).pages[0].extract_text()


def test_a_screen_reader_is_told_the_language_and_a_title_and_an_archive_gets_pdf_a() -> None:
    root = read(SHEET).trailer["/Root"]

    assert root["/ViewerPreferences"]["/Duplex"] == "/Simplex"  # nobody's letter begins on the back of another's
    assert (root["/Lang"], root["/ViewerPreferences"]["/DisplayDocTitle"]) == ("sv", True)
    assert read(replace(SHEET, language="pl")).trailer["/Root"]["/Lang"] == "pl"
    described = root["/Metadata"].get_data().decode()
    assert re.search(r"<pdfaid:part>2<.*<pdfaid:conformance>U<.*>Brev<", described, re.DOTALL)
    assert "K7MPX" not in described


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Łódź ąę\n", True),
        ("Київ", True),
        ("đặt", True),
        ("موعد", False),
        ("ሰላም", False),
        ("🙂", False),
    ],
)
def test_a_text_whose_signs_the_font_does_not_have_is_known(text: str, shown: bool) -> None:  # noqa: FBT001
    assert can_show(text) is shown
