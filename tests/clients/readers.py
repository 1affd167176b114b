"""Independent iCalendar readers, each asked what it understands of a folder of calendars.

A reader that is its own program runs once for the whole folder. Independent means: shares no reading code with another
one here. khal and recurring-ical-events read through icalendar, Radicale through vobject, Thunderbird through ical.js,
Evolution through libical: they add nothing to this list.
"""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

import icalendar
import ics
import vobject

HERE = Path(__file__).parent
DEBIAN_PYTHON: Final = "/usr/bin/python3"
_DURATION = re.compile(r"(-?)P(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?$")


@dataclass(frozen=True, order=True)
class Meaning:
    """What one event says. `end` is None where it has none; an absent text is empty; alarms are seconds."""

    uid: str
    start: datetime
    end: datetime | None
    summary: str
    location: str
    description: str
    status: str
    sequence: int
    alarms: tuple[int, ...]


Found = Mapping[str, list[Meaning]]
"""By file name; a calendar that a reader refuses is missing."""


@dataclass(frozen=True)
class Reader:
    """`missing` says in a line why it cannot be asked on this machine."""

    name: str
    read: Callable[[Path], Found]
    missing: Callable[[], str]


def _python(read_one: Callable[[str], list[Meaning]]) -> Callable[[Path], Found]:
    return lambda folder: {one.name: read_one(one.read_bytes().decode()) for one in folder.iterdir()}


def _by_icalendar(body: str) -> list[Meaning]:
    return [
        Meaning(
            str(event["UID"]),
            event["DTSTART"].dt.astimezone(UTC),
            event["DTEND"].dt.astimezone(UTC) if "DTEND" in event else None,
            str(event["SUMMARY"]),
            str(event.get("LOCATION", "")),
            str(event.get("DESCRIPTION", "")),
            str(event["STATUS"]),
            int(event["SEQUENCE"]),
            tuple(sorted(round(one["TRIGGER"].dt.total_seconds()) for one in event.walk("VALARM"))),
        )
        for event in icalendar.Calendar.from_ical(body).events
    ]


def _by_vobject(body: str) -> list[Meaning]:
    def text(event: Any, name: str) -> str:
        return str(getattr(event, name).value) if name in event.contents else ""

    return [
        Meaning(
            text(event, "uid"),
            event.dtstart.value.astimezone(UTC),
            event.dtend.value.astimezone(UTC) if "dtend" in event.contents else None,
            text(event, "summary"),
            text(event, "location"),
            text(event, "description"),
            text(event, "status"),
            int(text(event, "sequence")),
            tuple(sorted(round(one.trigger.value.total_seconds()) for one in event.contents.get("valarm", []))),
        )
        for event in vobject.readOne(body).contents.get("vevent", [])
    ]


def _by_ics(body: str) -> list[Meaning]:
    return [
        Meaning(
            event.uid,
            event.begin.astimezone(UTC),
            event.end.astimezone(UTC) if event.has_end() else None,
            event.name or "",
            event.location or "",
            event.description or "",
            event.status or "",
            int(next(line.value for line in event.extra if line.name == "SEQUENCE")),
            tuple(sorted(round(one.trigger.total_seconds()) for one in event.alarms)),
        )
        for event in ics.Calendar(body).events
    ]


def _program(*command: str) -> Callable[[Path], Found]:
    return lambda folder: {name: _meanings(events) for name, events in _asked(*command, str(folder)).items()}


def _javascript(name: str) -> Reader:
    command = ("node", str(HERE / "parsers.mjs"), name)
    return Reader(name, _program(*command), javascript_missing)


def javascript_missing() -> str:
    if shutil.which("node") is None:
        return "node is not installed"
    is_installed = (HERE / "node_modules" / ".installed").exists()
    return "" if is_installed else "the JavaScript calendar programs are not installed (npm, then make test)"


def missing(*paths: str) -> str:
    absent = [one for one in paths if shutil.which(one) is None and not Path(one).exists()]
    return f"Debian's {', '.join(absent)} is not installed" if absent else ""


