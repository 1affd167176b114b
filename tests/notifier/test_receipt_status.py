"""Receipts come twice, late and in any order; a delivery must never go back, nor be called delivered when it is not."""

from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifier.channels.twilio_receipts import STATUSES
from notifier.receipt_status import next_state, report
from store.delivery_states import DeliveryState as S

FINAL = (S.DELIVERED, S.FAILED, S.SKIPPED, S.EXPIRED)


def after(state: S, statuses: list[str], reason: str = "") -> S:
    for status in statuses:
        state = next_state(state, reason, status) or state
    return state


@pytest.mark.parametrize("order", list(permutations(["queued", "sent", "delivered"])))
def test_check_17_delivered_stays_delivered_in_every_order_and_repeated(order: tuple[str, ...]) -> None:
    repeated = [status for status in order for _ in range(2)]

    assert after(S.ACCEPTED, repeated) == S.DELIVERED
    assert after(S.UNCERTAIN, repeated) == S.DELIVERED


@given(st.sampled_from(FINAL), st.lists(st.sampled_from(sorted(STATUSES))), st.sampled_from(["", "refused", "poison"]))
def test_final_states_never_move(state: S, statuses: list[str], reason: str) -> None:
    assert after(state, statuses, reason) == state


@pytest.mark.parametrize("reason", ["unknown", "no_receipt"])
def test_a_late_receipt_lifts_what_was_given_up_as_unknown_once(reason: str) -> None:
    assert next_state(S.FAILED, reason, "delivered") == S.DELIVERED
    assert next_state(S.FAILED, reason, "sent") is None
    assert next_state(S.DELIVERED, "", "delivered") is None


@pytest.mark.parametrize("status", ["undelivered", "failed", "canceled", "partially_delivered"])
def test_check_19_one_lost_part_means_not_delivered(status: str) -> None:
    assert next_state(S.ACCEPTED, "", status) == S.FAILED


def test_a_receipt_settles_what_was_uncertain_or_under_way() -> None:
    assert next_state(S.UNCERTAIN, "", "sent") == S.ACCEPTED
    assert next_state(S.SENDING, "", "queued") == S.ACCEPTED
    assert next_state(S.ACCEPTED, "", "sent") is None


def test_what_a_provider_has_taken_after_all_is_not_sent_again() -> None:
    assert next_state(S.QUEUED, "", "sent") == S.ACCEPTED
    assert next_state(S.QUEUED, "", "failed") is None


def test_every_status_that_the_hook_lets_in_has_a_meaning() -> None:
    assert all(report(status) is not None for status in STATUSES)
    assert report("enroute") is None
    assert next_state(S.ACCEPTED, "", "enroute") is None
