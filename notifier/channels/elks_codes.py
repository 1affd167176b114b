"""What 46elks' refusals mean for us. It has no error codes: a status, and a sentence that may quote what was sent, so
that of the sentence only what it is about is kept. Pure; must not know how one sends.
"""

import re
from datetime import timedelta

from notifier.channels import ChannelError, Refused, Remedy, Unknown, Unreachable
from notifier.channels.faults import UNEXPLAINED, Fault, Lesson

_FAULTS = {  # by our own words for them
    "unauthorized": Fault(
        "account_refused", "the API user name or password is refused", Remedy.OPERATOR, lesson=Lesson.OPERATOR
    ),
    "no_credit": Fault(
        "account_refused", "the credit is used up, or the account may not send", Remedy.OPERATOR, lesson=Lesson.OPERATOR
    ),
    "not_there": Fault(
        "account_refused", "an address that 46elks does not have", Remedy.OPERATOR, lesson=Lesson.OPERATOR
    ),
    "bad_whendelivered": Fault(
        "account_refused", "the address for receipts is refused", Remedy.OPERATOR, lesson=Lesson.OPERATOR
    ),
    "bad_from": Fault("sender_refused", "the sender is refused", Remedy.OPERATOR, lesson=Lesson.OPERATOR),
    "bad_to": Fault("invalid_number", "the number is not a valid one", Remedy.BAD_CONTACT, lesson=Lesson.DEAD),
    "bad_message": Fault("content_refused", "the text is refused", Remedy.NEXT_CHANNEL),
    "bad_request": Fault("unlisted", "a refusal without a row", Remedy.NEXT_CHANNEL, lesson=Lesson.UNLISTED),
}
_BY_STATUS = {401: "unauthorized", 402: "no_credit", 403: "no_credit"}
_SHUT_OUT = frozenset(_BY_STATUS.values())
# The sentences are nowhere listed: told apart by the field they name, the sender's first, as they may name both. A
# number is taken for dead only where the sentence says just that: `to` alone is in half of all English sentences.
_BY_FIELD = {
    "bad_whendelivered": re.compile(r"\bwhendelivered\b|\burl\b", re.IGNORECASE),
    "bad_from": re.compile(r"\b(from|sender)\b", re.IGNORECASE),
    "bad_message": re.compile(r"\b(message|text)\b", re.IGNORECASE),
    "bad_to": re.compile(r"\b(invalid|bad|unknown) (phone )?(to|recipient|number)\b", re.IGNORECASE),
}


def answer_error(status: int, sentence: str, wished: timedelta | None) -> ChannelError:
    """What an HTTP answer other than 2xx means. `wished`: how long the provider asks to wait.

    Only a clear refusal (4xx) says that nothing was taken; all else leaves it unknown.
    """
    if not 400 <= status < 500 or status == 408:
        return Unknown(f"http_{status}", "an answer that does not say whether the message was taken")
    if status == 429:
        return Unreachable("http_429", "too many requests", wished)
    code = _of_sentence(sentence) if status == 400 else _BY_STATUS.get(status, "not_there")
    fault = _FAULTS[code]
    return Refused(code, fault.meaning, fault.remedy, shuts_out=code in _SHUT_OUT)


def refusal_reason(code: str) -> Fault:
    """What one of our words for a refusal stands for. Of a message that it took, 46elks never says why it failed."""
    return _FAULTS.get(code, UNEXPLAINED)


def _of_sentence(sentence: str) -> str:
    return next((code for code, field in _BY_FIELD.items() if field.search(sentence)), "bad_request")
