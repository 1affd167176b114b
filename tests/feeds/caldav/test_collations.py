"""How text is compared (RFC 4791 7.5): Å and å are one letter to people, and to programs that ask for it."""

import pytest

from feeds.caldav.collations import _UNICODE_CASEMAP, COLLATIONS


@pytest.mark.parametrize(
    ("collation", "one", "other", "are_equal"),
    [
        ("i;ascii-casemap", "Besok-1{", "BESOK-1{", True),
        ("i;ascii-casemap", "Tandläkare", "TANDLäKARE", True),
        ("i;ascii-casemap", "Tandläkare", "TANDLÄKARE", False),  # RFC 4790 9.2.1: letters of ASCII alone
        ("i;ascii-casemap", "ı", "I", False),
        ("i;octet", "Besök", "Besök", True),
        ("i;octet", "Besök", "besök", False),
        ("i;octet", "ö", "o\u0308", False),
        ("i;unicode-casemap", "Tandläkare", "TANDLÄKARE", True),
        ("i;unicode-casemap", "ö", "O\u0308", True),
        ("i;unicode-casemap", "½", "1⁄2", True),
        ("i;unicode-casemap", "ǆ", "ǅ", True),
        ("i;unicode-casemap", "σ", "Σ", True),
        ("i;unicode-casemap", "ß", "ss", False),  # RFC 5051 knows only one letter for one
        ("i;unicode-casemap", "o", "ö", False),
    ],
)
def test_letters_are_the_same_only_where_the_collation_says_so(
    collation: str, one: str, other: str, *, are_equal: bool
) -> None:
    prepared = COLLATIONS[collation]
    assert (prepared(one) == prepared(other)) is are_equal


def test_what_strangers_send_does_not_fill_the_memory() -> None:
    prepared = COLLATIONS["i;unicode-casemap"]
    everything = "".join(map(chr, range(0x10000, 0x30000)))
    assert prepared(everything) == prepared(everything)
    assert prepared("Å") == prepared("å")
    assert len(_UNICODE_CASEMAP) <= 4096
