"""What is back, what appears, and what is filed anew (rules of behaviour 1 g, j): each test is named after the harm it
prevents."""

from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from store.identifiers import HsaId
from store.standing import Standing
from tests.worker.visits import (
    CLINIC,
    DAY,
    EARLIER,
    HOUR,
    MINUTE,
    NOW,
    PARENT,
    SIBLING,
    STRANGER,
    VISIT_AT,
    decide,
    held,
    key,
    kinds,
    lists,
    only,
    reported,
    suspect,
)
from worker.reconcile import (
    Appeared,
    Cleared,
    Decision,
    Moved,
    Rekeyed,
    Restored,
)

# Restored (letter g)


@pytest.mark.parametrize("standing", [Standing.GONE, Standing.CANCELLED])
def test_a_visit_that_is_back_is_told_of(standing: Standing) -> None:
    row = held(standing=standing)
    assert only(decide([row], lists(reported()))) == Restored(row.id, None)
    changed = reported(start_at=VISIT_AT + DAY)
    assert only(decide([row], lists(changed))) == Restored(row.id, changed)


def test_nobody_is_called_back_to_a_visit_whose_time_has_passed() -> None:
    row = held(standing=Standing.GONE, facts={"start_at": NOW - MINUTE})
    assert decide([row], lists(reported(start_at=NOW - MINUTE))).outcomes == ()


@pytest.mark.parametrize("standing", [Standing.GONE, Standing.CANCELLED, Standing.PASSED])
def test_what_has_ended_is_not_ended_again(standing: Standing) -> None:
    assert decide([held(standing=standing)], lists()) == Decision((), None)


def test_a_visit_that_its_source_lists_all_day_is_not_a_new_one_in_the_afternoon() -> None:
    begun: dict[str, Any] = {"start_at": NOW - 3 * HOUR}
    row = held(standing=Standing.PASSED, facts=begun)
    assert decide([row], lists(reported(**begun))).outcomes == ()
    assert decide([row], lists(reported(**begun, resource_name="Rum 4"))).outcomes == ()
    assert decide([row], lists(reported(**begun), address=PARENT)).outcomes == ()


def test_a_missed_visit_that_gets_a_new_time_is_told_of() -> None:
    row, again = held(standing=Standing.PASSED, facts={"start_at": NOW - HOUR}), reported()
    assert only(decide([row], lists(again))) == Restored(row.id, again)


# First contact (letter j), and what appears


@pytest.mark.parametrize("first", [None, frozenset({CLINIC})])
def test_a_new_subject_with_twenty_bookings_gets_no_storm_of_confirmations(first: frozenset[HsaId] | None) -> None:
    bookings = [reported(str(number)) for number in range(20)]
    decision = decide([], lists(*bookings, first_contact=first))
    assert [outcome.tell for outcome in decision.outcomes if isinstance(outcome, Appeared)] == [False] * 20


def test_a_facility_seen_for_the_first_time_under_its_parents_address_makes_no_storm_either() -> None:
    child = reported("1", facility=SIBLING)
    decision = decide([], lists(child, address=PARENT, first_contact=frozenset({SIBLING})))
    assert only(decision) == Appeared(key("1", PARENT), child, tell=False, candidate_until=None)


def test_bookings_known_at_first_contact_replace_nothing() -> None:
    row = suspect(since=EARLIER)
    assert kinds(decide([row], lists(reported("2002"), first_contact=None))) == ["Gone", "Appeared"]


def test_a_visit_moved_to_a_facility_never_seen_before_is_moved_and_not_gone() -> None:
    fresh = reported("2002", facility=SIBLING)
    answer = lists(fresh, address=SIBLING, evidence=(CLINIC, SIBLING), first_contact=frozenset({SIBLING}))
    assert decide([held()], answer).outcomes[1:] == (
        Appeared(key("2002", SIBLING), fresh, tell=True, candidate_until=NOW + 15 * MINUTE),
    )
    row = suspect(since=EARLIER)
    assert only(decide([row], answer)) == Moved(row.id, key("2002", SIBLING), fresh, None)


