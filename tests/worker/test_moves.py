"""Which new booking a missing one became, and how long a new one waits (rules of behaviour 1 c)."""

from dataclasses import replace
from datetime import datetime

import pytest

from store.identifiers import HsaId
from tests.worker.visits import (
    CLINIC,
    DAY,
    EARLIER,
    MINUTE,
    NOW,
    SIBLING,
    STRANGER,
    VISIT_AT,
    decide,
    failed,
    held,
    key,
    kinds,
    lists,
    marked,
    new,
    only,
    reported,
    suspect,
)
from worker.reconcile import (
    Amended,
    Appeared,
    Cleared,
    Decision,
    Gone,
    Moved,
    Released,
    Suspected,
)

# Moves (letter c)


def test_another_start_under_the_same_key_is_a_move_at_once() -> None:
    row, moved = held(), reported(start_at=VISIT_AT + DAY)
    assert only(decide([row], lists(moved))) == Moved(row.id, key(), moved, None)


def test_another_room_is_no_move() -> None:
    row, amended = held(), reported(resource_name="Rum 4")
    assert only(decide([row], lists(amended))) == Amended(row.id, amended)
    assert decide([row], lists(reported())).outcomes == ()


def test_a_booking_given_a_new_id_is_moved_and_not_cancelled_and_booked() -> None:
    row, fresh = held(), reported("2002", start_at=VISIT_AT + DAY)
    first = decide([row], lists(fresh))
    wait = NOW + 15 * MINUTE
    assert first.outcomes == (
        Suspected(row.id, NOW, NOW, None, NOW + 10 * MINUTE),
        Appeared(key("2002"), fresh, tell=True, candidate_until=wait),
    )
    candidate = new("2002", facts={"start_at": VISIT_AT + DAY}, candidate_until=wait)
    second = decide([marked(row, first), candidate], lists(fresh, at=NOW + 10 * MINUTE))
    assert second == Decision((Moved(row.id, key("2002"), None, candidate.id),), None)


def test_a_replacement_that_appears_with_the_confirmation_is_taken_too() -> None:
    row, fresh = suspect(since=EARLIER), reported("2002")
    assert only(decide([row], lists(fresh))) == Moved(row.id, key("2002"), fresh, None)


def test_a_replacement_whose_facts_changed_meanwhile_is_taken_as_it_is_now() -> None:
    row, candidate = suspect(since=EARLIER), new("2002", seen_at=EARLIER, candidate_until=NOW + 5 * MINUTE)
    changed = reported("2002", start_at=VISIT_AT + DAY)
    assert only(decide([row, candidate], lists(changed))) == Moved(row.id, key("2002"), changed, candidate.id)


@pytest.mark.parametrize(
    ("seen_at", "is_move"),
    [(EARLIER - 30 * MINUTE, True), (EARLIER - 31 * MINUTE, False), (EARLIER, True), (NOW - MINUTE, True)],
)
def test_a_visit_booked_long_before_the_other_vanished_stays_a_visit_of_its_own(
    seen_at: datetime, *, is_move: bool
) -> None:
    row, other = suspect(since=EARLIER), new("2002", seen_at=seen_at)
    expected = Moved(row.id, key("2002"), None, other.id) if is_move else Gone(row.id, directly=False)
    assert only(decide([row, other], lists(reported("2002")))) == expected


@pytest.mark.parametrize(
    ("facility", "time_type", "is_move"),
    [
        (CLINIC, "besök", True),
        (CLINIC, "annat", True),
        (SIBLING, "besök", True),
        (SIBLING, "annat", False),
        (STRANGER, "besök", False),
    ],
)
def test_visits_that_have_nothing_to_do_with_each_other_are_not_called_a_move(
    facility: HsaId, time_type: str, *, is_move: bool
) -> None:
    row, fresh = suspect(since=EARLIER), reported("2002", facility=facility, time_type_id=time_type)
    assert (kinds(decide([row], lists(fresh)))[0] == "Moved") is is_move


def test_two_unknown_time_types_are_not_the_same_at_a_sibling() -> None:
    row = suspect(since=EARLIER, facts={"time_type_id": ""})
    decision = decide([row], lists(reported("2002", facility=SIBLING, time_type_id="")))
    assert kinds(decision) == ["Gone", "Appeared"]


def test_a_known_old_booking_is_no_replacement() -> None:
    row, old = suspect(since=EARLIER), held("2002", first_seen_at=EARLIER)
    assert only(decide([row, old], lists(reported("2002")))) == Gone(row.id, directly=False)


def test_a_replacement_that_is_itself_missing_takes_nobodys_place() -> None:
    row, candidate = suspect(since=EARLIER), new("2002", seen_at=EARLIER, candidate_until=NOW + 5 * MINUTE)
    assert kinds(decide([row, candidate], lists())) == ["Gone", "Suspected"]


def test_a_replacement_whose_address_fails_just_now_is_still_taken() -> None:
    row = suspect(since=EARLIER)
    candidate = new("2002", seen_at=EARLIER, address=SIBLING, facts={"facility": SIBLING})
    answer = lists(recorded=frozenset({CLINIC, SIBLING}))
    assert only(decide([row, candidate], answer)) == Moved(row.id, key("2002", SIBLING), None, candidate.id)


