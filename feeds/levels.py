"""What each level of a calendar shows of a booking, in Swedish and English. Pure: knows no table and no iCalendar.

Below level `clinic` no text names a clinic. A sensitive facility lowers the level. The reason for a visit is not here.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from zoneinfo import ZoneInfo

from babel.dates import format_date

from store.leaflets import Leaflet, plain
from store.level import Level
from store.standing import Standing

_STOCKHOLM = ZoneInfo("Europe/Stockholm")
_NOT_COMING = (Standing.CANCELLED, Standing.GONE)


class Mode(StrEnum):
    """How the visit is held. REMOTE: the facility says it is not on site, and no text says which way."""

    ON_SITE = "on_site"
    VIDEO = "video"
    PHONE = "phone"
    REMOTE = "remote"


@dataclass(frozen=True, slots=True)
class AlsoThatDay:
    """Another visit of the same day; an empty name where no calendar may name its clinic."""

    start_at: datetime
    name: str = field(default="", repr=False)
    clashes: bool = False


@dataclass(frozen=True, slots=True)
class Visit:
    """What a booking is about. The texts are the care side's own and may hold anything."""

    standing: Standing
    mode: Mode
    may_cancel: bool = False
    may_rebook: bool = False
    is_in_clock_change: bool = False  # its local time does not say one instant
    time_type: str = field(default="", repr=False)
    performer: str = field(default="", repr=False)
    resource: str = field(default="", repr=False)
    preparations: Leaflet = field(default=Leaflet(), repr=False)
    that_day: tuple[AlsoThatDay, ...] = ()
    more_that_day: int = 0


@dataclass(frozen=True, slots=True)
class Place:
    """Where it is. Unknown facilities are sensitive."""

    name: str = field(repr=False)
    address: str = field(default="", repr=False)
    phone: str = ""
    is_sensitive: bool = True


@dataclass(frozen=True, slots=True)
class Silence:
    """A clinic that has not answered since; an empty name where the calendar must not name it."""

    name: str = field(repr=False)
    since_at: datetime


@dataclass(frozen=True, slots=True)
class Shown:
    """The texts of one event. Lines are separated by line feeds; nothing else is promised of their characters."""

    summary: str = field(repr=False)
    location: str = field(default="", repr=False)
    description: str = field(default="", repr=False)
    url: str = ""


def shown(visit: Visit, place: Place, level: Level, language: str, way_back: str) -> Shown:
    """The texts of one booking at a level. `language` is `sv` or `en`; anything else is Swedish.

    `way_back` is the address of 1177, where bookings are seen and cancelled.
    """
    words = _words(language)
    level = lowered(level, place)
    if level is Level.BUSY:
        return Shown(_marked(visit, words["busy"], words))
    named = level in (Level.CLINIC, Level.FULL)
    return Shown(
        summary=_marked(visit, _summary(visit, place.name if named else "", words), words),
        location=_location(visit, place) if named else "",
        description="\n".join(
            [
                *_first_lines(visit, words),
                *_that_day(visit, words, language, named=named),
                f"{words[_way_back(visit)]}: {way_back}",
                *_details(visit, place, level, words),
            ]
        ),
        url=way_back,
    )


def lowered(level: Level, place: Place) -> Level:
    """The level after the place's sensitivity."""
    if place.is_sensitive and level in (Level.CLINIC, Level.FULL):
        return Level.VISIT
    return level


def mode_of(time_type_id: str, time_type_name: str, remote_time_types: Sequence[str]) -> Mode:
    """On site, unless the facility's own list says otherwise. Local codes carry no meaning (TKB crm:scheduling 7), so
    the text only chooses between the words video and telephone."""
    if time_type_id not in remote_time_types:
        return Mode.ON_SITE
    text = f"{time_type_id} {time_type_name}".casefold()
    if "video" in text:
        return Mode.VIDEO
    return Mode.PHONE if "telefon" in text or "phone" in text else Mode.REMOTE


def labelled(words: Mapping[str, str], **values: str) -> list[str]:
    """One line each: a line break within a value must not pass for a line of ours."""
    return [f"{words[label]}: {' '.join(value.split())}" for label, value in values.items() if value.strip()]


