"""What strangers and broken programs send to an account (B42 to B55): refused at once, in bounds, telling nothing."""

import gzip
import os
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.feeds.caldav.account import Account, Said, body, props
from tests.feeds.web.test_ics import Server

_DECLARATION = b'<?xml version="1.0" encoding="utf-8"?>'
_PROPFIND = body("D:propfind", props("D:getetag"))
_MOST_SECONDS = 1.0
_MOST_GROWTH = 50 * 1024 * 1024


def _with_doctype(inside: str, reference: str = "&e;") -> bytes:
    text = f"<!DOCTYPE D:propfind [{inside}]><D:propfind xmlns:D='DAV:'><D:prop>{reference}</D:prop></D:propfind>"
    return _DECLARATION + text.encode()


def _laughs() -> bytes:
    levels = "".join(f'<!ENTITY e{one} "{f"&e{one - 1};" * 10}">' for one in range(1, 10))
    return _with_doctype(f'<!ENTITY e0 "lol">{levels}', "&e9;")


def _encoded(encoding: str, declared: str) -> bytes:
    return _PROPFIND.decode().replace("utf-8", declared).encode(encoding)


def _attributes(count: int) -> bytes:
    many = " ".join(f'a{one}=""' for one in range(count))
    return f"<D:propfind xmlns:D='DAV:' {many}><D:prop><D:getetag/></D:prop></D:propfind>".encode()


def _namespaces(count: int) -> bytes:
    many = " ".join(f'xmlns:n{one}="u{one}"' for one in range(count))
    return f"<D:propfind xmlns:D='DAV:' {many}><D:prop><D:getetag/></D:prop></D:propfind>".encode()


def _nested(count: int) -> bytes:
    return body("D:propfind", f"<D:prop>{'<D:a>' * count}{'</D:a>' * count}</D:prop>")


REFUSED: dict[str, Callable[[], bytes]] = {
    "B42 billion laughs": _laughs,
    "B42 quadratic blow-up": lambda: _with_doctype(f'<!ENTITY e "{"x" * 50_000}">', "&e;" * 2000),
    "B42 external general entity": lambda: _with_doctype('<!ENTITY e SYSTEM "file:///etc/passwd">'),
    "B42 external parameter entity": lambda: _with_doctype('<!ENTITY % e SYSTEM "http://127.0.0.1:9/x"> %e;', ""),
    "B42 external DTD": lambda: b'<!DOCTYPE D SYSTEM "http://127.0.0.1:9/x.dtd"><D/>',
    "B42 document type in small letters": lambda: b"<!doctype a><a/>",
    "B42 xml-stylesheet": lambda: b'<?xml-stylesheet href="http://127.0.0.1:9/"?>' + _PROPFIND[38:],
    "B42 XInclude": lambda: b'<x:include xmlns:x="http://www.w3.org/2001/XInclude" href="file:///etc/passwd"/>',
    "B42 UTF-16": lambda: _encoded("utf-16", "utf-16"),
    "B42 UTF-32": lambda: _encoded("utf-32", "utf-32"),
    "B42 UTF-7": lambda: _encoded("utf-7", "utf-7"),
    "B42 UTF-7 behind a byte order mark": lambda: b"\xef\xbb\xbf" + _encoded("utf-7", "utf-7"),
    "B42 UTF-7 declared far behind": lambda: (
        b'<?xml version="1.0"' + b" " * 300 + b'encoding="utf-7"?>+ADwAIQ-DOCTYPE a [+ADwAIQ-ENTITY e "x"+AD4-]+AD4-'
    ),
    "B42 EBCDIC": lambda: _with_doctype('<!ENTITY e "x">').decode().replace("utf-8", "cp037").encode("cp037"),
    "B43 20,000 nested elements": lambda: _nested(20_000),
    "B43 200 nested elements": lambda: _nested(200) + b" " * 5000,
    "B43 1 M attributes": lambda: _attributes(1_000_000),
    "B43 a 5 MB attribute": lambda: _DECLARATION + b'<a b="' + b"x" * 5_000_000 + b'"/>',
    "B43 100 k namespaces": lambda: _namespaces(100_000),
    "B43 a duplicate attribute": lambda: b'<D:propfind xmlns:D="DAV:" a="1" a="2"><D:allprop/></D:propfind>',
    "B43 a duplicate attribute by namespace": lambda: (
        b'<D:propfind xmlns:D="DAV:" xmlns:E="DAV:" D:a="1" E:a="2"><D:allprop/></D:propfind>'
    ),
    "B43 10,000 properties": lambda: body("D:propfind", f"<D:prop>{'<D:a/>' * 10_000}</D:prop>"),
    "B43 a name of 200 kB": lambda: body("D:propfind", f"<D:prop><{'a' * 100_000}/></D:prop>"),
    "B43 a namespace of 200 kB": lambda: body("D:propfind", f"<D:prop><a xmlns='{'a' * 200_000}'/></D:prop>"),
    "B44 a CDATA section that ends twice": lambda: b"<a><![CDATA[x]]>]]></a>",
    "B44 control characters": lambda: b"<a>\x01\x02</a>",
    "B44 a control character by number": lambda: b"<a>&#1;</a>",
    "B44 no UTF-8": lambda: b"<a>\xff\xfe\xc0\xae</a>",
    "B44 half a surrogate": lambda: b"<a>\xed\xa0\x80</a>",
    "B44 another root": lambda: b'<propfind xmlns="urn:x"><allprop xmlns="DAV:"/></propfind>',
    "B44 a SOAP envelope": lambda: b'<Envelope xmlns="http://schemas.xmlsoap.org/soap/envelope/"><Body/></Envelope>',
    "B44 two roots": lambda: b"<a/><a/>",
    "B44 cut short": lambda: _PROPFIND[:-5],
    "B45 JSON": lambda: b'{"propfind": {"allprop": null}}',
    "B45 JSON, 100,000 deep": lambda: b"[" * 100_000,
    "B47 gzip without a word of it": lambda: gzip.compress(b"\0" * 10_000_000),
}  # fmt: skip


