"""What follows when nobody knows: nobody who may be told only once is told twice, and nothing waits for ever."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifier.uncertainty import (
    Absent,
    Answer,
    AskAgain,
    Bind,
    Found,
    GiveUp,
    Patience,
    SendAgain,
    Silent,
    Unsettled,
    may_bind,
    next_enquiry,
    settle,
)
from store.purposes import CHANGE_NOTICES, Purpose

PATIENCE = Patience()
MINUTE = timedelta(minutes=1)
ONCE = sorted(set(Purpose) - CHANGE_NOTICES)


def doubt(purpose: Purpose = Purpose.REMINDER, **values: object) -> Unsettled:
    return Unsettled(**{"purpose": purpose, "absences": 0, "unknown_for": 2 * MINUTE, "unknown_attempts": 1, **values})  # type: ignore[arg-type]


@pytest.mark.parametrize("purpose", Purpose)
def test_what_the_provider_has_is_accepted_whatever_it_is_about(purpose: Purpose) -> None:
    assert settle(doubt(purpose, absences=1), Found("SM1"), PATIENCE) == Bind("SM1")


def test_one_look_that_finds_nothing_may_have_come_too_early() -> None:
    assert settle(doubt(), Absent(), PATIENCE) == AskAgain(PATIENCE.second_proof, 1)
    assert settle(doubt(absences=1), Absent(), PATIENCE) == SendAgain(is_copy=False)


@pytest.mark.parametrize("purpose", ONCE)
def test_what_nobody_can_say_is_never_told_twice_where_once_is_the_most(purpose: Purpose) -> None:
    assert settle(doubt(purpose, unknown_for=PATIENCE.give_up), Silent(), PATIENCE) == GiveUp()
    assert settle(doubt(purpose), Silent(forever=True), PATIENCE) == GiveUp()


@pytest.mark.parametrize("purpose", sorted(CHANGE_NOTICES))
def test_a_change_must_arrive_and_is_sent_once_more_and_then_no_more(purpose: Purpose) -> None:
    late = doubt(purpose, unknown_for=PATIENCE.give_up)
    assert settle(late, Silent(), PATIENCE) == SendAgain(is_copy=True)
    again = doubt(purpose, unknown_for=PATIENCE.give_up, unknown_attempts=2)
    assert settle(again, Silent(), PATIENCE) == GiveUp()


def test_a_provider_that_is_silent_is_asked_again_before_anything_is_given_up() -> None:
    first = settle(doubt(), Silent(), PATIENCE)
    assert first == AskAgain(PATIENCE.second_proof / 2, 0)
    assert settle(doubt(unknown_for=9.5 * MINUTE), Silent(), PATIENCE) == AskAgain(MINUTE / 2, 0)


ANSWERS = st.one_of(st.just(Absent()), st.just(Silent()), st.just(Silent(forever=True)), st.just(Found("SM1")))


@given(st.sampled_from(Purpose), st.lists(ANSWERS, max_size=12))
def test_whatever_is_answered_it_is_sent_again_only_on_two_proofs_or_as_a_harmless_copy(
    purpose: Purpose, answers: list[Answer]
) -> None:
    absences, since = 0, PATIENCE.first_look
    for answer in answers:
        decision = settle(doubt(purpose, absences=absences, unknown_for=since), answer, PATIENCE)
        if not isinstance(decision, AskAgain):
            break
        assert decision.after > timedelta()
        absences, since = decision.absences, since + decision.after
    else:
        return
    if isinstance(decision, SendAgain):
        assert (purpose in CHANGE_NOTICES) if decision.is_copy else [*answers].count(Absent()) >= 2


@given(st.sampled_from(Purpose))
def test_a_provider_that_never_answers_keeps_nobody_waiting_longer_than_giving_up_takes(purpose: Purpose) -> None:
    since, asked = PATIENCE.first_look, 0
    while isinstance(decision := settle(doubt(purpose, unknown_for=since), Silent(), PATIENCE), AskAgain):
        since, asked = since + decision.after, asked + 1
    assert since <= PATIENCE.give_up + timedelta(seconds=1)
    assert asked < 12


def test_a_message_that_may_be_anothers_is_not_taken_for_ours() -> None:
    assert may_bind(["SM1"], under_way=0) == "SM1"
    assert may_bind(["SM1"], under_way=1) is None
    assert may_bind(["SM1", "SM2"], under_way=1) == "SM1"
    assert may_bind([], under_way=0) is None


def test_a_missing_receipt_is_asked_for_after_15_minutes_2_hours_and_24_hours_and_given_up_after_72() -> None:
    at = [PATIENCE.receipt]
    while (wait := next_enquiry(len(at), PATIENCE)) is not None:
        at.append(at[-1] + wait)
    assert at == [15 * MINUTE, 120 * MINUTE, 24 * 60 * MINUTE, 72 * 60 * MINUTE]
