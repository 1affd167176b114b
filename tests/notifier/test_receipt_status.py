"""Receipts come twice, late, in any order, and contradict each other; a delivery must come to the same end whatever the
order, never go back, and never be called delivered when nothing says so."""

from collections.abc import Sequence
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifier.channels.twilio_receipts import STATUSES
from notifier.receipt_status import Fate, State, code, fate, next_state, report
from store.delivery_states import AttemptOutcome as O
from store.delivery_states import DeliveryState as S

ARRIVED = frozenset({"delivered", "read"})
LOST = frozenset({"undelivered", "failed", "canceled", "partially_delivered"})
TAKEN = STATUSES - ARRIVED - LOST
DELIVERED, NOT_DELIVERED, ACCEPTED = (S.DELIVERED, ""), (S.FAILED, "not_delivered"), (S.ACCEPTED, "")
GIVEN_UP = ((S.FAILED, "unknown"), (S.FAILED, "no_receipt"))

# Where a delivery with one attempt may stand when its first report comes, and how that attempt ended here.
OPEN: tuple[tuple[State, O | None], ...] = (
    ((S.SENDING, ""), None),  # the provider reports before it answers
    ((S.UNCERTAIN, ""), None),  # the worker was killed
    ((S.UNCERTAIN, ""), O.UNKNOWN),
    ((S.ACCEPTED, ""), O.ACCEPTED),
    ((S.QUEUED, ""), O.UNREACHABLE),  # proved absent, and it was not
    ((S.QUEUED, ""), O.UNKNOWN),  # a copy is to be sent
)
ENDED: tuple[tuple[State, O | None], ...] = (
    (DELIVERED, O.ACCEPTED),
    ((S.FAILED, "refused"), O.REFUSED),
    ((S.FAILED, "poison"), None),
    ((S.EXPIRED, "unreachable"), O.UNREACHABLE),
    ((S.SKIPPED, "booking_gone"), None),
)
words = st.lists(st.sampled_from(sorted(STATUSES)), min_size=1, max_size=6)


def end(start: State, outcomes: Sequence[O | None], history: Sequence[tuple[int, str]]) -> State:
    """The state after reports that come one by one, each about one of the attempts."""
    heard: list[list[str]] = [[] for _ in outcomes]
    state = start
    for place, status in history:
        heard[place].append(status)
        known = [fate(O.ACCEPTED if said else outcome, said) for outcome, said in zip(outcomes, heard, strict=True)]
        state = next_state(*state, known) or state
    return state


def of_one(start: State, outcome: O | None, statuses: Sequence[str]) -> State:
    return end(start, [outcome], [(0, status) for status in statuses])


@pytest.mark.parametrize("order", list(permutations(["queued", "sent", "delivered"])))
def test_check_17_delivered_stays_delivered_in_every_order_and_repeated(order: tuple[str, ...]) -> None:
    repeated = [status for status in order for _ in range(2)]

    assert of_one((S.ACCEPTED, ""), O.ACCEPTED, repeated) == DELIVERED
    assert of_one((S.UNCERTAIN, ""), O.UNKNOWN, repeated) == DELIVERED


@given(st.sampled_from(OPEN), words)
def test_the_end_follows_from_what_was_said_and_from_nothing_else(
    start: tuple[State, O | None], statuses: list[str]
) -> None:
    """Contradictions too: one that it arrived is proof, one that it did not may be a guess."""
    said = set(statuses)
    expected = DELIVERED if said & ARRIVED else NOT_DELIVERED if said & LOST else ACCEPTED

    assert of_one(*start, statuses) == expected


@given(st.sampled_from(GIVEN_UP), st.sampled_from([None, O.UNKNOWN, O.ACCEPTED]), words)
def test_what_was_given_up_is_lifted_by_nothing_but_arrival(
    start: State, outcome: O | None, statuses: list[str]
) -> None:
    said = set(statuses)
    expected = DELIVERED if said & ARRIVED else NOT_DELIVERED if said & LOST else start

    assert of_one(start, outcome, statuses) == expected


