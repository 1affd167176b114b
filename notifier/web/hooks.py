"""Where providers report what became of messages, and bring what people text us. Checks and hands on, nothing else:
what a report means is decided later, from the database, so that the provider has its answer at once. 46elks signs
nothing, so what it reports is asked back from it before it is stored.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import structlog
from prometheus_client import Counter
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from notifier.channels import Progress, Unreachable
from notifier.channels.elks_receipts import FINAL, LookedUp, Report, ReportReader
from notifier.channels.elks_receipts import RECEIPTS_PATH as RECEIPTS_PATH_OF_ELKS
from notifier.channels.elks_replies import ANSWER_TYPE as ANSWER_TYPE_OF_ELKS
from notifier.channels.elks_replies import REPLIES_PATH as REPLIES_PATH_OF_ELKS
from notifier.channels.elks_replies import NoticeReader
from notifier.channels.elks_told import PROVIDER as ELKS
from notifier.channels.elks_told import ElksRefused
from notifier.channels.inbound import ReceivedText
from notifier.channels.twilio_receipts import RECEIPTS_PATH, ReceiptReader, ReceivedReceipt
from notifier.channels.twilio_replies import ANSWER_TYPE, REPLIES_PATH, ReplyReader, answer_body
from notifier.channels.twilio_signed import PROVIDER, HookRefused
from store.database import DatabaseError

_LONGEST_BODY = 64 * 1024
_QUESTIONS_AT_ONCE = 8
_FORM = "application/x-www-form-urlencoded"
_log = structlog.get_logger(__name__)
REFUSED = Counter(  # by this process
    "kallelse_receipts_refused",
    "Reports that were not a provider's own, by the check they failed.",
    ["provider", "reason"],
)
REPLIES_REFUSED = Counter(  # likewise
    "kallelse_replies_refused",
    "Inbound texts that were not a provider's own, by the check they failed.",
    ["provider", "reason"],
)


@dataclass(frozen=True, slots=True)
class HookSettings:
    """What signatures are checked against. `public_url` is our address as the provider was told it: what a request
    says about its host is not to be trusted."""

    public_url: str
    twilio_account_sid: str
    twilio_auth_token: str = field(repr=False)
    twilio_sender: str = ""


def routes(hooks: HookSettings, record: Callable[[ReceivedReceipt], None]) -> list[Route]:
    """The providers' addresses. `record` stores one receipt, once however often it comes (replays are normal), and is
    called in a thread, only with receipts whose signature holds."""
    reader = ReceiptReader(hooks.public_url, hooks.twilio_account_sid, hooks.twilio_auth_token)
    return [Route(RECEIPTS_PATH + "{attempt_id}", _receipts(reader, record), methods=["POST"])]


@dataclass(frozen=True, slots=True)
class ElksHooks:
    """`progress` and `received` ask 46elks about a message of ours and a text to us (they raise Unreachable, `received`
    also ElksRefused); `record` is as for `routes`, `take` as for `reply_routes`."""

    secret: str = field(repr=False)
    progress: Callable[[str], Progress | None]
    record: Callable[[LookedUp], None]
    received: Callable[[str], ReceivedText | None]
    take: Callable[[ReceivedText], str]


def elks_routes(hooks: ElksHooks) -> list[Route]:
    """The addresses that 46elks reports to and brings texts to. They answer 503 where 46elks does not yet say the same
    itself: it tries again."""
    few = asyncio.Semaphore(_QUESTIONS_AT_ONCE)  # a provider that hangs holds these threads, not those of pages
    reports = _elks_reports(ReportReader(hooks.secret), hooks, few)
    texts = _elks_texts(NoticeReader(hooks.secret), hooks, few)
    return [
        Route(RECEIPTS_PATH_OF_ELKS + "{secret}/{attempt_id}", reports, methods=["POST"]),
        Route(REPLIES_PATH_OF_ELKS + "{secret}", texts, methods=["POST"]),
    ]


def reply_routes(hooks: HookSettings, take: Callable[[ReceivedText], str]) -> list[Route]:
    """Where providers bring what people text us. `take` stores and applies one text, once however often it comes, and
    returns the answer to it, or nothing; it is called in a thread, only with texts whose signature holds."""
    reader = ReplyReader(hooks.public_url, hooks.twilio_account_sid, hooks.twilio_auth_token, hooks.twilio_sender)
    return [Route(REPLIES_PATH, _replies(reader, take), methods=["POST"])]


def _receipts(
    reader: ReceiptReader, record: Callable[[ReceivedReceipt], None]
) -> Callable[[Request], Awaitable[Response]]:
    async def receive(request: Request) -> Response:
        try:
            receipt = reader.read(request.path_params["attempt_id"], _signature(request), await _form_body(request))
        except HookRefused as error:
            return _refused(str(error), 403)
        except ClientDisconnect:
            return _refused("cut_off", 400)
        try:
            await run_in_threadpool(record, receipt)
        except DatabaseError as error:
            _log.error("receipt_not_stored", provider=PROVIDER, error=type(error).__name__)
            return Response(status_code=503)  # not taken: the provider may try again, and is asked in time
        return Response(status_code=204)

    return receive


def _elks_reports(
    reader: ReportReader, hooks: ElksHooks, few: asyncio.Semaphore
) -> Callable[[Request], Awaitable[Response]]:
    async def receive(request: Request) -> Response:
        try:
            body = await _form_body(request)
            report = reader.read(request.path_params["secret"], request.path_params["attempt_id"], body)
            async with few:
                looked_up = await run_in_threadpool(_looked_up, hooks, report)
            if looked_up is None:
                return Response(status_code=503)
            await run_in_threadpool(hooks.record, looked_up)
        except (HookRefused, ElksRefused) as error:
            return _refused(str(error), 403, ELKS)
        except ClientDisconnect:
            return _refused("cut_off", 400, ELKS)
        except DatabaseError as error:
            _log.error("receipt_not_stored", provider=ELKS, error=type(error).__name__)
            return Response(status_code=503)
        return Response(status_code=204)

    return receive


def _elks_texts(
    reader: NoticeReader, hooks: ElksHooks, few: asyncio.Semaphore
) -> Callable[[Request], Awaitable[Response]]:
    async def receive(request: Request) -> Response:
        try:
            message_id = reader.read(request.path_params["secret"], await _form_body(request))
            async with few:
                text = await run_in_threadpool(hooks.received, message_id)
            answer = "" if text is None else await run_in_threadpool(hooks.take, text)
        except (HookRefused, ElksRefused) as error:
            return _reply_refused(str(error), 403, ELKS)
        except ClientDisconnect:
            return _reply_refused("cut_off", 400, ELKS)
        except Unreachable:
            return Response(status_code=503)
        except DatabaseError as error:
            _log.error("reply_not_stored", provider=ELKS, error=type(error).__name__)
            return Response(status_code=503)
        return Response(answer, media_type=ANSWER_TYPE_OF_ELKS) if answer else Response(status_code=204)

    return receive


def _looked_up(hooks: ElksHooks, report: Report) -> LookedUp | None:
    """What 46elks itself says of the message; None while it does not say as much as the report. Raises ElksRefused
    for a message that it does not have."""
    try:
        found = hooks.progress(report.provider_id)
    except Unreachable:
        return None
    if found is None:
        raise ElksRefused("no_such_message")
    if report.status in FINAL and found.status not in FINAL:
        return None
    return LookedUp(report.provider_id, found.status, report.attempt_id)


def _replies(reader: ReplyReader, take: Callable[[ReceivedText], str]) -> Callable[[Request], Awaitable[Response]]:
    async def receive(request: Request) -> Response:
        try:
            received = reader.read(_signature(request), await _form_body(request))
        except HookRefused as error:
            return _reply_refused(str(error), 403)
        except ClientDisconnect:
            return _reply_refused("cut_off", 400)
        if received is None:
            return Response(answer_body(""), media_type=ANSWER_TYPE)
        try:
            answer = await run_in_threadpool(take, received)
        except DatabaseError as error:
            _log.error("reply_not_stored", provider=PROVIDER, error=type(error).__name__)
            return Response(status_code=503)  # not taken: the provider's second address, if it has one, is tried
        return Response(answer_body(answer), media_type=ANSWER_TYPE)

    return receive


def _refused(reason: str, status: int, provider: str = PROVIDER) -> Response:
    REFUSED.labels(provider, reason).inc()
    _log.warning("receipt_refused", provider=provider, reason=reason)
    return Response(status_code=status)


def _reply_refused(reason: str, status: int, provider: str = PROVIDER) -> Response:
    REPLIES_REFUSED.labels(provider, reason).inc()
    _log.warning("reply_refused", provider=provider, reason=reason)
    return Response(status_code=status)


def _signature(request: Request) -> str:
    """The one signature header. Raises HookRefused."""
    found = request.headers.getlist("X-Twilio-Signature")
    if len(found) != 1 or not found[0] or not found[0].isascii():
        raise HookRefused("signature_header")
    if request.scope["query_string"]:
        raise HookRefused("query")  # the address we gave has none
    return found[0]


async def _form_body(request: Request) -> bytes:
    """The body, when it is a form of a receipt's size. Raises HookRefused."""
    if request.headers.get("Content-Type", "").partition(";")[0].strip().lower() != _FORM:
        raise HookRefused("content_type")
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > _LONGEST_BODY:
            raise HookRefused("too_long")
    return bytes(body)
