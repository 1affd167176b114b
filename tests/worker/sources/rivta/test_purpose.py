"""The wire's `purpose` becomes a leaflet: DocBook or not, broken or hostile, it is clean text or none."""

from unicodedata import category

import pytest
from hypothesis import given
from hypothesis import strategies as st

from store.leaflets import Block, BlockKind, Leaflet, Run, plain, read, written
from worker.sources.rivta.docbook import leaflet_of

DOCBOOK = """<?xml version="1.0"?>
<article xmlns="http://docbook.org/ns/docbook" version="5.0">
  <info><title>Inför besöket</title></info>
  <section><title>Mat</title><para>Ät  inget
     efter midnatt.</para><para>Drick <emphasis>vatten</emphasis> &amp; te.</para></section>
</article>"""
BILLION = '<!DOCTYPE a [<!ENTITY b "bbbb"><!ENTITY c "&b;&b;"><!ENTITY d SYSTEM "file:///etc/hostname">]>'


@pytest.mark.parametrize(
    ("purpose", "text"),
    [
        ("", ""),
        ("  Kom fastande.  ", "Kom fastande."),
        ("Kom fastande.\r\nTa med legitimation.", "Kom fastande.\nTa med legitimation."),
        ("A\n\n\n\nB", "A\n\nB"),
        ("Blodtryck < 140", "Blodtryck < 140"),
        ("<3 dagar kvar", "<3 dagar kvar"),
        ("Ring **21*0701740605# eller *31#, [1] se \\a", "Ring **21*0701740605# eller *31#, [1] se \\a"),
        ("# 4, plan 2\n12. december\n- inget", "# 4, plan 2\n12. december\n- inget"),
        (DOCBOOK, "Inför besöket\n\nMat\n\nÄt inget efter midnatt.\n\nDrick vatten & te."),
        ("<para>Ett</para><para>Två</para>", "Ett\n\nTvå"),  # two roots: not XML
        ("<para>Ett&nbsp;två", "Ett två"),
        ("<para>Ett&nbsp;två &aring;r &okänd; &#8364;</para>", "Ett två år €"),
        ("&lt;para&gt;Ett &amp;amp; två&lt;/para&gt;", "Ett & två"),
        ("<article><para>Före <para>inne</para> efter</para></article>", "Före\n\ninne\n\nefter"),
        ("<article><row><entry>08.00</entry><entry>09.00</entry></row></article>", "08.00\n\n09.00"),
        ("<para>H<subscript>2</subscript>O<script>x()</script></para>", "H2O"),
    ],
)
def test_a_purpose_reads_as_a_person_would_write_it(purpose: str, text: str) -> None:
    assert plain(leaflet_of(purpose, 4000)) == text


def test_headings_lists_emphasis_and_links_of_a_document_are_kept() -> None:
    document = """<article xmlns="http://docbook.org/ns/docbook" xmlns:xlink="http://www.w3.org/1999/xlink">
      <title>Röntgen</title>
      <para>Ät <emphasis role="bold"> inget </emphasis>före.</para>
      <itemizedlist><listitem><para>Legitimation</para></listitem><listitem>Remiss</listitem></itemizedlist>
      <orderedlist><listitem><para>Duscha</para></listitem><listitem><para>Kom</para></listitem></orderedlist>
      <para>Läs <link xlink:href="https://www.1177.se/rontgen">mer</link>.</para></article>"""

    assert leaflet_of(document, 4000).blocks == (
        Block(BlockKind.HEADING, (Run("Röntgen"),)),
        Block(BlockKind.PARAGRAPH, (Run("Ät "), Run("inget", is_strong=True), Run(" före."))),
        Block(BlockKind.ITEM, (Run("Legitimation"),)),
        Block(BlockKind.ITEM, (Run("Remiss"),)),
        Block(BlockKind.STEP, (Run("Duscha"),), 1),
        Block(BlockKind.STEP, (Run("Kom"),), 2),
        Block(
            BlockKind.PARAGRAPH,
            (Run("Läs "), Run("mer", address="https://www.1177.se/rontgen"), Run(".")),
        ),
    )