@given(words.filter(lambda said: not TAKEN.issuperset(said)), st.data())
def test_when_we_gave_up_does_not_matter_to_what_the_provider_says_of_its_end(
    statuses: list[str], data: st.DataObject
) -> None:
    given_up_at = data.draw(st.integers(0, len(statuses)))
    before = of_one((S.UNCERTAIN, ""), O.UNKNOWN, statuses[:given_up_at])
    given_up = (S.FAILED, "unknown") if before[0] == S.UNCERTAIN else before
    heard = [(0, status) for status in statuses]

    state = given_up
    for count in range(given_up_at, len(heard) + 1):
        known = [fate(O.ACCEPTED if count else O.UNKNOWN, statuses[:count])]
        state = next_state(*state, known) or state

    assert state == of_one((S.UNCERTAIN, ""), O.UNKNOWN, statuses)


@given(st.sampled_from(ENDED), words)
def test_final_states_never_move(start: tuple[State, O | None], statuses: list[str]) -> None:
    assert of_one(*start, statuses) == start[0]


@given(
    st.sampled_from([O.UNREACHABLE, O.UNKNOWN, O.REFUSED]),
    st.sampled_from([((S.ACCEPTED, ""), O.ACCEPTED), ((S.UNCERTAIN, ""), O.UNKNOWN), ((S.QUEUED, ""), O.UNREACHABLE)]),
    st.lists(st.tuples(st.integers(0, 1), st.sampled_from(sorted(STATUSES))), min_size=1, max_size=4),
    st.data(),
)
def test_reports_about_two_attempts_come_to_one_end_when_each_has_its_last_word(
    first: O, second: tuple[State, O], history: list[tuple[int, str]], data: st.DataObject
) -> None:
    last_words = [
        (place, data.draw(st.sampled_from(sorted(ARRIVED | LOST)))) for place in {place for place, _ in history}
    ]
    history = [*history, *last_words]
    shuffled = data.draw(st.permutations(history * 2))

    start, outcome = second
    assert end(start, [first, outcome], shuffled) == end(start, [first, outcome], history)


def test_a_lost_first_message_says_nothing_about_the_copy_that_was_sent_after_it() -> None:
    accepted = (S.ACCEPTED, "")

    assert next_state(*accepted, [Fate.LOST, Fate.TAKEN]) is None
    assert next_state(*accepted, [Fate.LOST, Fate.ARRIVED]) == DELIVERED
    assert next_state(*accepted, [Fate.LOST, Fate.LOST]) == NOT_DELIVERED
    assert next_state(S.SENDING, "", [Fate.LOST, Fate.UNKNOWN]) is None
    assert next_state(S.UNCERTAIN, "", [Fate.LOST, Fate.UNKNOWN]) is None


def test_a_copy_that_was_lost_is_the_end_though_nobody_knows_of_the_first() -> None:
    assert next_state(S.ACCEPTED, "", [Fate.UNKNOWN, Fate.LOST]) == NOT_DELIVERED


def test_accepted_by_a_first_message_that_is_lost_waits_for_the_second() -> None:
    """Else it would wait three days for a receipt that has come."""
    assert next_state(S.ACCEPTED, "", [Fate.LOST, Fate.UNKNOWN]) == (S.UNCERTAIN, "")


@pytest.mark.parametrize("status", sorted(LOST))
def test_check_19_one_lost_part_means_not_delivered(status: str) -> None:
    assert of_one((S.ACCEPTED, ""), O.ACCEPTED, [status]) == NOT_DELIVERED


@given(st.permutations([("failed", "30008"), ("undelivered", "30003"), ("sent", ""), ("queued", "11751")]))
def test_the_code_kept_does_not_hang_on_the_order(reports: list[tuple[str, str]]) -> None:
    assert code(reports) == "30003"
    assert code([*reports, ("delivered", "")]) == ""


def test_every_status_that_the_hook_lets_in_has_a_meaning() -> None:
    assert {status for status in STATUSES if report(status) is None} == set()
    assert report("enroute") is None