def timed(work: Callable[[], Said]) -> Said:
    """Bounded by what the answer costs this thread, however busy the machine."""
    begun = time.thread_time()
    said = work()
    assert time.thread_time() - begun < _MOST_SECONDS
    assert said.status < 500
    return said


@pytest.mark.parametrize("make", [pytest.param(make, id=row) for row, make in REFUSED.items()])
def test_b42_to_b47_a_body_that_is_none_is_refused_at_once_by_every_method_that_reads_one(
    reader: Account, make: Callable[[], bytes]
) -> None:
    """Rows: XML entity bomb, external entity, 20,000 nested elements."""
    content = make()
    for method in ("PROPFIND", "PROPPATCH"):
        said = timed(lambda method=method: reader.ask(method, reader.visits, content, depth="1"))
        assert said.status in (400, 413)
        assert b"root:" not in said.content
    assert timed(lambda: reader.ask("REPORT", reader.visits, content)).status in (400, 403, 413)


def test_b43_many_attributes_and_namespaces_cost_little(reader: Account) -> None:
    for content in (_attributes(20_000), _namespaces(10_000), b"<!--" + b"x" * 200_000 + b"-->" + _PROPFIND[38:]):
        assert timed(lambda content=content: reader.ask("PROPFIND", reader.visits, content, depth="1")).status == 207


def test_b43_b44_a_text_that_is_cut_up_is_one_text(reader: Account) -> None:
    """A comment or a CDATA section inside a token hides nothing of it."""
    token = reader.sync().token
    for cut in (f"{token[:20]}<!-- -->{token[20:]}", f"<![CDATA[{token[:20]}]]>{token[20:]}", f"  {token}\n"):
        assert reader.sync(cut).token == token
    assert reader.sync(token[:20] + "<D:x/>" + token[21:]).status == 403


def test_b43_xinclude_includes_nothing(reader: Account) -> None:
    include = '<x:include xmlns:x="http://www.w3.org/2001/XInclude" href="/etc/passwd" parse="text"/>'
    said = reader.propfind(reader.visits, f"<D:prop>{include}</D:prop>")

    assert said.missing(reader.visits) == {"include"}
    assert b"root:" not in said.content


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "gzip, gzip", "identity, gzip", "x" * 1000])
def test_b47_a_packed_body_is_never_unpacked(reader: Account, coding: str) -> None:
    said = timed(lambda: reader.ask("PROPFIND", reader.visits, gzip.compress(_PROPFIND), content_encoding=coding))

    assert (said.status, said.headers["accept-encoding"]) == (415, "identity")
    assert reader.ask("PROPFIND", reader.visits, _PROPFIND, depth="0", content_encoding="identity").status == 207


