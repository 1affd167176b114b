"""A text that somebody has sent us, in no provider's words. Pure."""

import re
from dataclasses import dataclass, field
from datetime import datetime

from store.intents import Intent

PHONE = re.compile(r"\+[1-9][0-9]{6,14}")  # what a person can have sent from: no short code, no name


@dataclass(frozen=True, slots=True)
class ReceivedText:
    """One text, as it came. `text` is empty where it cannot be told for certain from what stands beside it. `sent_at`
    is the provider's word, where it may bring an earlier text later than the next one."""

    provider: str
    provider_id: str
    sender: str = field(repr=False)
    text: str = field(repr=False)
    provider_understood: Intent | None
    is_answered_by_provider: bool
    sent_at: datetime | None = None
