"""What the subscription address answers, as status, headers and content. Pure: decides nothing."""

import base64
import hashlib
import re
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from feeds.conditional import http_date

Headers = tuple[tuple[bytes, bytes], ...]

_RETRY_SECONDS = b"120"
_MISS_RETRY_SECONDS = b"60"

_PRIVATE = (b"referrer-policy", b"no-referrer")
_ALWAYS = (
    _PRIVATE,
    (b"x-robots-tag", b"noindex, nofollow"),
    (b"x-content-type-options", b"nosniff"),
)
_KEPT = ((b"vary", b"Accept-Encoding"), (b"cache-control", b"private, max-age=900"))
_NOT_KEPT = (b"cache-control", b"no-store")
_VARIES = (b"vary", b"Accept")
_TEXT = (b"content-type", b"text/plain; charset=utf-8")
_CALENDAR = (
    (b"content-type", b"text/calendar; charset=utf-8"),
    (b"content-disposition", b'inline; filename="kalender.ics"'),
)
_GZIP = ((b"content-encoding", b"gzip"),)
_PAGES = Path(__file__).parent / "templates"
_FRAME = (_PAGES / "lone_page.html").read_text()


class Answer(NamedTuple):
    """An answer; HEAD leaves out the content."""

    status: int
    headers: Headers
    content: bytes = b""


def unchanged(etag: str) -> Answer:
    """304 carries what guides a cache and nothing that describes a content (RFC 9110 15.4.5)."""
    return Answer(304, ((b"etag", etag.encode()), *_KEPT, _PRIVATE))


def whole(content: bytes, etag: str, changed_at: datetime, *, compressed: bool) -> Answer:
    """The calendar, with the validators that belong to it."""
    coding = _GZIP if compressed else ()
    validators = ((b"etag", etag.encode()), (b"last-modified", http_date(changed_at).encode()))
    return Answer(200, (*_CALENDAR, *coding, *validators, *_KEPT, *_ALWAYS, _length(content)), content)


def gone(*, with_page: bool) -> Answer:
    """Calendar programs get a word; people, who open the address in a browser, get a page that names nobody."""
    return _GONE_FOR_BROWSERS if with_page else _GONE


def _page(status: int, name: str) -> Answer:
    """A page for people, without a script and without anything from elsewhere. Its heading is its title."""
    words = (_PAGES / name).read_text()
    heading = words.partition("<h1>")[2].partition("</h1>")[0]
    content = _FRAME.replace("((title))", heading).replace("((words))", words).encode()
    return Answer(
        status,
        (
            (b"content-type", b"text/html; charset=utf-8"),
            (b"content-security-policy", _style_policy(content)),
            _VARIES,
            _NOT_KEPT,
            *_ALWAYS,
            _length(content),
        ),
        content,
    )


def _plain(status: int, text: bytes, *more: tuple[bytes, bytes]) -> Answer:
    return Answer(status, (_TEXT, *more, _NOT_KEPT, *_ALWAYS, _length(text)), text)


def _length(content: bytes) -> tuple[bytes, bytes]:
    return b"content-length", str(len(content)).encode()


def _style_policy(page: bytes) -> bytes:
    """Lets this page's own style in, by its hash, and nothing else."""
    found = re.search(rb"<style>(.*?)</style>", page, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(found[1] if found else b"").digest()).decode()
    return f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'".encode()


NOT_READING = _plain(405, b"Method Not Allowed\n", (b"allow", b"GET, HEAD"))
TOO_LARGE = _plain(431, b"Request Header Fields Too Large\n")
NOT_NOW = _plain(503, b"Service Unavailable\n", (b"retry-after", _RETRY_SECONDS))
UNKNOWN = _plain(404, b"Not Found\n")
TOO_MANY_MISSES = _plain(429, b"Too Many Requests\n", (b"retry-after", _MISS_RETRY_SECONDS))
_GONE = _plain(410, b"Gone\n", _VARIES)
_GONE_FOR_BROWSERS = _page(410, "address_gone.html")
ACCOUNT_ADVICE = _page(200, "account_address.html")
