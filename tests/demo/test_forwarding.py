"""Where business time can be forwarded to."""

from datetime import datetime, time, timedelta
from uuid import UUID

import pytest

from store.database import Sessions
from store.deliveries import Delivery
from store.purposes import Purpose
from store.standing import Standing
from store.subjects import ContactKind, add_contact
from store.vault import Vault
from tests import build
from worker.demo import forwarding
from worker.demo.forwarding import Target


def _subject(sessions: Sessions, vault: Vault, now: datetime, planning_at: datetime | None) -> UUID:
    with sessions.writing() as session:
        return build.subject(session, vault, now, next_planning_at=planning_at).id


def _instants(sessions: Sessions, subject_id: UUID, now: datetime) -> dict[Target, datetime]:
    with sessions.reading() as session:
        return forwarding.instants(session, subject_id, now)


def test_planning_is_forwarded_to_only_while_it_lies_ahead(sessions: Sessions, vault: Vault, now: datetime) -> None:
    subject_id = _subject(sessions, vault, now, now + timedelta(hours=3))
    assert _instants(sessions, subject_id, now)[Target.PLANNING] == now + timedelta(hours=3)
    assert Target.PLANNING not in _instants(sessions, subject_id, now + timedelta(hours=3))


def test_a_delivery_that_waits_is_forwarded_to_before_a_later_planning(
    sessions: Sessions, vault: Vault, now: datetime
) -> None:
    subject_id = _subject(sessions, vault, now, now + timedelta(hours=3))
    with sessions.writing() as session:
        contact = add_contact(session, vault, subject_id, ContactKind.PHONE, "+46701740605", now=now)
        session.add(
            Delivery(
                clinic_id=build.clinic(session, now).id,
                subject_id=subject_id,
                recipient_id=subject_id,
                contact_id=contact.id,
                purpose=Purpose.GONE,
                channel="sms",
                language="sv",
                visit_at=now + timedelta(days=1),
                next_attempt_at=now + timedelta(minutes=5),
                useful_until=now + timedelta(hours=5),
                created_at=now,
            )
        )
    assert _instants(sessions, subject_id, now)[Target.PLANNING] == now + timedelta(minutes=5)


def test_a_visit_that_is_off_is_not_the_next_visit(sessions: Sessions, vault: Vault, now: datetime) -> None:
    subject_id = _subject(sessions, vault, now, None)
    with sessions.writing() as session:
        build.facility(session)
        engagement = build.engagement(session, subject_id, now)
        build.booking(session, vault, engagement, now + timedelta(days=1), standing=Standing.GONE)
        build.booking(session, vault, engagement, now + timedelta(days=2))
        build.booking(session, vault, engagement, now - timedelta(days=2))
    assert _instants(sessions, subject_id, now)[Target.VISIT] == now + timedelta(days=2)


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        ("2026-11-24T09:59:59+01:00", "2026-11-24T10:00:00+01:00"),
        ("2026-11-24T10:00:00+01:00", "2026-11-25T10:00:00+01:00"),
        ("2026-11-24T23:30:00+00:00", "2026-11-25T10:00:00+01:00"),  # past midnight here
        ("2027-03-27T12:00:00+01:00", "2027-03-28T10:00:00+02:00"),  # clocks change that night
    ],
)
def test_ten_is_ten_on_swedish_clocks(now: str, expected: str) -> None:
    at = forwarding.next_local(time(10), datetime.fromisoformat(now))
    assert at == datetime.fromisoformat(expected)
