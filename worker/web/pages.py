"""Puts our own pages together: one layout, Swedish or English, escaped. Clinic texts are values, never templates.

Lower packages are handed a `Pages`; none of them knows where the layout lies.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles

LANGUAGES: Final = ("sv", "en")
_HERE = Path(__file__).parent
_LAYOUT_WORDS = {
    "sv": {"skip": "Till innehållet", "other_language": "In English"},
    "en": {"skip": "Skip to the content", "other_language": "På svenska"},
}


class Pages:
    """Templates of the given folders, all of which may extend `layout.html`."""

    def __init__(self, *folders: Path) -> None:
        self._templates = Environment(
            loader=FileSystemLoader([*folders, _HERE / "templates"]),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )

    def answer(self, template: str, language: str, values: Mapping[str, object], *, status: int = 200) -> Response:
        """The page as an answer. A name that the template uses and `values` lacks raises UndefinedError."""
        text = self._templates.get_template(template).render(
            language=language, layout=_LAYOUT_WORDS[language], other_language=_other(language), **values
        )
        return HTMLResponse(text, status, headers={"Content-Language": language, "Vary": "Accept-Language"})


def static() -> Mount:
    """Our style sheet and scripts, under `/static`."""
    return Mount("/static", StaticFiles(directory=_HERE / "static"), name="static")


def language_of(request: Request) -> str:
    """`sv` or `en`: what the address asks for, else what the browser prefers, else Swedish."""
    asked = request.query_params.get("lang")
    return asked if asked in LANGUAGES else preferred(request.headers.get("accept-language", ""))


def preferred(accept_language: str) -> str:
    """Our language that an Accept-Language header (RFC 9110, 12.5.4) ranks highest; Swedish when it names neither."""
    ranked = [_range(part) for part in accept_language.split(",")]
    ours = [(weight, language) for language, weight in ranked if language in LANGUAGES and weight > 0]
    return max(ours, key=lambda choice: choice[0])[1] if ours else "sv"


def _range(part: str) -> tuple[str, float]:
    tag, _, weight = part.partition(";")
    try:
        quality = float(weight.strip().removeprefix("q=") or 1)
    except ValueError:
        quality = 0
    return tag.strip().lower().partition("-")[0], quality


def _other(language: str) -> str:
    return "sv" if language == "en" else "en"
