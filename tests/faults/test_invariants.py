"""The invariants themselves: each sees the harm that it is there for, else a run that finds nothing says nothing."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from store.purposes import Purpose
from tests.conftest import NOW
from tests.faults.business_time import BusinessTime
from tests.faults.invariants import Evidence, Message, Promise, Try, illegal_moves, mistold, violations

REAL = datetime(2026, 3, 2, 3, 4, tzinfo=UTC)
TIME = BusinessTime(NOW, REAL)
SECOND = timedelta(seconds=1)
TRIED = Try("token", 1, REAL + SECOND, "accepted", "SM1")
TAKEN = Message("SM1", "+46701740605", "Påminnelse", "token", REAL + 2 * SECOND)
TOLD = Promise(
    id="one", purpose=Purpose.REMINDER, state="delivered", reason="", fence=2, crash_count=0, is_claimed=False,
    created_at=NOW, useful_until=NOW + timedelta(hours=2), settled_at=NOW + 3 * SECOND, tries=(TRIED,),
)  # fmt: skip
UNKNOWN = replace(TOLD, state="failed", reason="unknown", tries=(replace(TRIED, outcome="unknown", provider_id=None),))
COPY = replace(TAKEN, id="SM2", token="again")
EVENING = REAL + timedelta(hours=11)
REFUSED = replace(TRIED, token="again", provider_id=None, outcome="refused")
TWICE = (TRIED, replace(TRIED, token="again", fence=2, provider_id="SM2"))


def found(promise: Promise = TOLD, *messages: Message, **values: object) -> Evidence:
    return Evidence(1, [promise], messages, TIME, **values)  # type: ignore[arg-type]


def test_a_delivery_told_once_is_in_order() -> None:
    assert violations(found(TOLD, TAKEN)) == []


@pytest.mark.parametrize(
    ("name", "promise", "messages"),
    [
        ("I1", replace(TOLD, state="queued", tries=()), ()),
        ("I1", replace(TOLD, state="sending", tries=(replace(TRIED, outcome=None, provider_id=None),)), ()),
        ("I1", replace(UNKNOWN, state="uncertain", reason=""), ()),
        ("I1", replace(TOLD, state="accepted"), (TAKEN,)),
        ("I1", replace(TOLD, state="expired", reason="unreachable", tries=()), ()),
        ("I1", replace(TOLD, is_claimed=True), (TAKEN,)),
        ("I1", UNKNOWN, ()),
        ("I2", TOLD, ()),
        ("I2", replace(TOLD, state="skipped", reason="booking_gone"), (TAKEN,)),
        ("I2", TOLD, (TAKEN, replace(TAKEN, id="SM9", token="nobody's"))),
        ("I2", replace(TOLD, tries=(replace(TRIED, provider_id="SM7"),)), (TAKEN,)),
        ("I2", replace(TOLD, tries=(replace(TRIED, outcome="unreachable", provider_id=None),)), (TAKEN,)),
        ("I2", replace(UNKNOWN, tries=(TRIED,)), (TAKEN,)),
        ("I3", replace(TOLD, tries=TWICE), (TAKEN, COPY)),
        ("I3", TOLD, (TAKEN, replace(TAKEN, id="SM2"))),
        ("I4", replace(TOLD, useful_until=NOW - timedelta(minutes=1)), (TAKEN,)),
        ("I4", TOLD, (replace(TAKEN, taken_at=REAL - timedelta(seconds=9)),)),
        ("I4", replace(TOLD, useful_until=NOW + timedelta(days=1)), (replace(TAKEN, taken_at=EVENING),)),
        ("I5", replace(TOLD, state="skipped", reason="booking_gone", settled_at=NOW - timedelta(minutes=1)), ()),
        ("I6", replace(TOLD, fence=0), (TAKEN,)),
        ("I6", replace(TOLD, tries=(TRIED, replace(REFUSED, fence=1))), (TAKEN,)),
        ("I8", replace(TOLD, crash_count=9), (TAKEN,)),
        ("I8", replace(TOLD, tries=TWICE), (TAKEN,)),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_by_its_name(name: str, promise: Promise, messages: tuple[Message, ...]) -> None:
    assert name in {one[:2] for one in violations(found(promise, *messages))}


def test_a_promise_that_is_not_in_the_ledger_is_missed() -> None:
    assert [one[:2] for one in violations(Evidence(1, [], [], TIME))] == ["I7"]


def test_the_same_words_to_the_same_number_are_a_copy_whoever_sent_them() -> None:
    other = replace(TOLD, id="two", tries=(TWICE[1],))
    assert any(one.startswith("I3") for one in violations(Evidence(2, [TOLD, other], [TAKEN, COPY], TIME)))


def test_where_nobody_can_tell_what_must_arrive_may_have_one_copy_and_nothing_else_may() -> None:
    unclear = (replace(TRIED, outcome="unknown", provider_id=None), TWICE[1])
    moved = replace(TOLD, purpose=Purpose.MOVED, state="accepted", tries=unclear)
    deaf = {"could_ask": False, "heard": False}

    assert violations(found(moved, TAKEN, COPY, **deaf)) == []
    assert violations(found(UNKNOWN, TAKEN, **deaf)) == violations(found(UNKNOWN, **deaf)) == []
    assert any("I3" in one for one in violations(found(moved, TAKEN, COPY)))
    assert any("I3" in one for one in violations(found(replace(moved, purpose=Purpose.REMINDER), TAKEN, COPY, **deaf)))


def test_one_more_try_for_what_was_lost_is_no_copy_and_a_third_is_too_much() -> None:
    lost = replace(TAKEN, is_lost=True)
    again = replace(TOLD, tries=TWICE)
    assert violations(found(again, lost, COPY)) == []
    thrice = replace(TOLD, tries=(*TWICE, replace(TRIED, token="third", fence=3, provider_id="SM3")), fence=3)
    all_lost = [replace(lost, id=one.provider_id or "", token=one.token) for one in thrice.tries]
    assert [one[:2] for one in violations(found(thrice, *all_lost))] == ["I8"]


@pytest.mark.parametrize(("outcome", "code"), [(None, ""), ("unknown", "timeout"), ("unreachable", "absent")])
def test_what_one_provider_may_have_is_not_to_be_given_to_another(outcome: str | None, code: str) -> None:
    may_have = replace(TRIED, token="first", outcome=outcome, code=code, provider_id=None, provider="twilio")
    for taker, is_wrong in (("46elks", True), ("twilio", False)):
        told = replace(TOLD, tries=(may_have, replace(TRIED, fence=2, provider=taker)))
        assert any("I3" in one for one in violations(found(told, TAKEN))) is is_wrong
    refused = replace(may_have, outcome="unreachable", code="http_429")
    assert violations(found(replace(TOLD, tries=(refused, replace(TRIED, fence=2, provider="46elks"))), TAKEN)) == []


@pytest.mark.parametrize(
    ("state", "mails", "wrong"),
    [("delivered", 0, ""), ("delivered", 1, "I3"), ("failed", 0, "I1"), ("failed", 1, ""), ("failed", 2, "I1")],
)
def test_a_mail_goes_where_no_sms_arrived_and_nowhere_else(state: str, mails: int, wrong: str) -> None:
    sms = replace(TOLD, state=state, occasions=frozenset({"change:1"}))
    assert [one[:2] for one in mistold([sms], [replace(sms, id="mail")] * mails)] == ([wrong] if wrong else [])


@pytest.mark.parametrize(
    ("before", "after", "is_legal"),
    [
        (replace(TOLD, state="queued"), TOLD, True),
        (UNKNOWN, TOLD, True),
        (TOLD, UNKNOWN, False),
        (TOLD, replace(TOLD, state="queued"), False),
        (replace(TOLD, state="skipped", reason="booking_gone"), TOLD, False),
        (TOLD, replace(TOLD, fence=1), False),
    ],
)
def test_ends_stay_and_only_what_was_given_up_is_lifted(before: Promise, after: Promise, *, is_legal: bool) -> None:
    assert (illegal_moves([before], [after]) == []) is is_legal
