"""The simulated Twilio's REST paths: send, list and look at messages, with the errors and faults of the real one.

An accepted message is on disk before its answer is begun.
"""

import base64
import hmac
import re
import secrets
from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl, urlencode

from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from worker.demo.accepted import AcceptedList, Message
from worker.demo.fault_answers import Manner
from worker.demo.provider_faults import REFUSALS, FaultMix, Way
from worker.demo.sms_parts import parts
from worker.demo.twilio_receipts import Receipts
from worker.demo.twilio_wire import VERSION, error, resource

REFUSED_RECIPIENTS = {  # numbers that always get this error, as Twilio's own magic numbers do
    "+46701740694": 21211,
    "+46701740695": 21610,
    "+46701740696": 21614,
    "+46701740697": 21408,
    "+46701740698": 21612,
    "+46701740699": 20429,
}
_CALLABLE = re.compile(r"https?://[A-Za-z0-9.\-]+(:[0-9]{1,5})?(/[!-~]*)?")
_E164 = re.compile(r"\+[1-9][0-9]{6,14}")
_LONGEST_BODY = 1600
_VALIDITY = range(1, 36001)
_PAGE_SIZES = range(1, 1001)


@dataclass(frozen=True, slots=True)
class TwilioAccount:
    """The account that is let in; `sender` is what a messaging service sends from."""

    sid: str = "AC00000000000000000000000000000000"
    token: str = field(default="simulated-auth-token", repr=False)
    sender: str = "Kallelse"
    number: str = "+46701740689"  # that people text
    sms_url: str = ""  # where their texts are brought, as set for the number; empty: nowhere
    slow_for: timedelta = timedelta(seconds=2)
    hang_for: timedelta = timedelta(seconds=60)


class TwilioApi:
    """The routes of one account's messages."""

    def __init__(
        self,
        account: TwilioAccount,
        accepted: AcceptedList,
        faults: FaultMix,
        receipts: Receipts,
        now: Callable[[], datetime],
        opted_out: Container[str] = frozenset(),
    ) -> None:
        self._account = account
        self._accepted = accepted
        self._faults = faults
        self._receipts = receipts
        self._now = now
        self._opted_out = opted_out

    @property
    def routes(self) -> list[Route]:
        path = f"/{VERSION}/Accounts/{{account}}/Messages"
        return [
            Route(f"{path}.json", self.send, methods=["POST"]),
            Route(f"{path}.json", self.list_messages, methods=["GET"]),
            Route(f"{path}/{{sid}}.json", self.show, methods=["GET"]),
        ]

    async def send(self, request: Request) -> Response:
        form = dict(parse_qsl((await request.body()).decode(errors="replace"), keep_blank_values=True))
        code = self._stranger(request) or refusal(form) or (21610 if form["To"] in self._opted_out else None)
        if code is not None:
            return _error(code)
        way = self._faults.draw()
        if way in REFUSALS:
            return _error(REFUSALS[way])
        manner = Manner(self._account.slow_for, self._account.hang_for)
        if way == Way.DROP:
            return manner.silence()
        message = self._message(form)
        self._accepted.accept(message)
        self._receipts.follow(message)
        return await manner.answer(way, JSONResponse(resource(message), status_code=201), _error(20500))

    async def list_messages(self, request: Request) -> Response:
        code = self._stranger(request)
        if code is not None:
            return _error(code)
        to = request.query_params.get("To")
        listed = self._accepted.messages() if to is None else self._accepted.messages_to(to)
        newest_first = [message for message in reversed(listed) if _is_ours(message)]
        wanted = [message for message in newest_first if is_listed(message, request.query_params)]
        return JSONResponse(_page(wanted, request))

    async def show(self, request: Request) -> Response:
        code = self._stranger(request)
        message = self._accepted.find(request.path_params["sid"])
        if code is not None or message is None or not _is_ours(message):
            return _error(code or 20404)
        return JSONResponse(resource(message))

    def _stranger(self, request: Request) -> int | None:
        """The error for a caller who is not the account's, or when questions are left unanswered."""
        wanted = base64.b64encode(f"{self._account.sid}:{self._account.token}".encode())
        given = request.headers.get("authorization", "").removeprefix("Basic ").encode()
        if not hmac.compare_digest(wanted, given):
            return 20003
        if request.method == "GET" and not self._faults.answers:
            return 20500
        return None if request.path_params["account"] == self._account.sid else 20404

    def _message(self, form: Mapping[str, str]) -> Message:
        service = form.get("MessagingServiceSid")
        details = {"account_sid": self._account.sid, "from": form.get("From") or self._account.sender}
        if service:
            details["messaging_service_sid"] = service
        if "StatusCallback" in form:
            details["status_callback"] = form["StatusCallback"]
        return Message(
            id=f"SM{secrets.token_hex(16)}",
            channel="sms",
            to=form["To"],
            body=form["Body"],
            accepted_at=self._now().astimezone(UTC),
            status="accepted" if service else "queued",
            segments=parts(form["Body"]),
            details=details,
        )


