"""A message goes once, about a visit that is as it says, to somebody who may be told, or it says what is unknown."""

import threading
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from sqlmodel import col, select, update

from notifier import dispatch
from notifier.channels import Accepted, Channel, Message
from notifier.dispatch import send_due
from notifier.uncertainty import Patience
from store import template_versions
from store.bookings import Booking
from store.clinics import Clinic
from store.consents import Consent
from store.deliveries import AttemptOutcome, Wording, suppress
from store.failpoints import arm
from store.ledger import stopped_by_words
from store.purposes import Purpose
from store.sending import claim_to_send
from store.standing import ChangeKind, Standing
from store.subjects import ContactPoint, Subject, SubjectKey, cipher_of
from store.template_versions import Words
from store.templates import TemplateVersion
from store.vault import Vault, make_key_file, read_key_file
from tests.notifier.conftest import Provider, Scene, at, facility_values, settings_with
from tests.people import ANNA, BERTIL, CECILIA, DAVID, Person
from tests.wire.http_peer import answer_json
from tests.wire.peers import Mishap

DAY_BEFORE_AT = at("2026-11-30 16:00")
NUMBERS = (
    "191212121212", "188803099368", "194911172296", "198611062384", "192011189228", "194804032094", "190905271474",
    "195704289999", "194608239986", "190901219931", "200004059937", "197302889931",
)  # fmt: skip


@pytest.fixture(autouse=True)
def no_deadline(scene: Scene) -> None:
    facility_values(scene, cancel_deadline="")


def reminded(scene: Scene, person: Person = ANNA, start: str = "2026-12-01 13:30") -> UUID:
    """A booking whose day-before reminder lies queued."""
    booking_id = scene.booking(scene.subject(person), start)
    scene.plan(DAY_BEFORE_AT)
    return booking_id


def send_once(scene: Scene, channels: Mapping[str, Channel], now: datetime) -> Counter[str]:
    return send_due(scene.sessions, scene.vault, channels, lambda: now, scene.dispatch)


def test_a_reminder_arrives_as_it_was_agreed(scene: Scene, provider: Provider) -> None:
    reminded(scene)

    assert scene.send(provider.channels, DAY_BEFORE_AT) == Counter(accepted=1)

    assert provider.texts == ["Påminnelse: tisdag 1 december kl. 13.30, Ekens vårdcentral. https://www.1177.se"]
    assert provider.to == [ANNA.phone]
    assert scene.states() == [("accepted", "")]
    (attempt,) = scene.attempts()
    assert attempt.outcome == AttemptOutcome.ACCEPTED
    assert provider.peer.asked[0].form["StatusCallback"].endswith(attempt.public_id)


def test_a_look_that_claims_nothing_does_not_use_up_the_failpoint_after_a_claim(
    scene: Scene, provider: Provider
) -> None:
    """Else a fault test would find nobody dead or waiting where it looks, and pass or fail by chance."""
    arm("C5:raise")
    assert send_once(scene, provider.channels, DAY_BEFORE_AT) == Counter()

    reminded(scene)
    with pytest.raises(RuntimeError):
        send_once(scene, provider.channels, DAY_BEFORE_AT)
    arm("")


def test_the_words_sent_are_kept_sealed_for_seven_days(scene: Scene, provider: Provider) -> None:
    reminded(scene)
    scene.send(provider.channels, DAY_BEFORE_AT)

    with scene.sessions.reading() as session:
        (kept,) = session.exec(select(Wording)).all()
        cipher = cipher_of(session, scene.vault, scene.deliveries()[0].recipient_id)
    assert cipher.open_text("wordings.sealed_text", kept.attempt_id, kept.sealed_text) == provider.texts[0]
    assert kept.keep_until == DAY_BEFORE_AT + timedelta(days=7)


def test_check_01_a_cancellation_just_before_the_send_stops_it(scene: Scene, provider: Provider) -> None:
    booking_id = reminded(scene)
    scene.set(Booking, booking_id, standing=Standing.CANCELLED)

    scene.send(provider.channels, DAY_BEFORE_AT)

    assert provider.peer.asked == []
    assert scene.states() == [("skipped", "booking_cancelled")]


