"""What an answer's silence proves (rules of behaviour 1: evidence, a, b, d, f): each test is named after the harm it
prevents."""

from dataclasses import replace

import pytest

from store.standing import Standing
from tests.worker.visits import (
    CLINIC,
    DAY,
    EARLIER,
    HOUR,
    MINUTE,
    NOW,
    SIBLING,
    VISIT_AT,
    decide,
    failed,
    held,
    key,
    kinds,
    lists,
    marked,
    only,
    reported,
    suspect,
)
from worker.absence import direct_looks_wanted, mass_disappearance
from worker.facts import Answer, Known, Loss, Patience
from worker.reconcile import (
    Cleared,
    Decision,
    Gone,
    Suspected,
)

# What an answer's silence is worth (evidence, letters a and b)


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(failed(), id="no answer at all"),
        pytest.param(lists(evidence=(), recorded=frozenset({CLINIC})), id="NoDataSynchFailed, a cache, or unreadable"),
        pytest.param(lists(evidence=(SIBLING,), recorded=frozenset({SIBLING, CLINIC})), id="evidence of another"),
        pytest.param(lists(evidence=(), recorded=None, direct=(SIBLING,)), id="only another was asked directly"),
    ],
)
@pytest.mark.parametrize("row", [held(), suspect(since=EARLIER), suspect(since=EARLIER, on_evidence=False)])
def test_an_answer_that_proves_nothing_changes_nothing(row: Known, answer: Answer) -> None:
    assert decide([row], answer).outcomes == ()


def test_a_well_formed_empty_answer_cancels_nothing_by_itself() -> None:
    decision = decide([row := held()], lists())
    assert decision.outcomes == (Suspected(row.id, NOW, NOW, None, NOW + 10 * MINUTE),)
    assert decision.look_again_at == NOW + 10 * MINUTE


def test_a_hundred_failing_answers_after_one_of_evidence_cancel_nothing() -> None:
    row = suspect(since=NOW)
    for minutes in range(0, 1000, 10):
        answer = lists(at=NOW + minutes * MINUTE, evidence=(), recorded=frozenset({CLINIC}))
        assert decide([row], answer).outcomes == ()


def test_two_answers_too_close_to_each_other_are_one() -> None:
    row = suspect(since=NOW - 10 * MINUTE + 1 * MINUTE)
    decision = decide([row], lists())
    assert decision.outcomes == ()
    assert decision.look_again_at == NOW + MINUTE


def test_a_second_answer_of_evidence_ten_minutes_later_says_gone() -> None:
    assert only(decide([row := suspect(since=EARLIER)], lists())) == Gone(row.id, directly=False)


def test_the_facilitys_own_word_is_remembered_as_such() -> None:
    assert only(decide([row := suspect(since=EARLIER)], lists(evidence=(), direct=(CLINIC,)))) == Gone(
        row.id, directly=True
    )


def test_a_lost_permission_which_looks_like_an_only_booking_cancelled_is_doubt_and_never_counts() -> None:
    no_record = lists(evidence=(SIBLING,))
    decision = decide([row := held()], no_record)
    assert decision.outcomes == (Suspected(row.id, NOW, None, None, NOW + 10 * MINUTE),)
    for days in range(1, 6):
        later = decide([marked(row, decision)], replace(no_record, now=NOW + days * DAY))
        assert (later.outcomes, later.look_again_at) == ((), None)


def test_evidence_after_doubt_is_the_first_and_not_the_second() -> None:
    row = suspect(since=NOW - DAY, on_evidence=False)
    decision = decide([row], lists(evidence=(), direct=(CLINIC,)))
    assert decision.outcomes == (Suspected(row.id, NOW - DAY, NOW, NOW, NOW + 10 * MINUTE),)


def test_a_clinic_that_cancels_somebodys_only_booking_there_is_noticed() -> None:
    row = held()
    wanted = direct_looks_wanted([row], frozenset({SIBLING}), frozenset({SIBLING}), NOW, Patience())
    assert wanted == {CLINIC}
    first = decide([row], lists(evidence=(SIBLING,), direct=wanted))
    row = marked(row, first)
    again = NOW + 10 * MINUTE
    wanted = direct_looks_wanted([row], frozenset({SIBLING}), frozenset({SIBLING}), again, Patience())
    assert only(decide([row], lists(at=again, evidence=(SIBLING,), direct=wanted))) == Gone(row.id, directly=True)


@pytest.mark.parametrize(
    ("loss", "is_proof"),
    [
        (Loss(NOW - DAY, NOW - HOUR, can_ask_directly=False), True),
        (Loss(NOW - DAY + MINUTE, NOW, can_ask_directly=False), False),
        (Loss(NOW - 9 * DAY, NOW - HOUR - MINUTE, can_ask_directly=False), False),
        (Loss(NOW - 9 * DAY, None, can_ask_directly=False), False),
        (Loss(NOW - 9 * DAY, NOW, can_ask_directly=True), False),
    ],
)
def test_a_permission_lost_for_everyone_never_looks_like_a_cancellation(loss: Loss, *, is_proof: bool) -> None:
    row = suspect(since=EARLIER)
    outcomes = decide([row], lists(evidence=()), losses={CLINIC: loss}).outcomes
    assert outcomes == ((Gone(row.id, directly=False),) if is_proof else ())