@pytest.mark.parametrize(
    "path",
    [
        "/dav//",
        "/dav/./",
        "/dav/../dav/",
        "/dav/%2e%2e/",
        "/dav/..%2f",
        "/dav/..%252f",
        "/dav/..\\",
        "/dav/%c0%ae%c0%ae/",
        "/dav/%2fadmin",
        "/dav/.git/config",
        "/dav/.env",
        "/dav/%00",
        "/dav/%",
        "/dav/%zz",
        "/dav/" + "a" * 10_000,
        "/dav/" + "a/" * 5000,
        "/dav/calendars/\xff/",
        "/dav;x=1",
    ],
)
def test_b48_b49_a_bent_path_is_refused_alike_by_whatever_method(reader: Account, path: str) -> None:
    for method in ("GET", "PROPFIND", "REPORT", "OPTIONS"):
        assert timed(lambda method=method: reader.ask(method, path, depth="0")).status in (404, 418)
    for method in ("PUT", "DELETE", "MKCOL"):
        assert timed(lambda method=method: reader.ask(method, path, depth="0")).status in (403, 404, 418)


def test_b52_no_header_of_a_proxys_changes_whom_or_what_is_asked(reader: Account) -> None:
    for headers in (
        {"x_forwarded_for": "127.0.0.1"},
        {"x_original_url": "/admin"},
        {"x_rewrite_url": "/dav/calendars/aaaaaaaaaa/"},
        {"forwarded": "for=127.0.0.1;host=evil.example;proto=http"},
        {"host": "evil.example"},
        {"x_forwarded_host": "evil.example", "x_forwarded_proto": "http"},
        {"x_remote_user": "aaaaaaaaaa", "remote_user": "aaaaaaaaaa"},
    ):
        said = reader.propfind(reader.home, props("D:owner"), **headers)
        assert said.texts("//D:href") == [reader.home, reader.principal]
        assert reader.ask("GET", "/.well-known/caldav", **headers).headers["location"] == "/dav/"


def test_b52_a_second_login_changes_nothing(reader: Account) -> None:
    good = reader.authorization.encode()
    bad = b"Basic bm9ib2R5Om5vdGhpbmc="
    for lines, status in (((good, bad), 207), ((bad, good), 401)):
        headers = [(b"depth", b"0"), *((b"authorization", one) for one in lines)]
        assert reader.ask_raw("PROPFIND", b"/dav/", headers, _PROPFIND).status == status


def test_b53_headers_that_are_too_much_or_odd_cost_nothing(reader: Account) -> None:
    (event, *_) = reader.hrefs()
    ranges = "bytes=" + ",".join("0-" for _ in range(1000))
    whole = reader.ask("GET", event)
    for headers, status in (
        ({"range": ranges}, 200),
        ({"range": "bytes=0-0", "if_range": whole.headers["etag"]}, 200),
        ({"if_none_match": ",".join(f'"x{one}"' for one in range(1500))}, 200),
        ({"if_none_match": '"' * 10_000}, 200),
        ({"if_none_match": "x" * 100_000}, 431),
        ({"accept": ",".join("*/*" for _ in range(2000))}, 200),
        ({"prefer": "return=minimal," * 500, "if_modified_since": "\xff" * 500}, 200),
        ({"content_length": "\xb2"}, 200),
        ({"content_length": "-1"}, 200),
        ({"accept_encoding": "gzip, br"}, 200),
    ):
        said = timed(lambda headers=headers: reader.ask("GET", event, **headers))
        assert said.status == status
        assert status != 200 or said.content == whole.content


@pytest.mark.parametrize("content_type", ["", "text/xml; charset=utf-7", "application/json", "x", "a/b; " * 500])
def test_b53_a_body_is_what_it_is_whatever_its_type_says(reader: Account, content_type: str) -> None:
    assert reader.ask("PROPFIND", reader.visits, _PROPFIND, depth="0", content_type=content_type).status == 207


@pytest.mark.parametrize("origin", ["null", "https://kallelse.se.evil.se", "https://evil.example"])
def test_b54_b55_no_page_from_elsewhere_may_read_or_write(reader: Account, origin: str) -> None:
    asked = {"origin": origin, "access_control_request_method": "PROPFIND", "access_control_request_headers": "depth"}
    for said in (
        reader.ask("OPTIONS", reader.visits, authorization="", **asked),
        reader.propfind(reader.visits, **asked),
        reader.ask("POST", reader.visits, b"a=1", content_type="text/plain", **asked),
        reader.ask("GET", "/.well-known/caldav", **asked),
    ):
        assert not [name for name in said.headers if name.startswith("access-control-allow")]
        assert "set-cookie" not in said.headers


def test_b43_thousands_of_addresses_in_one_request_cost_little(reader: Account) -> None:
    unknown = "".join(f"<D:href>{reader.visits}{one:032x}.ics</D:href>" for one in range(2000))
    said = timed(lambda: reader.report(reader.visits, "C:calendar-multiget", props("D:getetag") + unknown))
    assert set(said.statuses().values()) == {"HTTP/1.1 404 Not Found"}


