"""When somebody is busy, and nothing else: free-busy-query, RFC 4791 7.10.

A visit without a known end claims no time (RFC 4791 9.9, RFC 5545 3.6.1: it ends as it begins); a length that we made
up would be told as a fact.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from lxml import etree

from feeds.caldav import answers, content_lines
from feeds.caldav.answers import Answer, Unmet
from feeds.caldav.asked import Asked
from feeds.caldav.content_lines import Component, Line
from feeds.caldav.instants import CALENDAR_ZONE, as_utc, instant
from feeds.caldav.properties import Properties
from feeds.caldav.time_ranges import TimeRange, closed_range_in
from feeds.caldav.xml import CALDAV, Malformed
from feeds.ical import PRODUCT
from store.calendars import ComponentKind

_LONGEST: Final = timedelta(days=731)  # two years, one of them a leap year
_CONTENT_TYPE: Final = b"text/calendar; charset=utf-8; component=VFREEBUSY"


@dataclass(frozen=True, slots=True, order=True)
class Busy:
    start_at: datetime
    end_at: datetime
    is_tentative: bool = False


def free_busy_query(asked: Asked, root: etree._Element, _: Properties) -> Answer:
    """RFC 4791 7.10. A calendar has one answer, whatever the Depth. Raises Malformed, Unmet."""
    element = root.find(f"{CALDAV}time-range")
    if element is None:
        raise Malformed("free-busy-query has a time-range")
    window = closed_range_in(element)
    if window.end_at - window.start_at > _LONGEST:
        raise Unmet("<D:number-of-matches-within-limits/>")
    periods = [one for one in map(busy_in, _events(asked, window)) if one is not None]
    calendar = _calendar(asked, window, told(periods, window))
    return answers.whole(content_lines.written(calendar).encode(), _CONTENT_TYPE)


def busy_in(event: Component) -> Busy | None:
    """What a VEVENT takes of its owner's time; None: nothing."""
    status, transparency = _value(event, "STATUS"), _value(event, "TRANSP")
    start_at, end_at = (instant(event.first(name), CALENDAR_ZONE) for name in ("DTSTART", "DTEND"))
    if status == "CANCELLED" or transparency == "TRANSPARENT" or start_at is None or end_at is None:
        return None
    return Busy(start_at, end_at, is_tentative=status == "TENTATIVE")


def told(periods: Iterable[Busy], window: TimeRange) -> list[Busy]:
    """In order, within the window, no instant told twice: what is certain covers what is tentative."""
    inside = [
        Busy(max(one.start_at, window.start_at), min(one.end_at, window.end_at), one.is_tentative) for one in periods
    ]
    certain = _joined(one for one in inside if not one.is_tentative)
    tentative = _joined(one for one in inside if one.is_tentative)
    return sorted([*certain, *(left for one in tentative for left in _without(one, certain))])


def _joined(periods: Iterable[Busy]) -> list[Busy]:
    found: list[Busy] = []
    for one in sorted(periods):
        if one.start_at >= one.end_at:
            continue
        if found and one.start_at <= found[-1].end_at:
            found[-1] = Busy(found[-1].start_at, max(found[-1].end_at, one.end_at), one.is_tentative)
        else:
            found.append(one)
    return found


def _without(period: Busy, others: Iterable[Busy]) -> list[Busy]:
    """What is left of a period outside these, which are in order and apart."""
    left, start_at = [], period.start_at
    for one in others:
        if one.end_at <= start_at or one.start_at >= period.end_at:
            continue
        left.append(Busy(start_at, one.start_at, period.is_tentative))
        start_at = one.end_at
    left.append(Busy(start_at, period.end_at, period.is_tentative))
    return [one for one in left if one.start_at < one.end_at]


def _events(asked: Asked, window: TimeRange) -> list[Component]:
    caller, kind = asked.caller, asked.resource.collection
    if kind is not ComponentKind.VISIT:
        caller.revision(kind)
        return []  # what is to be done takes no time of its own
    there = caller.within(kind, window.start_at, window.end_at, with_content=True)
    calendars = [content_lines.read(one.content or b"") for one in there]
    return [one for calendar in calendars for one in calendar.components if one.name == "VEVENT"]


def _calendar(asked: Asked, window: TimeRange, periods: Iterable[Busy]) -> Component:
    start, end = as_utc(window.start_at), as_utc(window.end_at)
    lines = [
        Line("UID", "", f"{asked.caller.account}-{asked.resource.collection}-{start}-{end}"),
        Line("DTSTAMP", "", as_utc(asked.caller.changed_at)),
        Line("DTSTART", "", start),
        Line("DTEND", "", end),
        *map(_line, periods),
    ]
    head = [Line("VERSION", "", "2.0"), Line("PRODID", "", PRODUCT)]
    return Component("VCALENDAR", head, [Component("VFREEBUSY", lines, [])])


def _line(period: Busy) -> Line:
    kind = "BUSY-TENTATIVE" if period.is_tentative else "BUSY"
    return Line("FREEBUSY", f";FBTYPE={kind}", f"{as_utc(period.start_at)}/{as_utc(period.end_at)}")


def _value(component: Component, name: str) -> str:
    line = component.first(name)
    return "" if line is None else line.value.upper()
