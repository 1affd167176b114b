"""Reads a form that Twilio has signed for an address of ours. Pure; knows no web framework, nor what the form is about.

The signed text is the address and the fields run together without separators, so one signature covers every way of
cutting the same text: whoever reads the fields must see to it that they are whole and unshifted.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, urlsplit

from twilio.request_validator import RequestValidator

PROVIDER = "twilio"
_MOST_FIELDS = 64


class HookRefused(Exception):
    """Not Twilio's, or not for us. The message is one word that names the check, never a value."""


@dataclass(frozen=True, slots=True)
class SignedForms:
    """Forms of one Twilio account. `public_url` is the address Twilio was told to call."""

    public_url: str
    account_sid: str
    auth_token: str = field(repr=False)

    def __post_init__(self) -> None:
        parts = urlsplit(self.public_url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
            raise ValueError("the public URL must be http(s)://host[:port], without a query")
        if not self.account_sid or not self.auth_token:
            raise ValueError("hooks need Twilio's account SID and auth token")

    def fields(self, path: str, signature: str, body: bytes) -> dict[str, str]:
        """The fields of a form that was signed for this path of ours. Raises HookRefused."""
        fields = _fields(body)
        url = self.public_url.rstrip("/") + path
        if not RequestValidator(self.auth_token).validate(url, fields, signature):
            raise HookRefused("signature")
        return fields


def signed_text(fields: Mapping[str, str]) -> str:
    """What of the fields is signed, beside the address."""
    return "".join(name + fields[name] for name in sorted(fields))


def _fields(body: bytes) -> dict[str, str]:
    try:
        pairs = parse_qsl(
            body.decode("ascii"),
            keep_blank_values=True,  # blanks are signed too
            strict_parsing=True,
            errors="strict",
            max_num_fields=_MOST_FIELDS,
        )
    except ValueError:  # a decoding error is one as well
        raise HookRefused("form") from None
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise HookRefused("duplicate")
    return fields
