"""Twilio's error codes: what each means for us, in an answer and in a receipt. Pure; must not know how one sends."""

from datetime import timedelta

from notifier.channels import ChannelError, Refused, Remedy, Unknown, Unreachable
from notifier.channels.faults import UNEXPLAINED, Fault, Lesson

_INVALID_NUMBER = Fault("invalid_number", "the number is not a valid one", Remedy.BAD_CONTACT, lesson=Lesson.DEAD)
# Only numbers that are mobile by the numbering plan are ever sent to, so this is the carrier's trouble first of all.
_NOT_MOBILE = Fault(
    "not_mobile",
    "no mobile, or its carrier cannot be reached",
    Remedy.NEXT_CHANNEL,
    may_resend=True,
    lesson=Lesson.PERHAPS_NOT_MOBILE,
)
_OPTED_OUT = Fault("opted_out", "the recipient has opted out at Twilio", Remedy.SUPPRESS, lesson=Lesson.OPTED_OUT)
_NOT_PERMITTED = Fault(
    "not_permitted", "the region is not permitted or not routable", Remedy.OPERATOR, lesson=Lesson.OPERATOR
)
_HANDSET = Fault(
    "handset_unreachable",
    "the handset cannot be reached",
    Remedy.NEXT_CHANNEL,
    may_resend=True,
    lesson=Lesson.PERHAPS_DEAD,
)
_FILTERED = Fault("filtered", "blocked or filtered by a carrier", Remedy.NEXT_CHANNEL, lesson=Lesson.FILTERED)
_QUEUE_FULL = Fault("queue_full", "Twilio's queue was full", Remedy.NEXT_CHANNEL, may_resend=True)
_SENDER = Fault("sender_refused", "the sender is not registered or not usable", Remedy.OPERATOR, lesson=Lesson.OPERATOR)
_LAPSED = Fault("validity_lapsed", "not delivered while it was useful", Remedy.NEXT_CHANNEL)
_ACCOUNT = Fault(
    "account_refused",
    "the account, its token, credit or settings are refused",
    Remedy.OPERATOR,
    lesson=Lesson.OPERATOR,
)
_CONTENT = Fault("content_refused", "the text is empty or too long for Twilio", Remedy.NEXT_CHANNEL)
_UNLISTED = Fault("unlisted", "a code without a row", Remedy.NEXT_CHANNEL, may_resend=True, lesson=Lesson.UNLISTED)

_FAULTS = {
    "20003": _ACCOUNT,  # authentication
    "20005": _ACCOUNT,  # account not active
    "20404": _ACCOUNT,  # no such account
    "21211": _INVALID_NUMBER,
    "21217": _INVALID_NUMBER,
    "21212": _SENDER,  # invalid From
    "21408": _NOT_PERMITTED,
    "21602": _CONTENT,  # no body
    "21603": _SENDER,  # no From
    "21606": _SENDER,  # From cannot send SMS
    "21608": _ACCOUNT,  # trial account, unverified number
    "21609": _ACCOUNT,  # StatusCallback refused: KALLELSE_PUBLIC_URL is wrong
    "21610": _OPTED_OUT,
    "21612": _NOT_PERMITTED,
    "21614": _NOT_MOBILE,
    "21617": _CONTENT,  # too long
    "21624": _ACCOUNT,  # ValidityPeriod refused
    "21703": _SENDER,  # messaging service without a sender
    "30001": _QUEUE_FULL,
    "30002": _ACCOUNT,  # suspended
    "30003": _HANDSET,
    "30004": _FILTERED,
    "30005": _HANDSET,
    "30006": _NOT_MOBILE,
    "30007": _FILTERED,
    "30008": UNEXPLAINED,
    "30032": _SENDER,
    "30034": _SENDER,
    "30036": _LAPSED,
    "90007": _ACCOUNT,  # ValidityPeriod refused
}
_TOO_MANY = {"14107", "20429", "21611"}  # rate and queue limits: refused before anything was taken
_ACCOUNT_STATUSES = {401, 402, 403, 404}
_SHUT_OUT = {"20003", "20005", "30002"}  # no authentication, account not active or suspended
_SHUT_OUT_STATUSES = {401, 402}


def answer_error(status: int, code: str, retry_after: timedelta | None) -> ChannelError:
    """What an HTTP answer other than 2xx means. `code` is Twilio's own, or empty where the answer had none.

    Only a clear refusal (4xx) says that nothing was taken; all else leaves it unknown.
    """
    shown = code or f"http_{status}"
    if not 400 <= status < 500 or status == 408:
        return Unknown(shown, "an answer that does not say whether the message was taken")
    if status == 429 or code in _TOO_MANY:
        return Unreachable(shown, "too many requests", retry_after)
    fault = _FAULTS.get(code) or (_ACCOUNT if status in _ACCOUNT_STATUSES else _UNLISTED)
    shuts_out = fault is _ACCOUNT and (code in _SHUT_OUT or status in _SHUT_OUT_STATUSES)
    return Refused(shown, fault.meaning, fault.remedy, shuts_out=shuts_out)


def receipt_reason(code: str) -> Fault:
    """Why a message that Twilio took was not delivered. An empty code means the carrier gave no reason."""
    return _FAULTS.get(code, _UNLISTED) if code else UNEXPLAINED
