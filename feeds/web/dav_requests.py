"""What an account's answer depends on of a request: its headers, within bounds, and its body. Decides nothing."""

import base64
import binascii
from collections.abc import MutableMapping
from datetime import datetime

from feeds.caldav.asked import Depth
from feeds.conditional import Conditions
from feeds.web.as_sent import Headers
from feeds.web.ics import Receive

_BODY_BYTES = 262_144
ONCE = frozenset(
    (b"authorization", b"depth", b"brief", b"if-modified-since", b"if-unmodified-since", b"content-length", b"accept")
)
DECIDING = ONCE | {b"prefer", b"if-match", b"if-none-match", b"content-encoding"}


class TooLarge(Exception):
    """The body is larger than any calendar program's."""


def credentials_in(authorization: str) -> tuple[str, str] | None:
    """User name and password of Basic authentication in UTF-8 (RFC 7617); None for anything else."""
    scheme, _, encoded = authorization.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        user, colon, password = base64.b64decode(encoded.strip(), validate=True).decode().partition(":")
    except (binascii.Error, ValueError):
        return None
    return (user, password) if colon else None


def depth_in(headers: Headers) -> Depth | None:
    """Raises ValueError for what is no depth (RFC 4918 10.2)."""
    text = headers.get(b"depth")
    return None if text is None else Depth(text.strip().lower())


def preferences_in(headers: Headers) -> list[str]:
    """Of RFC 7240, without parameters; Microsoft's and Apple's older `Brief: t` stands for `return=minimal`."""
    text = headers.get(b"prefer", "").lower().replace(" ", "").replace('"', "")
    preferences = [one.partition(";")[0] for one in text.split(",")] if text else []
    if headers.get(b"brief", "").strip().lower() == "t":
        preferences.append("return=minimal")
    return preferences


def conditions_in(headers: Headers, real_now: datetime) -> Conditions:
    return Conditions(
        real_now=real_now,
        if_match=headers.get(b"if-match", ""),
        if_unmodified_since=headers.get(b"if-unmodified-since", ""),
        if_none_match=headers.get(b"if-none-match", ""),
        if_modified_since=headers.get(b"if-modified-since", ""),
    )


async def body_in(receive: Receive, headers: Headers) -> bytes:
    """Raises TooLarge as soon as that is known."""
    announced = headers.get(b"content-length", "0")
    if announced.isascii() and announced.isdigit() and int(announced[:9]) > _BODY_BYTES:
        raise TooLarge
    pieces: list[bytes] = []
    size = 0
    while True:
        message: MutableMapping[str, object] = await receive()
        if message["type"] == "http.disconnect":
            return b""
        more = message.get("body", b"")
        if isinstance(more, bytes):
            pieces.append(more)
            size += len(more)
        if size > _BODY_BYTES:
            raise TooLarge
        if not message.get("more_body"):
            return b"".join(pieces)
