"""Providers repeat themselves and come late; each report counts once, and only for the message it is about."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest
from sqlmodel import col, select, update

from notifier import dispatch, receipts
from notifier.channels.twilio_receipts import ReceivedReceipt
from notifier.uncertainty import Patience
from store import failpoints, unsettled
from store.deliveries import Attempt, AttemptOutcome, Delivery, DeliveryState, Receipt
from tests.notifier.conftest import Provider, Scene, at, facility_values
from tests.people import ANNA, BERTIL
from tests.wire.http_peer import Reaction, answer_json
from tests.wire.peers import Mishap

NOW = at("2026-11-30 16:00")
REAL_NOW = datetime(2026, 11, 30, 15, 0, tzinfo=UTC)
SID = "SM" + "0123456789abcdef" * 2
ENDS = {"sent": ("accepted", ""), "delivered": ("delivered", ""), "undelivered": ("failed", "not_delivered")}


def told(scene: Scene, provider: Provider) -> Attempt:
    """A reminder that has been handed to the provider."""
    facility_values(scene, cancel_deadline="")
    scene.booking(scene.subject(), "2026-12-01 13:30")
    scene.plan(NOW)
    scene.send(provider.channels, NOW)
    return scene.attempts()[0]


def report(scene: Scene, of: Attempt, status: str, provider_id: str = "", code: str = "") -> bool:
    code = code or ("30007" if status == "undelivered" else "")  # filtered: not sent again
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

    report(scene, attempt, "undelivered", code="30007")
    report(scene, attempt, "sent")
    apply(scene)

    assert scene.states() == [("failed", "not_delivered")]
    assert scene.attempts()[0].code == "30007"


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


def test_b63_a_report_about_another_message_says_nothing_about_ours(scene: Scene, provider: Provider) -> None:
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
    assert dispatch.recover(scene.sessions, Patience()) == 0
    assert scene.states() == [("accepted", "")]


@pytest.mark.parametrize("word", ["sent", "delivered", "undelivered"])
@pytest.mark.parametrize("answer", [Mishap.RESET, None])
def test_a_receipt_that_overtakes_the_answer_is_not_undone_by_it(
    scene: Scene, provider: Provider, word: str, answer: Mishap | None
) -> None:
    """Applied while the delivery is still being sent, before the worker has read that it was taken, or that it failed
    to read it."""

    def overtaken(_: object) -> Reaction:
        report(scene, scene.attempts()[0], word)
        apply(scene)
        return answer or answer_json(201, {"sid": SID, "status": "queued"})

    provider.reaction = overtaken
    told(scene, provider)

    assert scene.states() == [ENDS[word]]
    assert (scene.attempts()[0].outcome, scene.attempts()[0].provider_id) == (AttemptOutcome.ACCEPTED, SID)
    assert is_asked_about(scene) == (word == "sent")


@pytest.mark.parametrize("words", list(permutations(["sent", "undelivered", "delivered"], 2)))
@pytest.mark.parametrize(
    ("state", "outcome", "code"),
    [
        (DeliveryState.QUEUED, AttemptOutcome.UNREACHABLE, "absent"),  # proved absent, and it was not
        (DeliveryState.QUEUED, AttemptOutcome.UNKNOWN, "timeout"),  # a copy is to be sent
        (DeliveryState.UNCERTAIN, AttemptOutcome.UNKNOWN, "timeout"),
        (DeliveryState.UNCERTAIN, None, ""),  # its worker was killed
    ],
)
def test_a_message_that_was_taken_after_all_comes_to_the_same_end_and_is_not_sent_again(
    scene: Scene, provider: Provider, words: tuple[str, str], state: DeliveryState, outcome: AttemptOutcome, code: str
) -> None:
    attempt = told(scene, provider)
    scene.set(Attempt, attempt.id, outcome=outcome, provider_id=None, code=code)
    scene.set(Delivery, attempt.delivery_id, state=state, next_attempt_at=NOW, ask_at=REAL_NOW, unknown_since=REAL_NOW)
    for word in words:
        report(scene, attempt, word)
        apply(scene)

    assert scene.send(provider.channels, NOW) == Counter()
    assert scene.states() == [ENDS["delivered" if "delivered" in words else "undelivered"]]
    left_with = "" if "delivered" in words else "30007"
    assert (scene.attempts()[0].outcome, scene.attempts()[0].code) == (AttemptOutcome.ACCEPTED, left_with)
    assert (scene.deliveries()[0].ask_at, scene.deliveries()[0].unknown_since) == (None, None)


def test_what_is_accepted_by_a_receipt_is_asked_about_later_like_any_other(scene: Scene, provider: Provider) -> None:
    provider.reaction = Mishap.RESET
    attempt = told(scene, provider)
    first_look = scene.deliveries()[0].ask_at

    report(scene, attempt, "sent")
    receipts.apply_due(scene.sessions, REAL_NOW, NOW, Patience(receipt=timedelta(days=7)))

    (delivery,) = scene.deliveries()
    assert delivery.unknown_since is None
    assert first_look is not None
    assert delivery.ask_at is not None
    assert delivery.ask_at - first_look > timedelta(days=6)


def test_a_worker_that_was_asking_the_provider_loses_what_a_receipt_has_settled(
    scene: Scene, provider: Provider
) -> None:
    """It learned before the receipt came that the message was absent: sending it again would double it."""
    provider.reaction = Mishap.RESET
    attempt = told(scene, provider)
    scene.set(Delivery, attempt.delivery_id, ask_at=datetime(2020, 1, 1, tzinfo=UTC))
    with scene.sessions.writing() as session:
        (asking,) = unsettled.claim_to_ask(session, timedelta(minutes=1), 1)
        doubt = unsettled.doubt(session, asking)
    assert doubt is not None

    report(scene, attempt, "sent")
    apply(scene)

    with scene.sessions.writing() as session:
        assert not unsettled.settle(session, asking, doubt, {"state": DeliveryState.QUEUED, "next_attempt_at": NOW})
    assert scene.states() == [("accepted", "")]


def test_a_report_with_another_attempts_message_spoils_neither_that_one_nor_its_batch(
    scene: Scene, provider: Provider
) -> None:
    """Two attempts with one message would break the key that ties reports to attempts."""
    facility_values(scene, cancel_deadline="")
    for person in (ANNA, BERTIL):
        scene.booking(scene.subject(person), "2026-12-01 13:30")
    scene.plan(NOW)
    scene.send(provider.channels, NOW)
    first, second = scene.attempts()
    scene.set(Attempt, first.id, outcome=AttemptOutcome.UNKNOWN, provider_id=None)
    scene.set(Delivery, first.delivery_id, state=DeliveryState.UNCERTAIN, settled_at=None)

    report(scene, first, "delivered", provider_id=second.provider_id or "")
    report(scene, second, "undelivered")
    assert (apply(scene), apply(scene)) == (2, 0)

    assert applied_as(scene) == ["other_message", "failed"]
    assert sorted(scene.states()) == [("failed", "not_delivered"), ("uncertain", "")]
    report(scene, first, "sent")
    assert apply(scene) == 1
    assert sorted(scene.states()) == [("accepted", ""), ("failed", "not_delivered")]


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)  # SQLite has one writer at a time
def test_a_delivery_that_another_worker_is_writing_holds_up_no_other_report(scene: Scene, provider: Provider) -> None:
    """Waiting for it could end in a deadlock, and the other worker's message would be the one to suffer."""
    facility_values(scene, cancel_deadline="")
    for person in (ANNA, BERTIL):
        scene.booking(scene.subject(person), "2026-12-01 13:30")
    scene.plan(NOW)
    scene.send(provider.channels, NOW)
    held, free = scene.attempts()
    report(scene, held, "delivered")
    report(scene, free, "delivered")

    with scene.sessions.writing() as other:
        other.exec(update(Delivery).where(col(Delivery.id) == held.delivery_id).values(crash_count=1))
        assert apply(scene) == 1
        assert applied_as(scene) == ["", "delivered"]

    assert apply(scene) == 1
    assert applied_as(scene) == ["delivered", "delivered"]


def test_a_worker_that_dies_while_applying_leaves_the_report_to_the_next(scene: Scene, provider: Provider) -> None:
    attempt = told(scene, provider)
    report(scene, attempt, "delivered")

    failpoints.arm("C13:raise")
    try:
        with pytest.raises(RuntimeError, match="failpoint"):
            apply(scene)
    finally:
        failpoints.arm("")
    assert (scene.states(), applied_as(scene)) == ([("accepted", "")], [""])

    assert (apply(scene), apply(scene)) == (1, 0)
    assert scene.states() == [("delivered", "")]


def is_asked_about(scene: Scene) -> bool:
    return scene.deliveries()[0].ask_at is not None
