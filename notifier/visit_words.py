"""The values of a message's fields for one recipient: dates as people say them, names that may be told. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from notifier.fields import Field
from notifier.spoken_times import clock, clocks, day, moment, short_moment, weekday

_SEVERAL_CLINICS = {"sv": "flera mottagningar", "en": "several clinics"}
_UNCONFIRMED = {
    "sv": "Vi har inte kunnat bekräfta tiden sedan {}.",
    "en": "We have not been able to confirm this time since {}.",
}


@dataclass(frozen=True, slots=True)
class ToldVisit:
    """What a message may say of one visit."""

    start_at: datetime
    clinic: str = field(repr=False)  # the facility's name in messages
    phone: str = field(default="", repr=False)
    deadline_at: datetime | None = None
    was_at: datetime | None = None  # before a move
    unconfirmed_since: datetime | None = None
    has_preparations: bool = False
    code: str = ""  # by which an answer names it
    missed_cost: int | None = None  # kronor, the clinic's own figure


def values(  # noqa: PLR0913 - the visits, whose language, and where each link leads
    visits: Sequence[ToldVisit],
    language: str,
    link: str,
    now: datetime,
    cancel_link: str = "",
    reading_link: str = "",
) -> dict[Field, str]:
    """Values for a message about one visit, or about several of one day. What is not known is empty. Without a
    `cancel_link` of ours, cancelling leads where everything leads, and so does reading without a `reading_link`.

    A cancel deadline that has passed is not told: it could only mislead. Nor is what a missed visit costs, while it is
    not sure that there is one.
    """
    ordered = sorted(visits, key=lambda visit: visit.start_at)
    first = ordered[0]
    deadlines = [visit.deadline_at for visit in ordered if visit.deadline_at is not None and visit.deadline_at > now]
    unconfirmed = [visit.unconfirmed_since for visit in ordered if visit.unconfirmed_since is not None]
    return {
        Field.WEEKDAY: weekday(first.start_at, language),
        Field.DATE: day(first.start_at, language),
        Field.TIME: clock(first.start_at, language),
        Field.CLINIC: _clinic(ordered, language),
        Field.CANCEL_BY: short_moment(min(deadlines), language) if deadlines else "",
        Field.LINK: link,
        Field.EARLIER_TIME: moment(first.was_at, language) if first.was_at is not None else "",
        Field.PHONE: first.phone,
        Field.COUNT: _count(len(ordered), language),
        Field.TIMES: clocks([visit.start_at for visit in ordered], language),
        Field.VISITS: "\n".join(visit_line(visit.start_at, visit.clinic, language) for visit in ordered),
        Field.UNCONFIRMED_SINCE: short_moment(min(unconfirmed), language) if unconfirmed else "",
        Field.MISSED_COST: "" if unconfirmed else _kronor(first.missed_cost, language),
        Field.PREPARATIONS: "x" if any(visit.has_preparations for visit in ordered) else "",
        Field.CANCEL_LINK: cancel_link or link,
        Field.PREPARATIONS_LINK: reading_link or link,
        Field.REPLY_CODE: first.code if len(ordered) == 1 else "",
        Field.ONE_TIME_CODE: "",  # of no visit
    }


def visit_line(start_at: datetime, clinic: str, language: str) -> str:
    """One of several visits of a day."""
    at = clock(start_at, language)
    return f"kl. {at}, {clinic}" if language == "sv" else f"{at}, {clinic}"


def unconfirmed_sentence(since: str, language: str) -> str:
    """What is added where a clinic's own words do not say it."""
    return _UNCONFIRMED["en" if language == "en" else "sv"].format(since)


def _clinic(visits: Sequence[ToldVisit], language: str) -> str:
    names = list(dict.fromkeys(visit.clinic for visit in visits))
    if len(names) == 1:
        return names[0]
    return _SEVERAL_CLINICS[language] if language in _SEVERAL_CLINICS else ", ".join(names)


def _count(visits: int, language: str) -> str:
    """A bare number in languages whose plurals are theirs to write."""
    if language == "en":
        return "1 visit" if visits == 1 else f"{visits} visits"
    return f"{visits} besök" if language == "sv" else str(visits)


def _kronor(amount: int | None, language: str) -> str:
    if amount is None:
        return ""
    return f"SEK {amount:,}" if language != "sv" else f"{amount:,} kr".replace(",", " ")
