"""Reads a subscribed calendar as a calendar app would: over HTTP, by RFC 5545, sharing nothing with our renderer."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

import httpx

_PATIENCE_SECONDS = 5.0
_SWEDEN = ZoneInfo("Europe/Stockholm")
_NAME = re.compile(r"[A-Za-z0-9-]+")
_PARAMETER = re.compile(r';([A-Za-z0-9-]+)=("[^"]*"|[^";:,]*)(?:,(?:"[^"]*"|[^";:,]*))*')
_ESCAPED = re.compile(r"\\(.)")


@dataclass(frozen=True, slots=True)
class ServedEvent:
    """One VEVENT as served. Instants are aware; a date without a time is midnight in Sweden."""

    uid: str
    summary: str = field(repr=False)
    location: str = field(repr=False)
    start_at: datetime
    end_at: datetime | None
    status: str
    sequence: int


@dataclass(frozen=True, slots=True)
class ServedFeed:
    """The answer to a request for the feed. `status` 0: nothing answered. `events` by start, with status 200 only."""

    status: int
    etag: str = ""
    events: tuple[ServedEvent, ...] = ()


@dataclass(frozen=True, slots=True)
class _Line:
    name: str
    parameters: dict[str, str]
    value: str


def fetch(url: str) -> ServedFeed:
    """Asks for the feed without a cache. Never raises for what a server or network may do."""
    try:
        answer = httpx.get(url, timeout=_PATIENCE_SECONDS, trust_env=False)
    except httpx.HTTPError:
        return ServedFeed(0)
    if answer.status_code != httpx.codes.OK:
        return ServedFeed(answer.status_code)
    return ServedFeed(answer.status_code, answer.headers.get("etag", ""), read(answer.content.decode(errors="replace")))


def read(text: str) -> tuple[ServedEvent, ...]:
    """The events of an iCalendar text, by start. An event without a readable start is left out."""
    events = (_event(lines) for lines in _components(text))
    return tuple(sorted((event for event in events if event), key=lambda event: (event.start_at, event.uid)))


def _components(text: str) -> Iterator[dict[str, _Line]]:
    """The lines of each VEVENT by name, without those of what is nested in it (alarms)."""
    inside: list[str] = []
    lines: dict[str, _Line] = {}
    for line in map(_line, _unfolded(text)):
        if line.name == "BEGIN":
            inside.append(line.value.upper())
        elif line.name == "END" and inside:
            if inside.pop() == "VEVENT":
                yield lines
                lines = {}
        elif inside[-1:] == ["VEVENT"]:
            lines.setdefault(line.name, line)


def _unfolded(text: str) -> list[str]:
    """Content lines with their folds taken out (RFC 5545, 3.1)."""
    whole = re.sub(r"\r?\n[ \t]", "", text)
    return [line for line in re.split(r"\r?\n", whole) if line]


def _line(text: str) -> _Line:
    name = _NAME.match(text)
    if name is None:
        return _Line("", {}, "")
    at, parameters = name.end(), {}
    while found := _PARAMETER.match(text, at):
        parameters[found[1].upper()] = found[2].strip('"')
        at = found.end()
    return _Line(name[0].upper(), parameters, text[at + 1 :])


def _event(lines: dict[str, _Line]) -> ServedEvent | None:
    start_at = _instant(lines.get("DTSTART"))
    if start_at is None:
        return None
    sequence = _value(lines, "SEQUENCE")
    return ServedEvent(
        uid=_value(lines, "UID"),
        summary=_text(_value(lines, "SUMMARY")),
        location=_text(_value(lines, "LOCATION")),
        start_at=start_at,
        end_at=_instant(lines.get("DTEND")),
        status=_value(lines, "STATUS").upper(),
        sequence=int(sequence) if sequence.isdecimal() else 0,
    )


def _value(lines: dict[str, _Line], name: str) -> str:
    return lines[name].value if name in lines else ""


def _text(value: str) -> str:
    """The text behind its escapes (RFC 5545, 3.3.11)."""
    return _ESCAPED.sub(lambda found: "\n" if found[1] in "nN" else found[1], value)


def _instant(line: _Line | None) -> datetime | None:
    if line is None:
        return None
    try:
        if line.parameters.get("VALUE") == "DATE":
            return datetime.combine(date.fromisoformat(line.value), time(), _SWEDEN)
        zone = UTC if line.value.endswith("Z") else ZoneInfo(line.parameters.get("TZID", "Europe/Stockholm"))
        return datetime.fromisoformat(line.value.removesuffix("Z")).replace(tzinfo=zone)
    except (ValueError, LookupError):  # an unknown zone is a LookupError
        return None
