"""Providers repeat themselves and come late; each report counts once, and only for the message it is about."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest
from sqlmodel import col, select

from notifier import dispatch, receipts
from notifier.channels.twilio_receipts import ReceivedReceipt
from store.deliveries import Attempt, AttemptOutcome, Delivery, DeliveryState, Receipt
from tests.notifier.conftest import Provider, Scene, at, facility_values
from tests.wire.peers import Mishap

NOW = at("2026-11-30 16:00")
REAL_NOW = datetime(2026, 11, 30, 15, 0, tzinfo=UTC)
SID = "SM" + "0123456789abcdef" * 2


def told(scene: Scene, provider: Provider) -> Attempt:
    """A reminder that has been handed to the provider."""
    facility_values(scene, cancel_deadline="")
    scene.booking(scene.subject(), "2026-12-01 13:30")
    scene.plan(NOW)
    scene.send(provider.channels, NOW)
    return scene.attempts()[0]


def report(scene: Scene, of: Attempt, status: str, provider_id: str = "", code: str = "") -> bool:
    arrived = ReceivedReceipt("twilio", provider_id or of.provider_id or SID, status, code, of.public_id)
    return receipts.record(scene.sessions, arrived, REAL_NOW)


def apply(scene: Scene) -> int:
    return receipts.apply_due(scene.sessions, REAL_NOW + timedelta(seconds=1), NOW)


def applied_as(scene: Scene) -> list[str]:
    with scene.sessions.reading() as session:
        return [row.applied_as for row in session.exec(select(Receipt).order_by(col(Receipt.id)))]


@pytest.mark.parametrize("order", list(permutations(["delivered", "sent", "queued"])))
def test_check_17_every_order_and_repetition_ends_as_delivered(
    scene: Scene, provider: Provider, order: tuple[str, ...]
) -> None:
    attempt = told(scene, provider)

    stored = [report(scene, attempt, status) for status in order for _ in range(2)]
    while apply(scene):
        pass

    assert stored == [True, False] * 3
    assert len(applied_as(scene)) == 3
    assert scene.states() == [("delivered", "")]


def test_a_receipt_settles_what_nobody_knew(scene: Scene, provider: Provider) -> None:
    provider.reaction = Mishap.RESET
    attempt = told(scene, provider)
    assert scene.states() == [("uncertain", "")]

    report(scene, attempt, "sent")
    apply(scene)
    assert scene.states() == [("accepted", "")]
    (bound,) = scene.attempts()
    assert (bound.outcome, bound.provider_id) == (AttemptOutcome.ACCEPTED, SID)

    report(scene, attempt, "delivered")
    apply(scene)
    assert scene.states() == [("delivered", "")]


def test_a_receipt_that_comes_before_the_answer_keeps_its_word(scene: Scene, provider: Provider) -> None:
    """The provider reports while its answer to us is still under way, and then the answer is lost."""

    def overtaken(_: object) -> Mishap:
        report(scene, scene.attempts()[0], "delivered")
        apply(scene)
        return Mishap.RESET

    provider.reaction = overtaken
    told(scene, provider)

    assert scene.states() == [("delivered", "")]
    assert scene.attempts()[0].provider_id == SID


def test_a_message_that_will_not_arrive_is_failed_with_its_code(scene: Scene, provider: Provider) -> None:
    attempt = told(scene, provider)

    report(scene, attempt, "undelivered", code="30003")
    report(scene, attempt, "sent")
    apply(scene)

    assert scene.states() == [("failed", "not_delivered")]
    assert scene.attempts()[0].code == "30003"


@pytest.mark.parametrize("reason", ["unknown", "no_receipt"])
def test_a_late_receipt_lifts_what_was_given_up_as_unknown(scene: Scene, provider: Provider, reason: str) -> None:
    attempt = told(scene, provider)
    scene.set(Delivery, attempt.delivery_id, state=DeliveryState.FAILED, reason=reason)

    report(scene, attempt, "delivered")
    apply(scene)

    assert scene.states() == [("delivered", "")]


@pytest.mark.parametrize(
    ("state", "reason"),
    [(DeliveryState.FAILED, "refused"), (DeliveryState.EXPIRED, "missed"), (DeliveryState.SKIPPED, "x")],
)
def test_a_final_state_never_moves(scene: Scene, provider: Provider, state: DeliveryState, reason: str) -> None:
    attempt = told(scene, provider)
    scene.set(Delivery, attempt.delivery_id, state=state, reason=reason)

    report(scene, attempt, "delivered")
    apply(scene)

    assert scene.states() == [(state.value, reason)]
    assert applied_as(scene) == ["ignored"]


def test_a_report_about_another_message_says_nothing_about_ours(scene: Scene, provider: Provider) -> None:
    attempt = told(scene, provider)

    report(scene, attempt, "delivered", provider_id="SM" + "f" * 32)
    apply(scene)

    assert applied_as(scene) == ["other_message"]
    assert scene.states() == [("accepted", "")]


def test_a_report_about_nothing_of_ours_is_kept_and_counted(scene: Scene) -> None:
    receipts.record(scene.sessions, ReceivedReceipt("twilio", SID, "delivered", "", "x" * 22), REAL_NOW)

    assert apply(scene) == 1
    assert apply(scene) == 0
    assert applied_as(scene) == ["unknown_attempt"]


def test_a_word_we_do_not_know_changes_nothing(scene: Scene, provider: Provider) -> None:
    attempt = told(scene, provider)

    report(scene, attempt, "enroute")
    apply(scene)

    assert applied_as(scene) == ["unknown_status"]
    assert scene.states() == [("accepted", "")]


def test_what_the_provider_took_after_all_is_not_sent_again(scene: Scene, provider: Provider) -> None:
    attempt = told(scene, provider)
    scene.set(Delivery, attempt.delivery_id, state=DeliveryState.QUEUED, next_attempt_at=NOW, settled_at=None)
    report(scene, attempt, "sent")
    apply(scene)

    assert scene.send(provider.channels, NOW) == Counter()
    assert dispatch.recover(scene.sessions) == 0
    assert scene.states() == [("accepted", "")]
