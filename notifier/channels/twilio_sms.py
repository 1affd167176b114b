"""SMS by Twilio's Messages resource: the official SDK over our own httpx client, so that time-outs, redirects and
retries are ours. Must not know deliveries; never logs what it sends.
"""

import logging
import re
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, TypeVar

import httpx
from twilio.base import values
from twilio.base.exceptions import TwilioException, TwilioRestException
from twilio.http import HttpClient
from twilio.http.response import Response
from twilio.rest import Client

from notifier.channels import Accepted, ChannelError, Message, Progress, Taken, Unknown, Unreachable
from notifier.channels.sms_http import NOTHING_SENT, bounded, flaw, is_web_address, open_client, retry_after
from notifier.channels.twilio_codes import answer_error
from notifier.channels.twilio_receipts import receipt_url
from notifier.channels.twilio_signed import PROVIDER

_LONGEST_VALIDITY = 36_000  # seconds, Twilio's limit
_PAGE, _MOST = 50, 1000  # messages: a page of the longest ones is within an answer's limit
_T = TypeVar("_T")
_MESSAGE_SID = re.compile(r"(SM|MM)[0-9a-f]{32}")
_ERROR_CODE = re.compile(r"[0-9]{4,6}")


@dataclass(frozen=True, slots=True)
class TwilioSettings:
    """One Twilio account. Exactly one of `messaging_service_sid` and `sender` says who sends.

    `public_url` is where receipts come; without one no receipts are asked for.
    """

    account_sid: str
    auth_token: str = field(repr=False)
    messaging_service_sid: str = ""
    sender: str = ""
    public_url: str = ""
    api_base_url: str = "https://api.twilio.com"
    connect_timeout: timedelta = timedelta(seconds=3)
    read_timeout: timedelta = timedelta(seconds=10)
    connections: int = 20  # at most so many requests at once

    def __post_init__(self) -> None:
        if not self.account_sid or not self.auth_token:
            raise ValueError("Twilio needs an account SID and an auth token")
        if bool(self.messaging_service_sid) == bool(self.sender):
            raise ValueError("Twilio needs a messaging service SID or a sender, one of the two")
        if not is_web_address(self.api_base_url):
            raise ValueError("Twilio's base URL must be http(s)://host[:port]")


class TwilioSms:
    """Sends SMS. Safe to call from several threads."""

    name = "sms"
    provider = PROVIDER

    def __init__(self, settings: TwilioSettings) -> None:
        self._settings = settings
        self._http = _Http(settings)
        # The SDK reads the process's environment unless it is given one that is not empty.
        client = Client(settings.account_sid, settings.auth_token, http_client=self._http, environment={"_": ""})
        self._messages = client.messages

    def send(self, message: Message) -> Accepted:
        outcome = flaw(message) or self._outcome(message)
        # Raised here, where no other error is being handled: theirs carry numbers, and would come along as context.
        if isinstance(outcome, ChannelError):
            raise outcome
        return outcome

    def taken(self, to: str, since: datetime) -> Sequence[Taken]:
        """See `Answering`. Not filtered by date: Twilio's filter leaves out what it has not sent yet."""
        listed = _asked(lambda: [_taken(one) for one in self._messages.stream(to=to, page_size=_PAGE, limit=_MOST)])
        return sorted((one for one in listed if one.taken_at >= since), key=lambda one: one.taken_at)

    def progress(self, provider_id: str) -> Progress | None:
        """See `Answering`."""
        return _asked(lambda: self._progress(provider_id))

    def close(self) -> None:
        self._http.close()

    def _progress(self, provider_id: str) -> Progress | None:
        try:
            found = self._messages(provider_id).fetch()
        except TwilioRestException as error:
            if error.status == 404:
                return None
            raise
        return Progress(_text(found.status), "" if found.error_code is None else str(found.error_code))

    def _outcome(self, message: Message) -> Accepted | ChannelError:
        try:
            created = self._messages.create(**self._request(message))
        except tuple(NOTHING_SENT) as error:
            return Unreachable(NOTHING_SENT[type(error)], "no connection to Twilio")
        except httpx.TimeoutException:
            return Unknown("timeout", "Twilio did not answer in time")
        except httpx.HTTPError:
            return Unknown("connection_lost", "the connection to Twilio broke before its answer")
        except TwilioException as error:
            return self._http.last_error(getattr(error, "code", None))
        except (ValueError, TypeError, AttributeError, RecursionError):  # the SDK's, over an answer it cannot read
            return Unknown("unreadable", "Twilio's answer cannot be read")
        return _accepted(created.sid)

    def _request(self, message: Message) -> dict[str, Any]:
        settings = self._settings
        left = int((message.useful_until - message.now).total_seconds())
        return {
            "to": message.to,
            "body": message.text,
            "messaging_service_sid": settings.messaging_service_sid or values.unset,
            "from_": settings.sender or values.unset,
            "validity_period": min(_LONGEST_VALIDITY, left),
            "status_callback": receipt_url(settings.public_url, message.attempt_id)
            if settings.public_url
            else values.unset,
        }


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    retry_after: timedelta | None


