"""Reads a form that came to an address only 46elks was told. It signs nothing, so the secret in the address is all that
says who calls, and what the form says is only a reason to ask 46elks. Pure; knows no web framework.
"""

import hmac
import re
from dataclasses import dataclass, field
from urllib.parse import parse_qsl

PROVIDER = "46elks"
MESSAGE_ID = re.compile(r"s[0-9a-f]{32}")
SECRET = re.compile(r"[A-Za-z0-9_-]{22,128}")
_MOST_FIELDS = 64


class ElksRefused(Exception):
    """Not 46elks', or not for us. The message is one word that names the check, never a value."""


@dataclass(frozen=True, slots=True)
class ToldForms:
    """Forms that came to addresses with this secret in them."""

    secret: str = field(repr=False)

    def __post_init__(self) -> None:
        if not SECRET.fullmatch(self.secret):
            raise ValueError("the hooks' secret must be 22 to 128 letters, digits, - or _")

    def require(self, secret: str) -> None:
        """Raises ElksRefused unless the address was one that 46elks was told."""
        if not hmac.compare_digest(secret.encode(), self.secret.encode()):
            raise ElksRefused("secret")


def message_fields(body: bytes) -> dict[str, str]:
    """The fields of a form that is about one message. Raises ElksRefused."""
    fields = _fields(body)
    if not MESSAGE_ID.fullmatch(fields.get("id", "")):
        raise ElksRefused("id")
    return fields


def _fields(body: bytes) -> dict[str, str]:
    try:
        pairs = parse_qsl(body.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=_MOST_FIELDS)
    except ValueError:  # a decoding error is one as well
        raise ElksRefused("form") from None
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise ElksRefused("duplicate")
    return fields