@pytest.mark.parametrize(
    "address",
    [
        "javascript:alert(1)", "http://www.1177.se/", "https://1177.se@evil.example/", "https://[::1]/", "https://a b/",
        "https://10.0.0.1/x", "https://x\u202e.example/", "data:text/html,x", "//evil.example/", "https://" + "a" * 600,
        "https://1177.se:8443/", 'https://1177.se/&quot;onclick=&quot;x',
    ],
)  # fmt: skip
def test_a_link_that_could_deceive_is_left_as_words(address: str) -> None:
    found = leaflet_of(f'<article><para>Se <ulink url="{address}">här</ulink></para></article>', 4000)

    assert plain(found) == "Se här"


@pytest.mark.parametrize(
    "purpose",
    [
        BILLION + "<a>&c;&d;Kom fastande.</a>",
        '<!DOCTYPE article PUBLIC "-//OASIS//DTD DocBook XML V4.5//EN" "http://x.example/d.dtd"><a>Kom fastande.</a>',
        "<?xml version='1.0' encoding='utf-16'?><a>Kom fastande.</a>",
        "<a>Kom \u202efast\u200bande\x00.\x85</a>",
        "Kom \u2066fast\u00adande\ud800.",
        "<a><b>Kom &#x202e;fastande.</b></a>",
    ],
)
def test_what_hostile_documents_declare_and_hide_is_never_read(purpose: str) -> None:
    assert plain(leaflet_of(purpose, 4000)) == "Kom fastande."


@pytest.mark.parametrize(
    "unfinished", ["<!DOCTYPE a [<!ENTITY b 'c'>", "<!DOCTYPE a", BILLION[:-2], "<!DOCTYPE" * 20_000]
)
def test_a_document_type_without_an_end_gives_no_text(unfinished: str) -> None:
    assert plain(leaflet_of(unfinished, 4000)) == ""


def test_deep_and_huge_purposes_are_cut_and_not_choked_on() -> None:
    for huge in ("<para>" * 200_000 + "x", "ord " * 1_000_000, "<" * 5_000_000, "<p>x</p>" * 30_000, "&amp;" * 100_000):
        assert len(plain(leaflet_of(huge, 4000))) <= 4000
    assert plain(leaflet_of("<article>" + "<section>" * 70 + "Kom." + "</section>" * 70 + "</article>", 4000)) == "Kom."


def test_nobody_takes_a_text_that_was_cut_for_the_whole() -> None:
    assert plain(leaflet_of("Fasta. " * 1000, 4000)).endswith("Fasta.…")
    assert plain(leaflet_of("<a>" + "<p>Fasta före.</p>" * 1000 + "</a>", 4000)).endswith("Fasta före.…")
    assert plain(leaflet_of("F" * 4000, 4000)) == "F" * 4000


SOUP = st.lists(
    st.one_of(
        st.sampled_from(
            [
                "<article>", "</article>", "<para>", "</para>", "<title>", "<emphasis>", "</emphasis>", "<listitem>",
                '<link href="https://a.se/)">', "</link>", "<!DOCTYPE a [", "]>", "&lt;", "&c;", "<![CDATA[",
                "\\", "**", "[", "](https://a.se)", "# ", "- ", "- [ ] ", "1. ", "\n", "\u202e", "\x00", "&#x202e;",
            ]
        ),
        st.text(max_size=6),
    ),
    max_size=30,
).map("".join)  # fmt: skip


@given(st.one_of(SOUP, st.binary(max_size=200).map(lambda octets: octets.decode("utf-8", "surrogateescape"))))
def test_no_purpose_breaks_the_reading_or_keeps_a_hidden_character(purpose: str) -> None:
    found = leaflet_of(purpose, 50)
    text = plain(found)
    assert len(text) <= 50
    assert not [
        char for char in text.replace("\n", "") if category(char) in ("Cc", "Zl", "Zp", "Cs") or char in "\u202e\u00ad"
    ]
    assert read(written(found)) == found  # what is kept is what was read


def test_an_empty_document_gives_none() -> None:
    assert leaflet_of("<article/>", 4000) == Leaflet()
