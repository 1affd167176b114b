"""Answers that attack or break the reader, and platforms that do not answer: refused fast, each with its error."""

import gzip
import time
import tracemalloc
from datetime import timedelta

import pytest

from tests.wire import platform as wire
from tests.wire.answers import aggregated, direct, envelope, fault, response, slot, status
from tests.wire.platform import Platform, answering
from tests.worker.sources.rivta.conftest import SUBJECT, SourceAt
from worker.sources import ReportedBooking, SourceError, SourceGarbled, SourceRefused, SourceUnavailable
from worker.sources.rivta import RivtaSettings, RivtaSource
from worker.sources.rivta.faults import VP_MEANINGS

GOOD = aggregated([slot(SUBJECT.number)], [status("SE2321000016-1A2B")])
SECONDS = 3.0  # "fast": many times what any of these takes, far less than an attack would


def refusal(source: RivtaSource) -> SourceError:
    """The error that asking ends in; it holds no identity number however it is printed."""
    started = time.monotonic()
    with pytest.raises(SourceError) as caught:
        source.schedule(SUBJECT)
    assert time.monotonic() - started < SECONDS
    assert SUBJECT.number not in f"{caught.value!s} {caught.value!r} {caught.value.__cause__!r}"
    return caught.value


def doctype(entities: str, use: str = "&x;") -> bytes:
    return f"<!DOCTYPE s:Envelope [{entities}]>".encode() + envelope(response(use))


LAUGHS = '<!ENTITY a "ha">' + "".join(
    f'<!ENTITY {name} "{f"&{before};" * 10}">' for before, name in zip("abcdefgh", "bcdefghx", strict=True)
)
NAMESPACES = "".join(f' xmlns:n{number}="urn:{number}"' for number in range(100_000))
ATTRIBUTES = "".join(f' a{number}=""' for number in range(1_000_000))

BOMBS = {
    "billion laughs": (doctype(LAUGHS), "dtd"),
    "quadratic blow-up": (doctype(f'<!ENTITY x "{"a" * 50_000}">', "&x;" * 50_000), "dtd"),
    "external entity": (doctype('<!ENTITY x SYSTEM "file:///etc/passwd">'), "dtd"),
    "parameter entity": (doctype('<!ENTITY % x SYSTEM "http://127.0.0.1:9/x"> %x;', ""), "dtd"),
    "external DTD": (b'<!DOCTYPE a SYSTEM "http://127.0.0.1:9/a.dtd">' + GOOD, "dtd"),
    "DTD behind comments": (b'<?xml version="1.0"?>\n<!-- <a> --><?p <b ?>' + doctype(LAUGHS), "dtd"),
    "undefined entity": (envelope(response("&x;")), "xml"),
    "DTD in UTF-16": (doctype(LAUGHS).decode().encode("utf-16"), "charset"),
    "DTD in UTF-16 without a mark": (doctype(LAUGHS).decode().encode("utf-16-le"), "xml"),
    "DTD declared as UTF-7": (b'<?xml version="1.0" encoding="utf-7"?>+ADwAIQ-DOCTYPE a+AD4-<a/>', "xml"),
    "10,000 nested elements": (envelope("<a>" * 10_000 + "</a>" * 10_000), "xml"),
    "100 nested elements": (envelope("<a>" * 100 + "</a>" * 100), "depth"),
    "a million attributes": (envelope(f"<a{ATTRIBUTES}/>"), "complexity"),
    "a million elements": (envelope("<a/>" * 1_000_000), "complexity"),
    "an attribute of 11 MB": (envelope(f'<a b="{"x" * 11_000_000}"/>'), "xml"),
    "100,000 namespaces": (envelope(f"<a{NAMESPACES}/>"), "unexpected"),
    "an attribute that stands twice": (envelope('<a b="" b=""/>'), "xml"),
    "CDATA that ends too early": (envelope("<a><![CDATA[ ]]> ]]></a>"), "xml"),
    "a NUL": (GOOD.replace(b"1001", b"10\x0001"), "xml"),
    "a NUL by reference": (GOOD.replace(b"1001", b"10&#0;01"), "xml"),
    "a lone surrogate": (GOOD.replace(b"1001", b"\xed\xa0\x80"), "charset"),
}


@pytest.mark.parametrize("name", BOMBS)
def test_an_attack_by_xml_is_refused_before_it_unfolds(platform: Platform, source: RivtaSource, name: str) -> None:
    content, code = BOMBS[name]
    platform.behave = answering(content)
    error = refusal(source)
    assert isinstance(error, SourceGarbled)
    assert error.code == code
    assert len(error.content) <= 256_000


