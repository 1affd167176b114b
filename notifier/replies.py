"""Texts that people send us: kept once, applied and answered in the same transaction. Who a text comes from proves
nothing, so nothing here touches a visit: the worst a forger can do is to have a number left in peace.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

import structlog

from notifier import reply_texts
from notifier.reply_intent import intent
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


def take(sessions: Sessions, vault: Vault, arrived: Arrived, real_now: datetime, now: datetime) -> str:
    """Keeps and applies a text, once however often it comes; the answer to it, empty where there is none.

    A text that comes again is not answered again. `now` is business time.
    """
    wanted = arrived.provider_understood or intent(arrived.text)
    reply = Reply(
        provider=arrived.provider,
        provider_id=arrived.provider_id,
        sender_digest=vault.digest(ContactKind.PHONE, arrived.sender),
        intent=wanted,
        received_at=real_now,
    )
    with sessions.writing() as session:
        holders = subjects.holders(session, reply.sender_digest)
        if not replies.add(session, reply):
            return ""
        before = _sender(session, reply.sender_digest, holders)
        _apply(session, reply, before, now)
        answer = "" if arrived.is_answered_by_provider else _answer(session, reply, before)
    _log.info("reply_taken", provider=arrived.provider, outcome=wanted.value, state="answered" if answer else "silent")
    return answer


def _sender(session: Session, digest: str, holders: Sequence[tuple[ContactPoint, Subject]]) -> _Sender:
    suppressed = deliveries.suppressions(session, [digest], Purpose.NOTICE)
    return _Sender(digest, holders, (digest, _CHANNEL) in suppressed)


def _apply(session: Session, reply: Reply, sender: _Sender, now: datetime) -> None:
    match reply.intent:
        case Intent.STOP if not replies.is_overtaken(session, sender.digest, reply.received_at):
            deliveries.suppress(session, sender.digest, _CHANNEL, "citizen", now)
        case Intent.START if not replies.is_overtaken(session, sender.digest, reply.received_at):
            deliveries.lift(session, sender.digest, _CHANNEL, now)
            subjects.wake_planning(session, [subject.id for _, subject in sender.holders], now)
        case Intent.WRONG_PERSON if sender.holders:
            _disown(session, sender, now)


def _disown(session: Session, sender: _Sender, now: datetime) -> None:
    """Nobody is told anything at this number any more; a person has to find out whose it is."""
    for contact, _ in sender.holders:
        contact.dead_since = contact.dead_since or now
        session.add(contact)
    deliveries.suppress(session, sender.digest, _CHANNEL, "wrong_person", now)
    subjects.wake_planning(session, [subject.id for _, subject in sender.holders], now)
    for _, subject in sender.holders:
        _log.warning("number_disowned", subject=str(subject.id))


def _answer(session: Session, reply: Reply, before: _Sender) -> str:
    """The answer, unless it would be untrue, unasked for or a repetition."""
    since = reply.received_at - _ANSWERED_AGAIN_AFTER
    if not _deserves_answer(session, reply, before) or _has_had(session, reply, since):
        return ""
    replies.note_answered(session, reply.id)
    return reply_texts.answer(reply.intent, before.language)


def _deserves_answer(session: Session, reply: Reply, before: _Sender) -> bool:
    """Strangers, and who wants no texts, are answered only what they ask for by name; a START that leaves the number
    spared would be answered with an untruth."""
    if reply.intent == Intent.UNKNOWN:
        return before.is_told
    if reply.intent == Intent.START:
        return _sender(session, before.digest, before.holders).is_told
    return True


def _has_had(session: Session, reply: Reply, since: datetime) -> bool:
    return replies.is_answered_since(session, reply.sender_digest, reply.intent, since)
