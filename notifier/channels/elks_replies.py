"""Reads that somebody has texted a number of ours at 46elks. Of what the form says only the message's id counts:
sender and words are read from 46elks' own answer about it. Pure; knows no web framework.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from notifier.channels.elks_told import PROVIDER, ElksRefused, ToldForms, message_fields
from notifier.channels.inbound import PHONE, ReceivedText

REPLIES_PATH = "/hooks/elks/inbound/"
ANSWER_TYPE = "text/plain"
_INCOMING = "incoming"


@dataclass(frozen=True, slots=True)
class NoticeReader(ToldForms):
    """Reads that there is a text."""

    def read(self, secret: str, body: bytes) -> str:
        """The text's id. Raises ElksRefused unless the address was one that 46elks was told."""
        self.require(secret)
        fields = message_fields(body)
        if fields.get("direction") != _INCOMING:
            raise ElksRefused("direction")
        return fields["id"]


def received_text(found: Mapping[str, object], sender: str) -> ReceivedText | None:
    """The text in 46elks' answer about a message; None if no phone can have sent it: a short code, a name, a number of
    ours. `sender`: what ours come from. Raises ElksRefused for a message that nobody sent us, ValueError for one that
    lacks what every text has."""
    if found.get("direction") != _INCOMING:
        raise ElksRefused("direction")
    values = [found.get(name) for name in ("id", "from", "to", "message", "created")]
    if not all(isinstance(one, str) for one in values):
        raise ValueError("not a text")
    provider_id, come_from, to, words, created = (str(one) for one in values)
    if not PHONE.fullmatch(come_from) or come_from in (to, sender):
        return None
    return ReceivedText(
        PROVIDER, provider_id, come_from, words, None, is_answered_by_provider=False, sent_at=instant(created)
    )


def instant(text: str) -> datetime:
    """UTC, though 46elks does not always say so. Raises ValueError."""
    at = datetime.fromisoformat(text)
    return at if at.tzinfo else at.replace(tzinfo=UTC)
