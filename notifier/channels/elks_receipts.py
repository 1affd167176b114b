"""Reads one of 46elks' delivery reports, about the attempt that its address names. Pure; knows no web framework."""

import re
from dataclasses import dataclass

from notifier.channels.elks_told import PROVIDER, ElksRefused, ToldForms, message_fields

RECEIPTS_PATH = "/hooks/elks/receipts/"

STATUSES = frozenset({"sent", "delivered", "failed"})
FINAL = frozenset({"delivered", "failed"})
_ATTEMPT_ID = re.compile(r"[A-Za-z0-9_-]{22}")


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
class ReportReader(ToldForms):
    """Reads reports that were sent to addresses of ours."""

    def read(self, secret: str, attempt_id: str, body: bytes) -> Report:
        """The report in a form body. Raises ElksRefused unless the address was one that 46elks was told."""
        self.require(secret)
        if not _ATTEMPT_ID.fullmatch(attempt_id):
            raise ElksRefused("attempt")
        fields = message_fields(body)
        if fields.get("status", "") not in STATUSES:
            raise ElksRefused("status")
        return Report(fields["id"], fields["status"], attempt_id)


def receipt_url(public_url: str, secret: str, attempt_id: str) -> str:
    """Where 46elks reports about an attempt."""
    return f"{public_url.rstrip('/')}{RECEIPTS_PATH}{secret}/{attempt_id}"
