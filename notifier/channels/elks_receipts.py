"""Reads one of 46elks' delivery reports. 46elks signs nothing: the address holds a secret of ours and the attempt's
token, and what the report says is only a reason to ask 46elks. Pure; knows no web framework.
"""

import hmac
import re
from dataclasses import dataclass, field
from urllib.parse import parse_qsl

PROVIDER = "46elks"
RECEIPTS_PATH = "/hooks/elks/receipts/"

STATUSES = frozenset({"sent", "delivered", "failed"})
FINAL = frozenset({"delivered", "failed"})
MESSAGE_ID = re.compile(r"s[0-9a-f]{32}")
SECRET = re.compile(r"[A-Za-z0-9_-]{22,128}")
_ATTEMPT_ID = re.compile(r"[A-Za-z0-9_-]{22}")
_MOST_FIELDS = 64


class ReportRefused(Exception):
    """Not 46elks', or not for us. The message is one word that names the check, never a value."""


@dataclass(frozen=True, slots=True)
class Report:
    """What somebody who knew the secret and the attempt's token says of a message of 46elks'."""

    provider_id: str
    status: str
    attempt_id: str


@dataclass(frozen=True, slots=True)
class LookedUp:
    """A report as 46elks itself has confirmed it: the status is its own answer's."""

    provider_id: str
    status: str
    attempt_id: str
    code: str = ""
    provider: str = PROVIDER


@dataclass(frozen=True, slots=True)
class ReportReader:
    """Reads reports that were sent to addresses of ours."""

    secret: str = field(repr=False)

    def __post_init__(self) -> None:
        if not SECRET.fullmatch(self.secret):
            raise ValueError("the hooks' secret must be 22 to 128 letters, digits, - or _")

    def read(self, secret: str, attempt_id: str, body: bytes) -> Report:
        """The report in a form body. Raises ReportRefused unless the address was one that 46elks was told."""
        if not hmac.compare_digest(secret.encode(), self.secret.encode()):
            raise ReportRefused("secret")
        if not _ATTEMPT_ID.fullmatch(attempt_id):
            raise ReportRefused("attempt")
        fields = _fields(body)
        provider_id, status = fields.get("id", ""), fields.get("status", "")
        if not MESSAGE_ID.fullmatch(provider_id):
            raise ReportRefused("id")
        if status not in STATUSES:
            raise ReportRefused("status")
        return Report(provider_id, status, attempt_id)


def receipt_url(public_url: str, secret: str, attempt_id: str) -> str:
    """Where 46elks reports about an attempt."""
    return f"{public_url.rstrip('/')}{RECEIPTS_PATH}{secret}/{attempt_id}"


def _fields(body: bytes) -> dict[str, str]:
    try:
        pairs = parse_qsl(body.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=_MOST_FIELDS)
    except ValueError:  # a decoding error is one as well
        raise ReportRefused("form") from None
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise ReportRefused("duplicate")
    return fields
