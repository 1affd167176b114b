"""What each field may look like, as an example and at its longest, in every language: previews and worst cases reckon
with it. Made by what makes the real values, so that the two cannot differ. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache

from notifier.fields import LONGEST_NAME, Field
from notifier.sms_text import cleaned, cost
from notifier.swedish_days import wall_clock
from notifier.visit_words import ToldVisit, values

_ONE_TIME_CODE = "246810"
_LONGEST_COST = 99_999
_LONGEST_PHONE = "010-123 45 67"
_MOST_VISITS = (time(9), time(10, 30), time(13, 30))  # of one day, that a merged message reckons with
_EXAMPLE = ToldVisit(
    start_at=datetime(2026, 12, 1, 12, 30, tzinfo=UTC),
    clinic="Ekens vårdcentral",
    phone="010-123 45 67",
    deadline_at=datetime(2026, 11, 30, 12, 30, tzinfo=UTC),
    was_at=datetime(2026, 11, 26, 8, 0, tzinfo=UTC),
    unconfirmed_since=datetime(2026, 11, 29, 7, 15, tzinfo=UTC),
    has_preparations=True,
    missed_cost=3100,
    code="K7MP",
)
_BEFORE_ALL = datetime(2020, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class About:
    """What a clinic's values are made of. `names`: its facilities' in messages, `phones` and `cost` as it has them.
    `cancel_link`: where a page of ours is, as long as any; without one, everything leads to `link`."""

    link: str
    names: Sequence[str] = ()
    phones: Sequence[str] = ()
    cost: int | None = None
    cancel_link: str = ""


def example_values(language: str, about: About, *, is_merged: bool = False) -> dict[Field, str]:
    """An ordinary visit, or three of one day. Nothing is in doubt: the honest sentence has its own worst case."""
    visit = replace(
        _EXAMPLE,
        clinic=about.names[0] if about.names else _EXAMPLE.clinic,
        phone=about.phones[0] if about.phones else _EXAMPLE.phone,
        unconfirmed_since=None,
        missed_cost=about.cost,
    )
    starts = _MOST_VISITS if is_merged else _MOST_VISITS[-1:]
    day = date(2026, 12, 1)
    found = values(
        [replace(visit, start_at=wall_clock(day, at)) for at in starts],
        language,
        about.link,
        _BEFORE_ALL,
        about.cancel_link,
        about.cancel_link,
    )
    return {**found, Field.ONE_TIME_CODE: _ONE_TIME_CODE}


def longest_values(language: str, about: About, *, in_doubt: bool = False) -> dict[Field, str]:
    """Each field at its longest. A visit in doubt names no cost, one that is sure no doubt."""
    found = dict(_longest_times(language))
    dear_names = [*about.names, "M" * LONGEST_NAME]
    found[Field.CLINIC] = max(dear_names, key=_dearness)
    found[Field.VISITS] = "\n".join([_line_of(found[Field.VISITS], found[Field.CLINIC])] * len(_MOST_VISITS))
    found[Field.PHONE] = max([*about.phones, _LONGEST_PHONE], key=_dearness)
    found[Field.ONE_TIME_CODE] = _ONE_TIME_CODE
    found[Field.LINK] = about.link
    found[Field.CANCEL_LINK] = found[Field.PREPARATIONS_LINK] = about.cancel_link or about.link
    if in_doubt:
        found[Field.MISSED_COST] = ""
    else:
        found[Field.UNCONFIRMED_SINCE] = ""
    return found


def _line_of(lines: str, clinic: str) -> str:
    """The longest of the lines, with another clinic in the example's place."""
    return max(lines.split("\n"), key=len).replace(_EXAMPLE.clinic, clinic)


@lru_cache(maxsize=64)
def _longest_times(language: str) -> tuple[tuple[Field, str], ...]:
    """Over a year's days: which month and weekday are longest differs between languages."""
    longest: dict[Field, str] = {}
    for step in range(366):
        for one, value in _of_day(date(2026, 1, 20) + timedelta(days=step), language).items():
            if _dearness(value) >= _dearness(longest.get(one, "")):
                longest[one] = value
    return tuple(longest.items())


def _of_day(on: date, language: str) -> dict[Field, str]:
    start = wall_clock(on, _MOST_VISITS[-1])
    told = replace(_EXAMPLE, deadline_at=start, was_at=start, unconfirmed_since=start, missed_cost=_LONGEST_COST)
    visits = [replace(told, start_at=wall_clock(on, at)) for at in _MOST_VISITS]
    in_doubt = values(visits, language, "", _BEFORE_ALL)
    sure = values([replace(one, unconfirmed_since=None) for one in visits], language, "", _BEFORE_ALL)
    return {**in_doubt, Field.MISSED_COST: sure[Field.MISSED_COST]}


def _dearness(value: str) -> tuple[bool, int]:
    counted = cost(cleaned(value))
    return bool(counted.costly), counted.units
