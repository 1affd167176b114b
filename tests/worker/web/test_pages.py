"""The layout and the choice of language."""

from pathlib import Path

import pytest
from jinja2 import UndefinedError

from worker.web.pages import Pages, preferred


@pytest.fixture
def pages(tmp_path: Path) -> Pages:
    (tmp_path / "one.html").write_text(
        '{% extends "layout.html" %}{% block title %}{{ name }}{% endblock %}{% block content %}<p>{{ name }}</p>'
        "{% endblock %}"
    )
    return Pages(tmp_path)


def test_a_value_is_never_markup(pages: Pages) -> None:
    body = bytes(pages.answer("one.html", "sv", {"name": "<script>"}).body).decode()
    assert "<script>" not in body
    assert body.count("&lt;script&gt;") == 3  # title, heading, content


def test_a_value_that_is_missing_stops_the_page_instead_of_leaving_a_hole(pages: Pages) -> None:
    with pytest.raises(UndefinedError):
        pages.answer("one.html", "sv", {})


def test_a_page_says_its_language_and_leads_to_the_other(pages: Pages) -> None:
    body = bytes(pages.answer("one.html", "en", {"name": "x"}).body).decode()
    assert '<html lang="en">' in body
    assert 'href="?lang=sv" lang="sv"' in body


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("", "sv"),
        ("en", "en"),
        ("en-GB,en;q=0.9,sv;q=0.8", "en"),
        ("sv-SE,sv;q=0.9,en;q=0.8", "sv"),
        ("sv;q=0.3, en;q=0.7", "en"),
        ("fi, en;q=0.2", "en"),
        ("fi", "sv"),
        ("en;q=0", "sv"),
        ("en;q=junk", "sv"),
        ("en;q=nan", "sv"),
        (",;,=", "sv"),
    ],
)
def test_the_highest_ranked_of_our_languages_is_chosen(header: str, language: str) -> None:
    assert preferred(header) == language
