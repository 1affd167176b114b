"""Instants as people say them, in Swedish time whatever the host's zone, in Swedish, English or any language known."""

from collections.abc import Sequence
from datetime import date, datetime
from functools import lru_cache

from babel.dates import format_date, format_skeleton
from babel.lists import format_list

from notifier.languages import SHIPPED, dates_in
from notifier.swedish_days import local


def weekday(at: datetime, language: str) -> str:
    """`tisdag`, `Tuesday`."""
    return _spoken(local(at).date(), "EEEE", dates_in(language))


def day(at: datetime, language: str) -> str:
    """`1 december`, `1 December`."""
    if language not in SHIPPED:
        return _in_order(local(at).date(), "MMMMd", dates_in(language))
    return _spoken(local(at).date(), "d MMMM", language)


def clock(at: datetime, language: str) -> str:
    """`13.30`, `13:30`."""
    return f"{local(at):%H.%M}" if language == "sv" else f"{local(at):%H:%M}"


def moment(at: datetime, language: str) -> str:
    """`tisdag 1 december kl. 13.30`, `Tuesday 1 December, 13:30`."""
    between = " kl. " if language == "sv" else ", "
    return f"{weekday(at, language)} {day(at, language)}{between}{clock(at, language)}"


def short_moment(at: datetime, language: str) -> str:
    """`1/12 kl. 13.30`, `1 Dec, 13:30`: where an SMS has no room."""
    here = local(at)
    if language == "sv":
        return f"{here.day}/{here.month} kl. {here:%H.%M}"
    if language == "en":
        return f"{format_date(here.date(), 'd MMM', locale='en')}, {here:%H:%M}"
    return f"{_in_order(here.date(), 'MMMd', dates_in(language))}, {here:%H:%M}"


def clocks(instants: Sequence[datetime], language: str) -> str:
    """`09.00, 10.30 och 13.30`, `09:00, 10:30 and 13:30`."""
    spoken = [clock(at, language) for at in instants]
    if language not in SHIPPED:
        return str(format_list(spoken, locale=dates_in(language)))
    *most, last = spoken
    if not most:
        return last
    return f"{', '.join(most)} {'and' if language == 'en' else 'och'} {last}"


@lru_cache(maxsize=1024)  # few days are spoken of, each thousands of times; the library parses its pattern each time
def _spoken(on: date, pattern: str, locale: str) -> str:
    return format_date(on, pattern, locale=locale)


@lru_cache(maxsize=1024)
def _in_order(on: date, parts: str, locale: str) -> str:
    """Day and month in the language's own order."""
    return str(format_skeleton(parts, on, locale=locale))
