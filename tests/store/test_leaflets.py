"""A leaflet is written, kept and read without a word lost, and leads only where it may."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from store.leaflets import (
    BlockKind,
    from_plain,
    plain,
    read,
    web_address,
    written,
)

CLINICS_OWN = """# Inför provtagningen
Ät **ingenting** efter midnatt.
Drick vatten.

Ta med:
- [ ] Legitimation
- [ ] Lista över
  läkemedel
- Svara på [hälsodeklarationen](https://formular.example.se/h?a=1)
1. Anmäl dig
2. Vänta"""


def test_what_a_clinic_writes_becomes_headings_lists_and_links() -> None:
    kinds = [kind for kind, _ in read(CLINICS_OWN).groups()]
    assert kinds == [
        BlockKind.HEADING, BlockKind.PARAGRAPH, BlockKind.CHECK, BlockKind.ITEM, BlockKind.STEP,
    ]  # fmt: skip


def test_a_calendar_gets_the_words_as_plain_lines_with_the_address_written_out() -> None:
    assert plain(read(CLINICS_OWN)) == (
        "Inför provtagningen\n\nÄt ingenting efter midnatt.\nDrick vatten.\n\nTa med:\n- Legitimation\n"
        "- Lista över läkemedel\n- Svara på hälsodeklarationen: https://formular.example.se/h?a=1\n"
        "1. Anmäl dig\n2. Vänta"
    )


@pytest.mark.parametrize(
    "kept", ["Ring **21*070-174 06 05#", "5 * 3 * 2", "C:\\ny", "[1] se nedan", "a_b", "-5 grader", "1.5 mg"]
)
def test_text_kept_before_there_were_leaflets_says_what_it_said(kept: str) -> None:
    assert plain(read(kept)) == kept


WORDS = st.text(alphabet="ab \\*[]()#-.1\n", max_size=30)


@given(WORDS)
def test_no_word_is_lost_between_writing_and_reading(text: str) -> None:
    for leaflet in (read(text), from_plain(text)):
        assert read(written(leaflet)) == leaflet


@given(WORDS)
def test_nobodys_plain_text_is_taken_for_marks_within_a_line(text: str) -> None:
    assert plain(from_plain(text)).split() == text.split()


@pytest.mark.parametrize(
    "address",
    ["http://a.example.se/", "https://a", "https://a.example.se:99/", "https://b@a.example.se/", "https://a.example.se/\u202e",
     "javascript:x", "https://å.se/", "https://a.se/ b", "https://a..se/", "https://-a.se/", "https://1.2.3.4/"],
)  # fmt: skip
def test_an_address_that_could_deceive_is_none(address: str) -> None:
    assert web_address(address) == ""
    assert not any(run.address for block in read(f"[x]({address})").blocks for run in block.runs)