def test_many_moved_at_once_keep_their_kind_and_their_order() -> None:
    def visit(number: str, days: int, time_type: str) -> dict[str, object]:
        return {"start_at": VISIT_AT + days * DAY, "time_type_id": time_type}

    late = suspect("1", since=EARLIER, facts=visit("1", 3, "besök"))
    early = suspect("2", since=EARLIER, facts=visit("2", 1, "besök"))
    lab = suspect("3", since=EARLIER, facts=visit("3", 2, "prov"))
    fresh = [
        reported("11", **visit("11", 9, "besök")),
        reported("12", **visit("12", 8, "prov")),
        reported("13", **visit("13", 7, "besök")),
    ]
    moves = {outcome.id: outcome.key.booking_id for outcome in _moves(decide([late, early, lab], lists(*fresh)))}
    assert moves == {early.id: "13", late.id: "11", lab.id: "12"}


def test_a_change_of_ids_alone_tells_nobody_that_their_visit_was_moved() -> None:
    first = suspect("1", since=EARLIER, facts={"start_at": VISIT_AT})
    second = suspect("2", since=EARLIER, facts={"start_at": VISIT_AT + DAY})
    fresh = [reported("12", start_at=VISIT_AT + DAY), reported("13", start_at=VISIT_AT + 2 * DAY)]
    moves = {outcome.id: outcome.key.booking_id for outcome in _moves(decide([first, second], lists(*fresh)))}
    assert moves == {second.id: "12", first.id: "13"}


def test_one_new_visit_never_stands_for_two_missing_ones() -> None:
    rows = [suspect("1", since=EARLIER), suspect("2", since=EARLIER)]
    assert sorted(kinds(decide(rows, lists(reported("11"))))) == ["Gone", "Moved"]


def test_the_same_facility_comes_before_a_sibling() -> None:
    row = suspect(since=EARLIER)
    sibling = reported("11", facility=SIBLING)
    own = reported("12", time_type_id="annat", start_at=VISIT_AT + 5 * DAY)
    (move,) = _moves(decide([row], lists(sibling, own)))
    assert move.key.booking_id == "12"


def test_a_new_booking_waits_at_most_fifteen_minutes_for_a_suspect() -> None:
    wait = NOW + 15 * MINUTE
    rows = [suspect(since=NOW), new("2002", candidate_until=wait)]
    failing = lists(reported("2002"), evidence=(), recorded=frozenset({CLINIC}))
    waiting = decide(rows, replace(failing, now=wait - MINUTE))
    assert (waiting.outcomes, waiting.look_again_at) == ((), wait)
    assert only(decide(rows, replace(failing, now=wait))) == Released(rows[1].id)
    assert only(decide(rows, failed(wait))) == Released(rows[1].id)


def test_a_new_booking_is_told_of_when_what_it_could_replace_is_back() -> None:
    row, candidate = suspect(since=NOW), new("2002", candidate_until=NOW + 15 * MINUTE)
    decision = decide([row, candidate], lists(reported(), reported("2002"), at=NOW + MINUTE))
    assert decision == Decision((Cleared(row.id), Released(candidate.id)), None)


def test_a_booking_told_of_before_its_counterpart_vanished_does_not_begin_to_wait() -> None:
    told = new("2002", seen_at=EARLIER)
    assert kinds(decide([held(), told], lists(reported("2002")))) == ["Suspected"]


def test_a_replacement_is_not_told_of_as_new_while_it_is_missing_itself() -> None:
    candidate = new("2002", seen_at=EARLIER, candidate_until=NOW + 5 * MINUTE)
    moved = decide([suspect(since=EARLIER), candidate], lists(reported("3003")))
    assert kinds(moved) == ["Moved", "Suspected"]


def test_a_replacement_that_evidence_omits_is_not_told_of_when_its_wait_is_over() -> None:
    missing = suspect("2002", since=NOW - 5 * MINUTE, is_new=True, candidate_until=NOW)
    assert decide([missing], lists()).outcomes == ()
    doubted = suspect("2002", since=NOW - 5 * MINUTE, on_evidence=False, is_new=True, candidate_until=NOW)
    assert only(decide([doubted], failed())) == Released(doubted.id)


def test_a_replacement_nobody_was_told_of_takes_nobody_elses_replacement() -> None:
    untold = suspect("2002", since=EARLIER, is_new=True, candidate_until=NOW + 5 * MINUTE)
    told = suspect("1001", since=NOW - MINUTE)
    fresh = reported("3003")
    wait = NOW + 15 * MINUTE
    assert decide([untold, told], lists(fresh)).outcomes == (
        Gone(untold.id, directly=False),
        Appeared(key("3003"), fresh, tell=True, candidate_until=wait),
    )


def test_visits_moved_one_by_one_while_we_look_twice_are_not_mixed_up() -> None:
    first, second = suspect("1", since=EARLIER), held("2", facts={"start_at": VISIT_AT + DAY})
    firsts = new("11", seen_at=EARLIER, candidate_until=NOW + MINUTE, facts={"start_at": VISIT_AT + 5 * DAY})
    seconds = reported("12", start_at=VISIT_AT)
    decision = decide([first, second, firsts], lists(seconds, reported("11", start_at=VISIT_AT + 5 * DAY)))
    assert _moves(decision) == [Moved(first.id, key("11"), None, firsts.id)]


def test_a_replacement_that_goes_in_its_turn_was_never_told_of() -> None:
    candidate = suspect("2002", since=EARLIER, is_new=True, candidate_until=NOW - MINUTE)
    assert only(decide([candidate], lists())) == Gone(candidate.id, directly=False)


def _moves(decision: Decision) -> list[Moved]:
    return [outcome for outcome in decision.outcomes if isinstance(outcome, Moved)]