def test_p16_all_of_it_together_takes_no_memory(reader: Account) -> None:
    """What is remembered of requests is bounded in octets, not only in number."""
    for make in REFUSED.values():
        reader.ask("PROPFIND", reader.visits, make(), depth="1")
    before = _resident()

    for one in range(300):
        unknown = "".join(f"<x{one}{'n' * 300}{name}/>" for name in range(20))
        reader.propfind(reader.visits, f"<D:prop>{unknown}</D:prop>", depth="1")
        patch = body("D:propertyupdate", f"<D:set><D:prop>{unknown}</D:prop></D:set>")
        reader.ask("PROPPATCH", reader.visits, patch)
    for one in range(20):
        padding = f"<x{one}/>" + "<D:x/>" * 20_000
        reader.propfind(reader.visits, f"<D:allprop/>{padding}")
        reader.report(reader.visits, "D:sync-collection", f"<D:sync-level>1</D:sync-level>{padding}")

    assert _resident() - before < _MOST_GROWTH


def _resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


class Line:
    """A connection to a real server on which octets are written as they are."""

    def __init__(self, port: int) -> None:
        self._port = port

    def answers(self, request: bytes) -> list[int]:
        """The status of each answer that comes before the server closes, or has been silent for a while."""
        with socket.create_connection(("127.0.0.1", self._port), timeout=10) as connection:
            connection.sendall(request)
            connection.shutdown(socket.SHUT_WR)
            received = b""
            while piece := connection.recv(65_536):
                received += piece
        return [int(part[2:5]) for part in received.split(b"HTTP/1.")[1:]]


@pytest.fixture(scope="module")
def line(reader: Account) -> Iterator[Line]:
    running = Server(reader.world)
    yield Line(running.port)
    running.stop()


def _request(reader: Account, more: bytes, after: bytes = b"", *, first: bytes = b"PROPFIND /dav/ HTTP/1.1") -> bytes:
    login = b"Authorization: " + reader.authorization.encode()
    return b"\r\n".join((first, b"Host: localhost", login, b"Depth: 0", more, b"", after))


_SECOND = b"GET /dav/ HTTP/1.1\r\nHost: localhost\r\n\r\n"


@pytest.mark.parametrize(
    ("more", "after"),
    [
        (b"Content-Length: 5\r\nTransfer-Encoding: chunked", b"0\r\n\r\n" + _SECOND),
        (b"Transfer-Encoding: xchunked", b"0\r\n\r\n" + _SECOND),
        (b"Transfer-Encoding: chunked, identity", b"0\r\n\r\n" + _SECOND),
        (b"Content-Length: 0\r\nContent-Length: 5", _SECOND),
        (b"Content-Length: +5", _SECOND),
        (b"Content-Length: 0x5", _SECOND),
        (b"Content-Length : 5", _SECOND),
        (b"X: a\nContent-Length: 5", _SECOND),
        (b"X: a\r\n Content-Length: 5", _SECOND),
        (b"X: a\0b", _SECOND),
        (b"Transfer-Encoding: chunked", b"FFFFFFFFFFFFFFFFFF\r\n" + _SECOND),
        (b"Transfer-Encoding: chunked", b"-1\r\n" + _SECOND),
    ],
)
def test_b50_a_request_whose_end_is_in_doubt_is_refused_and_nothing_behind_it_is_read(
    reader: Account, line: Line, more: bytes, after: bytes
) -> None:
    assert line.answers(_request(reader, more, after)) == [400]


@pytest.mark.parametrize(
    "request_",
    [
        b"GET /dav/\r\n\r\n",
        b"GET /dav/ HTTP/9.9\r\nHost: a\r\n\r\n",
        b"GET /dav/ HTTP/1.1\r\nConnection: close\r\n\r\n",
        b"GET /dav/ HTTP/1.1\r\nHost: a\r\nHost: b\r\nConnection: close\r\n\r\n",
        b"GET http://evil.example/dav/ HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
        b"PROPFIND //evil.example/dav/ HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
        b"FOO /dav/ HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
        b"TRACE /dav/ HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
        b"CONNECT 127.0.0.1:22 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
    ],
)
def test_b49_b50_b51_an_odd_first_line_gets_one_answer_and_leads_nowhere(line: Line, request_: bytes) -> None:
    (status,) = line.answers(request_)
    assert status in (400, 401, 404, 405, 418)
