"""Reads one of Twilio's delivery receipts, after checking that Twilio signed it for us. Pure; knows no web framework.

What is read must be of an exact shape: a signature covers every way of cutting the same text (twilio_signed).
"""

import re
from dataclasses import dataclass

from notifier.channels.twilio_signed import PROVIDER, HookRefused, SignedForms, signed_text

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


@dataclass(frozen=True, slots=True)
class ReceivedReceipt:
    """One provider's report about one attempt, as it came: `status` and `code` are the provider's own words."""

    provider: str
    provider_id: str
    status: str
    code: str
    attempt_id: str  # the attempt's public id, from the address


@dataclass(frozen=True, slots=True)
class ReceiptReader(SignedForms):
    """Reads receipts for one Twilio account."""

    def read(self, attempt_id: str, signature: str, body: bytes) -> ReceivedReceipt:
        """The receipt in a form body. Raises HookRefused unless Twilio signed just this for this attempt."""
        if not _ATTEMPT_ID.fullmatch(attempt_id):
            raise HookRefused("attempt")
        fields = self.fields(RECEIPTS_PATH + attempt_id, signature, body)
        if _is_shifted(fields):
            raise HookRefused("shifted")
        return self._receipt(attempt_id, fields)

    def _receipt(self, attempt_id: str, fields: dict[str, str]) -> ReceivedReceipt:
        if fields.get("AccountSid") != self.account_sid:
            raise HookRefused("account")
        message_sid, status = fields.get("MessageSid", ""), fields.get("MessageStatus", "")
        code = fields.get("ErrorCode", "")
        if not _MESSAGE_SID.fullmatch(message_sid):
            raise HookRefused("message_sid")
        if status not in STATUSES:
            raise HookRefused("status")
        if not _ERROR_CODE.fullmatch(code):
            raise HookRefused("error_code")
        return ReceivedReceipt(PROVIDER, message_sid, status, code, attempt_id)


def receipt_url(public_url: str, attempt_id: str) -> str:
    """Where Twilio reports about an attempt. The same text goes out with the message and is signed in the receipt."""
    return public_url.rstrip("/") + RECEIPTS_PATH + attempt_id


def _is_shifted(fields: dict[str, str]) -> bool:
    """Whether the name of a field we read stands in the signed text anywhere but as that field's name."""
    signed = signed_text(fields)
    return any(signed.count(name) != (name in fields) for name in _READ)
