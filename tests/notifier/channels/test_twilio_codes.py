"""Check 19: each row of the error map has its class and its next step, in receipts as in answers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifier.channels import ChannelError, Remedy, Unreachable
from notifier.channels.twilio_codes import answer_error, receipt_reason

ROWS = [
    # code, our word, remedy, may one more try on the same channel help
    ("21211", "invalid_number", Remedy.BAD_CONTACT, False),
    ("21217", "invalid_number", Remedy.BAD_CONTACT, False),
    ("21614", "not_mobile", Remedy.NEXT_CHANNEL, True),
    ("30006", "not_mobile", Remedy.NEXT_CHANNEL, True),
    ("21610", "opted_out", Remedy.SUPPRESS, False),
    ("21408", "not_permitted", Remedy.OPERATOR, False),
    ("21612", "not_permitted", Remedy.OPERATOR, False),
    ("30003", "handset_unreachable", Remedy.NEXT_CHANNEL, True),
    ("30005", "handset_unreachable", Remedy.NEXT_CHANNEL, True),
    ("30004", "filtered", Remedy.NEXT_CHANNEL, False),
    ("30007", "filtered", Remedy.NEXT_CHANNEL, False),
    ("30008", "unexplained", Remedy.NEXT_CHANNEL, True),
    ("30032", "sender_refused", Remedy.OPERATOR, False),
    ("30034", "sender_refused", Remedy.OPERATOR, False),
    ("30036", "validity_lapsed", Remedy.NEXT_CHANNEL, False),
    ("20003", "account_refused", Remedy.OPERATOR, False),
    ("20404", "account_refused", Remedy.OPERATOR, False),
    ("", "unexplained", Remedy.NEXT_CHANNEL, True),
]


@pytest.mark.parametrize(("code", "reason", "remedy", "may_resend"), ROWS)
def test_check_19_each_row_of_the_error_map_calls_for_its_own_next_step(
    code: str, reason: str, remedy: Remedy, *, may_resend: bool
) -> None:
    fault = receipt_reason(code)
    assert (fault.reason, fault.remedy, fault.may_resend) == (reason, remedy, may_resend)
    assert not fault.is_unlisted


@pytest.mark.parametrize("code", ["31999", "63016", "0", "nonsense"])
def test_check_19_an_unknown_code_is_temporary_and_noticed_never_a_crash(code: str) -> None:
    fault = receipt_reason(code)
    assert fault.is_unlisted
    assert fault.may_resend
    assert fault.remedy is Remedy.NEXT_CHANNEL


@given(status=st.integers(100, 999), code=st.sampled_from([row[0] for row in ROWS]) | st.text(max_size=6))
def test_only_a_clear_refusal_ever_says_that_nothing_was_taken(status: int, code: str) -> None:
    error = answer_error(status, code, None)
    assert isinstance(error, ChannelError)
    is_clear = 400 <= status < 500 and status != 408
    assert (type(error).__name__ == "Unknown") is not is_clear
    assert isinstance(error, Unreachable) or status != 429
