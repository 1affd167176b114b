"""Conditional requests and content coding (RFC 9110 sections 8.8, 12.5.3, 13). Pure: header texts in, decisions out."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from enum import StrEnum
from functools import lru_cache

_TAG = re.compile(r'(?:W/)?"([\x21\x23-\x7e]*)"')
_STRONG_TAG = re.compile(r'(W/)?"([\x21\x23-\x7e]*)"')
_GZIP_SUFFIX = "-gz"
_CLOCK_SKEW = timedelta(minutes=5)
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


@dataclass(frozen=True, slots=True)
class Conditions:
    """The four headers that make a request conditional, as they came, empty where absent; and when they did."""

    real_now: datetime
    if_match: str = ""
    if_unmodified_since: str = ""
    if_none_match: str = ""
    if_modified_since: str = ""


class Verdict(StrEnum):
    HOLDS = "holds"
    UNCHANGED = "unchanged"  # 304
    FAILS = "fails"  # 412


def verdict(conditions: Conditions, etag: str, changed_at: datetime) -> Verdict:
    """Of a GET or HEAD, in the order of RFC 9110 13.2.2: a tag beats a date."""
    if conditions.if_match:
        if not _is_strongly_named(conditions.if_match, etag):
            return Verdict.FAILS
    elif _has_changed_since(conditions.if_unmodified_since, changed_at):
        return Verdict.FAILS
    if conditions.if_none_match:
        is_unchanged = matching_etag(conditions.if_none_match, etag) is not None
    else:
        is_unchanged = is_unmodified(conditions.if_modified_since, changed_at, conditions.real_now)
    return Verdict.UNCHANGED if is_unchanged else Verdict.HOLDS


def gzip_etag(etag: str) -> str:
    """The gzip copy is other bytes, so it has another strong tag (RFC 9110 8.8.3.3)."""
    return f'{etag[:-1]}{_GZIP_SUFFIX}"'


def matching_etag(if_none_match: str, etag: str) -> str | None:
    """Our tag that the header names, by weak comparison; the identity one for `*`. None: it names neither."""
    packed = gzip_etag(etag)
    if if_none_match in (etag, packed):  # what nearly every program sends
        return if_none_match
    if if_none_match.strip() == "*":
        return etag
    named = set(_TAG.findall(if_none_match))
    return next((ours for ours in (etag, packed) if ours.strip('"') in named), None)


def is_unmodified(if_modified_since: str, changed_at: datetime, real_now: datetime) -> bool:
    """Whether nothing has changed since that date. What is no date, or lies ahead of us, says nothing.

    (A program that invents its date must not be told "unchanged" for ever.)
    """
    since = _http_date(if_modified_since)
    return since is not None and changed_at <= since <= real_now + _CLOCK_SKEW


def http_date(at: datetime) -> str:
    """An instant as HTTP writes it (IMF-fixdate), whatever the locale."""
    utc = at.astimezone(UTC)
    day = f"{_DAYS[utc.weekday()]}, {utc.day:02} {_MONTHS[utc.month - 1]} {utc.year:04}"
    return f"{day} {utc.hour:02}:{utc.minute:02}:{utc.second:02} GMT"


@lru_cache(64)  # programs send the same few
def accepts_gzip(accept_encoding: str) -> bool:
    """By quality values; a coding that is named wins over `*`."""
    qualities = dict(_quality(part) for part in accept_encoding.casefold().split(",") if part.strip())
    named = [qualities[coding] for coding in ("gzip", "x-gzip") if coding in qualities]
    return max(named or [qualities.get("*", 0.0)]) > 0


def prefers_html(accept: str) -> bool:
    """A browser names text/html; calendar programs name text/calendar, anything, or nothing."""
    return any(part.split(";")[0].strip().casefold() == "text/html" for part in accept.split(","))


def _is_strongly_named(if_match: str, etag: str) -> bool:
    named = {tag for weak, tag in _STRONG_TAG.findall(if_match) if not weak}
    return if_match.strip() == "*" or etag.strip('"') in named


def _has_changed_since(if_unmodified_since: str, changed_at: datetime) -> bool:
    since = _http_date(if_unmodified_since)
    return since is not None and changed_at > since


def _http_date(text: str) -> datetime | None:
    try:
        at = parsedate_to_datetime(text)
    except (ValueError, TypeError, OverflowError):
        return None
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at


def _quality(part: str) -> tuple[str, float]:
    coding, _, parameters = part.partition(";")
    found = re.search(r"(?:^|;)\s*q\s*=\s*([01](?:\.[0-9]{0,3})?)\s*(?:;|$)", parameters)
    if found:
        return coding.strip(), float(found[1])
    return coding.strip(), 0.0 if "q" in parameters else 1.0
