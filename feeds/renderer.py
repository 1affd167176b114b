"""Which version of ours made a calendar's bytes: part of every ETag. After an upgrade the calendars follow, spread over
time, so that what has changed in a version reaches people whose visits do not change.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from feeds.ical import RENDERER
from store import calendars
from store.calendars import REFRESHING
from store.claims import wake
from store.database import Sessions

_MARK = f'-{RENDERER}"'
_BATCH = 1000
_A_SECOND = 20  # a million calendars take 14 hours, and a worker a third of its time
_NOT_BEFORE = timedelta(minutes=10)  # processes of the version before would make the old bytes again


@dataclass(frozen=True, slots=True)
class Following:
    """How many calendars were made by another version, and when the last of them is looked at."""

    count: int
    until: datetime


def etag_of(epoch: int, revision: int) -> str:
    return f'"{epoch}.{revision}{_MARK}' if epoch else f'"{revision}{_MARK}'


def marked(etag: str) -> str:
    """The same revision's ETag, of this version."""
    return etag.rpartition("-")[0] + _MARK


def follow(sessions: Sessions, now: datetime) -> Following:
    """Makes the calendars of any other version due, in batches of their own transactions.

    Harmless to repeat and to break off: one that is due sooner stays so, one that has followed is not found again.
    """
    count = 0
    after: UUID | None = None
    while True:
        with sessions.writing() as session:
            ids = calendars.not_marked(session, _MARK, after, _BATCH)
            for start in range(0, len(ids), _A_SECOND):
                wake(session, REFRESHING, ids[start : start + _A_SECOND], _turn_of(count + start, now))
        count += len(ids)
        if len(ids) < _BATCH:
            return Following(count, _turn_of(max(count - 1, 0), now))
        after = ids[-1]


def _turn_of(place: int, now: datetime) -> datetime:
    return now + _NOT_BEFORE + timedelta(seconds=place // _A_SECOND)
