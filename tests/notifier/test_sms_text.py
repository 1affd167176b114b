"""A hidden character doubles the price of a text or turns it around; å, ä and ö must arrive as they are."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifier.sms_text import cleaned, cost

# Written down apart from the product, row by row from 3GPP TS 23.038's two tables, in code order.
BASIC = (
    "@\u00a3$\u00a5\u00e8\u00e9\u00f9\u00ec\u00f2\u00c7\n\u00d8\u00f8\r\u00c5\u00e5"
    "\u0394_\u03a6\u0393\u039b\u03a9\u03a0\u03a8\u03a3\u0398\u039e\u00c6\u00e6\u00df\u00c9"
    " !\"#\u00a4%&'()*+,-./" + "0123456789" + ":;<=>?"
    "\u00a1" + "".join(map(chr, range(65, 91))) + "\u00c4\u00d6\u00d1\u00dc\u00a7"
    "\u00bf" + "".join(map(chr, range(97, 123))) + "\u00e4\u00f6\u00f1\u00fc\u00e0"
)
EXTENDED = "\f^{}\\[~]|\u20ac"


def reference(text: str) -> tuple[int, int]:
    """Units and parts, by filling parts one character at a time."""
    if all(char in BASIC or char in EXTENDED for char in text):
        sizes, alone, together = [2 if char in EXTENDED else 1 for char in text], 160, 153
    else:
        sizes, alone, together = [len(char.encode("utf-16-le")) // 2 for char in text], 70, 67
    if sum(sizes) <= alone:
        return sum(sizes), 1
    parts = [0]
    for size in sizes:
        if parts[-1] + size > together:
            parts.append(0)
        parts[-1] += size
    return sum(sizes), len(parts)


PIECES = ["a", "å", "Ö", "é", "€", "[", "{", "~", "\n", "á", "ç", "’", "😀", "š", "Á", "ŋ"]
LENGTHS = (0, 1, 66, 67, 70, 71, 134, 135, 152, 153, 160, 161, 306)
TABLE = [piece * length for piece in PIECES for length in LENGTHS]


def test_the_table_of_basic_characters_is_whole() -> None:
    assert len(BASIC) == 127  # 128 places, less the escape
    assert len(set(BASIC)) == 127


def test_check_22_the_part_count_equals_the_reference_over_a_table_of_200_texts() -> None:
    assert len(TABLE) >= 200
    for text in TABLE:
        assert (cost(text).units, cost(text).parts) == reference(text), (text[:1], len(text))


@given(st.text(st.sampled_from(BASIC + EXTENDED + "áç’😀šœ"), max_size=500))
def test_check_22_the_part_count_equals_the_reference(text: str) -> None:
    assert (cost(text).units, cost(text).parts) == reference(text)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("x" * 160, 1),
        ("x" * 161, 2),
        ("€" * 80, 1),
        ("€" * 81, 2),
        ("x" * 159 + "[", 2),
        ("x" * 69 + "š", 1),
        ("x" * 69 + "😀", 2),
        ("x" * 152 + "€" + "x" * 152, 3),
    ],
)
def test_b18_the_edges(text: str, parts: int) -> None:
    assert cost(text).parts == parts


@pytest.mark.parametrize(
    ("raw", "clean"),
    [
        ("a\u030a", "å"),  # decomposed
        ("A\u0308O\u0308", "ÄÖ"),
        ("kl.\u00a013.30", "kl. 13.30"),
        ("Annas’ ”tid” – nu…", 'Annas\' "tid" - nu...'),
        ("a\r\nb\rc", "a\nb\nc"),
        ("a\u202eb\u2066c\u200bd\u00ade", "abcde"),
        ("\U000e0041x\ufeff\x00\x07y", "xy"),
        ("a" + "\u0301" * 200, "á" + "\u0301" * 4),
        ("čáhci ŋ", "čáhci ŋ"),  # Sami stays as it is written
        ("räksmörgås Å Ä Ö é", "räksmörgås Å Ä Ö é"),
        ("a\tb\u2028c", "a b\nc"),
    ],
)
def test_check_22_ordinary_marks_are_normalised_and_letters_kept(raw: str, clean: str) -> None:
    assert cleaned(raw) == clean


@given(st.text())
def test_b20_cleaned_text_hides_nothing_and_stays_clean(text: str) -> None:
    clean = cleaned(text)

    assert cleaned(clean) == clean
    assert all(char == "\n" or unicodedata.category(char) not in {"Cc", "Cf", "Cs", "Co", "Cn"} for char in clean)


def test_the_counter_names_what_costs_a_part() -> None:
    assert cost("Tid hos Ájtte").costly == ("Á",)
    assert cost("Tid hos Ájtte").limit == 70
    assert cost("Tid").limit == 160