def test_an_address_that_has_a_record_again_is_not_lost() -> None:
    loss = Loss(NOW - 9 * DAY, NOW, can_ask_directly=False)
    failing = lists(evidence=(), recorded=frozenset({CLINIC}))
    assert decide([suspect(since=EARLIER)], failing, losses={CLINIC: loss}).outcomes == ()


def test_a_cancellation_is_never_told_of_a_visit_that_has_begun() -> None:
    begun = [held("1", facts={"start_at": NOW}), suspect("2", since=EARLIER, facts={"start_at": NOW - MINUTE})]
    assert decide(begun, lists()) == Decision((), None)


def test_back_before_anything_was_concluded_is_silence() -> None:
    row = suspect(since=EARLIER)
    assert decide([row], lists(reported())) == Decision((Cleared(row.id),), None)
    unread = replace(lists(), present={key(): None})
    assert decide([row], unread) == Decision((Cleared(row.id),), None)


def test_a_suspect_is_told_its_next_moment_again_when_the_second_look_failed() -> None:
    late = lists(at=NOW + HOUR, evidence=(), recorded=frozenset({CLINIC}))
    assert decide([suspect(since=NOW)], late).look_again_at == NOW + HOUR + 10 * MINUTE


# Direct looks


def test_a_second_look_is_direct_even_where_the_aggregated_answer_is_evidence() -> None:
    proved = frozenset({CLINIC})
    assert direct_looks_wanted([suspect(since=EARLIER)], proved, proved, NOW, Patience()) == {CLINIC}
    assert direct_looks_wanted([suspect(since=NOW - MINUTE)], proved, proved, NOW, Patience()) == frozenset()


@pytest.mark.parametrize(
    "row",
    [
        held(facts={"start_at": NOW}),
        held(standing=Standing.GONE),
        held(standing=Standing.CANCELLED),
    ],
)
def test_nobody_is_asked_about_what_cannot_go_missing(row: Known) -> None:
    assert direct_looks_wanted([row], frozenset(), frozenset(), NOW, Patience()) == frozenset()


def test_a_failed_aggregated_answer_sends_no_flood_of_direct_questions() -> None:
    assert direct_looks_wanted([held()], None, frozenset(), NOW, Patience()) == frozenset()


# Mass disappearance (letter f)


@pytest.mark.parametrize(
    ("suspects", "subjects", "future", "is_mass"),
    [(5, 5, 24, True), (5, 5, 25, False), (400, 4, 400, False), (5, 5, 5, True), (0, 0, 0, False), (21, 9, 100, True)],
)
def test_a_broken_booking_system_freezes_its_facility(
    suspects: int, subjects: int, future: int, *, is_mass: bool
) -> None:
    assert mass_disappearance(suspects, subjects, future) is is_mass


def test_nothing_is_concluded_at_a_frozen_facility() -> None:
    row = suspect(since=EARLIER)
    decision = decide([row], lists(reported("2002")), frozen=[CLINIC])
    assert kinds(decision) == ["Appeared"]
    assert decision.look_again_at == NOW + 15 * MINUTE


def test_direct_evidence_over_a_day_speaks_for_a_frozen_facility() -> None:
    row = suspect(since=NOW - DAY, missed_directly_at=NOW - DAY)
    assert decide([row], lists(), frozen=[CLINIC]).outcomes == ()
    early = lists(at=NOW - MINUTE, direct=(CLINIC,))
    assert decide([row], early, frozen=[CLINIC]).outcomes == ()
    assert only(decide([row], lists(direct=(CLINIC,)), frozen=[CLINIC])) == Gone(row.id, directly=True)


def test_direct_evidence_is_counted_from_the_first_direct_look_and_not_from_the_first_miss() -> None:
    row = suspect(since=NOW - 2 * DAY)
    decision = decide([row], lists(direct=(CLINIC,)), frozen=[CLINIC])
    assert decision.outcomes == (Suspected(row.id, NOW - 2 * DAY, NOW - 2 * DAY, NOW, NOW + DAY),)
    assert decision.look_again_at == NOW + DAY


def test_nobody_goes_to_a_cancelled_visit_because_its_facility_is_frozen() -> None:
    row = suspect(since=EARLIER, facts={"start_at": NOW + DAY})
    assert only(decide([row], lists(), frozen=[CLINIC])) == Gone(row.id, directly=False)
    later = suspect(since=EARLIER, facts={"start_at": NOW + DAY + HOUR})
    held_back = decide([later], lists(), frozen=[CLINIC])
    assert (held_back.outcomes, held_back.look_again_at) == ((), NOW + HOUR)
    once = held(facts={"start_at": NOW + HOUR})
    assert kinds(decide([once], lists(), frozen=[CLINIC])) == ["Suspected"]


def test_a_frozen_facility_still_tells_of_moved_and_restored_visits() -> None:
    moved = reported(start_at=VISIT_AT + DAY)
    assert kinds(decide([held()], lists(moved), frozen=[CLINIC])) == ["Moved"]
    assert kinds(decide([suspect(since=EARLIER)], lists(reported()), frozen=[CLINIC])) == ["Cleared"]
