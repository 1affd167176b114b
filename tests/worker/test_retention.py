"""Retention: wordings and unreadable content go after seven days; that there was something stays countable."""

from datetime import datetime, timedelta

import pytest
from sqlmodel import select

from store import action_links, contact_points, engagements, replies
from store.action_links import ActionLink
from store.database import Session, Sessions
from store.deliveries import Attempt, Delivery, Wording
from store.delivery_states import DeliveryState
from store.engagements import Quarantined
from store.identifiers import new_id
from store.intents import Intent
from store.link_actions import LinkAction
from store.purposes import Purpose
from store.replies import Reply
from store.subjects import Contact, ContactKind, ContactPoint, add_contact, cipher_of, contacts, opened
from store.vault import SubjectCipher, Vault
from tests import build
from tests.conftest import NOW
from worker import retention

DAY = timedelta(days=1)


@pytest.fixture
def kept(sessions: Sessions, vault: Vault) -> None:
    """Something unreadable seen now, and a message sent now."""
    with sessions.writing() as session:
        subject = build.subject(session, vault, NOW)
        engagement = build.engagement(session, subject.id, NOW)
        cipher = cipher_of(session, vault, subject.id)
        engagements.quarantine(session, cipher, engagement.id, b"<slot/>", "startTimeInclusive: missing", now=NOW)
        delivery = Delivery(
            clinic_id=build.clinic(session, NOW).id,
            subject_id=subject.id,
            recipient_id=subject.id,
            contact_id=contacts(session, cipher, subject.id)[0].id,
            purpose=Purpose.CONFIRMATION,
            channel="sms",
            language="sv",
            state=DeliveryState.DELIVERED,
            visit_at=NOW,
            next_attempt_at=NOW,
            useful_until=NOW,
            created_at=NOW,
        )
        session.add(delivery)
        session.flush()
        attempt = Attempt(
            id=new_id(), delivery_id=delivery.id, fence=1, public_id="x", provider="p", wording_digest="", began_at=NOW
        )
        session.add(attempt)
        session.flush()
        text = cipher.seal_text("wordings.sealed_text", attempt.id, "Din tid")
        session.add(Wording(attempt_id=attempt.id, sealed_text=text, keep_until=NOW + 7 * DAY))


def left(sessions: Sessions) -> tuple[int, int, int, int]:
    """Wordings, unreadable content; attempts, deliveries."""
    with sessions.reading() as session:
        wordings, quarantined = session.exec(select(Wording)).all(), session.exec(select(Quarantined)).all()
        attempts, deliveries = session.exec(select(Attempt)).all(), session.exec(select(Delivery)).all()
    return len(wordings), len(quarantined), len(attempts), len(deliveries)


def is_due(sessions: Sessions, now: datetime) -> bool:
    with sessions.reading() as session:
        return retention.anything_due(session, now)


@pytest.mark.usefixtures("kept")
def test_nothing_is_forgotten_before_its_time(sessions: Sessions, vault: Vault) -> None:
    assert not is_due(sessions, NOW + 7 * DAY)
    assert retention.forget_due(sessions, vault, NOW + 7 * DAY) == 0
    assert left(sessions) == (1, 1, 1, 1)


@pytest.mark.usefixtures("kept")
def test_after_seven_days_the_content_is_gone_and_the_count_remains(sessions: Sessions, vault: Vault) -> None:
    then = NOW + 7 * DAY + timedelta(seconds=1)

    assert is_due(sessions, then)
    assert retention.forget_due(sessions, vault, then) == 2
    assert left(sessions) == (0, 0, 1, 1)
    assert not is_due(sessions, then)
    assert retention.forget_due(sessions, vault, then) == 0


def test_who_texted_us_is_forgotten_after_thirty_days(sessions: Sessions, vault: Vault) -> None:
    with sessions.writing() as session:
        text = Reply(provider="twilio", provider_id="SM1", sender_digest="d", intent=Intent.STOP, received_at=NOW)
        assert replies.add(session, text)
    assert not is_due(sessions, NOW + 30 * DAY)
    assert is_due(sessions, NOW + 31 * DAY)
    assert [retention.forget_due(sessions, vault, NOW + 31 * DAY) for _ in range(2)] == [1, 0]


def test_a_link_is_forgotten_thirty_days_after_it_has_expired(sessions: Sessions, vault: Vault) -> None:
    with sessions.writing() as session:
        whose = build.subject(session, vault, NOW).id
        link = ActionLink(
            digest="d", action=LinkAction.CANCEL, recipient_id=whose, contact_digest="c", channel="sms", made_at=NOW,
            expires_at=NOW + DAY,
        )  # fmt: skip
        action_links.add(session, link, [(new_id(), 1)])
    assert not is_due(sessions, NOW + 31 * DAY)
    assert is_due(sessions, NOW + 32 * DAY)
    assert [retention.forget_due(sessions, vault, NOW + 32 * DAY) for _ in range(2)] == [1, 0]


def test_a_removed_number_is_forgotten_after_thirty_days_and_no_file_brings_it_back(
    sessions: Sessions, vault: Vault
) -> None:
    """Nor is it lost for good: who has it verified again is reached there."""
    then = NOW + 31 * DAY
    with sessions.writing() as session:
        whose = build.subject(session, vault, NOW).id
        had = contacts(session, cipher_of(session, vault, whose), whose)[0]
        contact_points.remove(session, had.id, NOW)
    assert not is_due(sessions, NOW + 30 * DAY)
    assert is_due(sessions, then)
    assert [retention.forget_due(sessions, vault, then) for _ in range(2)] == [1, 0]

    with sessions.writing() as session:
        cipher = cipher_of(session, vault, whose)
        assert known(session, cipher, had) == ("", False)
        add_contact(session, vault, whose, ContactKind.PHONE, had.address, now=then)
        assert known(session, cipher, had) == (had.address, False)


def known(session: Session, cipher: SubjectCipher, contact: Contact) -> tuple[str, bool]:
    """Its address, and whether it may be used."""
    found = opened(cipher, session.get_one(ContactPoint, contact.id))
    return found.address, found.is_usable
