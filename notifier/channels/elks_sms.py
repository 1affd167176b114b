"""SMS by 46elks (api.46elks.com/a1/sms): Basic authentication, a form out, JSON back. Must not know deliveries; never
logs what it sends.

46elks knows no validity period, so how late it may deliver is not ours to say. `dontlog` is never set: without its list
nobody could tell whether an uncertain message went.
"""

import json
import re
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from notifier.channels import Accepted, ChannelError, Message, Progress, Taken, Unknown, Unreachable
from notifier.channels.elks_codes import answer_error
from notifier.channels.elks_receipts import receipt_url
from notifier.channels.elks_replies import instant, received_text
from notifier.channels.elks_told import MESSAGE_ID, PROVIDER, SECRET, ElksRefused
from notifier.channels.inbound import ReceivedText
from notifier.channels.sms_http import NOTHING_SENT, bounded, flaw, is_web_address, open_client, retry_after

_PATH = "/a1/sms"
_PAGE, _MOST_PAGES = 100, 10  # messages of a page, which is 46elks' most; pages of a look-up
_SENDER = re.compile(r"[A-Za-z][A-Za-z0-9]{2,10}|\+[1-9][0-9]{6,14}")
_EARLIER = timedelta(seconds=1)  # whether the list's bounds are inclusive is nowhere said


@dataclass(frozen=True, slots=True)
class ElksSettings:
    """One 46elks account. `public_url` and `hook_secret` make the address that reports come to; without a public URL
    none are asked for."""

    username: str
    password: str = field(repr=False)
    sender: str
    hook_secret: str = field(default="", repr=False)
    public_url: str = ""
    api_base_url: str = "https://api.46elks.com"
    connect_timeout: timedelta = timedelta(seconds=3)
    read_timeout: timedelta = timedelta(seconds=10)
    connections: int = 20  # at most so many requests at once

    def __post_init__(self) -> None:
        if not self.username or not self.password:
            raise ValueError("46elks needs an API user name and password")
        if not (self.username + self.password).isascii():
            raise ValueError("the API user name and password for 46elks must be ASCII")
        if not _SENDER.fullmatch(self.sender):
            raise ValueError("46elks needs a sender: 3 to 11 letters and digits, a letter first, or a number as +46...")
        if self.public_url and not SECRET.fullmatch(self.hook_secret):
            raise ValueError("46elks signs nothing, so its hooks need a secret of 22 to 128 letters, digits, - or _")
        if not is_web_address(self.api_base_url):
            raise ValueError("46elks' base URL must be http(s)://host[:port]")


