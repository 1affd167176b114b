"""Check 22: what 200 texts cost, each with its septets or UTF-16 units and its parts written out."""

import pytest

from notifier.sms_text import cleaned, cost
from tests.notifier.gsm7 import counted

Row = tuple[str, int, int]

# As they stand: text, units, parts.
BORDERS: list[Row] = [
    ("", 0, 1), ("a", 1, 1), ("a" * 159, 159, 1), ("a" * 160, 160, 1), ("a" * 161, 161, 2), ("a" * 305, 305, 2),
    ("a" * 306, 306, 2), ("a" * 307, 307, 3), ("a" * 459, 459, 3), ("a" * 460, 460, 4), ("a" * 612, 612, 4),
    ("a" * 613, 613, 5), ("a" * 918, 918, 6), ("a" * 919, 919, 7), ("a" * 1530, 1530, 10), ("a" * 1531, 1531, 11),
    ("å" * 160, 160, 1), ("å" * 161, 161, 2), ("ä" * 160, 160, 1), ("ö" * 306, 306, 2), ("ö" * 307, 307, 3),
    ("Å" * 160, 160, 1), ("Ä" * 161, 161, 2), ("Ö" * 153, 153, 1), ("é" * 160, 160, 1), ("É" * 161, 161, 2),
    ("à" * 160, 160, 1), ("ü" * 160, 160, 1), ("ñ" * 160, 160, 1), ("ß" * 160, 160, 1), ("æøÆØ" * 40, 160, 1),
    ("Ç" * 160, 160, 1), ("£$¥¤" * 40, 160, 1), ("@" * 161, 161, 2), ("_" * 160, 160, 1), ("§" * 160, 160, 1),
    ("¡¿" * 80, 160, 1), ("ΔΦΓΛΩΠΨΣΘΞ" * 16, 160, 1), ("\n" * 160, 160, 1), ("a\n" * 81, 162, 2),
    ("0123456789" * 16, 160, 1), ("!\"#%&'()*+,-./:;<=>?" * 8, 160, 1), ("è ù ì ò" * 20, 140, 1),
]  # fmt: skip
ESCAPES: list[Row] = [
    ("^", 2, 1), ("{", 2, 1), ("}", 2, 1), ("\\", 2, 1), ("[", 2, 1), ("~", 2, 1), ("]", 2, 1), ("|", 2, 1),
    ("€", 2, 1), ("€" * 80, 160, 1), ("€" * 81, 162, 2), ("[]" * 40, 160, 1), ("{}" * 41, 164, 2), ("^" * 80, 160, 1),
    ("~" * 81, 162, 2), ("\\" * 80, 160, 1), ("|" * 81, 162, 2), ("a" * 158 + "€", 160, 1), ("a" * 159 + "€", 161, 2),
    ("a" * 151 + "€" + "a" * 153, 306, 2),  # the pair ends the first part
    ("a" * 152 + "€" + "a" * 151, 305, 2),  # the pair would be cut: it moves, and one septet stays empty
    ("a" * 152 + "€" + "a" * 152, 306, 3),
    ("a" * 153 + "€" + "a" * 151, 306, 2),
    ("a" * 152 + "[" + "a" * 150 + "]", 306, 3),
    ("a" * 152 + "{" + "a" * 151 + "}", 307, 3),
    ("€" * 152, 304, 2),  # 76 pairs to a part: 152 of 153 septets
    ("€" * 153, 306, 3), ("€" * 228, 456, 3), ("€" * 229, 458, 4), ("a" + "€" * 152, 305, 2), ("a€" * 102, 306, 2),
    ("a€" * 103, 309, 3), ("aa€" * 76 + "a", 305, 2),
]  # fmt: skip
UCS2: list[Row] = [
    ("á", 1, 1), ("á" * 67, 67, 1), ("á" * 70, 70, 1), ("á" * 71, 71, 2), ("á" * 134, 134, 2), ("á" * 135, 135, 3),
    ("á" * 201, 201, 3), ("á" * 202, 202, 4), ("á" * 670, 670, 10), ("ç" * 70, 70, 1), ("ç" * 71, 71, 2),
    ("a" * 69 + "ç", 70, 1), ("a" * 70 + "ç", 71, 2), ("a" * 159 + "ç", 160, 3), ("a" * 160 + "á", 161, 3),
    ("š" * 70, 70, 1), ("ŋ" * 71, 71, 2), ("đ" * 134, 134, 2), ("č" * 135, 135, 3), ("ž" * 70, 70, 1),
    ("ŧ" * 71, 71, 2),
    ("À" * 70, 70, 1), ("È" * 71, 71, 2), ("ê" * 70, 70, 1), ("ø" * 69 + "ő", 70, 1), ("ł" * 71, 71, 2),
    ("°" * 70, 70, 1), ("½" * 71, 71, 2), ("α" * 70, 70, 1), ("я" * 71, 71, 2), ("ب" * 70, 70, 1), ("ب" * 134, 134, 2),
    ("א" * 71, 71, 2), ("中" * 135, 135, 3), ("☺" * 70, 70, 1), ("€" * 70 + "á", 71, 2), ("€" * 69 + "á", 70, 1),
    ("[" * 133 + "á", 134, 2), ("å" * 134 + "á", 135, 3), ("\n" * 69 + "č", 70, 1),
]  # fmt: skip
SURROGATES: list[Row] = [
    ("😀", 2, 1), ("😀" * 35, 70, 1), ("😀" * 36, 72, 2), ("a" * 68 + "😀", 70, 1), ("a" * 69 + "😀", 71, 2),
    ("a" * 65 + "😀" + "a" * 67, 134, 2),  # the pair ends the first part
    ("a" * 66 + "😀" + "a" * 65, 133, 2),  # the pair would be cut: it moves
    ("a" * 66 + "😀" + "a" * 66, 134, 3), ("a" * 67 + "😀" + "a" * 65, 134, 2),
    ("a" * 66 + "😀" + "a" * 64 + "á", 133, 2),
    ("😀" * 66, 132, 2),  # 33 pairs to a part: 66 of 67 units
    ("😀" * 67, 134, 3), ("😀" * 99, 198, 3), ("😀" * 100, 200, 4), ("a" + "😀" * 66, 133, 2), ("𝔸" * 35, 70, 1),
    ("👍🏽" * 17, 68, 1), ("👍🏽" * 18, 72, 2), ("🇸🇪" * 17, 68, 1), ("𐐷" * 36, 72, 2),
    ("a" * 66 + "😀" + "a" * 65 + "😀", 135, 3), ("€" * 68 + "😀", 70, 1), ("☺" * 66 + "😀" + "☺" * 65, 133, 2),
]  # fmt: skip
# As people write them: what they come to when cleaned, units, parts.
WRITTEN: list[tuple[str, str, int, int]] = [
    ("a\u030a", "å", 1, 1), ("A\u030a" * 160, "Å" * 160, 160, 1), ("o\u0308" * 161, "ö" * 161, 161, 2),
    ("e\u0301" * 160, "é" * 160, 160, 1), ("a\u0301" * 70, "á" * 70, 70, 1), ("c\u030c" * 71, "č" * 71, 71, 2),
    ("\u212b" * 160, "Å" * 160, 160, 1), ("\u2126", "Ω", 1, 1), ("x\u0301", "x\u0301", 2, 1),
    ("kl.\u00a013.30", "kl. 13.30", 9, 1), ("\u00a0" * 160, " " * 160, 160, 1), ("10\u202f000", "10 000", 6, 1),
    ("a\u2009b\u2007c\u3000d", "a b c d", 7, 1), ("a\u2002b\u2003c\u2004d\u2005e", "a b c d e", 9, 1),
    ("a\u2006b\u2008c\u200ad\u205fe", "a b c d e", 9, 1), ("a\tb", "a b", 3, 1),
    ("\u2019" * 160, "'" * 160, 160, 1), ("\u2018a\u2019", "'a'", 3, 1), ("\u201ca\u201d", '"a"', 3, 1),
    ("\u201ea\u201f", '"a"', 3, 1), ("\u00aba\u00bb", '"a"', 3, 1), ("\u2039a\u203a", "'a'", 3, 1),
    ("\u201aa\u201b", "'a'", 3, 1), ("5\u2032 6\u2033", "5' 6\"", 5, 1), ("a`b\u00b4c", "a'b'c", 5, 1),
    ("\u2013" * 161, "-" * 161, 161, 2), ("a\u2014b\u2015c\u2212d", "a-b-c-d", 7, 1),
    ("e\u2010post\u2011x\u2012y", "e-post-x-y", 10, 1), ("nu\u2026", "nu...", 5, 1), ("\u2026" * 54, "." * 162, 162, 2),
    ("\u2022 ett\n\u2022 två", "- ett\n- två", 11, 1), ("a\u2028b\u2029c", "a\nb\nc", 5, 1),
    ("a\r\nb\rc\x0bd\x0ce\x85f", "a\nb\nc\nd\ne\nf", 11, 1), ("\r\n" * 160, "\n" * 160, 160, 1),
    ("be\u00adsök", "besök", 5, 1), ("\u00ad" * 500 + "a", "a", 1, 1), ("a\u200bb\u2060c\ufeffd", "abcd", 4, 1),
    ("a\u202ab\u202bc\u202cd\u202de\u202ef", "abcdef", 6, 1), ("a\u2066b\u2067c\u2068d\u2069e", "abcde", 5, 1),
    ("a\u200eb\u200fc\u061cd", "abcd", 4, 1), ("x\U000e0041\U000e0042\U000e007f", "x", 1, 1),
    ("\x00a\x07b\x1bc\x7f", "abc", 3, 1), ("a\ue000b\U000f0000c", "abc", 3, 1), ("half \ud83d", "half ", 5, 1),
    ("Z" + "\u0301" * 200, "Ź" + "\u0301" * 4, 5, 1), ("y" + "\u0334" * 200 + "z", "y" + "\u0334" * 4 + "z", 6, 1),
    ("👨\u200d👩\u200d👧", "👨👩👧", 6, 1), ("❤\ufe0f", "❤\ufe0f", 2, 1), ("1\ufe0f\u20e3", "1\ufe0f\u20e3", 3, 1),
    ("\u2067مرحبا\u2069", "مرحبا", 5, 1),
]  # fmt: skip
# Whole messages.
SWEDISH = (
    "Påminnelse: besök tisdag 1 december kl. 13.30, Vårdcentralen Ängen. Avboka senast måndag kl. 13.30 på 1177.se"
)
MESSAGES: list[tuple[str, int, int]] = [
    (SWEDISH, 109, 1),
    (SWEDISH.replace("Ängen", "Ájtte"), 109, 2),
    (SWEDISH + " " + SWEDISH, 219, 2),
    ("Din tid hos Folktandvården Öster är flyttad till fredag 4 december kl. 08.00.", 77, 1),
    ("Avgift för uteblivet besök: 400 €. Läs mer [1177.se].", 56, 1),
    ("Muitte: du diibmu lea maŋŋebárgga juovlamánu 1. b. dii. 13.30", 61, 1),
    ("Mujjteduvvam: duv tijmma la dijstagá", 36, 1),
    ("Muistutus: aikasi on tiistaina 1. joulukuuta klo 13.30", 54, 1),
    ("تذكير: موعدك يوم الثلاثاء 1 ديسمبر الساعة 13:30. للإلغاء: 1177.se، قبل يوم الاثنين", 82, 2),
    ("Нагадування: ваш візит у вівторок, 1 грудня, о 13:30", 52, 1),
    ("Xasuusin: ballantaadu waa Talaado 1 Diseembar 13.30", 51, 1),
    ("Przypomnienie: wizyta we wtorek 1 grudnia o 13.30", 49, 1),
    ("Recordatorio: su cita es el martes 1 de diciembre, ¿no puede venir?", 67, 1),
    ("Rappel\xa0: rendez-vous mardi, français", 36, 1),
    ("یادآوری: وقت شما سه\u200cشنبه", 24, 1),
]

