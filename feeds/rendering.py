"""One subject's facts as one calendar shows them: every component, the joined text, and when it changes by itself.

Decides and returns; writes nothing.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from uuid import UUID

from feeds import ical
from feeds.invitations import shown_invitation
from feeds.levels import AlsoThatDay, Silence, Visit, about, calendar_name, shown
from feeds.periods import CalendarRules, is_coming, is_shown, next_change_at
from feeds.same_day import Seat, by_day, companions, day_of
from feeds.subject_facts import SubjectFacts, details_of, invited_of, place_of, shows_end, timing_of, visit_of
from store.bookings import Booking
from store.calendars import Calendar, ComponentKind
from store.invitations import Invitation
from store.level import Level
from store.standing import Standing

_STEP = timedelta(seconds=1)  # the finest that a stamp can tell


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


def picture(
    facts: SubjectFacts,
    view: View,
    standing: Mapping[UUID, Part],
    changed: Collection[UUID] | None,
    moment: Moment,
) -> Picture:
    """`standing` are the calendar's components as they are, by booking or invitation. Those that `changed` and all
    other visits of their days, before and after, are rendered; None: all are. Raises Unsealable."""
    visible = {
        row.id: row for row in facts.bookings.values() if is_shown(timing_of(row), moment.now, view.past, moment.rules)
    }
    visits = {one: part for one, part in standing.items() if part.kind is ComponentKind.VISIT}
    kept = _kept(visible, visits, changed)
    days = by_day((_seat(facts, row) for row in facts.bookings.values()), moment.now)
    drawing = _Drawing(facts, view, standing, moment, days)
    parts = [
        _part(facts, row, standing[row.id].content if row.id in kept else _component(drawing, row))
        for row in visible.values()
    ]
    parts.sort(key=lambda part: (part.starts_at, part.uid))
    text = about(view.level, _silences(facts, moment), view.language)
    body = _body(view, text, parts, moment.rules)
    return Picture((*parts, *_tasks(drawing, changed)), body, _next_change_at(facts, view, moment))


def empty_picture(view: View, next_change_at: datetime | None, rules: CalendarRules) -> Picture:
    """Nothing at all, in good form: calendar programs take their copies away."""
    return Picture((), _body(view, about(view.level, [], view.language), [], rules), next_change_at)


def _body(view: View, text: str, parts: list[Part], rules: CalendarRules) -> bytes:
    return ical.calendar(calendar_name(view.language), text, rules.refresh, [part.content for part in parts])


@dataclass(frozen=True, slots=True)
class _Drawing:
    """What every component of one calendar is drawn from."""

    facts: SubjectFacts
    view: View
    standing: Mapping[UUID, Part]
    moment: Moment
    days: Mapping[date, Sequence[Seat]]


def _kept(
    visible: Mapping[UUID, Booking], standing: Mapping[UUID, Part], changed: Collection[UUID] | None
) -> Collection[UUID]:
    """A visit names the others of its day, so what comes, goes or changes touches all of its days."""
    if changed is None:
        return ()
    touched = set(changed) | (visible.keys() ^ standing.keys())
    days = {day_of(visible[one].start_at) for one in touched & visible.keys()}
    days |= {day_of(standing[one].starts_at) for one in touched & standing.keys()}
    return {one for one, row in visible.items() if one not in touched and day_of(row.start_at) not in days}


def _part(facts: SubjectFacts, booking: Booking, content: bytes) -> Part:
    return Part(
        booking_id=booking.id,
        uid=booking.uid,
        starts_at=booking.start_at,
        ends_at=ical.written_end(booking.start_at, _end_at(facts, booking)),
        content=content,
    )


def _component(drawing: _Drawing, booking: Booking) -> bytes:
    """Whenever its bytes change its stamp moves forward, whatever changed them (a clinic's name, another visit of the
    day, a new version of ours): calendar programs pass over a change whose stamp stands still."""
    happening = _happening(drawing, booking)
    return _stamped(drawing, booking, lambda at: ical.component(replace(happening, changed_at=at)))


def _stamped(drawing: _Drawing, row: Booking | Invitation, draw: Callable[[datetime], bytes]) -> bytes:
    standing = drawing.standing.get(row.id)
    stamped_at = None if standing is None else ical.written_at(standing.content)
    if standing is None or stamped_at is None:
        return draw(row.amended_at)
    drawn = draw(max(stamped_at, row.amended_at))
    if drawn == standing.content or row.amended_at >= stamped_at + _STEP:
        return drawn
    return draw(max(stamped_at + _STEP, drawing.moment.now))


def _tasks(drawing: _Drawing, changed: Collection[UUID] | None) -> list[Part]:
    drawn = [(row, _task(drawing, row, changed)) for row in drawing.facts.invitations]
    return [
        Part(row.id, row.uid, row.first_seen_at, None, content, ComponentKind.INVITATION)
        for row, content in drawn
        if content is not None
    ]


def _task(drawing: _Drawing, row: Invitation, changed: Collection[UUID] | None) -> bytes | None:
    if changed is not None and row.id not in changed and row.id in drawing.standing:
        return drawing.standing[row.id].content
    invited, place = invited_of(drawing.facts, row)
    view, way_back = drawing.view, drawing.moment.rules.way_back
    texts = shown_invitation(invited, place, view.level, view.language, way_back)
    if texts is None:
        return None
    return _stamped(drawing, row, lambda at: ical.task(ical.Task(row.uid, row.sequence, at, row.due_on, texts)))


def _happening(drawing: _Drawing, booking: Booking) -> ical.Happening:
    facts, view, rules = drawing.facts, drawing.view, drawing.moment.rules
    details = details_of(facts, booking)
    place = place_of(facts, booking.facility, details.facility_name)
    visit = _with_that_day(drawing, booking, visit_of(facts, booking, details, view.language))
    return ical.Happening(
        uid=booking.uid,
        sequence=booking.sequence,
        changed_at=booking.amended_at,
        start_at=booking.start_at,
        end_at=_end_at(facts, booking),
        standing=Standing(booking.standing),
        is_confirmed_gone=booking.gone_directly,
        shown=shown(visit, place, view.level, view.language, rules.way_back),
        alarms=view.alarms,
    )


def _with_that_day(drawing: _Drawing, booking: Booking, visit: Visit) -> Visit:
    if drawing.view.level is Level.BUSY:
        return visit
    facts = drawing.facts
    found = companions(_seat(facts, booking), drawing.days, drawing.moment.now)
    named = tuple(_also(facts, facts.bookings[one.booking_id], clashes=one.clashes) for one in found.first)
    return replace(visit, that_day=named, more_that_day=found.more)


def _also(facts: SubjectFacts, booking: Booking, *, clashes: bool) -> AlsoThatDay:
    place = place_of(facts, booking.facility, details_of(facts, booking).facility_name)
    return AlsoThatDay(booking.start_at, "" if place.is_sensitive else place.name, clashes)


def _seat(facts: SubjectFacts, booking: Booking) -> Seat:
    return Seat(
        booking.id, booking.start_at, _end_at(facts, booking), Standing(booking.standing), booking.candidate_until
    )


def _end_at(facts: SubjectFacts, booking: Booking) -> datetime | None:
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
