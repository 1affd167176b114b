"""Whatever a source or a clinic wrote stays text in the mail's HTML."""

import pytest

from notifier.email_frame import html

LINK = "https://www.1177.se"


@pytest.mark.parametrize(
    "hostile",
    ["<script>alert(1)</script>", "<img src=x onerror=y>", '"><a href="javascript:x">', "{{ 7*7 }}", "{% raw %}"],
)
def test_b27_hostile_text_is_shown_and_never_run(hostile: str) -> None:
    page = html("Påminnelse", f"Mottagning: {hostile}", "sv", (LINK,))

    assert "<script" not in page
    assert "<img" not in page
    assert 'javascript:x"' not in page
    assert "49" not in page


def test_paragraphs_and_lines_are_kept_and_only_our_link_can_be_pressed() -> None:
    page = html("Rubrik", f"Rad ett\nRad två\n\nSe mer: {LINK}\nhttps://evil.example.com", "en", (LINK,))

    assert page.count("<p ") == 2
    assert "<br>" in page
    assert page.count("<a ") == 1
    assert f'<a href="{LINK}">{LINK}</a>' in page
    assert '<html lang="en">' in page
