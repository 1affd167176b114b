"""One subject's facts as one calendar shows them: every component, the joined text, and when it changes by itself.

Decides and returns; writes nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from feeds import ical
from feeds.levels import Silence, about, calendar_name, shown
from feeds.periods import CalendarRules, is_coming, is_shown, next_change_at
from feeds.subject_facts import SubjectFacts, details_of, place_of, shows_end, timing_of, visit_of
from store.bookings import Booking
from store.calendars import Calendar, ComponentKind
from store.level import Level
from store.standing import Standing


@dataclass(frozen=True, slots=True)
class Moment:
    """Business now, and the rules that hold."""

    now: datetime
    rules: CalendarRules


@dataclass(frozen=True, slots=True)
class View:
    """What a calendar has been asked to show."""

    level: Level
    language: str
    alarms: tuple[timedelta, ...]
    past: timedelta


@dataclass(frozen=True, slots=True)
class Part:
    """One component: of a booking, or of an open invitation (whose `starts_at` only orders it)."""

    booking_id: UUID
    uid: str
    starts_at: datetime
    ends_at: datetime | None
    content: bytes = field(repr=False)
    kind: ComponentKind = ComponentKind.VISIT


@dataclass(frozen=True, slots=True)
class Picture:
    """A whole calendar as it is to stand; `next_change_at` is when time alone makes it another.

    The body joins the visits. Open invitations have no time, so they are for CalDAV alone.
    """

    parts: tuple[Part, ...]
    body: bytes = field(repr=False)
    next_change_at: datetime | None


def view_of(calendar: Calendar) -> View:
    return View(
        Level(calendar.level),
        calendar.language,
        tuple(timedelta(minutes=minutes) for minutes in calendar.alarms),
        timedelta(days=calendar.past_days),
    )


def picture(facts: SubjectFacts, view: View, kept: Mapping[UUID, bytes], moment: Moment) -> Picture:
    """`kept` are components that stay as they are, by booking; all others are rendered. Raises Unsealable."""
    visible = [row for row in facts.bookings.values() if is_shown(timing_of(row), moment.now, view.past, moment.rules)]
    parts = [
        Part(
            booking_id=row.id,
            uid=row.uid,
            starts_at=row.start_at,
            ends_at=ical.written_end(row.start_at, _end_of(facts, row)),
            content=kept.get(row.id) or _component(facts, row, view, moment.rules),
        )
        for row in visible
    ]
    parts.sort(key=lambda part: (part.starts_at, part.uid))
    text = about(view.level, _silences(facts, moment), view.language)
    return Picture(tuple(parts), _body(view, text, parts, moment.rules), _next_change_at(facts, view, moment))


def empty_picture(view: View, next_change_at: datetime | None, rules: CalendarRules) -> Picture:
    """Nothing at all, in good form: calendar programs take their copies away."""
    return Picture((), _body(view, about(view.level, [], view.language), [], rules), next_change_at)


def _body(view: View, text: str, parts: list[Part], rules: CalendarRules) -> bytes:
    return ical.calendar(calendar_name(view.language), text, rules.refresh, [part.content for part in parts])


def _component(facts: SubjectFacts, booking: Booking, view: View, rules: CalendarRules) -> bytes:
    details = details_of(facts, booking)
    place = place_of(facts, booking.facility, details.facility_name)
    return ical.component(
        ical.Happening(
            uid=booking.uid,
            sequence=booking.sequence,
            changed_at=booking.amended_at,
            start_at=booking.start_at,
            end_at=_end_of(facts, booking),
            standing=Standing(booking.standing),
            is_confirmed_gone=booking.gone_directly,
            shown=shown(visit_of(facts, booking, details), place, view.level, view.language, rules.way_back),
            alarms=view.alarms,
        )
    )


def _end_of(facts: SubjectFacts, booking: Booking) -> datetime | None:
    return booking.end_at if shows_end(facts, booking) else None


def _silences(facts: SubjectFacts, moment: Moment) -> list[Silence]:
    """The clinics of visits to come that have long been silent, each once."""
    addresses = {(row.source, row.logical_address) for row in _coming_at_silent(facts, moment.now)}
    found = []
    for source, address in addresses:
        since_at = facts.silent_since[(source, address)]
        if moment.now >= since_at + moment.rules.silent_after:
            place = place_of(facts, address)
            found.append(Silence("" if place.is_sensitive else place.name, since_at))
    return found


def _next_change_at(facts: SubjectFacts, view: View, moment: Moment) -> datetime | None:
    others = []
    for row in _coming_at_silent(facts, moment.now):
        silent_at = facts.silent_since[(row.source, row.logical_address)] + moment.rules.silent_after
        others += [silent_at, row.start_at]
    timings = [timing_of(row) for row in facts.bookings.values()]
    return next_change_at(timings, others, moment.now, view.past, moment.rules)


def _coming_at_silent(facts: SubjectFacts, now: datetime) -> list[Booking]:
    return [
        row
        for row in facts.bookings.values()
        if (row.source, row.logical_address) in facts.silent_since and is_coming(timing_of(row), now)
    ]
