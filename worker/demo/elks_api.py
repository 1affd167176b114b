"""The simulated 46elks: send, list and look at SMS under `/a1/`, with its errors and the simulation's faults.

Written from the provider's documentation. An accepted message is on disk before its answer is begun.
"""

import base64
import hmac
import re
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from worker.demo.accepted import AcceptedList, Message
from worker.demo.fault_answers import Manner
from worker.demo.provider_faults import FaultMix, Way
from worker.demo.sms_parts import parts
from worker.demo.twilio_receipts import Receipts, post_form

PROVIDER = "46elks"
REFUSED_RECIPIENTS = {  # numbers that are always refused
    "+46701740694": (400, "Invalid to number +46701740694"),
    "+46701740698": (403, "Not enough credits"),
    "+46701740699": (429, "Too many requests"),
}
_SENDER = re.compile(r"[A-Za-z][A-Za-z0-9]{2,10}|\+[1-9][0-9]{6,14}")
_RECIPIENT = re.compile(r"\+[1-9][0-9]{6,14}")
_CALLABLE = re.compile(r"https?://[A-Za-z0-9.\-]+(:[0-9]{1,5})?(/[!-~]*)?")
_MOST_LISTED = 100
_PRICE = 5200  # of a part, in ten-thousandths of a krona


@dataclass(frozen=True, slots=True)
class ElksAccount:
    """The account that is let in."""

    username: str = "u00000000000000000000000000000000"
    password: str = field(default="simulated-api-password", repr=False)
    number: str = "+46701740687"  # that people text
    sms_url: str = field(default="", repr=False)  # where their texts are brought, as set for the number; empty: nowhere
    manner: Manner = Manner(timedelta(seconds=2), timedelta(seconds=60))


class ElksApi:
    """The routes of one account's messages."""

    def __init__(
        self,
        account: ElksAccount,
        accepted: AcceptedList,
        faults: FaultMix,
        receipts: Receipts,
        now: Callable[[], datetime],
        texts: Mapping[str, Mapping[str, Any]],
    ) -> None:
        """`texts`: what people have sent to the account's number, by id."""
        self._account = account
        self._accepted = accepted
        self._faults = faults
        self._receipts = receipts
        self._now = now
        self._texts = texts

    @property
    def routes(self) -> list[Route]:
        return [
            Route("/a1/sms", self.send, methods=["POST"]),
            Route("/a1/sms", self.list_messages, methods=["GET"]),
            Route("/a1/sms/{id}", self.show, methods=["GET"]),
        ]

    async def send(self, request: Request) -> Response:
        form = dict(parse_qsl((await request.body()).decode(errors="replace"), keep_blank_values=True))
        refused = self._stranger(request) or refusal(form)
        if refused is not None:
            return _error(*refused)
        way, manner = self._faults.draw(), self._account.manner
        if way in (Way.TOO_MANY, Way.ERROR_BEFORE):
            return _error(429, "Too many requests") if way == Way.TOO_MANY else _broken()
        if way == Way.DROP:
            return manner.silence()
        message = self._message(form)
        self._accepted.accept(message)
        self._receipts.follow(message)
        return await manner.answer(way, JSONResponse(resource(message)), _broken())

    async def list_messages(self, request: Request) -> Response:
        refused = self._stranger(request)
        if refused is not None:
            return _error(*refused)
        query = request.query_params
        to, before, after = query.get("to"), _instant(query.get("start")), _instant(query.get("end"))
        listed = self._accepted.messages() if to is None else self._accepted.messages_to(to)
        wanted = [
            one
            for one in reversed(listed)
            if _is_ours(one) and (before is None or one.taken_at < before) and (after is None or one.taken_at > after)
        ]
        limit = query.get("limit", "")
        size = min(int(limit), _MOST_LISTED) if limit.isdecimal() and int(limit) else _MOST_LISTED
        page: dict[str, Any] = {"data": [resource(one) for one in wanted[:size]]}
        if len(wanted) > size:
            page["next"] = written(wanted[size - 1].taken_at)
        return JSONResponse(page)

    async def show(self, request: Request) -> Response:
        refused = self._stranger(request)
        if refused is not None:
            return _error(*refused)
        text = self._texts.get(request.path_params["id"])
        if text is not None:
            return JSONResponse(text)
        message = self._accepted.find(request.path_params["id"])
        if message is None or not _is_ours(message):
            return _error(404, "Not found")
        return JSONResponse(resource(message))

    def _stranger(self, request: Request) -> tuple[int, str] | None:
        """The error for a caller who is not the account's, or when questions are left unanswered."""
        wanted = base64.b64encode(f"{self._account.username}:{self._account.password}".encode())
        given = request.headers.get("authorization", "").removeprefix("Basic ").encode()
        if not hmac.compare_digest(wanted, given):
            return 401, "Unauthorized"
        if request.method == "GET" and not self._faults.answers:
            return 500, "Internal server error"
        return None

    def _message(self, form: Mapping[str, str]) -> Message:
        details = {"provider": PROVIDER, "from": form["from"]}
        if "whendelivered" in form:
            details["status_callback"] = form["whendelivered"]
        return Message(
            id=f"s{secrets.token_hex(16)}",
            channel="sms",
            to=form["to"],
            body=form["message"],
            accepted_at=self._now().astimezone(UTC),
            status="created",
            segments=parts(form["message"]),
            details=details,
        )


def refusal(form: Mapping[str, str]) -> tuple[int, str] | None:
    """The status and sentence for a message that is not accepted."""
    for name in ("from", "to", "message"):
        if not form.get(name):
            return 400, f"Missing key {name}"
    if not _SENDER.fullmatch(form["from"]):
        return 400, f"Invalid from {form['from']}"
    if not _RECIPIENT.fullmatch(form["to"]):
        return 400, f"Invalid to number {form['to']}"
    if "whendelivered" in form and not _CALLABLE.fullmatch(form["whendelivered"]):
        return 400, "Invalid whendelivered URL"
    return REFUSED_RECIPIENTS.get(form["to"])


def resource(message: Message) -> dict[str, Any]:
    """A message as JSON."""
    shown: dict[str, Any] = {
        "id": message.id,
        "status": message.status,
        "direction": message.details.get("direction", "outgoing"),
        "from": message.details["from"],
        "to": message.to,
        "message": message.body,
        "created": written(message.taken_at),
        "parts": message.segments,
        "cost": _PRICE * message.segments,
    }
    if message.status == "delivered":
        shown["delivered"] = written(message.sent_at or message.taken_at)
    return shown


def post_report(message: Message) -> bool:
    """Whether the address in `whendelivered` took the message's present status; it is not signed."""
    fields = {"id": message.id, "status": message.status}
    if message.status == "delivered":
        fields["delivered"] = written(message.sent_at or message.taken_at)
    answer = post_form(message.details["status_callback"], fields)
    return answer is None or answer.took


def _is_ours(message: Message) -> bool:
    return message.details.get("provider") == PROVIDER


def _instant(text: str | None) -> datetime | None:
    if text is None:
        return None
    at = datetime.fromisoformat(text)
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def written(at: datetime) -> str:
    """As 46elks writes instants: UTC, without saying so."""
    return at.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds")


def _broken() -> Response:
    return _error(500, "Internal server error")


def _error(status: int, sentence: str) -> Response:
    if status == 403:
        return JSONResponse({"error": sentence}, status_code=status)
    return PlainTextResponse(sentence, status_code=status)
