"""A hidden character doubles the price of a text or turns it around; å, ä and ö must arrive as they are."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifier.sms_text import cleaned, cost
from tests.notifier.gsm7 import BASIC, EXTENDED, counted


def test_the_table_of_basic_characters_is_whole() -> None:
    assert len(BASIC) == 127  # 128 places, less the escape
    assert len(set(BASIC + EXTENDED)) == 137


@given(st.text(st.sampled_from(BASIC + EXTENDED + "áç’😀šœ"), max_size=500))
def test_check_22_the_part_count_equals_the_reference(text: str) -> None:
    assert (cost(text).units, cost(text).parts) == counted(text)


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
