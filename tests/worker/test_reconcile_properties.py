"""Whatever sequence of changes, failures, partial answers, lost index rows and lost permissions: no false
cancellation, and once everything answers we hold what the source holds."""

import random
from collections.abc import Callable, Sequence
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from store.identifiers import HsaId
from tests.worker.world import (
    ADDRESSES,
    BOOK_A,
    BOOK_C,
    FACILITIES,
    HOUR,
    KINDS,
    MINUTE,
    TROUBLES,
    Keeper,
    World,
)

Step = tuple[str, int, int]  # what happens, to which one, and how long until we ask again

WAITS = [MINUTE * minutes for minutes in (1, 4, 9, 10, 11, 16, 31, 60, 240, 720, 1500)]


def _pick(keeper: Keeper, which: int) -> str | None:
    coming = [number for number, *_ in sorted(keeper.world.coming(keeper.now))]
    return coming[which % len(coming)] if coming else None


def _book(keeper: Keeper, which: int) -> None:
    start_at = keeper.now + timedelta(hours=5) * (which % 40) + 30 * MINUTE
    keeper.world.book(FACILITIES[which % len(FACILITIES)], start_at, KINDS[which % len(KINDS)])


def _on_a_booking(change: Callable[[Keeper, str, int], None]) -> Callable[[Keeper, int], None]:
    def act(keeper: Keeper, which: int) -> None:
        number = _pick(keeper, which)
        if number is not None:
            change(keeper, number, which)

    return act


def _cancel(keeper: Keeper, number: str, _: int) -> None:
    keeper.world.cancel(number)


def _shift(keeper: Keeper, number: str, which: int) -> None:
    world = keeper.world
    world.change(number, start_at=world.bookings[number].start_at + HOUR * (which % 7))


def _amend(keeper: Keeper, number: str, which: int) -> None:
    keeper.world.change(number, resource_name=f"Rum {which % 5}")


def _rename(keeper: Keeper, number: str, which: int) -> None:
    world = keeper.world
    start_at = world.bookings[number].start_at + HOUR * (which % 3)
    world.change(number, booking_id=str(next(world.numbers)), start_at=start_at)


def _transfer(keeper: Keeper, number: str, which: int) -> None:
    facility = FACILITIES[which % len(FACILITIES)]
    keeper.world.change(number, booking_id=str(next(keeper.world.numbers)), facility=facility)


def _restore(keeper: Keeper, _: int) -> None:
    keeper.world.restore()


def _trouble(keeper: Keeper, which: int) -> None:
    keeper.world.trouble[ADDRESSES[which % 3]] = TROUBLES[which % len(TROUBLES)]


def _outage(keeper: Keeper, which: int) -> None:
    keeper.world.is_down = which % 2 == 0


def _toggle(name: str, ids: Sequence[HsaId]) -> Callable[[Keeper, int], None]:
    def act(keeper: Keeper, which: int) -> None:
        affected: set[HsaId] = getattr(keeper.world, name)
        affected ^= {ids[which % len(ids)]}

    return act


def _learn_the_tree(keeper: Keeper, _: int) -> None:
    keeper.world.is_tree_known = True


def _nothing(keeper: Keeper, _: int) -> None:
    """Only time passes."""


ACTIONS: dict[str, Callable[[Keeper, int], None]] = {
    "nothing": _nothing,
    "book": _book,
    "cancel": _on_a_booking(_cancel),
    "shift": _on_a_booking(_shift),
    "amend": _on_a_booking(_amend),
    "rename": _on_a_booking(_rename),
    "transfer": _on_a_booking(_transfer),
    "restore": _restore,
    "trouble": _trouble,
    "outage": _outage,
    "deny": _toggle("denied", ADDRESSES),
    "refuse": _toggle("refused", ADDRESSES),
    "unindex": _toggle("unindexed", ADDRESSES),
    "freeze": _toggle("frozen", FACILITIES),
    "learn": _learn_the_tree,
}
NAMES = tuple(ACTIONS)
STEPS = st.tuples(st.sampled_from(NAMES), st.integers(0, 59), st.integers(0, len(WAITS) - 1))


def live(steps: Sequence[Step], *, asks_directly: bool) -> Keeper:
    """A subject's life, watched by the witness at every answer."""
    keeper = Keeper(World(asks_directly=asks_directly, is_tree_known=not asks_directly))
    for which in (0, 3, 17, 34):
        _book(keeper, which)
    keeper.poll()
    for name, which, wait in steps:
        ACTIONS[name](keeper, which)
        keeper.wait(WAITS[wait])
    return keeper


