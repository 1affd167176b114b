"""The HTML side of an e-mail: the same words as the text, in our own frame, escaped. Knows no clinic's template."""

from functools import lru_cache

from jinja2 import Environment, PackageLoader, StrictUndefined


def html(subject_line: str, text: str, language: str, link: str) -> str:
    """The mail's HTML. Blank lines part paragraphs; `link`, where it stands in the text, can be pressed."""
    paragraphs = [paragraph.split("\n") for paragraph in text.split("\n\n") if paragraph.strip()]
    frame = _environment().get_template("email.html")
    return frame.render(subject_line=subject_line, paragraphs=paragraphs, language=language, link=link)


@lru_cache(maxsize=1)
def _environment() -> Environment:
    return Environment(loader=PackageLoader("notifier"), autoescape=True, undefined=StrictUndefined)