def test_check_02_after_a_move_exactly_one_reminder_goes_with_the_new_time(scene: Scene, provider: Provider) -> None:
    booking_id = reminded(scene)
    moved_at = DAY_BEFORE_AT - timedelta(minutes=1)
    scene.change(booking_id, ChangeKind.MOVED, moved_at, start_at=at("2026-12-03 09:00"))

    scene.send(provider.channels, DAY_BEFORE_AT)
    assert (provider.texts, scene.states()) == ([], [("skipped", "rescheduled")])

    for when in (DAY_BEFORE_AT + timedelta(minutes=2), at("2026-12-02 16:00")):
        scene.plan(when)
        scene.send(provider.channels, when)
    assert provider.texts == [
        "Din tid är flyttad. Ny tid: torsdag 3 december kl. 09.00, Ekens vårdcentral. "
        "Tidigare: tisdag 1 december kl. 13.30. https://www.1177.se",
        "Påminnelse: torsdag 3 december kl. 09.00, Ekens vårdcentral. https://www.1177.se",
    ]


def test_check_03_and_04_many_workers_at_once_send_each_delivery_once(scene: Scene, provider: Provider) -> None:
    for place, number in enumerate(NUMBERS):
        reminded(scene, Person(number, phone=f"+467017406{10 + place}"))
    failures: list[BaseException] = []

    def run() -> None:
        try:
            for _ in range(5):  # a doorbell that rings five times
                send_due(scene.sessions, scene.vault, provider.channels, lambda: DAY_BEFORE_AT, scene.dispatch)
        except BaseException as error:  # noqa: BLE001 - shown by the test's own thread
            failures.append(error)

    threads = [threading.Thread(target=run) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert failures == []
    assert sorted(provider.to) == sorted({*provider.to})
    assert len(provider.to) == len(NUMBERS)
    assert {state for state, _ in scene.states()} == {"accepted"}


@pytest.mark.parametrize("mishap", [Mishap.HANG, Mishap.RESET, answer_json(500, {}), answer_json(201, {})])
def test_check_05_what_nobody_knows_is_uncertain_and_never_sent_again(
    scene: Scene, provider: Provider, mishap: Mishap
) -> None:
    reminded(scene)
    provider.reaction = mishap

    scene.send(provider.channels, DAY_BEFORE_AT)
    provider.reaction = None
    for hours in (0, 1, 2):
        dispatch.recover(scene.sessions, Patience())
        scene.send(provider.channels, DAY_BEFORE_AT + timedelta(hours=hours))

    assert scene.states() == [("uncertain", "")]
    assert len(provider.peer.asked) == 1
    assert [one.outcome for one in scene.attempts()] == [AttemptOutcome.UNKNOWN]


def test_check_06_a_worker_killed_after_its_attempt_leaves_it_uncertain(scene: Scene, provider: Provider) -> None:
    reminded(scene)

    with pytest.raises(KeyboardInterrupt):
        scene.send({"sms": _Dying()}, DAY_BEFORE_AT)
    assert [state for state, _ in scene.states()] == ["sending"]

    assert dispatch.recover(scene.sessions, Patience()) == 0  # the lease still stands
    scene.lease_runs_out()
    assert dispatch.recover(scene.sessions, Patience()) == 1
    scene.send(provider.channels, DAY_BEFORE_AT)
    assert scene.states() == [("uncertain", "")]
    assert provider.peer.asked == []


class _Dying:
    """A channel in whose hands the process dies."""

    name, provider = "sms", "twilio"

    def send(self, _: Message) -> Accepted:
        raise KeyboardInterrupt


class _Mailbox:
    """A channel that keeps what it is given, to be looked at."""

    name, provider = "email", "mailbox"

    def __init__(self) -> None:
        self.messages: list[Message] = []

    def send(self, message: Message) -> Accepted:
        self.messages.append(message)
        return Accepted(f"mail-{len(self.messages)}")


def test_a_worker_killed_before_its_attempt_costs_nothing_but_its_lease(scene: Scene, provider: Provider) -> None:
    reminded(scene)
    with scene.sessions.writing() as session:
        assert len(claim_to_send(session, DAY_BEFORE_AT, timedelta(seconds=60), 50)) == 1
    assert scene.send(provider.channels, DAY_BEFORE_AT) == Counter()

    scene.lease_runs_out()

    assert scene.send(provider.channels, DAY_BEFORE_AT) == Counter(accepted=1)
    assert scene.deliveries()[0].crash_count == 1


def test_a_delivery_that_kills_its_worker_three_times_is_set_aside(scene: Scene, provider: Provider) -> None:
    reminded(scene)
    for _ in range(1 + 3):  # the first time it may have been another one of its batch
        with scene.sessions.writing() as session:
            claim_to_send(session, DAY_BEFORE_AT, timedelta(seconds=60), 50)
        scene.lease_runs_out()

    scene.send(provider.channels, DAY_BEFORE_AT)

    assert scene.states() == [("failed", "poison")]
    assert provider.peer.asked == []


def test_check_07_after_an_outage_nothing_goes_late_and_the_rest_in_visit_order(
    scene: Scene, provider: Provider
) -> None:
    people = (ANNA, BERTIL, DAVID)
    for person, start in zip(people, ("2026-12-01 16:00", "2026-12-01 13:00", "2026-12-01 09:00"), strict=True):
        reminded(scene, person, start)

    scene.send(provider.channels, at("2026-12-01 08:30"))

    assert provider.to == [BERTIL.phone, ANNA.phone]
    assert sorted(scene.states()) == [("accepted", ""), ("accepted", ""), ("expired", "not_in_time")]


def test_check_14_at_night_a_queued_reminder_waits_for_the_morning(scene: Scene, provider: Provider) -> None:
    reminded(scene)

    assert scene.send(provider.channels, at("2026-12-01 03:10")) == Counter(deferred=1)
    assert scene.deliveries()[0].next_attempt_at == at("2026-12-01 08:00")
    assert scene.send(provider.channels, at("2026-12-01 08:00")) == Counter(accepted=1)


def test_a_night_that_lasts_longer_than_the_use_is_expired_and_countable(scene: Scene, provider: Provider) -> None:
    reminded(scene, start="2026-12-01 09:00")

    scene.send(provider.channels, at("2026-12-01 03:10"))

    assert scene.states() == [("expired", "not_in_time")]


@pytest.mark.parametrize(
    ("obstacle", "reason"),
    [
        ("consent", "no_consent"),
        ("protected", "protected"),
        ("deceased", "deceased"),
        ("decision", "no_decision"),
        ("suppressed", "suppressed"),
        ("dead", "no_contact"),
        ("erased", "erased"),
    ],
)
def test_check_15_whoever_may_no_longer_be_told_is_not(
    scene: Scene, provider: Provider, obstacle: str, reason: str
) -> None:
    reminded(scene)
    (delivery,) = scene.deliveries()
    with scene.sessions.writing() as session:
        contact = session.get_one(ContactPoint, delivery.contact_id)
        if obstacle == "consent":
            session.exec(update(Consent).values(withdrawn_on=scene.now.date()))
        if obstacle in ("protected", "deceased"):
            column = f"{obstacle}_on"
            session.exec(update(Subject).values({column: scene.now.date()}))
        if obstacle == "decision":
            session.exec(update(Clinic).values(decided_on=None))
        if obstacle == "suppressed":
            suppress(session, contact.digest, "sms", "citizen", scene.now)
        if obstacle == "dead":
            contact.dead_since = scene.now
        if obstacle == "erased":
            session.delete(session.get_one(SubjectKey, delivery.subject_id))

    scene.send(provider.channels, DAY_BEFORE_AT)

    assert scene.states() == [("skipped", reason)]
    assert provider.peer.asked == []


def test_a_wrong_key_file_holds_messages_and_loses_none(scene: Scene, provider: Provider, tmp_path: Path) -> None:
    reminded(scene)
    make_key_file(tmp_path / "others.json")
    wrong = replace(scene, vault=Vault(read_key_file(tmp_path / "others.json")))

    wrong.send(provider.channels, DAY_BEFORE_AT)

    assert scene.states() == [("queued", "")]
    assert provider.peer.asked == []


@pytest.mark.parametrize("hold", ["paused", "stale", "channel"])
def test_a_pause_defers_and_never_drops(scene: Scene, provider: Provider, hold: str) -> None:
    reminded(scene)
    channels = provider.channels if hold != "channel" else {}
    with scene.sessions.writing() as session:
        if hold == "paused":
            session.exec(update(Clinic).values(paused_at=scene.now))
        if hold == "stale":
            session.exec(update(Subject).values(population_as_of=None))

    assert scene.send(channels, DAY_BEFORE_AT) == Counter(deferred=1)
    with scene.sessions.writing() as session:
        session.exec(update(Clinic).values(paused_at=None))
        session.exec(update(Subject).values(population_as_of=DAY_BEFORE_AT))

    assert scene.send(provider.channels, DAY_BEFORE_AT + timedelta(minutes=10)) == Counter(accepted=1)


def test_a_pause_that_outlasts_the_use_ends_as_expired(scene: Scene, provider: Provider) -> None:
    reminded(scene)
    scene.set(Clinic, scene.clinic_id, paused_at=scene.now)

    scene.send(provider.channels, DAY_BEFORE_AT)
    scene.send(provider.channels, at("2026-12-01 09:25"))

    assert scene.states() == [("expired", "not_in_time")]


def test_a_suspect_visit_is_not_told_of_before_the_second_look(scene: Scene, provider: Provider) -> None:
    booking_id = reminded(scene)
    second_look_at = DAY_BEFORE_AT + timedelta(minutes=10)
    scene.set(Booking, booking_id, missed_at=DAY_BEFORE_AT, second_look_at=second_look_at)

    assert scene.send(provider.channels, DAY_BEFORE_AT) == Counter(deferred=1)
    assert scene.deliveries()[0].next_attempt_at == second_look_at

    scene.set(Booking, booking_id, missed_at=None, second_look_at=None)
    assert scene.send(provider.channels, second_look_at) == Counter(accepted=1)
    assert "Obekräftad" not in provider.texts[0]


def test_in_its_last_useful_hour_an_unconfirmed_visit_is_told_of_honestly(scene: Scene, provider: Provider) -> None:
    booking_id = reminded(scene)
    scene.set(Booking, booking_id, missed_at=at("2026-11-30 15:30"))

    now = DAY_BEFORE_AT
    while not provider.texts and now < at("2026-12-01 09:30"):
        scene.send(provider.channels, now)
        now += timedelta(minutes=30)

    assert provider.texts == [
        "Påminnelse: tisdag 1 december kl. 13.30, Ekens vårdcentral. https://www.1177.se "
        "Vi har inte kunnat bekräfta tiden sedan 30/11 kl. 15.30."
    ]
    assert scene.deliveries()[0].settled_at == at("2026-12-01 08:30")


def test_a_clinics_words_without_the_honest_sentence_get_it_added(scene: Scene, provider: Provider) -> None:
    booking_id = reminded(scene, start="2026-12-01 09:00")
    scene.set(Booking, booking_id, missed_at=at("2026-11-30 15:30"))
    with scene.sessions.writing() as session:
        session.exec(update(TemplateVersion).values(text="Välkommen ((datum)) till ((mottagning))."))

    scene.send(provider.channels, at("2026-11-30 19:00"))  # the last useful hour that is no night

    assert provider.texts == [
        "Välkommen 1 december till Ekens vårdcentral. Vi har inte kunnat bekräfta tiden sedan 30/11 kl. 15.30."
    ]


def test_nobody_is_told_that_a_visit_is_off_while_its_facility_is_frozen(scene: Scene, provider: Provider) -> None:
    booking_id = scene.booking(scene.subject(), "2026-12-03 13:30")
    scene.change(booking_id, ChangeKind.GONE, scene.now, standing=Standing.GONE)
    scene.plan(scene.now)
    facility_values(scene, frozen_at=scene.now)

    assert scene.send(provider.channels, scene.now) == Counter(deferred=1)
    scene.set(Booking, booking_id, standing=Standing.BOOKED)
    scene.send(provider.channels, scene.now + timedelta(minutes=10))

    assert (provider.texts, scene.states()) == ([], [("skipped", "undone")])


def test_check_37_one_of_three_visits_cancelled_is_left_out_of_the_reminder(scene: Scene, provider: Provider) -> None:
    anna = scene.subject()
    ids = [scene.booking(anna, f"2026-12-01 {clock}") for clock in ("09:00", "10:30", "13:30")]
    scene.plan(DAY_BEFORE_AT)
    scene.set(Booking, ids[1], standing=Standing.CANCELLED)

    scene.send(provider.channels, DAY_BEFORE_AT)

    assert provider.texts == [
        "Påminnelse: 2 besök tisdag 1 december kl. 09.00 och 13.30, Ekens vårdcentral. https://www.1177.se"
    ]
    assert sorted(part.dropped_reason for part in scene.parts()) == ["", "", "booking_cancelled"]


def test_a_gone_visit_is_told_with_whom_to_ask(scene: Scene, provider: Provider) -> None:
    booking_id = scene.booking(scene.subject(), "2026-12-03 13:30")
    scene.change(booking_id, ChangeKind.GONE, scene.now, standing=Standing.GONE)
    scene.plan(scene.now)

    scene.send(provider.channels, scene.now)

    assert provider.texts == [
        "Ekens vårdcentral visar inte längre din tid torsdag 3 december kl. 13.30. "
        "Hör med dem innan du åker: 010-123 45 67. https://www.1177.se"
    ]


def test_check_35_gone_and_back_before_the_notice_left_is_silence(scene: Scene, provider: Provider) -> None:
    booking_id = scene.booking(scene.subject(), "2026-12-03 13:30")
    scene.change(booking_id, ChangeKind.GONE, scene.now, standing=Standing.GONE)
    scene.plan(scene.now)
    scene.change(booking_id, ChangeKind.RESTORED, scene.now + timedelta(seconds=5), standing=Standing.BOOKED)
    scene.plan(scene.now + timedelta(seconds=5))

    scene.send(provider.channels, scene.now + timedelta(minutes=5))

    assert (provider.texts, scene.states()) == ([], [("skipped", "overtaken")])


def test_gone_told_and_then_restored_is_told_once_and_at_once(scene: Scene, provider: Provider) -> None:
    booking_id = scene.booking(scene.subject(), "2026-12-03 13:30")
    scene.change(booking_id, ChangeKind.GONE, scene.now, standing=Standing.GONE)
    scene.plan(scene.now)
    scene.send(provider.channels, scene.now)
    back_at = scene.now + timedelta(minutes=5)
    scene.change(booking_id, ChangeKind.RESTORED, back_at, standing=Standing.BOOKED)

    for _ in range(2):
        scene.plan(back_at)
        scene.send(provider.channels, back_at)

    assert provider.texts[1:] == [
        "Din tid torsdag 3 december kl. 13.30, Ekens vårdcentral, gäller igen. "
        "Bortse från förra meddelandet. https://www.1177.se"
    ]


def test_a_second_move_while_the_notice_lies_queued_is_one_message_with_the_latest_time(
    scene: Scene, provider: Provider
) -> None:
    booking_id = scene.booking(scene.subject(), "2026-12-03 13:30")
    scene.change(booking_id, ChangeKind.MOVED, scene.now, start_at=at("2026-12-04 09:00"))
    provider.reaction = answer_json(429, {"code": 20429, "message": "x", "status": 429})
    scene.plan(scene.now + timedelta(minutes=3))
    scene.send(provider.channels, scene.now + timedelta(minutes=3))
    provider.reaction = None
    scene.change(booking_id, ChangeKind.MOVED, scene.now + timedelta(minutes=4), start_at=at("2026-12-07 10:00"))
    scene.plan(scene.now + timedelta(minutes=7))

    scene.send(provider.channels, scene.now + timedelta(minutes=7))

    assert provider.texts[1:] == [
        "Din tid är flyttad. Ny tid: måndag 7 december kl. 10.00, Ekens vårdcentral. "
        "Tidigare: torsdag 3 december kl. 13.30. https://www.1177.se"
    ]
    assert scene.states() == [("accepted", "")]


def test_check_21_a_value_that_is_missing_fails_the_message_and_nothing_leaves(
    scene: Scene, provider: Provider
) -> None:
    reminded(scene)
    with scene.sessions.writing() as session:
        session.exec(update(TemplateVersion).values(text="Avboka senast ((sista avbokning))."))

    scene.send(provider.channels, DAY_BEFORE_AT)

    assert scene.states() == [("failed", "missing_field")]
    assert provider.peer.asked == []
    with scene.sessions.reading() as session:
        told = stopped_by_words(session, scene.clinic_id)
    assert told == [("day_before", "sms", "sv", 1, "missing_field", 1)]


def test_check_24_a_text_that_is_put_in_use_after_the_planning_is_not_what_is_sent(
    scene: Scene, provider: Provider
) -> None:
    reminded(scene)
    words = Words("day_before", Purpose.REMINDER, "sms", "sv", "", "Nya ord från ((mottagning)). ((länk))")
    with scene.sessions.writing() as session:
        kept = template_versions.save_draft(session, scene.clinic_id, words, "eva", scene.now)
        template_versions.approve(session, kept.version, "ove", scene.now)
        template_versions.activate(session, kept.version, "eva", scene.now)

    scene.send(provider.channels, DAY_BEFORE_AT)

    assert provider.texts == ["Påminnelse: tisdag 1 december kl. 13.30, Ekens vårdcentral. https://www.1177.se"]


def test_what_could_not_be_reached_is_tried_again_with_growing_pauses_within_its_use(
    scene: Scene, provider: Provider
) -> None:
    reminded(scene)
    provider.reaction = answer_json(429, {"code": 20429, "message": "x", "status": 429})
    now, pauses = DAY_BEFORE_AT, []
    for _ in range(6):
        scene.send(provider.channels, now)
        (delivery,) = scene.deliveries()
        pauses.append((delivery.next_attempt_at - now).total_seconds())
        now = delivery.next_attempt_at

    assert pauses == [30, 60, 120, 240, 480, 600]
    provider.reaction = None
    assert scene.send(provider.channels, now) == Counter(accepted=1)


def test_a_try_after_its_use_is_not_made(scene: Scene, provider: Provider) -> None:
    reminded(scene)
    provider.reaction = answer_json(429, {"code": 20429, "message": "x", "status": 429})

    scene.send(provider.channels, at("2026-12-01 09:29") + timedelta(seconds=50))

    assert scene.states() == [("expired", "unreachable")]


def test_check_16_an_opt_out_at_the_provider_is_remembered_for_every_purpose(scene: Scene, provider: Provider) -> None:
    anna = scene.subject()
    scene.booking(anna, "2026-12-01 13:30")
    provider.reaction = answer_json(400, {"code": 21610, "message": "x", "status": 400})
    scene.plan(DAY_BEFORE_AT)
    scene.send(provider.channels, DAY_BEFORE_AT)
    assert scene.states() == [("failed", "opted_out")]

    other = scene.booking(anna, "2026-12-09 13:30")
    scene.change(other, ChangeKind.GONE, DAY_BEFORE_AT, standing=Standing.GONE)
    scene.plan(DAY_BEFORE_AT)

    assert {one.channel for one in scene.deliveries() if one.purpose == Purpose.GONE} == {"email"}


def test_a_dead_number_is_marked_and_the_next_message_takes_another_way(scene: Scene, provider: Provider) -> None:
    reminded(scene)
    provider.reaction = answer_json(400, {"code": 21211, "message": "x", "status": 400})

    scene.send(provider.channels, DAY_BEFORE_AT)

    assert scene.states() == [("failed", "bad_contact")]
    with scene.sessions.reading() as session:
        phone = session.exec(select(ContactPoint).where(col(ContactPoint.kind) == "phone")).one()
    assert phone.dead_since == DAY_BEFORE_AT


def test_what_only_an_operator_can_mend_waits_for_the_operator(scene: Scene, provider: Provider) -> None:
    reminded(scene)
    provider.reaction = answer_json(401, {"code": 20003, "message": "x", "status": 401})

    scene.send(provider.channels, DAY_BEFORE_AT)

    assert scene.states() == [("queued", "")]
    assert scene.deliveries()[0].next_attempt_at == DAY_BEFORE_AT + timedelta(minutes=10)


def test_check_39_a_worker_told_to_stop_gives_the_rest_back(scene: Scene, provider: Provider) -> None:
    for person in (ANNA, BERTIL, DAVID):
        reminded(scene, person)
    stopped = lambda: len(provider.peer.asked) == 1  # noqa: E731

    counts = send_due(scene.sessions, scene.vault, provider.channels, lambda: DAY_BEFORE_AT, scene.dispatch, stopped)

    assert counts == Counter(accepted=1, given_back=2)
    assert scene.send(provider.channels, DAY_BEFORE_AT) == Counter(accepted=2)
    assert {one.crash_count for one in scene.deliveries()} == {0}


def test_nothing_is_sent_in_the_last_part_of_a_lease(scene: Scene, provider: Provider) -> None:
    reminded(scene)
    settings_with(scene, lease=timedelta(seconds=10), timeout=timedelta(seconds=5))

    assert set(send_once(scene, provider.channels, DAY_BEFORE_AT)) <= {"given_back", "lost"}
    assert provider.peer.asked == []


def test_a_worker_whose_lease_was_taken_over_sends_nothing(scene: Scene, provider: Provider) -> None:
    reminded(scene)
    with scene.sessions.writing() as session:
        (mine,) = claim_to_send(session, DAY_BEFORE_AT, timedelta(seconds=60), 50)
    scene.lease_runs_out()
    with scene.sessions.writing() as session:
        claim_to_send(session, DAY_BEFORE_AT, timedelta(seconds=60), 50)

    work = dispatch._Work(
        scene.sessions, scene.vault, provider.channels, lambda: DAY_BEFORE_AT, scene.dispatch, lambda: False
    )
    assert dispatch._deliver(work, mine, time.monotonic() + 60) == "lost"
    assert provider.peer.asked == []


def test_check_38_no_number_name_or_text_is_logged(
    scene: Scene, provider: Provider, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG", logger="notifier")
    reminded(scene)
    scene.send(provider.channels, DAY_BEFORE_AT)
    reminded(scene, BERTIL)
    provider.reaction = answer_json(400, {"code": 21211, "message": f"{BERTIL.phone} is bad", "status": 400})
    scene.send(provider.channels, DAY_BEFORE_AT)

    said = "".join(capsys.readouterr()) + caplog.text + "".join(map(repr, (*scene.deliveries(), *scene.attempts())))
    assert "delivery_tried" in said
    for secret in (ANNA.number, ANNA.phone, BERTIL.phone, "1 december", "Ekens", "701740605"):
        assert secret is not None
        assert secret not in said


def test_e_mail_has_text_and_html_with_the_same_words(scene: Scene, provider: Provider) -> None:
    mailbox = _Mailbox()
    reminded(scene, CECILIA)

    scene.send({"email": mailbox}, DAY_BEFORE_AT)

    (mail,) = mailbox.messages
    assert mail.to == CECILIA.email
    assert mail.subject_line == "Påminnelse: ditt besök tisdag 1 december"
    assert "Du har ett besök tisdag 1 december kl. 13.30." in mail.text
    assert "Du har ett besök tisdag 1 december kl. 13.30." in mail.html
    assert '<html lang="sv">' in mail.html
    assert '<a href="https://www.1177.se">' in mail.html