class _Http(HttpClient):  # type: ignore[misc]  # the SDK ships no types
    """The SDK's requests over httpx, to the configured host. Its `log_request` logs numbers: nothing calls it."""

    def __init__(self, settings: TwilioSettings) -> None:
        super().__init__(logging.getLogger(__name__), is_async=False)
        self._base = httpx.URL(settings.api_base_url)
        self._longest = settings.read_timeout.total_seconds()
        self._client = open_client(settings.connect_timeout, settings.read_timeout, settings.connections)
        self._last = threading.local()  # the SDK's errors leave out the headers

    def request(  # noqa: PLR0913  # the SDK's signature
        self,
        method: str,
        uri: str,
        params: dict[str, object] | None = None,
        data: dict[str, object] | None = None,
        headers: dict[str, str] | None = None,
        auth: tuple[str, str] | None = None,
        timeout: float | None = None,
        allow_redirects: bool = False,  # noqa: FBT001, FBT002
    ) -> Response:
        call: dict[str, Any] = {"params": params or None, "data": data, "headers": headers, "auth": auth}
        deadline = time.monotonic() + self._longest
        with self._client.stream(method, self._address(uri), **call) as response:
            text = bounded(response, deadline)
        self._last.answer = _Answer(response.status_code, retry_after(response.headers.get("Retry-After", "")))
        return Response(response.status_code, text, response.headers)

    def last_error(self, code: object) -> ChannelError:
        """What this thread's last answer means, with the code the SDK read from it."""
        answer: _Answer = self._last.answer
        shown = str(code)
        # The SDK gives the status as the code where the answer held none, and whatever stood there where it did.
        return answer_error(answer.status, shown if _ERROR_CODE.fullmatch(shown) else "", answer.retry_after)

    def close(self) -> None:
        self._client.close()

    def _address(self, uri: str) -> httpx.URL:
        base, asked = self._base, httpx.URL(uri)
        path = base.path.rstrip("/") + asked.path
        return asked.copy_with(scheme=base.scheme, host=base.host, port=base.port, path=path)


def _asked(question: Callable[[], _T]) -> _T:
    """The answer. Raises Unreachable, outside any other error: theirs carry numbers."""
    try:
        return question()
    except (httpx.HTTPError, TwilioException, ValueError, TypeError, AttributeError, RecursionError):
        pass
    raise Unreachable("no_answer", "Twilio did not answer a question about messages")


def _taken(listed: Any) -> Taken:  # noqa: ANN401  # the SDK ships no types
    """Raises TypeError for a message that lacks what every message has."""
    if not isinstance(listed.date_created, datetime):
        raise TypeError("no date_created")
    return Taken(_text(listed.sid), _text(listed.body), listed.date_created)


def _text(found: object) -> str:
    if not isinstance(found, str):
        raise TypeError("not a text")
    return found


def _accepted(sid: object) -> Accepted | Unknown:
    if isinstance(sid, str) and _MESSAGE_SID.fullmatch(sid):
        return Accepted(sid)
    return Unknown("no_id", "Twilio's answer holds no message id")
