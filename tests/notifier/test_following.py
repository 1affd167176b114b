"""A message that does not arrive is not the end: the number is learned from, the next channel is tried once, and who
could not be reached is listed."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlmodel import select, update
from structlog.testing import capture_logs

from notifier import following, receipts
from notifier.channels import Channel
from notifier.channels.paper import Paper
from notifier.channels.twilio_receipts import ReceivedReceipt
from notifier.fallback import PATIENCE, REPORTING, RESEND_AFTER
from store import contact_points, deliveries, unreached
from store.bookings import Booking, Details
from store.contact_points import Problem
from store.deliveries import Delivery, DeliveryState
from store.engagements import Engagement
from store.purposes import Purpose
from store.standing import Standing
from store.subjects import ContactKind, ContactPoint, add_contact
from store.unreached import NotReached, Unreached
from tests.notifier.conftest import Provider, Scene, at, facility_values
from tests.people import ANNA, BERTIL, CECILIA, Person
from tests.wire.http_peer import answer_json
from tests.wire.peers import Mishap

NOW = at("2026-11-30 16:00")
REAL_NOW = datetime(2026, 11, 30, 15, 0, tzinfo=UTC)
BY = at("2026-12-01 08:00")  # 3 h before its use ends at 09.30 is no daytime: when the window opens
LAND_LINE = Person(BERTIL.number, phone="+4684650101")


@pytest.fixture
def channels(provider: Provider, tmp_path: Path) -> Mapping[str, Channel]:
    return {**provider.channels, "email": Paper(tmp_path)}


def told(scene: Scene, channels: Mapping[str, Channel], person: Person = ANNA, now: datetime = NOW) -> None:
    """The day before, a reminder has been handed to the provider."""
    facility_values(scene, cancel_deadline="")
    scene.booking(scene.subject(person), "2026-12-01 13:30")
    scene.plan(now)
    scene.send(channels, now)


def report(scene: Scene, status: str, code: str = "", now: datetime = NOW) -> None:
    """Twilio's word on its last attempt."""
    last = [one for one in scene.attempts() if one.provider == "twilio"][-1]
    arrived = ReceivedReceipt("twilio", last.provider_id or "", status, code, last.public_id)
    receipts.record(scene.sessions, arrived, REAL_NOW)
    receipts.apply_due(scene.sessions, REAL_NOW + timedelta(seconds=1), now)


def engagement(scene: Scene) -> Engagement:
    with scene.sessions.reading() as session:
        return session.exec(select(Engagement)).one()


def follow(scene: Scene, now: datetime, resting: tuple[str, ...] = ()) -> None:
    while following.follow_due(scene.sessions, scene.vault, scene.planning, now, resting):
        pass
    with scene.sessions.reading() as session:
        assert not following.anything_due(session, now, resting)


def came_to(scene: Scene) -> list[tuple[str, str, str]]:
    return [(one.channel, str(one.state), one.reason) for one in scene.deliveries()]


def problems(scene: Scene, now: datetime = NOW) -> list[Problem]:
    with scene.sessions.reading() as session:
        return contact_points.problems(session, now, scene.clinic_id)


def not_reached(scene: Scene, now: datetime = NOW) -> list[NotReached]:
    with scene.sessions.reading() as session:
        rows = unreached.listed(session, scene.clinic_id, now, REPORTING)
        assert unreached.count(session, now, REPORTING) == len(rows)
        return rows


def test_check_25_what_has_not_arrived_in_time_goes_by_the_next_channel_once(
    scene: Scene, channels: Mapping[str, Channel]
) -> None:
    told(scene, channels)
    report(scene, "sent")
    follow(scene, BY - timedelta(seconds=1))
    assert came_to(scene) == [("sms", "accepted", "")]

    for _ in range(3):
        follow(scene, BY)
        scene.send(channels, BY)

    assert came_to(scene) == [("sms", "accepted", ""), ("email", "accepted", "")]
    assert {part.occasion for part in scene.parts()} == {scene.parts()[0].occasion}
    assert not not_reached(scene)


def test_check_25_a_late_arrival_sets_off_no_third_message_and_calls_off_what_has_not_gone(
    scene: Scene, channels: Mapping[str, Channel]
) -> None:
    told(scene, channels)
    follow(scene, BY)
    report(scene, "delivered", now=BY)
    follow(scene, BY)
    scene.send(channels, BY)

    assert came_to(scene) == [("sms", "delivered", ""), ("email", "skipped", "told_otherwise")]


