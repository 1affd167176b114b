"""Texts from a phone to the simulated 46elks' number: its customer's hook, unsigned, and that one's answer as a text.

46elks heeds no STOP of its own, and shows a text to whoever asks for it by its id.
"""

import secrets
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from worker.demo.accepted import AcceptedList, Message
from worker.demo.elks_api import PROVIDER, ElksAccount, written
from worker.demo.sms_parts import parts
from worker.demo.twilio_receipts import HookAnswer, Receipts, post_form

_TAKEN = range(200, 205)


class ElksInbound:
    """What phones send. `texts` is shared with who shows them, by id."""

    def __init__(
        self,
        account: ElksAccount,
        accepted: AcceptedList,
        receipts: Receipts,
        now: Callable[[], datetime],
        texts: dict[str, dict[str, Any]],
    ) -> None:
        self._account = account
        self._accepted = accepted
        self._receipts = receipts
        self._now = now
        self._texts = texts

    def bring(self, sender: str, body: str, known_id: str) -> tuple[str, int]:
        """The text's id, and the status of the hook's answer; 0 if there was none. `known_id`: a text that is brought
        once more, as 46elks does for hours where it was not taken."""
        text = self._texts.get(known_id) or self._kept(sender, body)
        answer = post_form(self._account.sms_url, {name: str(value) for name, value in text.items()})
        if answer is None:
            return text["id"], 0
        if answer.status in _TAKEN and answer.body:
            self._reply(sender, answer)
        return text["id"], answer.status

    def _kept(self, sender: str, body: str) -> dict[str, Any]:
        found = {
            "direction": "incoming",
            "id": f"s{secrets.token_hex(16)}",
            "from": sender,
            "to": self._account.number,
            "created": written(datetime.now(UTC)),
            "message": body,
        }
        self._texts[found["id"]] = found
        return found

    def _reply(self, to: str, answer: HookAnswer) -> None:
        body = answer.body.decode()
        message = Message(
            id=f"s{secrets.token_hex(16)}",
            channel="sms",
            to=to,
            body=body,
            accepted_at=self._now().astimezone(UTC),
            status="created",
            segments=parts(body),
            details={"provider": PROVIDER, "from": self._account.number, "direction": "outgoing-reply"},
        )
        self._accepted.accept(message)
        self._receipts.follow(message)
