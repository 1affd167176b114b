"""Reads a text that somebody has sent to a number of ours at Twilio, and words the answer. Pure; knows no web server.

The text is its sender's own, so it may look like fields: it is believed only where it cannot be cut otherwise.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from twilio.twiml.messaging_response import MessagingResponse

from notifier.channels.inbound import PHONE, ReceivedText
from notifier.channels.twilio_signed import PROVIDER, HookRefused, SignedForms, signed_text
from store.intents import Intent

REPLIES_PATH = "/hooks/twilio/inbound"
ANSWER_TYPE = "text/xml"

_MESSAGE_SID = re.compile(r"(?:SM|MM)[0-9a-f]{32}")
_NUMBER = re.compile(r"\+?[0-9]{3,15}")  # ours: a long number or a short code
_REQUIRED = ("AccountSid", "Body", "From", "MessageSid", "To")
_READ = (*_REQUIRED, "OptOutType")
# Fields whose names hold the name of one that is read (twilio.com, request to your webhook URL).
_AKIN = ("FromCity", "FromCountry", "FromState", "FromZip", "SmsMessageSid", "ToCity", "ToCountry", "ToState", "ToZip")
_BY_TWILIO = {"STOP": Intent.STOP, "START": Intent.START, "HELP": Intent.HELP}  # with Advanced Opt-Out
# What Twilio answers itself without saying so. It answers STOP too, but lets no answer of ours through after it.
_ANSWERED = frozenset({"start", "unstop", "help", "info"})


@dataclass(frozen=True, slots=True)
class ReplyReader(SignedForms):
    """Reads texts for one Twilio account. `sender` is the number or name that ours come from, if there is one."""

    sender: str = ""

    def read(self, signature: str, body: bytes) -> ReceivedText | None:
        """The text in a form body; None if no phone can have sent it: a short code, a name, a number of ours. Raises
        HookRefused unless Twilio signed just this for us."""
        fields = self.fields(REPLIES_PATH, signature, body)
        if any(name not in fields for name in _REQUIRED):
            raise HookRefused("missing")
        if fields["AccountSid"] != self.account_sid:
            raise HookRefused("account")
        if not _MESSAGE_SID.fullmatch(fields["MessageSid"]):
            raise HookRefused("message_sid")
        if not _NUMBER.fullmatch(fields["To"]):
            raise HookRefused("to")
        sender = fields["From"]
        if not PHONE.fullmatch(sender) or sender in (fields["To"], self.sender):
            return None
        return _received(fields)


def answer_body(text: str) -> str:
    """What makes Twilio send this text back; nothing, if it is empty."""
    response = MessagingResponse()
    if text:
        response.message(text)
    return str(response)


def _received(fields: Mapping[str, str]) -> ReceivedText:
    is_certain = not _can_be_cut_otherwise(fields)
    text = fields["Body"] if is_certain else ""
    understood = _BY_TWILIO.get(fields.get("OptOutType", "")) if is_certain else None
    is_answered = understood is not None or text.strip().lower() in _ANSWERED
    return ReceivedText(PROVIDER, fields["MessageSid"], fields["From"], text, understood, is_answered)


def _can_be_cut_otherwise(fields: Mapping[str, str]) -> bool:
    """Whether a name that is read stands anywhere but in a name, or something stands between text and sender that may
    be the rest of the text. `Torsdag passar` is such a text: it asks for nothing, so nothing is lost."""
    names = sorted(fields)
    if names[names.index("Body") + 1] != "From":
        return True
    signed, known = signed_text(fields), [name for name in names if name in _READ or name in _AKIN]
    return any(signed.count(name) != sum(one.count(name) for one in known) for name in _READ)