def test_check_25_a_message_lost_after_the_next_channel_has_told_sets_off_nothing(
    scene: Scene, channels: Mapping[str, Channel]
) -> None:
    told(scene, channels)
    follow(scene, BY)
    scene.send(channels, BY)
    report(scene, "undelivered", "21211", now=BY)
    follow(scene, BY)

    assert came_to(scene) == [("sms", "failed", "not_delivered"), ("email", "accepted", "")]
    assert [one.reason for one in problems(scene)] == ["invalid_number"]  # and its number is learned from all the same
    with scene.sessions.reading() as session:
        assert session.exec(select(Unreached)).all() == []  # nobody is written down for a letter who has had the e-mail


def test_check_25_contact_points_are_read_again_at_each_step(scene: Scene, channels: Mapping[str, Channel]) -> None:
    told(scene, channels, BERTIL)  # has a phone alone
    with scene.sessions.writing() as session:
        added = add_contact(
            session, scene.vault, engagement(scene).subject_id, ContactKind.EMAIL, "ny@example.se", now=BY
        ).id
    follow(scene, BY)

    assert [one.contact_id for one in scene.deliveries() if one.channel == "email"] == [added]


def test_check_25_who_has_said_stop_by_the_next_channel_too_is_left_in_peace_and_listed(
    scene: Scene, channels: Mapping[str, Channel]
) -> None:
    told(scene, channels)
    with scene.sessions.writing() as session:
        mail = session.exec(select(ContactPoint).where(ContactPoint.kind == ContactKind.EMAIL)).one()
        deliveries.suppress(session, mail.digest, "email", "citizen", BY)
    report(scene, "undelivered", "30007")
    follow(scene, BY)

    assert came_to(scene) == [("sms", "failed", "not_delivered")]
    assert [(one.purpose, one.reason) for one in not_reached(scene)] == [(Purpose.REMINDER, "not_delivered")]


def test_what_nobody_knows_is_resolved_before_another_channel_is_tried(
    scene: Scene, provider: Provider, channels: Mapping[str, Channel]
) -> None:
    provider.reaction = Mishap.RESET
    told(scene, channels)
    follow(scene, BY)
    assert came_to(scene) == [("sms", "uncertain", "")]

    with scene.sessions.writing() as session:
        session.exec(update(Delivery).values(state=DeliveryState.FAILED, reason="unknown"))
    follow(scene, BY)
    assert came_to(scene)[1:] == [("email", "queued", "")]


@pytest.mark.parametrize("resting", [(), ("sms",)])
def test_while_the_provider_takes_nothing_what_is_soon_of_no_use_goes_by_the_next_channel(
    scene: Scene, provider: Provider, channels: Mapping[str, Channel], resting: tuple[str, ...]
) -> None:
    provider.reaction = answer_json(429, {"code": 20429, "message": "", "status": 429})
    told(scene, channels)
    if resting:  # never tried: the breaker was open before its turn
        with scene.sessions.writing() as session:
            session.exec(update(Delivery).values(next_attempt_at=BY + timedelta(minutes=1)))
    else:
        scene.send(channels, BY)
    follow(scene, BY, resting)
    scene.send(channels, BY)

    assert came_to(scene) == [("sms", "skipped", "next_channel"), ("email", "accepted", "")]


def test_what_waits_for_its_turn_alone_stays_where_it_is(scene: Scene, channels: Mapping[str, Channel]) -> None:
    """After a standstill thousands are past that time, and go out within minutes."""
    facility_values(scene, cancel_deadline="")
    scene.booking(scene.subject(), "2026-12-01 13:30")
    scene.plan(NOW)
    follow(scene, BY + timedelta(minutes=5))

    assert came_to(scene) == [("sms", "queued", "")]


def test_a_message_taken_a_moment_ago_has_its_chance_first(scene: Scene, channels: Mapping[str, Channel]) -> None:
    facility_values(scene, cancel_deadline="")
    scene.booking(scene.subject(), "2026-12-01 13:30")
    scene.plan(NOW)
    scene.send(channels, BY)
    follow(scene, BY)
    assert came_to(scene) == [("sms", "accepted", "")]

    follow(scene, BY + PATIENCE)
    assert came_to(scene)[1:] == [("email", "queued", "")]


# code, tried again on the same channel, why the contact point is dead, what the operator is told
ERROR_MAP = [
    ("21211", False, "invalid_number", ""),
    ("21217", False, "invalid_number", ""),
    ("21610", False, "", ""),
    ("21614", True, "", ""),
    ("30006", True, "", ""),
    ("30003", True, "", ""),
    ("30005", True, "", ""),
    ("30004", False, "", ""),
    ("30007", False, "", ""),
    ("30008", True, "", ""),
    ("", True, "", ""),
    ("30036", False, "", ""),
    ("21408", False, "", "not_permitted"),
    ("21612", False, "", "not_permitted"),
    ("30032", False, "", "sender_refused"),
    ("30034", False, "", "sender_refused"),
    ("63016", True, "", "unlisted"),
]