AS_THEY_STAND = [*BORDERS, *ESCAPES, *UCS2, *SURROGATES]
TABLE: list[Row] = [*AS_THEY_STAND, *[(raw, units, parts) for raw, _, units, parts in WRITTEN], *MESSAGES]


def test_check_22_the_table_holds_200_texts_and_none_twice() -> None:
    assert len(TABLE) >= 200
    assert len({text for text, _, _ in TABLE}) == len(TABLE)


@pytest.mark.parametrize(("text", "units", "parts"), TABLE, ids=range(len(TABLE)))
def test_check_22_b18_each_text_costs_what_the_table_says(text: str, units: int, parts: int) -> None:
    counts = cost(cleaned(text))

    assert (counts.units, counts.parts) == (units, parts)


@pytest.mark.parametrize(("text", "units", "parts"), TABLE, ids=range(len(TABLE)))
def test_check_22_the_table_is_what_the_standard_gives(text: str, units: int, parts: int) -> None:
    assert counted(cleaned(text)) == (units, parts)


def test_what_stands_in_the_table_is_not_cleaned_away() -> None:
    assert [text for text, _, _ in AS_THEY_STAND if cleaned(text) != text] == []


@pytest.mark.parametrize(("raw", "clean", "units", "parts"), WRITTEN, ids=range(len(WRITTEN)))
def test_b19_b20_letters_are_composed_and_what_hides_or_turns_a_text_is_gone(
    raw: str, clean: str, units: int, parts: int
) -> None:
    assert cleaned(raw) == clean
    assert counted(clean) == (units, parts)
