"""What calling any SMS provider over HTTP needs: a client without retries of its own, answers of bounded size and time,
and what no provider need be asked about. Must know no provider.
"""

import re
import time
from datetime import timedelta

import httpx

from notifier.channels import Message, Refused, Remedy

LONGEST_ANSWER = 256 * 1024  # bytes; a real one has about one kilobyte
# No byte of the request has left in these. Everything else httpx raises leaves it unknown.
NOTHING_SENT: dict[type[httpx.TransportError], str] = {
    httpx.ConnectError: "connect",
    httpx.ConnectTimeout: "connect_timeout",
    httpx.PoolTimeout: "pool_timeout",
    httpx.UnsupportedProtocol: "protocol",
}
_E164 = re.compile(r"\+[1-9][0-9]{6,14}")
_SECONDS = re.compile(r"[0-9]{1,6}")


def open_client(connect_timeout: timedelta, read_timeout: timedelta, connections: int) -> httpx.Client:
    """Asks once, at the configured host: no retries, no redirects, nothing of the process's environment."""
    connect, read = connect_timeout.total_seconds(), read_timeout.total_seconds()
    limits = httpx.Limits(max_connections=connections)
    return httpx.Client(
        timeout=httpx.Timeout(connect=connect, read=read, write=read, pool=connect),
        limits=limits,
        trust_env=False,
        follow_redirects=False,
        transport=httpx.HTTPTransport(retries=0, limits=limits),
    )


def is_web_address(text: str) -> bool:
    """Whether it is http(s)://host[:port], perhaps with a path."""
    base = httpx.URL(text)
    return base.scheme in ("http", "https") and bool(base.host)


def bounded(response: httpx.Response, deadline: float) -> str:
    """The answer's text. The read time-out is per read: the deadline (monotonic seconds) ends one that drips."""
    content = bytearray()
    for chunk in response.iter_bytes():
        content += chunk
        if time.monotonic() > deadline:
            raise httpx.ReadTimeout("the answer took too long")
        if len(content) > LONGEST_ANSWER:
            raise httpx.RemoteProtocolError("the answer is too long")
    return content.decode("utf-8", errors="replace")


def retry_after(text: str) -> timedelta | None:
    """Seconds only; a date would have to be read by their clock."""
    return timedelta(seconds=int(text)) if _SECONDS.fullmatch(text) else None


def flaw(message: Message) -> Refused | None:
    """What a provider need not be asked about."""
    if message.useful_until - message.now < timedelta(seconds=1):
        return Refused("too_late", "the message is no longer useful", Remedy.NEXT_CHANNEL)
    if not _E164.fullmatch(message.to):
        return Refused("bad_number", "the number is not in the form +46...", Remedy.BAD_CONTACT)
    if not message.text or any("\ud800" <= char <= "\udfff" for char in message.text):
        return Refused("bad_text", "the text is empty or holds half a character", Remedy.NEXT_CHANNEL)
    return None
