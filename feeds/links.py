"""Feed tokens and their addresses: made, recognised, read out of a path. Pure: knows no table and no web framework."""

import re
import secrets

_TOKEN_BYTES = 32
_TOKEN = "[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]"  # noqa: S105 - a shape; the last of 43 characters carries 4 bits
_PATH = re.compile(rf"/f/({_TOKEN})\.ics".encode())
_LONGEST_PATH = 64


def new_token() -> str:
    """256 random bits in 43 characters that need no escaping in an address."""
    return secrets.token_urlsafe(_TOKEN_BYTES)


def address_of(public_url: str, token: str) -> str:
    """The subscription address. It is a secret: show it once, log it never."""
    return f"{public_url.rstrip('/')}/f/{token}.ics"


def token_in(raw_path: bytes) -> str | None:
    """The token in a request's path, as it came over the wire; None unless it is exactly `/f/<token>.ics`.

    Nothing is decoded first: an address that only becomes ours by decoding was not made by us.
    """
    if len(raw_path) > _LONGEST_PATH:
        return None
    found = _PATH.fullmatch(raw_path)
    return found[1].decode() if found else None
