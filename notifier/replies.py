"""Texts that people send us: kept once, applied and answered in the same transaction. Who a text comes from proves
nothing, so nothing here cancels a visit: the worst a forger can do is to have a number left in peace.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

import structlog

from notifier import opting, reply_texts, visit_replies
from notifier.opting import Address, Heard
from notifier.reply_intent import Asked, asked
from notifier.visit_replies import Asking
from store import deliveries, replies, subjects
from store.database import Session, Sessions
from store.intents import Intent
from store.purposes import Purpose
from store.replies import Reply
from store.subjects import ContactKind, ContactPoint, Subject
from store.vault import Vault

_log = structlog.get_logger(__name__)
_CHANNEL = "sms"
_ANSWERED_AGAIN_AFTER = timedelta(hours=24)  # the same wish: two machines would else talk to each other for ever
_MOST_ANSWERS = {Intent.CONFIRM: 5, Intent.CANCEL: 5}  # meanwhile, of these: people have several visits; else one


class Arrived(Protocol):
    """A text as a provider's hook has read it."""

    @property
    def provider(self) -> str: ...

    @property
    def provider_id(self) -> str: ...

    @property
    def sender(self) -> str: ...

    @property
    def text(self) -> str: ...

    @property
    def provider_understood(self) -> Intent | None:
        """What the provider itself has taken the text for, and acted on."""

    @property
    def is_answered_by_provider(self) -> bool: ...

    @property
    def sent_at(self) -> datetime | None:
        """By the provider's clock, where it may bring an earlier text after a later one."""


@dataclass(frozen=True, slots=True)
class _Sender:
    """Whose the number is, as far as we know: nobody's, one person's, or several who share it."""

    digest: str
    holders: Sequence[tuple[ContactPoint, Subject]]
    is_suppressed: bool

    @property
    def language(self) -> str:
        return self.holders[0][1].language if self.holders else "sv"

    @property
    def is_told(self) -> bool:
        """Whether anything is sent to this number at all."""
        return not self.is_suppressed and any(contact.dead_since is None for contact, _ in self.holders)


def take(  # noqa: PLR0913 - one text, both clocks, and where our pages are
    sessions: Sessions, vault: Vault, arrived: Arrived, real_now: datetime, now: datetime, site: str
) -> str:
    """Keeps and applies a text, once however often it comes; the answer to it, empty where there is none.

    A text that comes again is not answered again. `now` is business time, `site` our public address.
    """
    understood = arrived.provider_understood
    wanted = Asked(understood) if understood else asked(arrived.text)
    reply = Reply(
        provider=arrived.provider,
        provider_id=arrived.provider_id,
        sender_digest=vault.digest(ContactKind.PHONE, arrived.sender),
        intent=wanted.intent,
        received_at=min(arrived.sent_at or real_now, real_now),
    )
    with sessions.writing() as session:
        holders = subjects.holders(session, reply.sender_digest)
        if not replies.add(session, reply):
            return ""
        before = _sender(session, reply.sender_digest, holders)
        heard = Heard("citizen", _CHANNEL, real_now, now)
        _apply(session, reply, before, heard)
        asking = Asking(wanted, Address(before.digest, _CHANNEL), before.language, heard, site)
        words = _words(session, vault, asking)
        answer = "" if arrived.is_answered_by_provider else _answer(session, reply, before, words)
    outcome, state = wanted.intent.value, "answered" if answer else "silent"
    _log.info("reply_taken", provider=arrived.provider, outcome=outcome, state=state)
    return answer


def _sender(session: Session, digest: str, holders: Sequence[tuple[ContactPoint, Subject]]) -> _Sender:
    suppressed = deliveries.suppressions(session, [digest], Purpose.NOTICE)
    return _Sender(digest, holders, (digest, _CHANNEL) in suppressed)


def _apply(session: Session, reply: Reply, sender: _Sender, heard: Heard) -> None:
    address = Address(sender.digest, _CHANNEL)
    match reply.intent:
        case Intent.STOP if not replies.is_overtaken(session, sender.digest, reply.received_at):
            opting.stop(session, address, heard)
        case Intent.START if not replies.is_overtaken(session, sender.digest, reply.received_at):
            opting.start(session, address, heard)
        case Intent.WRONG_PERSON if sender.holders:
            opting.disown(session, address, heard)


def _words(session: Session, vault: Vault, asking: Asking) -> str:
    """What is answered, if anything is. What is about a visit is also done: noted, or a link made for it."""
    if asking.wanted.intent in (Intent.CONFIRM, Intent.CANCEL):
        return visit_replies.answer(session, vault, asking)
    return reply_texts.answer(asking.wanted.intent, asking.language)


def _answer(session: Session, reply: Reply, before: _Sender, words: str) -> str:
    """The answer, unless it would be untrue, unasked for or a repetition."""
    since = reply.received_at - _ANSWERED_AGAIN_AFTER
    had = replies.answered_since(session, reply.sender_digest, reply.intent, since)
    if not _deserves_answer(session, reply, before) or had >= _MOST_ANSWERS.get(reply.intent, 1):
        return ""
    replies.note_answered(session, reply.id)
    return words


def _deserves_answer(session: Session, reply: Reply, before: _Sender) -> bool:
    """Strangers, and who wants no texts, are answered only what they ask for by name; a START that leaves the number
    spared would be answered with an untruth. Of visits only those hear who are told of theirs."""
    if reply.intent == Intent.UNKNOWN:
        return before.is_told
    if reply.intent in (Intent.CONFIRM, Intent.CANCEL):
        return any(contact.dead_since is None for contact, _ in before.holders)
    if reply.intent == Intent.START:
        return _sender(session, before.digest, before.holders).is_told
    return True
