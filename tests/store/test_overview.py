"""Counts over several tables, on both databases."""

from datetime import datetime, timedelta

from store import overview
from store.database import Sessions
from store.standing import Standing
from store.vault import Vault
from tests import build
from tests.people import ANNA, BERTIL


def test_only_bookings_that_stand_and_lie_ahead_are_counted_as_coming(
    sessions: Sessions, vault: Vault, now: datetime
) -> None:
    with sessions.writing() as session:
        build.facility(session)
        for person in (ANNA, BERTIL):
            engagement = build.engagement(session, build.subject(session, vault, now, person).id, now)
            build.booking(session, vault, engagement, now + timedelta(days=1))
            build.booking(session, vault, engagement, now + timedelta(days=2), standing=Standing.CANCELLED)
            build.booking(session, vault, engagement, now - timedelta(days=1))
        assert overview.counts(session, now) == overview.Counts(2, 2, 0, {})
