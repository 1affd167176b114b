"""The wire's `purpose` becomes plain text: DocBook or not, broken or hostile."""

from unicodedata import category

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.sources.rivta.docbook import plain_text

DOCBOOK = """<?xml version="1.0"?>
<article xmlns="http://docbook.org/ns/docbook" version="5.0">
  <info><title>Inför besöket</title></info>
  <section><title>Mat</title><para>Ät  inget
     efter midnatt.</para><para>Drick <emphasis>vatten</emphasis> &amp; te.</para></section>
</article>"""


@pytest.mark.parametrize(
    ("purpose", "text"),
    [
        ("", ""),
        ("  Kom fastande.  ", "Kom fastande."),
        ("Kom fastande.\r\nTa med legitimation.", "Kom fastande.\nTa med legitimation."),
        ("A\n\n\n\nB", "A\n\nB"),
        ("Blodtryck < 140", "Blodtryck < 140"),
        (DOCBOOK, "Inför besöket\n\nMat\n\nÄt inget efter midnatt.\n\nDrick vatten & te."),
        ("<para>Ett</para><para>Två</para>", "Ett\n\nTvå"),  # two roots: not XML
        ("<para>Ett&nbsp;två", "Ett två"),
        ("&lt;para&gt;Ett &amp;amp; två&lt;/para&gt;", "Ett & två"),
        ("<article><para>Före <para>inne</para> efter</para></article>", "Före\n\ninne\n\nefter"),
    ],
)
def test_a_purpose_reads_as_a_person_would_write_it(purpose: str, text: str) -> None:
    assert plain_text(purpose, 4000) == text


def test_entities_in_a_purpose_are_not_expanded() -> None:
    bomb = '<!DOCTYPE a [<!ENTITY b "bbbb"><!ENTITY c SYSTEM "file:///etc/hostname">]><a>&b;&c;</a>'
    assert "bbbbbbbb" not in plain_text(bomb, 4000)


def test_deep_and_huge_purposes_are_cut_and_not_choked_on() -> None:
    assert len(plain_text("<para>" * 200_000 + "x", 4000)) <= 4000
    assert len(plain_text("ord " * 1_000_000, 4000)) <= 4000
    assert plain_text("<" * 5_000_000, 4000) == "<" * 4000


@given(
    st.text(alphabet=st.one_of(st.sampled_from("<>/&;! \n"), st.characters(exclude_categories=["Cs"])), max_size=200)
)
def test_no_purpose_breaks_the_reading_or_keeps_a_control_character(purpose: str) -> None:
    text = plain_text(purpose, 50)
    assert len(text) <= 50
    assert not [
        char for char in text.replace("\n", "") if category(char) in ("Cc", "Zl", "Zp") or char in "\u202e\u00ad"
    ]