def test_a_booking_made_later_is_told_of() -> None:
    booking = reported()
    assert only(decide([], lists(booking))) == Appeared(key(), booking, tell=True, candidate_until=None)


@pytest.mark.parametrize("start_at", [NOW, NOW - DAY])
def test_nobody_is_told_of_a_new_booking_that_has_begun(start_at: datetime) -> None:
    past = reported("2002", start_at=start_at)
    decision = decide([suspect(since=NOW - MINUTE)], lists(past))
    assert decision.outcomes == (Appeared(key("2002"), past, tell=False, candidate_until=None),)


# One booking under several addresses


def test_a_booking_whose_logical_address_became_known_is_neither_gone_nor_new() -> None:
    row = suspect(since=EARLIER)
    decision = decide([row], lists(reported(), address=PARENT, evidence=(PARENT, CLINIC)))
    assert decision.outcomes == (Rekeyed(row.id, key(address=PARENT)), Cleared(row.id))


def test_a_refiled_booking_that_was_not_read_again_is_neither_gone_nor_new() -> None:
    row = suspect(since=EARLIER)
    unread = replace(lists(evidence=(PARENT, CLINIC)), present={key(address=PARENT): None})
    assert decide([row], unread).outcomes == (Rekeyed(row.id, key(address=PARENT)), Cleared(row.id))


def test_two_bookings_with_one_number_are_both_kept_when_an_unread_one_could_be_either() -> None:
    rows = [
        suspect(since=EARLIER),
        suspect(since=EARLIER, address=SIBLING, facts={"facility": SIBLING}),
    ]
    unread = replace(lists(evidence=(PARENT, CLINIC, SIBLING)), present={key(address=PARENT): None})
    assert kinds(decide(rows, unread)) == ["Cleared", "Cleared"]


def test_a_refiled_booking_with_another_start_is_moved_under_its_new_key() -> None:
    row, moved = held(), reported(start_at=VISIT_AT + DAY)
    decision = decide([row], lists(moved, address=PARENT, evidence=(PARENT,)))
    assert decision.outcomes == (
        Rekeyed(row.id, key(address=PARENT)),
        Moved(row.id, key(address=PARENT), moved, None),
    )


def test_a_gone_booking_that_is_back_under_another_address_is_restored_and_not_booked_anew() -> None:
    row = held(standing=Standing.GONE)
    decision = decide([row], lists(reported(), address=PARENT))
    assert decision.outcomes == (Rekeyed(row.id, key(address=PARENT)), Restored(row.id, None))


def test_a_standing_row_comes_before_a_gone_one_with_the_same_number() -> None:
    gone, row = held(standing=Standing.GONE, address=SIBLING), held()
    decision = decide([gone, row], lists(reported(), address=PARENT))
    assert decision.outcomes == (Rekeyed(row.id, key(address=PARENT)),)


def test_a_booking_listed_under_two_addresses_is_one_visit() -> None:
    both = {key(address=CLINIC): reported(), key(address=PARENT): reported()}
    answer = replace(lists(evidence=(CLINIC, PARENT)), present=both)
    assert kinds(decide([], answer)) == ["Appeared"]
    assert decide([held()], answer).outcomes == ()


def test_the_same_number_at_another_facility_is_another_booking() -> None:
    row = held()
    other = reported(facility=STRANGER)
    assert kinds(decide([row], lists(reported(), other, address=CLINIC, first_contact=frozenset()))) == ["Amended"]
    answer = replace(lists(evidence=(CLINIC, STRANGER)), present={key(): None, key(address=STRANGER): other})
    assert only(decide([row], answer)) == Appeared(key(address=STRANGER), other, tell=True, candidate_until=None)


def test_an_unread_booking_that_is_not_ours_is_left_aside() -> None:
    assert decide([], replace(lists(), present={key(): None})).outcomes == ()