def test_an_xinclude_and_a_stylesheet_fetch_nothing(platform: Platform, source: RivtaSource) -> None:
    include = '<x:include xmlns:x="http://www.w3.org/2001/XInclude" href="file:///etc/passwd" parse="text"/>'
    sheet = b'<?xml-stylesheet href="http://127.0.0.1:9/x.xsl" type="text/xsl"?>'
    platform.behave = answering(sheet + direct(slot(SUBJECT.number).replace("1001", include + "1001")))
    (reported,) = source.schedule(SUBJECT).slots
    assert "root:" not in repr(reported.read())


BROKEN = {
    "empty": (b"", "xml"),
    "html": (b"<!doctype html><html><body>Proxy</body></html>", "xml"),
    "html in upper case": (b"<!DOCTYPE HTML><html><body>Proxy</body></html>", "dtd"),
    "xhtml": (b"<html><body>Proxy</body></html>", "not_soap"),
    "text": (b"Service unavailable", "xml"),
    "json": (b"{}", "xml"),
    "cut off within": (GOOD[: len(GOOD) // 2], "xml"),
    "cut off at the end": (GOOD[:-1], "xml"),
    "latin-1": (aggregated([slot(SUBJECT.number, resourceName="Ö")], []).decode().encode("latin-1"), "charset"),
    "SOAP 1.2": (GOOD.replace(b"http://schemas.xmlsoap.org/soap/envelope/", b"urn:soap12"), "not_soap"),
    "no body": (b'<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"/>', "body"),
    "an empty body": (envelope(""), "body"),
    "two answers": (envelope(response() + response()), "body"),
    "another answer": (envelope("<a/>"), "unexpected"),
    "a header to be understood": (
        envelope(response(), '<x:a xmlns:x="urn:x" s:mustUnderstand="1"/>'),
        "must_understand",
    ),
    "MIME parts": (b"--boundary\r\nContent-Type: text/xml\r\n\r\n" * 1000, "xml"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_answer_is_kept_as_evidence_and_read_as_nothing(
    platform: Platform, source: RivtaSource, name: str
) -> None:
    content, code = BROKEN[name]
    platform.behave = answering(content)
    error = refusal(source)
    assert isinstance(error, SourceGarbled)
    assert (error.code, error.content) == (code, content)


def test_a_byte_order_mark_does_no_harm(platform: Platform, source: RivtaSource) -> None:
    platform.behave = answering(b"\xef\xbb\xbf" + GOOD)
    assert len(source.schedule(SUBJECT).slots) == 1


def test_bytes_that_are_utf_8_are_read_so_whatever_the_declaration_says(
    platform: Platform, source: RivtaSource
) -> None:
    declared = b'<?xml version="1.0" encoding="ISO-8859-1"?>'
    platform.behave = answering(declared + direct(slot(SUBJECT.number, resourceName="Rum Ö")))
    booking = source.schedule(SUBJECT).slots[0].read()
    assert isinstance(booking, ReportedBooking)
    assert booking.resource_name == "Rum Ö"


class TestSize:
    def test_a_packed_answer_is_unpacked(self, platform: Platform, source: RivtaSource) -> None:
        platform.behave = wire.gzipped(GOOD)
        assert len(source.schedule(SUBJECT).slots) == 1

    def test_an_answer_above_the_cap_is_not_read_to_its_end(self, platform: Platform, source_at: SourceAt) -> None:
        platform.behave = wire.endless
        error = refusal(source_at(platform.url, most_bytes=1_000_000))
        assert (error.code, type(error)) == ("oversize", SourceGarbled)

    def test_a_gzip_bomb_takes_no_more_memory_than_the_cap(self, platform: Platform, source_at: SourceAt) -> None:
        bomb = gzip.compress(b" " * 100_000_000)
        platform.behave = answering(bomb, Content_Encoding="gzip")
        source = source_at(platform.url, most_bytes=1_000_000)
        tracemalloc.start()
        assert refusal(source).code == "oversize"
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert peak < 10_000_000

    @pytest.mark.parametrize("encoding", ["gzip, gzip", "deflate", "br", "zstd"])
    def test_a_packing_that_was_not_asked_for_is_not_unpacked(
        self, platform: Platform, source: RivtaSource, encoding: str
    ) -> None:
        platform.behave = answering(gzip.compress(gzip.compress(GOOD)), Content_Encoding=encoding)
        assert refusal(source).code == "encoding"

    @pytest.mark.parametrize("content", [b"", b"not gzip", gzip.compress(GOOD)[:-9]])
    def test_broken_packing_is_no_answer(self, platform: Platform, source: RivtaSource, content: bytes) -> None:
        platform.behave = answering(content, Content_Encoding="gzip")
        assert refusal(source).code == "gzip"


class TestSilence:
    @pytest.mark.parametrize("behave", [wire.hanging, wire.dripping])
    def test_a_platform_that_never_finishes_is_given_up(
        self, platform: Platform, source_at: SourceAt, behave: wire.Behaviour
    ) -> None:
        platform.behave = behave
        brief = timedelta(seconds=0.2)
        error = refusal(source_at(platform.url, connect=brief, read=brief))
        assert (error.code, type(error)) == ("timeout", SourceUnavailable)

    @pytest.mark.parametrize("behave", [wire.resetting, wire.cut_off(GOOD)])
    def test_a_connection_that_breaks_proves_nothing(
        self, platform: Platform, source: RivtaSource, behave: wire.Behaviour
    ) -> None:
        platform.behave = behave
        error = refusal(source)
        assert (error.code, type(error)) == ("broken_off", SourceUnavailable)

    def test_nobody_there(self, source_at: SourceAt) -> None:
        with Platform(answering(GOOD)) as gone:
            source = source_at(gone.url)
        error = refusal(source)
        assert (error.code, type(error)) == ("unreachable", SourceUnavailable)

    def test_a_question_is_asked_once_and_never_again_by_itself(self, platform: Platform, source: RivtaSource) -> None:
        platform.behave = wire.resetting
        refusal(source)
        assert len(platform.questions) == 1


class TestRefusals:
    @pytest.mark.parametrize("status_code", [200, 500])
    @pytest.mark.parametrize("code", VP_MEANINGS)
    def test_each_platform_error_has_its_meaning(
        self, platform: Platform, source: RivtaSource, code: str, status_code: int
    ) -> None:
        platform.behave = answering(fault(f"{code} {SUBJECT.number} is not welcome"), status_code)
        error = refusal(source)
        kind, meaning = VP_MEANINGS[code]
        assert (error.code, error.meaning, type(error)) == (code, meaning, kind)

    def test_all_fourteen_are_there(self) -> None:
        assert list(VP_MEANINGS) == [f"VP{number:03}" for number in range(1, 15)]

    @pytest.mark.parametrize("text", ["Read timed out", "VP015 new", "VP0071", "see VP007", ""])
    def test_any_other_fault_may_pass(self, platform: Platform, source: RivtaSource, text: str) -> None:
        platform.behave = answering(fault(text), 500)
        error = refusal(source)
        assert (error.code, type(error)) == ("fault", SourceUnavailable)

    @pytest.mark.parametrize(
        ("status_code", "kind"),
        [
            (204, SourceGarbled),
            (301, SourceRefused),
            (302, SourceRefused),
            (400, SourceRefused),
            (401, SourceRefused),
            (403, SourceRefused),
            (404, SourceRefused),
            (408, SourceUnavailable),
            (429, SourceUnavailable),
            (500, SourceUnavailable),
            (502, SourceUnavailable),
            (503, SourceUnavailable),
        ],
    )
    def test_a_bare_status_says_whether_asking_again_can_help(
        self, platform: Platform, source: RivtaSource, status_code: int, kind: type[SourceError]
    ) -> None:
        elsewhere = f"{platform.url}/elsewhere"
        platform.behave = answering(b"" if status_code == 204 else b"<html/>", status_code, Location=elsewhere)
        error = refusal(source)
        assert (error.code, type(error)) == (f"http_{status_code}", kind)
        assert len(platform.questions) == 1

    def test_an_identity_number_that_the_contract_has_no_place_for_is_not_asked_about(
        self, platform: Platform, source: RivtaSource
    ) -> None:
        from store.identifiers import NATIONAL_RESERVE, SubjectId

        with pytest.raises(SourceRefused, match="identity"):
            source.schedule(SubjectId("22801014AB1C", NATIONAL_RESERVE))
        assert platform.questions == []

    def test_a_source_without_direct_permission_asks_no_facility(self, platform: Platform, source_at: SourceAt) -> None:
        with pytest.raises(SourceRefused, match="direct"):
            source_at(platform.url, direct=False).schedule_at(SUBJECT, "SE2321000016-1A2B")
        assert platform.questions == []


@pytest.mark.parametrize("url", ["http://vp.example.se/vp", "ftp://127.0.0.1/vp", "vp", "http://127.0.0.1.example.se/"])
def test_identity_numbers_are_never_sent_in_the_clear(url: str) -> None:
    with pytest.raises(ValueError, match="https://"):
        RivtaSettings("region", url, "5565594230")


def test_settings_of_the_host_cannot_divert_the_question(
    platform: Platform, source_at: SourceAt, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    platform.behave = answering(GOOD)
    assert len(source_at(platform.url).schedule(SUBJECT).slots) == 1