def refusal(form: Mapping[str, str]) -> int | None:
    """The error code for a message that is not accepted, in the order in which Twilio looks."""
    to, body = form.get("To", ""), form.get("Body", "")
    if not to:
        return 21604
    if not (form.get("From") or form.get("MessagingServiceSid")):
        return 21603
    if not body:
        return 21602
    if not _E164.fullmatch(to):
        return 21211
    if len(body) > _LONGEST_BODY:
        return 21617
    return _unusable_option(form) or REFUSED_RECIPIENTS.get(to)


def is_listed(message: Message, query: QueryParams) -> bool:
    """Whether the list's filters let the message through. One that is not yet sent has no date to be found by."""
    if (
        query.get("To", message.to) != message.to
        or query.get("From", message.details["from"]) != message.details["from"]
    ):
        return False
    dates = {name: _query_date(query[name]) for name in ("DateSent", "DateSent>", "DateSent<") if name in query}
    if not dates:
        return True
    if message.sent_at is None:
        return False
    day = dates.get("DateSent")
    return (
        (day is None or message.sent_at.date() == day.date())
        and dates.get("DateSent>", message.sent_at) <= message.sent_at
        and dates.get("DateSent<", message.sent_at) >= message.sent_at
    )


def _is_ours(message: Message) -> bool:
    return "account_sid" in message.details


def _unusable_option(form: Mapping[str, str]) -> int | None:
    if "StatusCallback" in form and not _CALLABLE.fullmatch(form["StatusCallback"]):
        return 21609
    validity = form.get("ValidityPeriod", "36000")
    return None if validity.isdecimal() and int(validity) in _VALIDITY else 21624


def _query_date(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _page(messages: list[Message], request: Request) -> dict[str, object]:
    size = _number(request, "PageSize", 50)
    size = size if size in _PAGE_SIZES else 50
    page = _number(request, "Page", 0)
    start = page * size
    shown = messages[start : start + size]
    return {
        "messages": [resource(message) for message in shown],
        "first_page_uri": _page_uri(request, 0),
        "next_page_uri": _page_uri(request, page + 1) if start + size < len(messages) else None,
        "previous_page_uri": _page_uri(request, page - 1) if page else None,
        "page": page,
        "page_size": size,
        "start": start,
        "end": max(start, start + len(shown) - 1),
        "uri": _page_uri(request, page),
    }


def _number(request: Request, name: str, otherwise: int) -> int:
    text = request.query_params.get(name, "")
    return int(text) if text.isdecimal() else otherwise


def _page_uri(request: Request, page: int) -> str:
    return f"{request.url.path}?{urlencode({**request.query_params, 'Page': str(page)})}"


def _error(code: int) -> JSONResponse:
    status, body = error(code)
    headers = {"Retry-After": "1"} if status == 429 else None
    return JSONResponse(body, status_code=status, headers=headers)