def settle(keeper: Keeper) -> None:
    """Everything answers again, for as long as patience asks."""
    keeper.world.heal()
    rounds, pause = (4, 11 * MINUTE) if keeper.world.asks_directly else (5, 8 * HOUR)
    for _ in range(rounds):
        keeper.wait(pause)
    keeper.wait(11 * MINUTE)


def assert_converged(keeper: Keeper) -> None:
    assert keeper.coming() == keeper.world.coming(keeper.now)
    coming = [row for row in keeper.rows.values() if row.start_at > keeper.now]
    assert not [row for row in coming if row.is_suspect]
    assert not [row for row in coming if row.candidate_until is not None]


@settings(max_examples=600, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(steps=st.lists(STEPS, max_size=30), asks_directly=st.booleans())
def test_no_sequence_of_answers_makes_a_false_cancellation_and_all_of_them_end_in_the_truth(
    steps: list[Step], *, asks_directly: bool
) -> None:
    keeper = live(steps, asks_directly=asks_directly)
    settle(keeper)
    assert_converged(keeper)


@pytest.mark.parametrize("asks_directly", [True, False])
def test_thousands_of_made_up_lives_hold_no_false_cancellation(*, asks_directly: bool) -> None:
    gone = moved = 0
    for seed in range(750):
        chance = random.Random(seed)
        steps = [
            (chance.choice(NAMES), chance.randrange(60), chance.randrange(len(WAITS)))
            for _ in range(chance.randrange(5, 40))
        ]
        keeper = live(steps, asks_directly=asks_directly)
        settle(keeper)
        assert_converged(keeper)
        gone, moved = gone + keeper.witness.gone, moved + keeper.witness.moved
    assert gone > 400  # the lives must hold what they are to prove harmless
    assert moved > 400


@settings(max_examples=200, deadline=None)
@given(order=st.permutations(range(1000, 1006)), waits=st.lists(st.integers(0, 7), min_size=6, max_size=6))
def test_a_clinic_that_rebooks_several_visits_within_minutes_cancels_and_books_none(
    order: list[int], waits: list[int]
) -> None:
    keeper = Keeper(World())
    for which in range(6):
        keeper.world.book(BOOK_A, keeper.now + timedelta(days=10, hours=which), KINDS[which % 2])
    keeper.poll()
    ours = {row.key.booking_id: id for id, row in keeper.rows.items()}
    for number, wait in zip(order, waits, strict=True):
        _rename(keeper, str(number), number)
        keeper.wait(WAITS[wait])
    settle(keeper)
    assert_converged(keeper)
    assert sorted((what, id) for _, what, id in keeper.told) == sorted(("moved", id) for id in ours.values())


@pytest.mark.parametrize("asks_directly", [True, False])
def test_a_clinic_that_cancels_somebodys_only_booking_is_noticed(*, asks_directly: bool) -> None:
    keeper = Keeper(World(asks_directly=asks_directly))
    keeper.world.book(BOOK_A, keeper.now + timedelta(days=9), "besök")
    keeper.world.book(BOOK_C, keeper.now + timedelta(days=10), "besök")
    keeper.poll()
    keeper.world.cancel("1001")
    keeper.wait(MINUTE)
    assert keeper.told == []
    keeper.wait(11 * MINUTE)
    assert [what for _, what, _ in keeper.told] == (["gone"] if asks_directly else [])
    keeper.wait(24 * HOUR)
    keeper.wait(HOUR)
    assert [what for _, what, _ in keeper.told] == ["gone"]


@pytest.mark.parametrize("asks_directly", [True, False])
def test_a_permission_lost_for_everyone_is_silence_for_a_week(*, asks_directly: bool) -> None:
    keeper = Keeper(World(asks_directly=asks_directly))
    keeper.world.book(BOOK_A, keeper.now + timedelta(days=9), "besök")
    keeper.poll()
    keeper.world.denied.add(BOOK_A)
    keeper.world.refused.add(BOOK_A)
    for _ in range(7 * 4):
        keeper.wait(6 * HOUR)
    assert keeper.told == []
    settle(keeper)
    assert_converged(keeper)
    assert keeper.told == []
