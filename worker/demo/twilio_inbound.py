"""Texts from a phone to the simulated Twilio's number: its own opt-out first, then its customer's hook and that one's
answer, as the real one does it.
"""

import secrets
from collections.abc import Callable
from datetime import UTC, datetime

from lxml import etree

from worker.demo.accepted import AcceptedList, Message
from worker.demo.sms_parts import parts
from worker.demo.twilio_api import TwilioAccount
from worker.demo.twilio_receipts import Receipts, post_signed
from worker.demo.twilio_wire import VERSION

# Twilio's default keywords: a whole text, in any case; the answers are its own, in English.
_STOP = frozenset({"stop", "stopall", "unsubscribe", "cancel", "end", "quit", "optout", "revoke"})
_START = frozenset({"start", "yes", "unstop"})
_HELP = frozenset({"help", "info"})
_STOPPED = (
    "You have successfully been unsubscribed. You will not receive any more messages from this number. "
    "Reply START to resubscribe."
)
_STARTED = (
    "You have successfully been re-subscribed to messages from this number. Reply HELP for help. "
    "Reply STOP to unsubscribe. Msg&Data Rates May Apply."
)
_HELPED = "Reply STOP to unsubscribe. Msg&Data Rates May Apply."


class Inbound:
    """What phones send. `opted_out` is shared with who sends to them."""

    def __init__(
        self,
        account: TwilioAccount,
        accepted: AcceptedList,
        receipts: Receipts,
        now: Callable[[], datetime],
        opted_out: set[str],
    ) -> None:
        self._account = account
        self._accepted = accepted
        self._receipts = receipts
        self._now = now
        self._opted_out = opted_out

    def bring(self, sender: str, body: str, known_id: str) -> tuple[str, int]:
        """The text's id, and the status of the hook's answer; 0 if there was none. `known_id`: of one that is brought
        a second time."""
        sid = known_id or f"SM{secrets.token_hex(16)}"
        self._heed(sender, body.strip().lower())
        answer = post_signed(self._account.sms_url, self._fields(sender, body, sid), self._account.token)
        if answer is None:
            return sid, 0
        if answer.took and sender not in self._opted_out:  # else 21610
            for text in _texts(answer.body):
                self._send(sender, text)
        return sid, answer.status

    def _heed(self, sender: str, word: str) -> None:
        if word in _STOP:
            self._opted_out.add(sender)
            self._send(sender, _STOPPED)
        if word in _START:
            self._opted_out.discard(sender)
            self._send(sender, _STARTED)
        if word in _HELP:
            self._send(sender, _HELPED)

    def _fields(self, sender: str, body: str, sid: str) -> dict[str, str]:
        return {
            "AccountSid": self._account.sid,
            "ApiVersion": VERSION,
            "Body": body,
            "From": sender,
            "FromCity": "",
            "FromCountry": "SE",
            "FromState": "",
            "FromZip": "",
            "MessageSid": sid,
            "NumMedia": "0",
            "NumSegments": str(parts(body)),
            "SmsMessageSid": sid,
            "SmsSid": sid,
            "SmsStatus": "received",
            "To": self._account.number,
            "ToCity": "",
            "ToCountry": "SE",
            "ToState": "",
            "ToZip": "",
        }

    def _send(self, to: str, body: str) -> None:
        message = Message(
            id=f"SM{secrets.token_hex(16)}",
            channel="sms",
            to=to,
            body=body,
            accepted_at=self._now().astimezone(UTC),
            status="queued",
            segments=parts(body),
            details={"account_sid": self._account.sid, "from": self._account.number, "direction": "outbound-reply"},
        )
        self._accepted.accept(message)
        self._receipts.follow(message)


def _texts(answer: bytes) -> list[str]:
    """The messages of a TwiML answer; what is none says nothing."""
    try:
        root = etree.fromstring(answer, etree.XMLParser(resolve_entities=False, no_network=True))
    except etree.XMLSyntaxError:
        return []
    return [found.text or "" for found in root.iter("Message")]
