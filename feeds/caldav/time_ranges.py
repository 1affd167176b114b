"""Time ranges (RFC 4791 9.9): read, and which component or property lies in one. Pure."""

from dataclasses import dataclass
from datetime import datetime, tzinfo

from lxml import etree

from feeds.caldav.answers import Unmet
from feeds.caldav.content_lines import Component, Line
from feeds.caldav.instants import EARLIEST, LATEST, duration, in_utc, instant
from feeds.caldav.xml import Malformed

MIN_DATE_TIME = "00010101T000000Z"
MAX_DATE_TIME = "99991231T235959Z"


@dataclass(frozen=True, slots=True)
class TimeRange:
    """From `start_at`, until before `end_at`; open ends lie as far away as can be."""

    start_at: datetime = EARLIEST
    end_at: datetime = LATEST

    def holds(self, at: datetime) -> bool:
        return self.start_at <= at < self.end_at

    def overlaps(self, component: Component, around: Component, floating: tzinfo) -> bool:
        """Whether a component (in the one around it) has to do with this range.

        By the rows of RFC 4791 9.9 that components of ours can meet: none recurs or has a DURATION.
        """
        if component.name == "VEVENT":
            return self._holds_event(component, floating)
        if component.name == "VTODO":
            return self._holds_to_do(component, floating)
        if component.name == "VALARM":
            return self._holds_alarm(component, around, floating)
        return False

    def holds_line(self, line: Line, floating: tzinfo) -> bool:
        at = instant(line, floating)
        return at is not None and self.holds(at)

    def _holds_event(self, event: Component, floating: tzinfo) -> bool:
        start_at = instant(event.first("DTSTART"), floating)
        end_at = instant(event.first("DTEND"), floating)
        if start_at is None:
            return False
        if end_at is None or end_at <= start_at:
            return self.holds(start_at)
        return self.start_at < end_at and self.end_at > start_at

    def _holds_to_do(self, to_do: Component, floating: tzinfo) -> bool:
        start_at, due_at, completed_at, created_at = (
            instant(to_do.first(name), floating) for name in ("DTSTART", "DUE", "COMPLETED", "CREATED")
        )
        if start_at is not None and due_at is not None:
            return (self.start_at < due_at or self.start_at <= start_at) and (
                self.end_at > start_at or self.end_at >= due_at
            )
        if start_at is not None:
            return self.holds(start_at)
        if due_at is not None:
            return self.start_at < due_at <= self.end_at
        return self._holds_history(completed_at, created_at)

    def _holds_history(self, completed_at: datetime | None, created_at: datetime | None) -> bool:
        """Of a to-do that says neither when to begin nor by when."""
        if completed_at is not None and created_at is not None:
            return self.start_at <= max(created_at, completed_at) and self.end_at >= min(created_at, completed_at)
        if completed_at is not None:
            return self.start_at <= completed_at <= self.end_at
        return created_at is None or self.end_at > created_at

    def _holds_alarm(self, alarm: Component, around: Component, floating: tzinfo) -> bool:
        trigger = alarm.first("TRIGGER")
        before = None if trigger is None else duration(trigger.value)
        start_at = instant(around.first("DTSTART"), floating)
        return before is not None and start_at is not None and self.holds(start_at + before)


def time_range_in(element: etree._Element) -> TimeRange:
    """What a time-range says: one end may be left open. Raises Malformed, Unmet."""
    if element.get("start") is None and element.get("end") is None:
        raise Malformed("a time range has a start or an end")
    found = TimeRange(_end(element, "start", EARLIEST), _end(element, "end", LATEST))
    if found.start_at >= found.end_at:
        raise Malformed("a time range ends after its start")
    return found


def closed_range_in(element: etree._Element) -> TimeRange:
    """What a time range with both ends says. Raises Malformed, Unmet."""
    if element.get("start") is None or element.get("end") is None:
        raise Malformed("this time range has a start and an end")
    return time_range_in(element)


def _end(element: etree._Element, name: str, open_end: datetime) -> datetime:
    text = element.get(name)
    if text is None:
        return open_end
    if text.startswith("0000"):
        raise Unmet("<C:min-date-time/>")  # what else a range can say lies between our bounds
    at = in_utc(text)
    if at is None:
        raise Malformed("a time range is told in UTC, as 20261124T085500Z")
    return at