@pytest.mark.parametrize(("code", "again", "dead", "alert"), ERROR_MAP)
@pytest.mark.parametrize("sessions", ["sqlite"], indirect=True)
def test_check_19_each_code_of_a_receipt_has_its_next_step(  # noqa: PLR0913 - a row of the map
    scene: Scene, channels: Mapping[str, Channel], code: str, dead: str, alert: str, *, again: bool
) -> None:
    told(scene, channels)
    with capture_logs() as logs:
        report(scene, "undelivered", code)
        assert came_to(scene) == [("sms", "queued", "") if again else ("sms", "failed", "not_delivered")]
        if again:
            scene.send(channels, NOW + RESEND_AFTER)
            report(scene, "undelivered", code)
        follow(scene, NOW + RESEND_AFTER)
    scene.send(channels, NOW + RESEND_AFTER)

    assert len(scene.attempts()) == (3 if again else 2)
    assert came_to(scene) == [("sms", "failed", "not_delivered"), ("email", "accepted", "")]
    assert [one.reason for one in problems(scene)] == [dead] * bool(dead)
    assert [one["reason"] for one in logs if one["event"] == "provider_fault"] == [alert] * bool(alert)


def test_check_19_no_try_is_made_again_that_would_take_the_next_channels_time(
    scene: Scene, channels: Mapping[str, Channel]
) -> None:
    told(scene, channels)
    report(scene, "undelivered", "30003", now=BY - RESEND_AFTER)

    assert came_to(scene) == [("sms", "failed", "not_delivered")]


def test_check_19_reports_that_come_again_do_not_end_a_try_that_is_to_be_made(
    scene: Scene, channels: Mapping[str, Channel]
) -> None:
    told(scene, channels)
    report(scene, "undelivered", "30008")
    report(scene, "failed", "30008", now=NOW + RESEND_AFTER)

    assert came_to(scene) == [("sms", "queued", "")]


def test_c51_a_message_of_which_one_part_is_lost_goes_by_the_next_channel(
    scene: Scene, channels: Mapping[str, Channel]
) -> None:
    told(scene, channels)
    report(scene, "partially_delivered", "30036")
    report(scene, "sent")
    follow(scene, NOW)

    assert came_to(scene) == [("sms", "failed", "not_delivered"), ("email", "queued", "")]


def test_check_16_an_opt_out_that_a_receipt_tells_of_is_remembered(
    scene: Scene, channels: Mapping[str, Channel]
) -> None:
    told(scene, channels)
    report(scene, "undelivered", "21610")
    follow(scene, NOW)

    with scene.sessions.reading() as session:
        phone = session.exec(select(ContactPoint).where(ContactPoint.kind == ContactKind.PHONE)).one()
        assert deliveries.suppressions(session, [phone.digest], Purpose.REMINDER) == {(phone.digest, "sms")}


def test_c13_c27_a_number_that_is_none_is_never_tried_again_and_the_clinic_is_told(
    scene: Scene, channels: Mapping[str, Channel]
) -> None:
    told(scene, channels)
    report(scene, "undelivered", "21211")
    follow(scene, NOW)
    scene.booking(engagement(scene), "2026-12-03 13:30")
    later = at("2026-12-02 16:00")
    scene.plan(later)
    scene.send(channels, later)

    assert [one.channel for one in scene.deliveries()] == ["sms", "email", "email"]
    (problem,) = problems(scene)
    assert (problem.kind, problem.reason, problem.since) == (ContactKind.PHONE, "invalid_number", NOW)
    assert not problem.has_another


@pytest.mark.parametrize("code", ["21614", "30006"])
def test_check_20_c26_a_land_line_by_the_numbering_plan_is_marked_and_not_tried_again(
    scene: Scene, channels: Mapping[str, Channel], code: str
) -> None:
    told(scene, channels, LAND_LINE)
    report(scene, "undelivered", code)
    scene.send(channels, NOW + RESEND_AFTER)
    follow(scene, NOW + RESEND_AFTER)

    assert (len(scene.attempts()), came_to(scene)) == (1, [("sms", "skipped", "not_mobile")])
    assert [one.reason for one in problems(scene)] == ["not_mobile"]
    assert [one.reason for one in not_reached(scene)] == ["not_mobile"]


