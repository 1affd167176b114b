"""Makes those due whom an edit of rules, decisions or deadlines concerns: the nearest visits first, and never so many
that news of others waits behind them. Plans nothing itself."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from store import replannings, subjects
from store.claims import Claim, claim_due, finish
from store.database import Session, Sessions
from store.replannings import REPLANNING, Coming


@dataclass(frozen=True, slots=True)
class ReplanningSettings:
    """`room`: how many citizens may lie due for planning at once on our account."""

    lease: timedelta = timedelta(seconds=60)
    facilities: int = 50
    room: int = 1000
    again: timedelta = timedelta(seconds=15)  # while there is no room


def replan_due(sessions: Sessions, now: datetime, settings: ReplanningSettings) -> int:
    """Goes on with some facilities; how many. A killed worker loses nothing: a facility goes on from where it was."""
    with sessions.writing() as session:
        claims = claim_due(session, REPLANNING, now, settings.lease, settings.facilities)
    for claim in claims:
        with sessions.writing() as session:
            _go_on(session, claim, now, settings)
    return len(claims)


def _go_on(session: Session, claim: Claim, now: datetime, settings: ReplanningSettings) -> None:
    row = replannings.claimed(session, claim)
    if row is None:
        return
    if row.wakes != claim.wakes:  # asked for anew meanwhile: from the beginning
        finish(session, REPLANNING, claim, now)
        return
    room = settings.room - subjects.count_due(session, now, settings.room)
    if not room:
        finish(session, REPLANNING, claim, now + settings.again)
        return
    visits = replannings.coming(session, row, now, room)
    subjects.wake_planning(session, sorted({one.subject_id for one in visits}), now)
    is_last = len(visits) < room
    finish(session, REPLANNING, claim, None if is_last else now, **_place(visits, is_last=is_last))


def _place(visits: Sequence[Coming], *, is_last: bool) -> dict[str, object]:
    if is_last:
        return {"after_start_at": None, "after_id": None}
    return {"after_start_at": visits[-1].start_at, "after_id": visits[-1].booking_id}
