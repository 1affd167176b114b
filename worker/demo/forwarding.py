"""Where the demo's business time can be forwarded to: the moments at which something is due to happen."""

from datetime import datetime, time, timedelta
from enum import StrEnum
from uuid import UUID
from zoneinfo import ZoneInfo

from store import overview
from store.database import Session

_SWEDEN = ZoneInfo("Europe/Stockholm")


class Target(StrEnum):
    """What to forward to, in the order a newcomer tries them."""

    PLANNING = "planning"  # the citizen's next planning, or sending
    TEN = "ten"  # when deadline reminders go out
    SIXTEEN = "sixteen"  # when reminders for tomorrow go out
    VISIT = "visit"  # the citizen's next
    HOUR = "hour"
    DAY = "day"


def instants(session: Session, subject_id: UUID, now: datetime) -> dict[Target, datetime]:
    """When each target is, all after `now`; one that there is nothing of is absent."""
    found = {
        Target.PLANNING: overview.next_planning_at(session, subject_id, now),
        Target.TEN: next_local(time(10), now),
        Target.SIXTEEN: next_local(time(16), now),
        Target.VISIT: overview.next_visit_at(session, subject_id, now),
        Target.HOUR: now + timedelta(hours=1),
        Target.DAY: now + timedelta(hours=24),
    }
    return {target: at for target, at in found.items() if at is not None}


def next_local(at: time, now: datetime) -> datetime:
    """The next time after `now` that Swedish clocks show `at`."""
    today = datetime.combine(now.astimezone(_SWEDEN).date(), at, _SWEDEN)
    return today if today > now else today + timedelta(days=1)