@pytest.mark.parametrize(("arrives", "dead"), [(None, ["unreachable"]), (1, [])])
def test_check_19_a_handset_that_three_messages_in_a_row_did_not_reach_is_dead(
    scene: Scene, channels: Mapping[str, Channel], arrives: int | None, dead: list[str]
) -> None:
    facility_values(scene, cancel_deadline="")
    of = scene.subject(BERTIL)
    for place, day in enumerate(("2026-12-01", "2026-12-03", "2026-12-08")):
        assert not problems(scene)
        now = at(f"{day} 16:00") - timedelta(days=1)
        scene.booking(of, f"{day} 13:30")
        scene.plan(now)
        scene.send(channels, now)
        report(scene, "undelivered", "30005", now)
        scene.send(channels, now + RESEND_AFTER)
        report(scene, *(("delivered", "") if place == arrives else ("undelivered", "30003")), now + RESEND_AFTER)
        follow(scene, now + RESEND_AFTER)

    assert [one.reason for one in problems(scene)] == dead


def test_who_has_no_contact_point_is_listed_once_and_no_more_when_told_after_all(
    scene: Scene, channels: Mapping[str, Channel]
) -> None:
    facility_values(scene, cancel_deadline="")
    of = scene.subject(Person(CECILIA.number))
    booking = scene.booking(of, "2026-12-01 13:30")
    scene.plan(NOW)
    scene.plan(NOW)
    (one,) = not_reached(scene)
    assert (one.subject_id, one.booking_id, one.reason) == (of.subject_id, booking, "no_contact")
    assert not not_reached(scene, at("2026-12-01 14:00"))

    with scene.sessions.writing() as session:
        add_contact(session, scene.vault, of.subject_id, ContactKind.EMAIL, "ny@example.se", now=NOW)
    scene.plan(NOW)
    assert not not_reached(scene)


def test_what_reaches_nobody_does_not_hold_back_what_else_there_is_to_be_told(scene: Scene) -> None:
    """Else whoever has no contact point is listed for a letter about the preparations when it is too late for one."""
    facility_values(scene, cancel_deadline="")
    of = scene.subject(Person(CECILIA.number))
    scene.booking(of, "2026-12-01 13:30", details=Details(preparations="Kom fastande."))
    when = at("2026-11-30 16:00")  # when both the reminder and the preparations are due

    scene.plan(when)

    assert sorted(one.purpose for one in not_reached(scene, when)) == ["preparations", "reminder"]
    assert scene.deliveries() == []


@pytest.mark.parametrize(
    "after", [{"standing": Standing.GONE}, {"start_at": at("2026-12-01 15:00"), "time_version": 2}]
)
def test_nobody_is_called_about_a_time_that_is_no_more(scene: Scene, after: dict[str, object]) -> None:
    facility_values(scene, cancel_deadline="")
    booking = scene.booking(scene.subject(Person(CECILIA.number)), "2026-12-01 13:30")
    scene.plan(NOW)
    assert not_reached(scene)

    scene.set(Booking, booking, **after)
    assert not not_reached(scene)


def test_a_text_that_was_taken_and_never_confirmed_is_listed_when_it_is_of_no_use_any_more(
    scene: Scene, channels: Mapping[str, Channel]
) -> None:
    told(scene, channels, BERTIL)
    follow(scene, BY)
    assert not not_reached(scene)

    end = at("2026-12-01 09:30")
    follow(scene, end)
    assert [one.reason for one in not_reached(scene, end)] == ["not_confirmed"]
    report(scene, "delivered", now=end)
    assert not not_reached(scene, end)


def test_what_a_standstill_swallowed_is_listed(scene: Scene) -> None:
    facility_values(scene, cancel_deadline="")
    scene.booking(scene.subject(), "2026-12-01 13:30")
    late = at("2026-12-01 10:00")
    scene.plan(late)
    follow(scene, late)

    assert [(one.purpose, one.reason) for one in not_reached(scene, late)] == [(Purpose.REMINDER, "missed")]


def test_what_is_withdrawn_or_no_longer_true_is_nobodys_business(scene: Scene, channels: Mapping[str, Channel]) -> None:
    facility_values(scene, cancel_deadline="")
    booking = scene.booking(scene.subject(), "2026-12-01 13:30")
    scene.plan(NOW)
    scene.set(Booking, booking, standing=Standing.GONE)
    scene.send(channels, NOW)
    follow(scene, NOW)

    assert came_to(scene) == [("sms", "skipped", "booking_gone")]
    assert not not_reached(scene)
