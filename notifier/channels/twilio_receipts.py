"""Reads one of Twilio's delivery receipts, after checking that Twilio signed it for us. Pure; knows no web framework.

The signed text is the address and the fields run together without separators, so one signature covers every way of
cutting the same text: what is read must therefore be whole, unshifted and of an exact shape.
"""

import re
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, urlsplit

from twilio.request_validator import RequestValidator

PROVIDER = "twilio"
RECEIPTS_PATH = "/hooks/twilio/receipts/"

# One length only: a shorter id could be cut out of a longer one, and the rest passed off as a field.
_ATTEMPT_ID = re.compile(r"[A-Za-z0-9_-]{22}")
_MESSAGE_SID = re.compile(r"SM[0-9a-f]{32}")
_ERROR_CODE = re.compile(r"[0-9]{0,6}")
# No status is the beginning of another one, so none can be cut out of another (twilio.com, Message resource).
STATUSES = frozenset(
    (
        "accepted", "scheduled", "queued", "sending", "sent", "delivered", "undelivered", "partially_delivered",
        "failed", "canceled", "read",
    )
)  # fmt: skip
_READ = ("AccountSid", "ErrorCode", "MessageSid", "MessageStatus")
_MOST_FIELDS = 64


@dataclass(frozen=True, slots=True)
class ReceivedReceipt:
    """One provider's report about one attempt, as it came: `status` and `code` are the provider's own words."""

    provider: str
    provider_id: str
    status: str
    code: str
    attempt_id: str  # the attempt's public id, from the address


class ReceiptRefused(Exception):
    """Not a receipt of ours. The message is one word that names the check, never a value."""


@dataclass(frozen=True, slots=True)
class ReceiptReader:
    """Reads receipts for one Twilio account. `public_url` is the address Twilio was told to call."""

    public_url: str
    account_sid: str
    auth_token: str = field(repr=False)

    def __post_init__(self) -> None:
        parts = urlsplit(self.public_url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
            raise ValueError("the public URL must be http(s)://host[:port], without a query")
        if not self.account_sid or not self.auth_token:
            raise ValueError("receipts need Twilio's account SID and auth token")

    def read(self, attempt_id: str, signature: str, body: bytes) -> ReceivedReceipt:
        """The receipt in a form body. Raises ReceiptRefused unless Twilio signed just this for this attempt."""
        if not _ATTEMPT_ID.fullmatch(attempt_id):
            raise ReceiptRefused("attempt")
        fields = _fields(body)
        validator = RequestValidator(self.auth_token)
        if not validator.validate(receipt_url(self.public_url, attempt_id), fields, signature):
            raise ReceiptRefused("signature")
        if _is_shifted(fields):
            raise ReceiptRefused("shifted")
        return self._receipt(attempt_id, fields)

    def _receipt(self, attempt_id: str, fields: dict[str, str]) -> ReceivedReceipt:
        if fields.get("AccountSid") != self.account_sid:
            raise ReceiptRefused("account")
        message_sid, status = fields.get("MessageSid", ""), fields.get("MessageStatus", "")
        code = fields.get("ErrorCode", "")
        if not _MESSAGE_SID.fullmatch(message_sid):
            raise ReceiptRefused("message_sid")
        if status not in STATUSES:
            raise ReceiptRefused("status")
        if not _ERROR_CODE.fullmatch(code):
            raise ReceiptRefused("error_code")
        return ReceivedReceipt(PROVIDER, message_sid, status, code, attempt_id)


def receipt_url(public_url: str, attempt_id: str) -> str:
    """Where Twilio reports about an attempt. The same text goes out with the message and is signed in the receipt."""
    return public_url.rstrip("/") + RECEIPTS_PATH + attempt_id


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
        raise ReceiptRefused("form") from None
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise ReceiptRefused("duplicate")
    return fields


def _is_shifted(fields: dict[str, str]) -> bool:
    """Whether the name of a field we read stands in the signed text anywhere but as that field's name."""
    signed = "".join(name + fields[name] for name in sorted(fields))
    return any(signed.count(name) != (name in fields) for name in _READ)
