"""iCalendar text (RFC 5545, RFC 7986): a booking as a VEVENT, an open invitation as a VTODO, the frame around them.

Pure; no clock, no table. The only module that names icalendar. Equal input gives equal bytes, so what did not change
keeps its bytes.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from icalendar import Alarm, Event, Timezone, Todo, vDuration, vText
from icalendar import Calendar as Frame

from feeds.levels import Shown
from store.standing import Standing

RENDERER: Final = 5
"""Raise it when the bytes for the same facts change: it is part of every ETag."""

_STOCKHOLM = ZoneInfo("Europe/Stockholm")
_TEXT_BYTES = 2000
_LINE_BYTES = 250
_CLOSE = timedelta(hours=3)
_NOT_COMING = (Standing.CANCELLED, Standing.GONE)

_ZONE = Timezone.from_ical(
    # The library's own is an hour off in spring by the RFC, which wants the wall clock before the change.
    "BEGIN:VTIMEZONE\r\nTZID:Europe/Stockholm\r\n"
    "BEGIN:DAYLIGHT\r\nDTSTART:19810329T020000\r\nRRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU\r\n"
    "TZNAME:CEST\r\nTZOFFSETFROM:+0100\r\nTZOFFSETTO:+0200\r\nEND:DAYLIGHT\r\n"
    "BEGIN:STANDARD\r\nDTSTART:19961027T030000\r\nRRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU\r\n"
    "TZNAME:CET\r\nTZOFFSETFROM:+0200\r\nTZOFFSETTO:+0100\r\nEND:STANDARD\r\n"
    "END:VTIMEZONE\r\n"
)
_END: Final = b"END:VCALENDAR\r\n"
PRODUCT: Final = "-//Kallelse//Kallelse//SV"
_LAST_MODIFIED = re.compile(rb"\r\nLAST-MODIFIED:(\d{8}T\d{6})Z\r\n")

_BREAK = re.compile("\r\n|[\n\r\v\f\x85\u2028\u2029]")
_DROPPED = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f-\x9f"  # controls
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff"  # direction overrides and marks
    "\ud800-\udfff]"  # lone surrogates
)
_BORDER = re.compile(r"(?i)\b(BEGIN|END):(?=V)")  # some programs look for it anywhere, also within a text
_LIKE_A_BREAK = re.compile(r"\\+(?=[nN])")  # some programs break the line here, though the backslash is escaped


class _Text(vText):
    r"""A TEXT value (RFC 5545 3.3.11). The library's own takes a backslash before an N in somebody's words for a line
    break: "Mottagning A\Norr" would be torn in two."""

    def to_ical(self) -> bytes:
        escaped = self.replace("\\", "\\\\").replace(";", r"\;").replace(",", r"\,").replace("\n", r"\n")
        return escaped.encode()


@dataclass(frozen=True, slots=True)
class Happening:
    """One booking as one calendar shows it. Instants are UTC; `end_at` is None where no end is to be shown."""

    uid: str
    sequence: int
    changed_at: datetime  # of what is shown; not each time that it is rendered
    start_at: datetime
    end_at: datetime | None
    standing: Standing
    is_confirmed_gone: bool  # gone on direct evidence
    shown: Shown = field(repr=False)
    alarms: tuple[timedelta, ...] = ()  # before the start


@dataclass(frozen=True, slots=True)
class Task:
    """One open invitation as one calendar shows it."""

    uid: str
    sequence: int
    changed_at: datetime  # of the invitation, never the clock
    due_on: date | None
    shown: Shown = field(repr=False)


def component(happening: Happening) -> bytes:
    """The VEVENT.

    Times are written as Swedish wall clock with TZID, as the sources write them, but as UTC close to a clock change:
    the wall clock cannot say the second pass of the repeated hour, and calendar programs differ about such nights.
    """
    event = Event()
    _add_identity(event, happening)
    _add_times(event, happening)
    _add_texts(event, happening.shown)
    status = _status(happening)
    event.add("status", status)
    event.add("class", "PRIVATE")
    event.add("transp", "TRANSPARENT" if status == "CANCELLED" else "OPAQUE")
    if happening.standing not in _NOT_COMING:
        _add_alarms(event, happening)
    rendered: bytes = event.to_ical()
    return rendered


def task(invitation: Task) -> bytes:
    """The VTODO. It waits to be done, and stays so until it goes: nobody tells us who has done it."""
    todo = Todo()
    _add_identity(todo, invitation)
    if invitation.due_on is not None:
        todo.add("due", invitation.due_on)
    _add_texts(todo, invitation.shown)
    todo.add("status", "NEEDS-ACTION")
    todo.add("class", "PRIVATE")
    rendered: bytes = todo.to_ical()
    return rendered


def calendar(name: str, about: str, refresh: timedelta, components: Iterable[bytes]) -> bytes:
    """A whole calendar, its components joined as they are."""
    frame = Frame()
    frame.add("version", "2.0")
    frame.add("prodid", PRODUCT)
    frame.add("method", "PUBLISH")
    frame.add("name", _Text(one_line(name)))
    frame.add("x-wr-calname", _Text(one_line(name)))
    frame.add("x-wr-caldesc", _Text(one_line(about, limit=_TEXT_BYTES)))
    frame.add("x-wr-timezone", "Europe/Stockholm")
    frame.add("refresh-interval", refresh, parameters={"VALUE": "DURATION"})
    frame.add("x-published-ttl", _duration(refresh))
    frame.add("color", "teal")
    frame.add("x-apple-calendar-color", "#008080")
    frame.add_component(_ZONE)
    head = frame.to_ical().removesuffix(_END)
    return b"".join((head, *components, _END))


def calendar_object(component: bytes) -> bytes:
    """A component as a calendar of its own, without METHOD, which belongs to what is sent (RFC 4791 4.1)."""
    return b"".join((_OBJECT_HEAD, component, _END))


def written_at(content: bytes) -> datetime | None:
    """When a component of ours last changed, by its own LAST-MODIFIED."""
    found = _LAST_MODIFIED.search(content)
    return datetime.strptime(found[1].decode(), "%Y%m%dT%H%M%S").replace(tzinfo=UTC) if found else None


def zone() -> str:
    """Europe/Stockholm as a calendar of its own (RFC 4791 5.2.2)."""
    return (_OBJECT_HEAD + _END).decode()


def written_end(start_at: datetime, end_at: datetime | None) -> datetime | None:
    """The end as a component writes it: None where it does not lie after the start."""
    return end_at if end_at is not None and end_at > start_at else None


def one_line(text: str, *, limit: int = _LINE_BYTES) -> str:
    """Text that may stand on one line: every kind of line break and tab becomes a space."""
    return _cut(" ".join(_without_controls(text).split()), limit)


def lines(text: str, *, limit: int = _TEXT_BYTES) -> str:
    """Text that may hold line feeds, and no other control, line break or direction override."""
    tidy = [" ".join(line.split()) for line in _without_controls(text).split("\n")]
    return _cut("\n".join(tidy).strip("\n"), limit)


def _duration(length: timedelta) -> str:
    written: bytes = vDuration(length).to_ical()  # type: ignore[no-untyped-call]
    return written.decode()


def _add_identity(component: Event | Todo, of: Happening | Task) -> None:
    component.add("uid", _Text(one_line(of.uid)))
    component.add("sequence", of.sequence)
    component.add("dtstamp", of.changed_at)
    component.add("last-modified", of.changed_at)


def _add_times(event: Event, happening: Happening) -> None:
    end_at = written_end(happening.start_at, happening.end_at)
    times = {"dtstart": happening.start_at} | ({"dtend": end_at} if end_at is not None else {})
    zone = UTC if any(_is_close_to_a_clock_change(at) for at in times.values()) else _STOCKHOLM
    for name, at in times.items():
        event.add(name, at.astimezone(zone))


def _is_close_to_a_clock_change(at: datetime) -> bool:
    before, after = (at + distance for distance in (-_CLOSE, _CLOSE))
    return before.astimezone(_STOCKHOLM).utcoffset() != after.astimezone(_STOCKHOLM).utcoffset()


def _object_head() -> bytes:
    frame = Frame()
    frame.add("version", "2.0")
    frame.add("prodid", PRODUCT)
    frame.add_component(_ZONE)
    head: bytes = frame.to_ical()
    return head.removesuffix(_END)


_OBJECT_HEAD: Final = _object_head()


def _add_texts(component: Event | Todo, shown: Shown) -> None:
    component.add("summary", _Text(one_line(shown.summary)))
    if shown.location:
        component.add("location", _Text(one_line(shown.location)))
    if shown.description:
        component.add("description", _Text(lines(shown.description)))
    if shown.url.startswith("https://"):
        component.add("url", one_line(shown.url))


def _status(happening: Happening) -> str:
    if happening.standing is Standing.CANCELLED:
        return "CANCELLED"
    if happening.standing is Standing.GONE:
        return "CANCELLED" if happening.is_confirmed_gone else "TENTATIVE"
    return "CONFIRMED"


def _add_alarms(event: Event, happening: Happening) -> None:
    for before in happening.alarms:
        alarm = Alarm()
        alarm.add("action", "DISPLAY")
        alarm.add("description", _Text(one_line(happening.shown.summary)))
        alarm.add("trigger", -before)
        event.add_component(alarm)


def _without_controls(text: str) -> str:
    """The library escapes CR and LF in texts but lets other controls through, and a lone surrogate stops it."""
    unbroken = _BREAK.sub("\n", text).replace("\t", " ")
    return _LIKE_A_BREAK.sub("/", _BORDER.sub(r"\1: ", _DROPPED.sub("", unbroken)))


def _cut(text: str, limit: int) -> str:
    """At most `limit` octets, cut between characters."""
    encoded = text.encode()
    if len(encoded) <= limit:
        return text
    return encoded[: limit - 3].decode(errors="ignore").rstrip() + "…"