def told_before(preparations: Leaflet, heading: str) -> list[str]:
    """What is to be read before a visit, with a heading and an empty line of its own."""
    return ["", f"{heading}:", plain(preparations)] if preparations else []


def calendar_name(language: str) -> str:
    return _words(language)["calendar"]


def invitations_name(language: str) -> str:
    """Of the collection of open invitations."""
    return _words(language)["invitations"]


def about(level: Level, silences: Sequence[Silence], language: str) -> str:
    """What the calendar says of itself: that it may not be all, and which clinics have long been silent."""
    words = _words(language)
    if level is Level.BUSY:
        return " ".join([words["covers_busy"], *_silent_without_care(silences, words, language)])
    return " ".join([words["covers"], *_silent(level, silences, words, language)])


def _words(language: str) -> Mapping[str, str]:
    return _ENGLISH if language == "en" else _SWEDISH


def _marked(visit: Visit, summary: str, words: Mapping[str, str]) -> str:
    if visit.standing is Standing.CANCELLED:
        return f"{words['cancelled']}: {summary}"
    if visit.standing is Standing.GONE:
        return f"{words['gone']}: {summary}"
    return summary


def _summary(visit: Visit, name: str, words: Mapping[str, str]) -> str:
    parts = [words["visit"]]
    if visit.mode is not Mode.ON_SITE or not name:
        parts.append(words[visit.mode])
    if name:
        parts.append(name)
    return ", ".join(parts)


def _location(visit: Visit, place: Place) -> str:
    """A remote visit has none: a map would send people to a building where nobody waits."""
    if visit.mode is not Mode.ON_SITE:
        return ""
    return ", ".join(part for part in (place.name, place.address) if part)


def _first_lines(visit: Visit, words: Mapping[str, str]) -> list[str]:
    """The most important first: a description that is too long is cut at its end."""
    lines = [words[f"{visit.standing}_means"]] if visit.standing in _NOT_COMING else []
    return [*lines, words["clock_change"]] if visit.is_in_clock_change else lines


def _that_day(visit: Visit, words: Mapping[str, str], language: str, *, named: bool) -> list[str]:
    """So that one journey serves several visits, and nobody finds out on the day that two cannot both be kept."""
    lines = []
    for one in visit.that_day:
        parts = [_clock(one.start_at, language), " ".join(one.name.split()) if named else ""]
        kind = words["clashes" if one.clashes else "that_day"]
        lines.append(kind.format(visit=", ".join(part for part in parts if part)))
    more = words["more_that_day"].format(count=visit.more_that_day)
    return [*lines, more] if visit.more_that_day else lines


def _way_back(visit: Visit) -> str:
    if visit.standing in _NOT_COMING:
        return "see_all"
    if visit.may_cancel and visit.may_rebook:
        return "cancel_or_rebook"
    if visit.may_cancel:
        return "cancel"
    return "rebook" if visit.may_rebook else "see"


def _details(visit: Visit, place: Place, level: Level, words: Mapping[str, str]) -> list[str]:
    if level is Level.VISIT:
        return []
    lines = labelled(words, clinic=place.name, address=place.address, phone=place.phone)
    if level is Level.CLINIC:
        return lines
    lines += labelled(words, time_type=visit.time_type, performer=visit.performer, resource=visit.resource)
    return [*lines, *told_before(visit.preparations, words["preparations"])]


def _silent(level: Level, silences: Sequence[Silence], words: Mapping[str, str], language: str) -> list[str]:
    may_name = level in (Level.CLINIC, Level.FULL)
    named = sorted((one for one in silences if one.name and may_name), key=lambda one: (one.since_at, one.name))
    rest = [one.since_at for one in silences if not (one.name and may_name)]
    lines = [words["silent_named"].format(name=one.name, at=_spoken(one.since_at, language)) for one in named]
    if rest:
        key = "silent_one" if len(rest) == 1 else "silent_many"
        lines.append(words[key].format(count=len(rest), at=_spoken(min(rest), language)))
    return lines + ([words["may_have_changed"]] if lines else [])


def _silent_without_care(silences: Sequence[Silence], words: Mapping[str, str], language: str) -> list[str]:
    if not silences:
        return []
    since_at = min(one.since_at for one in silences)
    return [words["silent_busy"].format(at=_spoken(since_at, language))]


