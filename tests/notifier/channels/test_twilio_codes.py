"""Check 19: each row of the error map has its class and its next step, in receipts as in answers."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifier.channels import ChannelError, Refused, Remedy, Unknown, Unreachable
from notifier.channels.twilio_codes import answer_error, receipt_reason

DEAD_NUMBER, SUPPRESS = Remedy.BAD_CONTACT, Remedy.SUPPRESS
NEXT, OPERATOR = Remedy.NEXT_CHANNEL, Remedy.OPERATOR
ROWS = [
    # code, our word, what it calls for, may one more try on the same channel help
    ("20003", "account_refused", OPERATOR, False),  # authentication
    ("20005", "account_refused", OPERATOR, False),
    ("20404", "account_refused", OPERATOR, False),
    ("21211", "invalid_number", DEAD_NUMBER, False),
    ("21212", "sender_refused", OPERATOR, False),
    ("21217", "invalid_number", DEAD_NUMBER, False),
    ("21408", "not_permitted", OPERATOR, False),
    ("21602", "content_refused", NEXT, False),
    ("21603", "sender_refused", OPERATOR, False),
    ("21606", "sender_refused", OPERATOR, False),
    ("21608", "account_refused", OPERATOR, False),
    ("21609", "account_refused", OPERATOR, False),
    ("21610", "opted_out", SUPPRESS, False),
    ("21612", "not_permitted", OPERATOR, False),
    ("21614", "not_mobile", NEXT, True),
    ("21617", "content_refused", NEXT, False),
    ("21624", "account_refused", OPERATOR, False),
    ("21703", "sender_refused", OPERATOR, False),
    ("30001", "queue_full", NEXT, True),
    ("30002", "account_refused", OPERATOR, False),
    ("30003", "handset_unreachable", NEXT, True),
    ("30004", "filtered", NEXT, False),
    ("30005", "handset_unreachable", NEXT, True),
    ("30006", "not_mobile", NEXT, True),
    ("30007", "filtered", NEXT, False),
    ("30008", "unexplained", NEXT, True),
    ("30032", "sender_refused", OPERATOR, False),
    ("30034", "sender_refused", OPERATOR, False),
    ("30036", "validity_lapsed", NEXT, False),
    ("90007", "account_refused", OPERATOR, False),
]
LISTED = {row[0] for row in ROWS}
TRY_LATER = ["14107", "20429", "21611"]  # refused for the rate alone, before anything was taken
# 35115, 35118: scheduling, which is never used. 57012: a signature of theirs, no message's code.
UNLISTED = ["31999", "63016", "35115", "35118", "57012", "0", "nonsense", "021211", "21211 ", "²1211"]


@pytest.mark.parametrize(("code", "reason", "remedy", "may_resend"), [*ROWS, ("", "unexplained", NEXT, True)])
def test_check_19_each_row_of_the_error_map_calls_for_its_own_next_step(
    code: str, reason: str, remedy: Remedy, *, may_resend: bool
) -> None:
    fault = receipt_reason(code)
    assert (fault.reason, fault.remedy, fault.may_resend) == (reason, remedy, may_resend)
    assert not fault.is_unlisted


@pytest.mark.parametrize(("code", "remedy"), [(code, remedy) for code, _, remedy, _ in ROWS])
def test_check_19_a_clear_refusal_calls_for_the_same_as_its_receipt(code: str, remedy: Remedy) -> None:
    error = answer_error(400, code, None)
    assert isinstance(error, Refused)
    assert (error.code, error.remedy) == (code, remedy)


@pytest.mark.parametrize("code", [*sorted(LISTED), *TRY_LATER, *UNLISTED, ""])
@pytest.mark.parametrize("status", [200, 302, 408, 500, 502, 503, 504])
def test_check_19_an_answer_that_is_no_refusal_is_looked_up_and_never_sent_again_blindly(
    status: int, code: str
) -> None:
    assert isinstance(answer_error(status, code, None), Unknown)


@pytest.mark.parametrize(("status", "code"), [*((400, code) for code in TRY_LATER), (429, ""), (429, "21211")])
def test_check_19_what_was_too_much_waits_as_long_as_the_provider_asks(status: int, code: str) -> None:
    error = answer_error(status, code, timedelta(seconds=7))
    assert isinstance(error, Unreachable)
    assert error.retry_after == timedelta(seconds=7)


@pytest.mark.parametrize("code", UNLISTED)
def test_check_19_an_unknown_code_is_temporary_and_noticed_never_a_crash(code: str) -> None:
    fault = receipt_reason(code)
    assert (fault.reason, fault.remedy, fault.may_resend) == ("unlisted", NEXT, True)
    assert fault.is_unlisted


@pytest.mark.parametrize("code", [*UNLISTED, ""])
@pytest.mark.parametrize(
    ("status", "remedy"), [(400, NEXT), (422, NEXT), (401, OPERATOR), (402, OPERATOR), (403, OPERATOR), (404, OPERATOR)]
)
def test_check_19_a_refusal_without_a_known_code_is_judged_by_its_status(
    status: int, remedy: Remedy, code: str
) -> None:
    error = answer_error(status, code, None)
    assert isinstance(error, Refused)
    assert (error.code, error.remedy) == (code or f"http_{status}", remedy)


def test_check_19_no_code_is_known_that_this_table_does_not_hold() -> None:
    codes = [str(number) for number in range(10_000, 100_000)]
    assert {code for code in codes if not receipt_reason(code).is_unlisted} == LISTED
    assert {code for code in codes if isinstance(answer_error(400, code, None), Unreachable)} == set(TRY_LATER)


@given(status=st.integers(100, 999), code=st.sampled_from([*sorted(LISTED), *TRY_LATER]) | st.text(max_size=6))
def test_only_a_clear_refusal_ever_says_that_nothing_was_taken(status: int, code: str) -> None:
    error = answer_error(status, code, None)
    assert isinstance(error, ChannelError)
    is_clear = 400 <= status < 500 and status != 408
    assert isinstance(error, Unknown) is not is_clear
    assert isinstance(error, Unreachable) or status != 429
