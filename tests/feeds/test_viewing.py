"""Who may see a calendar: every combination of what the register says, of age and of custody."""

from datetime import UTC, date, datetime, timedelta
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feeds.periods import Access, CalendarRules, Register
from feeds.viewing import Ground, Guarding, Permission, guardians_permission, own_permission
from store.custody import Custody, guarded_until

NOW = datetime(2026, 11, 24, 8, 55, tzinfo=UTC)
RULES = CalendarRules()
FRESH, OLD = NOW - RULES.population_fresh, NOW - RULES.population_fresh - timedelta(seconds=1)
DAYS = (None, date(2026, 11, 1))
SAID = [Register(*one) for one in product(DAYS, DAYS, (FRESH, OLD, None))]
CHILD, GROWN = date(2014, 1, 1), date(2013, 11, 24)


def is_flagged(register: Register) -> bool:
    return register.protected_on is not None or register.deceased_on is not None


def is_known(register: Register) -> bool:
    return register.as_of == FRESH


@pytest.mark.parametrize("custody", Custody)
@pytest.mark.parametrize("born_on", [CHILD, GROWN, None], ids=["12 years", "13 today", "undated"])
def test_the_explicit_empties_a_guardians_calendar_the_unknown_holds_it_and_never_the_reverse(
    custody: Custody, born_on: date | None
) -> None:
    for guardian, child in product(SAID, SAID):
        found = guardians_permission(Guarding(guardian, child, custody, born_on), NOW, RULES)
        is_over = is_flagged(guardian) or is_flagged(child) or custody is Custody.ENDED or born_on != CHILD
        is_sure = is_known(guardian) and is_known(child) and custody is Custody.STANDS
        expected = Access.EMPTIED if is_over else Access.OPEN if is_sure else Access.HELD
        assert found.access is expected
        assert (found.ground is None) == (expected is Access.OPEN)
        assert found.ends_at == (None if is_over else guarded_until(CHILD))


def test_of_ones_own_calendar_only_the_persons_own_word_decides() -> None:
    for register in SAID:
        if is_flagged(register):
            assert own_permission(register, NOW, RULES) == Permission(Access.EMPTIED, Ground.FLAGGED)
        elif is_known(register):
            assert own_permission(register, NOW, RULES) == Permission(Access.OPEN)
        else:
            assert own_permission(register, NOW, RULES) == Permission(Access.HELD, Ground.UNHEARD)


@pytest.mark.parametrize(
    ("born_on", "ends_at"),
    [
        (date(2018, 1, 20), datetime(2031, 1, 19, 23, tzinfo=UTC)),
        (date(2018, 7, 2), datetime(2031, 7, 1, 22, tzinfo=UTC)),
        (date(2024, 2, 29), datetime(2037, 2, 27, 23, tzinfo=UTC)),
        (date(2016, 3, 26), datetime(2029, 3, 25, 22, tzinfo=UTC)),  # the day after the clocks went forward
    ],
    ids=["winter", "summer", "leap day", "after the clock change"],
)
def test_a_guardians_sight_ends_at_midnight_in_sweden_on_the_13th_birthday(born_on: date, ends_at: datetime) -> None:
    assert guarded_until(born_on) == ends_at


@given(st.dates(date(1890, 1, 1), date(2080, 12, 31)))
def test_every_birthday_exists_and_none_comes_late(born_on: date) -> None:
    turned = (born_on - timedelta(days=1)) if (born_on.month, born_on.day) == (2, 29) else born_on
    swedish = guarded_until(born_on) + timedelta(hours=2)
    assert (swedish.year, swedish.month, swedish.day) == (turned.year + 13, turned.month, turned.day)