class ElksSms:
    """Sends SMS. Safe to call from several threads."""

    name = "sms"
    provider = PROVIDER

    def __init__(self, settings: ElksSettings) -> None:
        self._settings = settings
        self._client = open_client(settings.connect_timeout, settings.read_timeout, settings.connections)
        self._auth = httpx.BasicAuth(settings.username, settings.password)

    def send(self, message: Message) -> Accepted:
        outcome = flaw(message) or self._outcome(message)
        # Raised here, where no other error is being handled: theirs carry numbers, and would come along as context.
        if isinstance(outcome, ChannelError):
            raise outcome
        return outcome

    def taken(self, to: str, since: datetime) -> Sequence[Taken]:
        """See `Answering`."""
        listed = self._listed(to, since)
        if listed is None:
            raise Unreachable("no_answer", "46elks did not answer a question about messages")
        return sorted((one for one in listed if one.taken_at >= since), key=lambda one: one.taken_at)

    def progress(self, provider_id: str) -> Progress | None:
        """See `Answering`."""
        if not MESSAGE_ID.fullmatch(provider_id):
            return None  # none of 46elks' own
        answer = self._asked(f"{_PATH}/{provider_id}")
        status = None if answer is None else _read_status(answer)
        if status is None:
            raise Unreachable("no_answer", "46elks did not answer a question about a message")
        return Progress(status) if status else None

    def received(self, message_id: str) -> ReceivedText | None:
        """The text that somebody has sent to a number of ours, as 46elks has it; None if no phone can have sent it.
        Raises Unreachable when no answer can be had or read, ElksRefused when nobody sent us such a text."""
        answer = self._asked(f"{_PATH}/{message_id}") if MESSAGE_ID.fullmatch(message_id) else None
        if answer is not None and answer.status == 404:
            raise ElksRefused("no_such_message")
        content = answer.content() if answer is not None and answer.status == 200 else None
        if content is not None:
            with suppress(ValueError):
                return received_text(content, self._settings.sender)
        raise Unreachable("no_answer", "46elks did not answer a question about a text")

    def close(self) -> None:
        self._client.close()

    def _outcome(self, message: Message) -> Accepted | ChannelError:
        try:
            answer = self._call("POST", _PATH, data=self._form(message))
        except tuple(NOTHING_SENT) as error:
            return Unreachable(NOTHING_SENT[type(error)], "no connection to 46elks")
        except httpx.TimeoutException:
            return Unknown("timeout", "46elks did not answer in time")
        except httpx.HTTPError:
            return Unknown("connection_lost", "the connection to 46elks broke before its answer")
        return _accepted(answer) if answer.status in (200, 201) else _refused(answer)

    def _form(self, message: Message) -> dict[str, str]:
        settings = self._settings
        form = {"from": settings.sender, "to": message.to, "message": message.text}
        if settings.public_url:
            form["whendelivered"] = receipt_url(settings.public_url, settings.hook_secret, message.attempt_id)
        return form

    def _listed(self, to: str, since: datetime) -> list[Taken] | None:
        """What the list holds, page by page, the newest first; None where it cannot be had, or not to its end."""
        found: list[Taken] = []
        asked = {"to": to, "end": _written(since - _EARLIER), "limit": str(_PAGE)}
        for _ in range(_MOST_PAGES):
            answer = self._asked(_PATH, asked)
            page = None if answer is None or answer.status != 200 else _read_page(answer)
            if page is None:
                return None
            found += page.messages
            if not page.next_start:
                return found
            asked["start"] = page.next_start
        return None

    def _asked(self, path: str, params: Mapping[str, str] | None = None) -> "_Answer | None":
        try:
            return self._call("GET", path, params=params)
        except httpx.HTTPError:
            return None

    def _call(self, method: str, path: str, **parts: Any) -> "_Answer":  # noqa: ANN401
        deadline = time.monotonic() + self._settings.read_timeout.total_seconds()
        address = self._settings.api_base_url.rstrip("/") + path
        with self._client.stream(method, address, auth=self._auth, **parts) as response:
            text = bounded(response, deadline)
        return _Answer(response.status_code, text, retry_after(response.headers.get("Retry-After", "")))


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    text: str = field(repr=False)
    retry_after: timedelta | None

    def content(self) -> dict[str, Any] | None:
        """The JSON object in it, if it is one."""
        try:
            read = json.loads(self.text)
        except (ValueError, RecursionError):
            return None
        return read if isinstance(read, dict) else None


@dataclass(frozen=True, slots=True)
class _Page:
    messages: Sequence[Taken]
    next_start: str


def _accepted(answer: _Answer) -> Accepted | Unknown:
    content = answer.content()
    if content is None:
        return Unknown("unreadable", "46elks' answer cannot be read")
    found = content.get("id")
    if isinstance(found, str) and MESSAGE_ID.fullmatch(found):
        return Accepted(found)
    return Unknown("no_id", "46elks' answer holds no message id")


def _refused(answer: _Answer) -> ChannelError:
    """A refusal is plain text or an object with the sentence in it."""
    content = answer.content() or {}
    sentence = next((one for one in content.values() if isinstance(one, str)), answer.text)
    return answer_error(answer.status, sentence, answer.retry_after)


def _read_status(answer: _Answer) -> str | None:
    """A message's status; empty: 46elks has no such message; None: the answer does not say."""
    if answer.status == 404:
        return ""
    status = (answer.content() or {}).get("status") if answer.status == 200 else None
    return status if isinstance(status, str) and status else None


def _read_page(answer: _Answer) -> _Page | None:
    """None where anything in it cannot be read: a message that is overlooked would be sent again."""
    content = answer.content() or {}
    listed, next_start = content.get("data"), content.get("next") or ""
    if not isinstance(listed, list) or not isinstance(next_start, str):
        return None
    try:
        return _Page([_taken(one) for one in listed if _is_ours(one)], next_start)
    except (KeyError, TypeError, ValueError):
        return None


def _is_ours(listed: Any) -> bool:  # noqa: ANN401 - as 46elks wrote it
    return not str(listed["direction"]).startswith("incoming")


def _taken(listed: Any) -> Taken:  # noqa: ANN401 - likewise
    """Raises where a message lacks what every message has."""
    found, text = listed["id"], listed["message"]
    if not isinstance(found, str) or not isinstance(text, str):
        raise TypeError("not a text")
    return Taken(found, text, instant(listed["created"]))


def _written(at: datetime) -> str:
    return at.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds")
