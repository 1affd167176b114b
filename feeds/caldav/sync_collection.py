"""Synchronizing a calendar, RFC 6578: what changed since a token.

A token names the calendar, the collection and a revision, and is made of what is stored: it outlives restarts, is the
same while nothing changes, and then costs no look at the collection. A page that ends early (`limit`) names the last
component it told of in the order of changes, so that nothing that changes between two pages is lost.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from lxml import etree

from feeds.caldav import answers, xml
from feeds.caldav.answers import Answer
from feeds.caldav.asked import Asked, Depth
from feeds.caldav.calendar_access import Report, report_in
from feeds.caldav.properties import Properties, Property
from feeds.caldav.reading import Caller, Change
from feeds.caldav.resources import Resource, ResourceKind
from feeds.caldav.xml import DAV, Malformed
from store.calendars import ComponentKind

_MOST = 10_000
_TOKEN_OCTETS = re.compile(rb"urn:kallelse:sync:[0-9a-z.]+")
_TOKEN = re.compile(
    r"urn:kallelse:sync:(?P<epoch>\d{1,12})\.(?P<calendar>[0-9a-f]{32})\.(?P<kind>visit|invitation)\.(?P<revision>\d{1,12})"
    r"(?:\.(?P<after>[0-9a-f]{32})\.(?P<first>\d{1,12}))?"
)
_INVALID_TOKEN: Final = answers.refused(403, "<D:valid-sync-token/>")


@dataclass(frozen=True, slots=True)
class _Since:
    """Where the caller stands: everything up to `revision`, and at it up to the name `after`, has been told.

    `first` is the revision at which a first sync began that is not done: what had gone by then is not told of
    (RFC 6578 3.4). It is 0 for a caller who has had everything once.
    """

    revision: int
    after: str = ""
    first: int = 0


@dataclass(frozen=True, slots=True)
class _Question:
    """What is asked, but for the token: programs of one kind all ask the same."""

    limit: int
    report: Report
    other_token: str  # whatever stands in a token's place and is none of ours


def token_in(body: bytes) -> str:
    """Our token in a request's body; empty: there is none."""
    found = _TOKEN_OCTETS.search(body)
    return found[0].decode() if found else ""


def without_token(body: bytes) -> bytes:
    """The body, our token cut out of it."""
    return _TOKEN_OCTETS.sub(b"", body, count=1)


def sync_collection(asked: Asked, root: etree._Element, properties: Properties) -> Answer:
    """RFC 6578 3.2. `root` is of the body without its token. Depth 0 is meant; 1 is what Thunderbird sends.

    Raises Malformed.
    """
    if asked.depth is Depth.INFINITY:
        raise Malformed("sync-collection takes Depth: 0")
    question = _remembered(root) if xml.is_small(asked.body) else _question(root)
    kind = asked.resource.collection
    current = asked.caller.revision(kind)
    since = _since(asked.caller, kind, token_in(asked.body) + question.other_token, current)
    if since is None:
        return _INVALID_TOKEN
    if since.revision == current and not since.after:
        return answers.multistatus((), _token_element(token(asked.caller, kind)), minimal=asked.prefers_minimal)
    return _page(asked, properties, question.report, since, current, question.limit)


def token(caller: Caller, kind: ComponentKind) -> str:
    """Of the collection as it stands. Raises NotNow."""
    return _token(caller, kind, _Since(caller.revision(kind)))


def _question(root: etree._Element) -> _Question:
    """Raises Malformed, calendar_data.Unsupported."""
    found = {str(child.tag): child for child in xml.children(root)}
    _require_level(found.get(f"{DAV}sync-level"))
    return _Question(
        limit=_limit(found.get(f"{DAV}limit")),
        report=report_in(found.get(f"{DAV}prop")),
        other_token=xml.text_of(found.get(f"{DAV}sync-token")),
    )


_remembered = lru_cache(maxsize=64)(_question)


def _page(  # noqa: PLR0913 - who asks, what of each, since when until when, how many
    asked: Asked, properties: Properties, report: Report, since: _Since, current: int, limit: int
) -> Answer:
    caller, kind = asked.caller, asked.resource.collection
    with_content = report.needs_content or properties.needs_content(ResourceKind.OBJECT, report.wanted)
    rows = caller.changes(kind, since.revision, since.after, limit + 1, with_content=with_content)
    told, is_cut = rows[:limit], len(rows) > limit
    responses = [
        _response(asked, properties, report, one)
        for one in told
        if not (one.is_removed and one.revision <= since.first)
    ]
    if not is_cut:
        return answers.multistatus(
            responses, _token_element(_token(caller, kind, _Since(current))), minimal=asked.prefers_minimal
        )
    stands = _Since(told[-1].revision, told[-1].name, since.first)
    responses.append(
        answers.response(
            asked.resource.path,
            "507 Insufficient Storage",
            "<D:error><D:number-of-matches-within-limits/></D:error>",
        )
    )
    return answers.multistatus(responses, _token_element(_token(caller, kind, stands)), minimal=asked.prefers_minimal)


def _response(asked: Asked, properties: Properties, report: Report, change: Change) -> str:
    if change.is_removed:
        return answers.response(change.resource.path, "404 Not Found")
    return report.response(asked, properties, change.resource)


def _require_level(level: etree._Element | None) -> None:
    """A calendar holds no collections, so that both levels are one. Without it, it is an old draft's Depth."""
    if level is not None and xml.text_of(level) not in ("1", "infinite"):
        raise Malformed("sync-level is 1 or infinite")


def _limit(limit: etree._Element | None) -> int:
    if limit is None:
        return _MOST
    text = xml.text_of(limit.find(f"{DAV}nresults"))
    if not (text.isascii() and text.isdigit() and int(text[:9])):
        raise Malformed("nresults is a number above 0")
    return min(int(text[:9]), _MOST)


def _since(caller: Caller, kind: ComponentKind, text: str, current: int) -> _Since | None:
    """None: the token is not one that we gave for this collection as it has been."""
    if not text:
        return _Since(0, "", current)
    found = _TOKEN.fullmatch(text)
    if found is None or found["kind"] != kind or found["calendar"] != caller.calendar:
        return None
    revision = int(found["revision"])
    if int(found["epoch"]) != caller.epoch or revision > current:
        return None
    if found["after"] is None:
        return _Since(revision)
    return _Since(revision, found["after"], int(found["first"]))


def _token(caller: Caller, kind: ComponentKind, since: _Since) -> str:
    page = f".{since.after}.{since.first}" if since.after else ""
    return f"urn:kallelse:sync:{caller.epoch}.{caller.calendar}.{kind}.{since.revision}{page}"


def _token_element(text: str) -> str:
    return f"<D:sync-token>{text}</D:sync-token>"


def _sync_token(caller: Caller, resource: Resource) -> str:
    return token(caller, resource.collection)


PROPERTIES = (Property(f"{DAV}sync-token", frozenset({ResourceKind.CALENDAR}), _sync_token),)