def _asked(*command: str) -> dict[str, list[dict[str, Any]]]:
    answer = subprocess.run(command, capture_output=True, check=True, timeout=60)
    found = json.loads(answer.stdout)
    return {file: events for file, events in found.items() if isinstance(events, list)}


def _meanings(events: list[dict[str, Any]]) -> list[Meaning]:
    return [
        Meaning(
            **{
                **event,
                "start": _instant(event["start"]),
                "end": _instant(event["end"]),
                "alarms": tuple(sorted(_seconds(one) for one in event["alarms"])),
            }
        )
        for event in events
    ]


def _instant(given: str | list[str] | None) -> datetime | None:
    """An instant in UTC, or from a reader that leaves zones to others: a zone's name and local time."""
    if given is None or isinstance(given, str):
        return datetime.fromisoformat(given) if given else None
    zone, local = given
    if local.endswith("Z"):
        zone, local = "UTC", local.removesuffix("Z")
    return datetime.strptime(local, "%Y%m%dT%H%M%S").replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


def _seconds(given: str | int) -> int:
    """A number, or from a reader that leaves durations to others: the text."""
    if isinstance(given, int):
        return given
    found = _DURATION.match(given)
    assert found is not None
    weeks, days, hours, minutes, seconds = (int(one or 0) for one in found.groups()[1:])
    length = timedelta(weeks=weeks, days=days, hours=hours, minutes=minutes, seconds=seconds)
    return round(length.total_seconds()) * (-1 if found[1] else 1)


def described_missing(*described: tuple[str, str]) -> str:
    """Of libraries that Debian's own Python reaches by their descriptions: name and version."""
    asked = "".join(f"gi.require_version({name!r}, {version!r});" for name, version in described)
    tried = [DEBIAN_PYTHON, "-c", f"import gi; {asked}"]
    if not missing(DEBIAN_PYTHON) and subprocess.run(tried, capture_output=True, check=False).returncode == 0:
        return ""
    return (
        f"Debian's {', '.join(f'{name} {version}' for name, version in described)} is not installed for {DEBIAN_PYTHON}"
    )


def calcurse_keeps(body: Path, folder: Path) -> list[tuple[datetime, datetime, str, str, str]]:
    """What calcurse keeps of each event: start, end, summary, location, description."""
    here = {**os.environ, "TZ": "Europe/Stockholm", "LC_ALL": "C.UTF-8"}
    command = ["calcurse", "-D", folder, "-C", folder, "-q", "-i", body]
    command += ["--dump-imported", "--format-apt", r"%s|%e|%n|%m\n"]
    done = subprocess.run(command, env=here, capture_output=True, check=True, timeout=60, encoding="utf-8")
    assert not done.stderr, done.stderr
    rows = [line.split("|", 3) for line in done.stdout.splitlines()]
    return [(_from_unix(start), _from_unix(end), summary, *_noted(folder, note)) for start, end, note, summary in rows]


def _noted(folder: Path, name: str) -> tuple[str, str]:
    """Location and description, which calcurse keeps in one note."""
    note = (folder / "notes" / name).read_text() if name else ""
    description, _, rest = note.partition("-- \n")
    location = re.search("^Location: (.*)$", rest, re.MULTILINE)
    return location[1] if location else "", description.removesuffix("\n")


def _from_unix(seconds: str) -> datetime:
    return datetime.fromtimestamp(int(seconds), UTC)


READERS: Final = (
    Reader("icalendar", _python(_by_icalendar), lambda: ""),
    Reader("vobject", _python(_by_vobject), lambda: ""),
    Reader("ics.py", _python(_by_ics), lambda: ""),
    _javascript("ical.js"),
    _javascript("node-ical"),
    _javascript("ts-ics"),
    Reader(
        "libical",
        _program(DEBIAN_PYTHON, str(HERE / "parser_libical.py")),
        lambda: described_missing(("ICalGLib", "3.0")),
    ),
    Reader(
        "Data::ICal",
        _program("perl", str(HERE / "parser_data_ical.pl")),
        lambda: missing("perl", "/usr/share/perl5/Data/ICal.pm"),
    ),
)
