"""How much a polling thread takes at once: nobody waits long behind others, and quick answers share a batch's costs."""

import pytest

from worker.stride import Stride


def after(*batches: tuple[int, float]) -> int:
    stride = Stride()
    for count, seconds in batches:
        stride.took(count, seconds)
    return stride.size


def test_where_answers_are_quick_batches_grow_to_their_most() -> None:
    assert after((8, 0.04), (16, 0.08)) == 32
    assert after((8, 0.04), (16, 0.08), (32, 0.1), (50, 0.2)) == 50


@pytest.mark.parametrize("seconds", [1.0, 35.0])
def test_where_answers_are_slow_one_is_taken_at_a_time(seconds: float) -> None:
    assert after((8, 8 * seconds)) == 1


def test_between_them_it_is_what_half_a_second_is_enough_for() -> None:
    assert after((8, 0.8)) == 5


def test_after_slow_times_batches_grow_again() -> None:
    assert after((1, 35.0), (1, 0.01), (2, 0.02), (4, 0.04)) == 8


def test_a_batch_in_which_nothing_was_done_says_nothing() -> None:
    assert after((0, 2.0)) == Stride().size


def test_a_clock_that_stands_still_breaks_nothing() -> None:
    assert after((8, 0.0)) == 16