def _spoken(at: datetime, language: str) -> str:
    local, clock = at.astimezone(_STOCKHOLM), _clock(at, language)
    if language == "en":
        return f"{format_date(local, 'EEEE d MMMM', locale='en')}, {clock}"
    return f"{format_date(local, 'EEEE d MMMM', locale='sv')} {clock}"


def _clock(at: datetime, language: str) -> str:
    local = at.astimezone(_STOCKHOLM)
    return f"{local:%H:%M}" if language == "en" else f"kl. {local:%H.%M}"


_SWEDISH: Mapping[str, str] = {
    "calendar": "Bokade tider",
    "invitations": "Kallelser utan tid",
    "busy": "Upptagen tid",
    "visit": "Bokad tid",
    Mode.ON_SITE: "besök",
    Mode.VIDEO: "videobesök",
    Mode.PHONE: "telefon",
    Mode.REMOTE: "på distans",
    "cancelled": "Avbokad",
    "gone": "Visas inte längre",
    "cancelled_means": "Tiden är avbokad.",
    "gone_means": "Mottagningen visar inte längre tiden. Hör med dem innan du åker.",
    "clock_change": "Tiden ligger i timmen då klockan ställs om. Hör med mottagningen vilken tid som gäller.",
    "that_day": "Samma dag: {visit}",
    "clashes": "Krockar med din tid {visit}",
    "more_that_day": "Samma dag: {count} tider till",
    "cancel_or_rebook": "Avboka eller boka om på 1177",
    "cancel": "Avboka på 1177",
    "rebook": "Boka om på 1177",
    "see": "Se tiden på 1177",
    "see_all": "Se dina tider på 1177",
    "clinic": "Mottagning",
    "address": "Adress",
    "phone": "Telefon",
    "time_type": "Bokningen avser",
    "performer": "Du träffar",
    "resource": "Resurs",
    "preparations": "Information från vården",
    "covers": "Tider som vårdens mottagningar visar på 1177. Alla är inte anslutna, så tider kan saknas här.",
    "covers_busy": "Tider när du är upptagen. Tider kan saknas här.",
    "silent_named": "Vi har inte fått svar från {name} sedan {at}.",
    "silent_one": "Vi har inte fått svar från en mottagning sedan {at}.",
    "silent_many": "Vi har inte fått svar från {count} mottagningar, som längst sedan {at}.",
    "may_have_changed": "Tider där kan ha ändrats.",
    "silent_busy": "Allt har inte kunnat hämtas sedan {at}. Tider kan ha ändrats.",
}

_ENGLISH: Mapping[str, str] = {
    "calendar": "Booked times",
    "invitations": "Invitations without a time",
    "busy": "Busy time",
    "visit": "Booked time",
    Mode.ON_SITE: "visit",
    Mode.VIDEO: "video visit",
    Mode.PHONE: "telephone",
    Mode.REMOTE: "remote",
    "cancelled": "Cancelled",
    "gone": "No longer shown",
    "cancelled_means": "The visit has been cancelled.",
    "gone_means": "The clinic no longer shows this visit. Check with them before you travel.",
    "clock_change": "This time falls in the hour when the clocks change. Check with the clinic which time applies.",
    "that_day": "Same day: {visit}",
    "clashes": "Clashes with your visit at {visit}",
    "more_that_day": "Same day: {count} more",
    "cancel_or_rebook": "Cancel or rebook at 1177",
    "cancel": "Cancel at 1177",
    "rebook": "Rebook at 1177",
    "see": "See the visit at 1177",
    "see_all": "See your visits at 1177",
    "clinic": "Clinic",
    "address": "Address",
    "phone": "Telephone",
    "time_type": "The booking is for",
    "performer": "You will meet",
    "resource": "Resource",
    "preparations": "Information from the clinic",
    "covers": "Visits that clinics show at 1177. Not all clinics are connected, so visits may be missing here.",
    "covers_busy": "Times when you are busy. Times may be missing here.",
    "silent_named": "We have had no answer from {name} since {at}.",
    "silent_one": "We have had no answer from one clinic since {at}.",
    "silent_many": "We have had no answer from {count} clinics, the longest silent since {at}.",
    "may_have_changed": "Times there may have changed.",
    "silent_busy": "Not everything could be fetched since {at}. Times may have changed.",
}
