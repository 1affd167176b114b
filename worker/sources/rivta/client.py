"""One question by HTTPS to a RIV-TA platform: mutual TLS, time-outs, caps. Knows no XML and never asks twice."""

import ssl
import time
import zlib
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from functools import lru_cache
from typing import cast

import httpx

from worker.sources import SourceError, SourceRefused, SourceUnavailable
from worker.sources.rivta.contract import CONTRACTS, SCHEDULE, Contract
from worker.sources.rivta.faults import garbled
from worker.sources.rivta.settings import RivtaSettings

_HEADERS = {
    "Content-Type": "text/xml; charset=utf-8",
    "Accept": "text/xml",
    "Accept-Encoding": "gzip",
    "User-Agent": "kallelse",
}
_IDLE = 2.0  # seconds: shorter than any usual server's, else it closes a connection just as we ask on it
_BLOCK = 65_536  # bytes unpacked at a time
_CONNECTION_ENDED = (ssl.SSLEOFError, ssl.SSLZeroReturnError, ssl.SSLSyscallError)


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer, unpacked and below the cap."""

    status: int
    content: bytes


class Client:
    """The connections to one platform; may be shared between threads."""

    def __init__(self, settings: RivtaSettings) -> None:
        """Raises OSError (ssl.SSLError among them) when a certificate, key or trust file cannot be used."""
        self._settings = settings
        connect, read = settings.connect.total_seconds(), settings.read.total_seconds()
        self._longest = connect + read
        self._endpoints = {one.name: httpx.URL(settings.endpoint(one.name)) for one in CONTRACTS}
        self._timeouts = {"timeout": {"connect": connect, "read": read, "write": read, "pool": connect}}
        # Not httpx.Client: its redirects, cookies and proxies are not wanted, and cost as much as the rest of a poll.
        self._http = httpx.HTTPTransport(
            verify=_tls(settings), limits=httpx.Limits(keepalive_expiry=_IDLE), trust_env=False
        )

    def ask(self, question: bytes, contract: Contract = SCHEDULE) -> Answer:
        """The platform's answer, whatever its status. Raises SourceError."""
        ends_at = time.monotonic() + self._longest
        try:
            with closing(self._http.handle_request(self._request(question, contract))) as response:
                return Answer(response.status_code, self._content(response, ends_at))
        except httpx.TransportError as error:
            raise _unanswered(error) from error

    def close(self) -> None:
        self._http.close()

    def _request(self, question: bytes, contract: Contract) -> httpx.Request:
        # With its headers and stream made here httpx adds nothing to it.
        endpoint = self._endpoints[contract.name]
        headers = _headers(endpoint.netloc, contract.action, len(question))
        stream = httpx.ByteStream(question)
        return httpx.Request("POST", endpoint, headers=headers, stream=stream, extensions=self._timeouts)

    def _content(self, response: httpx.Response, ends_at: float) -> bytes:
        content = bytearray()
        for block in _unpacked(response):
            content += block
            if len(content) > self._settings.most_bytes:
                raise garbled("oversize", f"the answer is larger than {self._settings.most_bytes} bytes", content)
            if time.monotonic() > ends_at:
                raise SourceUnavailable("timeout", "the answer came too slowly")
        return bytes(content)


@lru_cache(maxsize=1024)
def _headers(host: bytes, action: str, length: int) -> httpx.Headers:
    own = {"SOAPAction": f'"{action}"', "Content-Length": str(length)}
    return httpx.Headers({"Host": host.decode("ascii"), **_HEADERS, **own})


def _tls(settings: RivtaSettings) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=settings.trust)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if settings.certificate is not None:
        context.load_cert_chain(settings.certificate, settings.key, password="")  # else OpenSSL asks at the terminal
    return context


def _unpacked(response: httpx.Response) -> Iterator[bytes]:
    # Not httpx's own decoders: they unpack a whole chunk, and several layers, before anything can be counted.
    chunks = iter(cast("httpx.SyncByteStream", response.stream))
    encoding = response.headers.get("Content-Encoding", "identity").strip().lower()
    if encoding == "identity":
        return chunks
    if encoding in ("gzip", "x-gzip"):
        return _gunzipped(chunks)
    raise garbled("encoding", "the answer is packed in a way that was not asked for", b"")


def _gunzipped(chunks: Iterator[bytes]) -> Iterator[bytes]:
    unpacking = zlib.decompressobj(wbits=31)
    try:
        for chunk in chunks:
            packed = chunk
            while packed:
                yield unpacking.decompress(packed, _BLOCK)
                packed = unpacking.unconsumed_tail
            if unpacking.eof:
                return
    except zlib.error:
        raise garbled("gzip", "the answer's packing is broken", b"") from None
    raise garbled("gzip", "the answer's packing was cut off", b"")


def _unanswered(error: httpx.TransportError) -> SourceError:
    if any(isinstance(cause, ssl.SSLError) and not isinstance(cause, _CONNECTION_ENDED) for cause in _causes(error)):
        return SourceRefused("tls", "a certificate is not accepted, by us or by the platform")
    if isinstance(error, httpx.TimeoutException):
        return SourceUnavailable("timeout", "the platform did not answer in time")
    if isinstance(error, httpx.ConnectError):
        return SourceUnavailable("unreachable", "no connection to the platform")
    return SourceUnavailable("broken_off", "the connection ended before the answer did")


def _causes(error: BaseException) -> Iterator[BaseException]:
    cause: BaseException | None = error
    while cause is not None:
        yield cause
        cause = cause.__cause__ or cause.__context__
