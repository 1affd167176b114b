"""Reports from the simulated SMS providers: moves each accepted SMS through its statuses and tells the address that was
given for it, Twilio's with Twilio's signature.

Calls nobody but this machine.
"""

import heapq
import http.client
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from urllib.parse import SplitResult, urlencode, urlsplit

from worker.demo.accepted import AcceptedList, Message
from worker.demo.provider_faults import FaultMix
from worker.demo.twilio_wire import callback_fields, signature

FINAL = frozenset({"delivered", "undelivered", "failed"})
LATE_ERRORS = {  # recipients whose SMS is accepted, and reported undelivered with this code
    "+46701740690": 30003,
    "+46701740691": 30005,
    "+46701740692": 30007,
    "+46701740693": 30008,
}
_TRIES = 6
_TIME_OUT = 5.0  # seconds
_HERE = ("127.0.0.1", "localhost", "::1")


@dataclass(frozen=True, slots=True)
class Pace:
    """How long after acceptance each status comes; `retry` doubles from try to try."""

    sent: timedelta = timedelta(seconds=0.2)
    delivered: timedelta = timedelta(seconds=1)
    retry: timedelta = timedelta(seconds=0.5)


@dataclass(frozen=True, slots=True, order=True)
class _Task:
    due: float
    order: int
    act: Callable[[], None] = field(compare=False)


class Receipts:
    """One thread that acts in due order. What was not reported before a restart is taken up again by `resume`."""

    def __init__(
        self, accepted: AcceptedList, post: Callable[[Message], bool], faults: Callable[[Message], FaultMix], pace: Pace
    ) -> None:
        """`post` tells a message's address of its present status, and says whether that was taken; `faults` is the mix
        of the message's provider."""
        self._accepted = accepted
        self._post = post
        self._faults = faults
        self._pace = pace
        self._tasks: list[_Task] = []
        self._made = 0
        self._changed = threading.Condition()
        self._is_stopping = False
        self._thread = threading.Thread(target=self._run, name="demo receipts", daemon=True)

    def start(self) -> None:
        self._thread.start()
        for message in self._accepted.messages():
            if message.channel == "sms" and message.status not in FINAL:
                self.follow(message)

    def stop(self) -> None:
        with self._changed:
            self._is_stopping = True
            self._changed.notify()
        self._thread.join(_TIME_OUT * 2)

    def follow(self, message: Message) -> None:
        """Reports the message's coming statuses."""
        if message.status != "sent":
            self._later(self._pace.sent, lambda: self._report(message.id, "sent"))
        lost = "undelivered" if "account_sid" in message.details else "failed"  # 46elks' word
        last = lost if message.to in LATE_ERRORS else "delivered"
        self._later(self._pace.delivered, lambda: self._report(message.id, last))

    def _later(self, wait: timedelta, act: Callable[[], None]) -> None:
        with self._changed:
            self._made += 1
            heapq.heappush(self._tasks, _Task(time.monotonic() + wait.total_seconds(), self._made, act))
            self._changed.notify()

    def _run(self) -> None:
        while (task := self._next()) is not None:
            task.act()

    def _next(self) -> _Task | None:
        """Waits for the next due task; None when told to stop."""
        with self._changed:
            while not self._is_stopping:
                wait = self._tasks[0].due - time.monotonic() if self._tasks else None
                if wait is not None and wait <= 0:
                    return heapq.heappop(self._tasks)
                self._changed.wait(wait)
        return None

    def _report(self, message_id: str, status: str) -> None:
        code = LATE_ERRORS.get(self._to(message_id)) if status == "undelivered" else None
        sent_at = datetime.now(UTC) if status == "sent" else None
        self._accepted.progress(message_id, status, sent_at=sent_at, error_code=code)
        message = self._accepted.find(message_id)
        if message is not None and "status_callback" in message.details and self._faults(message).reports:
            self._tell(message, tried=0)

    def _to(self, message_id: str) -> str:
        message = self._accepted.find(message_id)
        return "" if message is None else message.to

    def _tell(self, message: Message, *, tried: int) -> None:
        if self._post(message) or tried + 1 >= _TRIES:
            return
        self._later(self._pace.retry * 2**tried, lambda: self._tell(message, tried=tried + 1))


def post_callback(message: Message, token: str) -> bool:
    """Whether the StatusCallback took the message's present status; an address beyond this machine is never called."""
    answer = post_signed(message.details["status_callback"], callback_fields(message), token)
    return answer is None or answer.took


@dataclass(frozen=True, slots=True)
class HookAnswer:
    """What a hook answered; status 0 if it could not be reached."""

    status: int
    body: bytes

    @property
    def took(self) -> bool:
        return 200 <= self.status < 300


def post_signed(url: str, fields: dict[str, str], token: str) -> HookAnswer | None:
    """Posts a form signed as Twilio signs; None, and nothing is called, for an address beyond this machine."""
    return post_form(url, fields, {"X-Twilio-Signature": signature(token, url, fields)})


def post_form(url: str, fields: dict[str, str], headers: dict[str, str] | None = None) -> HookAnswer | None:
    """Posts a form; None, and nothing is called, for an address beyond this machine."""
    address = urlsplit(url)
    if address.scheme != "http" or address.hostname not in _HERE:
        return None
    sent = {"Content-Type": "application/x-www-form-urlencoded", **(headers or {})}
    connection = http.client.HTTPConnection(address.hostname, address.port or 80, timeout=_TIME_OUT)
    try:
        connection.request("POST", _path(address), urlencode(fields), sent)
        answer = connection.getresponse()
        return HookAnswer(answer.status, answer.read())
    except (OSError, http.client.HTTPException):
        return HookAnswer(0, b"")
    finally:
        connection.close()


def _path(address: SplitResult) -> str:
    return f"{address.path or '/'}?{address.query}" if address.query else address.path or "/"
