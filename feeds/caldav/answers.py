"""Answers as status, headers and content: multistatus, and refusals as the RFCs name them. Decides nothing."""

from collections.abc import Iterable
from typing import Final, NamedTuple

from feeds.caldav.xml import HEAD, NAMESPACES, href

Headers = tuple[tuple[bytes, bytes], ...]

DAV_HEADER: Final = b"1, 3, access-control, calendar-access"
_XML = (b"content-type", b"application/xml; charset=utf-8")
_TEXT = (b"content-type", b"text/plain; charset=utf-8")
_NOT_SHARED: Headers = ((b"cache-control", b"private, no-cache"), (b"x-content-type-options", b"nosniff"))
_ALWAYS: Headers = (
    (b"dav", DAV_HEADER),
    *_NOT_SHARED,
    (b"referrer-policy", b"no-referrer"),
    (b"x-robots-tag", b"noindex, nofollow"),
)
_OPENING = f"{HEAD}<D:multistatus{NAMESPACES}>"
_APPLIED: dict[tuple[bool, bool], Headers] = {
    (False, False): (),
    (True, False): ((b"preference-applied", b"return=minimal"),),
    (False, True): ((b"preference-applied", b"depth-noroot"),),
    (True, True): ((b"preference-applied", b"return=minimal, depth-noroot"),),
}


class Unmet(Exception):
    """What was asked breaks a precondition that an RFC names; `condition` is its element."""

    def __init__(self, condition: str) -> None:
        super().__init__(condition)
        self.condition = condition


class Answer(NamedTuple):
    """An answer; HEAD leaves out the content."""

    status: int
    headers: Headers
    content: bytes = b""


def multistatus(
    responses: Iterable[str], more: str = "", *, minimal: bool = False, without_root: bool = False
) -> Answer:
    """207 (RFC 4918 13); `more` follows the responses (a sync-token). The flags are preferences that were followed.

    Not compressed: a day's changes are small, and a proxy that compresses serves those who would gain by it. Few
    headers, as each costs: no cache keeps what these methods answer, and no page leads on from it.
    """
    content = "".join((_OPENING, *responses, more, "</D:multistatus>")).encode()
    headers = (_XML, *_APPLIED[minimal, without_root], *_NOT_SHARED, _length(content))
    return Answer(207, headers, content)


def response(path: str, status: str, more: str = "") -> str:
    """A response element for a resource as a whole."""
    return f"<D:response>{href(path)}<D:status>HTTP/1.1 {status}</D:status>{more}</D:response>"


def document(name: str, content: str) -> Answer:
    """A report that is no multistatus."""
    return whole(f"{HEAD}<D:{name}{NAMESPACES}>{content}</D:{name}>".encode(), _XML[1])


def refused(status: int, condition: str, *more: tuple[bytes, bytes]) -> Answer:
    """A precondition or postcondition that does not hold, as a DAV:error body (RFC 4918 16)."""
    content = f"{HEAD}<D:error{NAMESPACES}>{condition}</D:error>".encode()
    return Answer(status, (_XML, *more, *_ALWAYS, _length(content)), content)


def plain(status: int, text: str, *more: tuple[bytes, bytes]) -> Answer:
    """A refusal that no RFC names a condition for, with what to do in words."""
    content = f"{text}\n".encode()
    return Answer(status, (_TEXT, *more, *_ALWAYS, _length(content)), content)


def whole(content: bytes, content_type: bytes, *more: tuple[bytes, bytes]) -> Answer:
    return Answer(200, ((b"content-type", content_type), *more, *_ALWAYS, _length(content)), content)


def without_content(status: int, *more: tuple[bytes, bytes]) -> Answer:
    length = () if status in (204, 304) else (_length(b""),)
    return Answer(status, (*more, *_ALWAYS, *length))


def _length(content: bytes) -> tuple[bytes, bytes]:
    return b"content-length", str(len(content)).encode()


BAD_REQUEST = plain(400, "Bad Request")
NOT_FOUND = plain(404, "Not Found")
NOT_NOW = plain(503, "Service Unavailable", (b"retry-after", b"120"))
PRECONDITION_FAILED = plain(412, "Precondition Failed")
CODING_NOT_TAKEN = plain(415, "Send the request body as it is.", (b"accept-encoding", b"identity"))
TOO_LARGE = plain(413, "Content Too Large", (b"connection", b"close"))
HEADERS_TOO_LARGE = plain(431, "Request Header Fields Too Large", (b"connection", b"close"))
LOG_IN = plain(
    401,
    "Log in with the account name and an app password.",
    (b"www-authenticate", b'Basic realm="Kallelse", charset="UTF-8"'),
)
TOO_MANY_FAILURES = plain(429, "Too Many Requests", (b"retry-after", b"60"))
