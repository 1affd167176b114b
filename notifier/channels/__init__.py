"""What every channel is: it takes one message to one recipient, once, and says honestly what became of it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol, runtime_checkable


@dataclass(frozen=True, slots=True)
class Message:
    """One message ready to go. `to` and the texts never show in a repr."""

    to: str = field(repr=False)
    subject_line: str = field(repr=False)  # e-mail only; empty for SMS
    text: str = field(repr=False)
    html: str = field(repr=False)  # e-mail only; empty for SMS
    language: str  # "sv", "en"
    delivery_id: str  # the same over attempts: e-mail's Message-ID is made of it
    attempt_id: str  # the attempt's public id: providers' receipts carry it back
    useful_until: datetime  # UTC
    now: datetime  # business now
    unsubscribe_url: str = field(default="", repr=False)  # e-mail only: one click there ends reminders (RFC 8058)


@dataclass(frozen=True, slots=True)
class Accepted:
    """The provider took it. Not: it arrived."""

    provider_id: str


class ChannelError(Exception):
    """The message was not taken, or nobody knows. `code` is the provider's own, free of personal data."""

    def __init__(self, code: str, meaning: str) -> None:
        super().__init__(f"{code}: {meaning}")
        self.code = code
        self.meaning = meaning


class Unreachable(ChannelError):
    """Certainly not taken, and trying again can help (no connection, 429). `retry_after` is the provider's wish."""

    def __init__(self, code: str, meaning: str, retry_after: timedelta | None = None) -> None:
        super().__init__(code, meaning)
        self.retry_after = retry_after


@dataclass(frozen=True, slots=True)
class Taken:
    """A message that the provider has, as it lists it. `taken_at` is by the provider's clock, in whole seconds."""

    provider_id: str
    text: str = field(repr=False)
    taken_at: datetime


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a message has come: the provider's own word, as its receipts have it, and its error code, if any."""

    status: str
    code: str = ""


class Remedy(StrEnum):
    """What a refusal calls for."""

    NEXT_CHANNEL = "next_channel"  # this message failed here; another channel may do
    BAD_CONTACT = "bad_contact"  # the address itself is dead: mark it
    SUPPRESS = "suppress"  # the recipient has opted out at the provider: remember it
    OPERATOR = "operator"  # settings, credit or sender are wrong: a person must act


class Refused(ChannelError):
    """Certainly not taken, and trying the same again does not help. `shuts_out`: the provider takes nothing at all
    from this account (its credentials, its credit), so that another provider must take over."""

    def __init__(self, code: str, meaning: str, remedy: Remedy, *, shuts_out: bool = False) -> None:
        super().__init__(code, meaning)
        self.remedy = remedy
        self.shuts_out = shuts_out


class Unknown(ChannelError):
    """Nobody knows whether it was taken (time-out, reset, 5xx, an answer without an id)."""


class Channel(Protocol):
    """One provider behind one kind of channel. Safe to call from several threads."""

    @property
    def name(self) -> str:
        """`sms`, `email` or `paper`."""
        ...

    @property
    def provider(self) -> str: ...

    def send(self, message: Message) -> Accepted:
        """Hands the message over at most once. Raises Unreachable, Refused or Unknown."""
        ...


@runtime_checkable
class Answering(Protocol):
    """A provider that can be asked about what it took. Both raise Unreachable when no answer can be had or read."""

    def taken(self, to: str, since: datetime) -> Sequence[Taken]:
        """Every message to the address that was taken at `since` (real time) or later, the oldest first."""
        ...

    def progress(self, provider_id: str) -> Progress | None:
        """Of one message; None if the provider does not know it."""
        ...
