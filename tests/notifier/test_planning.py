"""From due subjects to promises: each made once, and none where nobody may be told."""

import threading
from datetime import timedelta

import pytest
from sqlmodel import SQLModel, col, select, update

from notifier import ready_texts
from store.bookings import Booking, BookingChange, Details
from store.clinics import Clinic
from store.consents import Consent
from store.deliveries import Delivery, DeliveryPart, DeliveryState, insert, suppress
from store.identifiers import new_id
from store.purposes import Purpose
from store.standing import ChangeKind, Standing
from store.subjects import ContactPoint, Subject, SubjectKey, wake_planning
from store.templates import TemplateVersion
from store.vault import Unsealable
from tests.notifier.conftest import Scene, at, facility_values
from tests.people import ANNA, BERTIL, CECILIA, DAVID, Person
from tests.store.query_plans import asked, plan, scans

DAY_BEFORE_AT = at("2026-11-30 16:00")
FEW = {"reminder_rules", "scoped_rules", "clinics", "templates", "template_versions", "facilities"}
NUMBERS = ("191212121212", "188803099368", "194911172296", "198611062384", "192011189228", "194804032094")


def test_a_reminder_becomes_a_queued_delivery_with_its_words_pinned(scene: Scene) -> None:
    anna = scene.subject()
    booking_id = scene.booking(anna, "2026-12-01 13:30")
    facility_values(scene, cancel_deadline="")

    assert scene.plan(DAY_BEFORE_AT).inserted == 1

    (delivery,) = [one for one in scene.deliveries() if one.state == DeliveryState.QUEUED]
    assert (delivery.purpose, delivery.channel, delivery.visit_at) == (Purpose.REMINDER, "sms", at("2026-12-01 13:30"))
    (part,) = [one for one in scene.parts() if one.delivery_id == delivery.id]
    assert (part.booking_id, part.recipient) == (booking_id, str(anna.subject_id))


def test_what_was_missed_before_is_countable(scene: Scene) -> None:
    scene.booking(scene.subject(), "2026-12-01 13:30")
    facility_values(scene, cancel_deadline="weekdays:1")

    scene.plan(DAY_BEFORE_AT)

    assert (DeliveryState.EXPIRED, "missed") in scene.states()  # the deadline reminder


def test_check_03_planning_100_times_makes_each_promise_once(scene: Scene) -> None:
    for person in (ANNA, CECILIA):
        scene.booking(scene.subject(person), "2026-12-01 13:30")

    for _ in range(100):
        scene.plan(DAY_BEFORE_AT)

    occasions = [(one.occasion, one.channel, one.recipient) for one in scene.parts()]
    assert len(occasions) == len(set(occasions))
    assert len([one for one in scene.deliveries() if one.state == DeliveryState.QUEUED]) == 2


def test_no_planning_reads_all_that_ever_was_booked_or_told(scene: Scene) -> None:
    anna = scene.subject(next_planning_at=DAY_BEFORE_AT)
    scene.booking(anna, "2026-12-01 13:30")
    with asked(scene.sessions.engine) as statements:
        assert scene.plan_due(DAY_BEFORE_AT).inserted
    with scene.sessions.reading() as session:
        plans = "\n".join(plan(session, *one) for one in statements if one[0].startswith(("SELECT", "UPDATE")))

    growing = {table.name for table in SQLModel.metadata.sorted_tables} - FEW
    assert "SELECT booking_changes" in str(statements)
    assert [line for table in growing for line in scans(plans, table)] == []


def test_check_08_two_planners_at_once_make_each_promise_once(scene: Scene) -> None:
    people = [Person(number, phone=f"+467017406{50 + place}") for place, number in enumerate(NUMBERS)]
    for person in people:
        scene.booking(scene.subject(person), "2026-12-01 13:30")
    with scene.sessions.writing() as session:
        wake_planning(session, session.exec(select(Subject.id)).all(), DAY_BEFORE_AT)
    failures: list[BaseException] = []

    def run() -> None:
        try:
            scene.plan_due(DAY_BEFORE_AT)
        except BaseException as error:  # noqa: BLE001 - shown by the test's own thread
            failures.append(error)

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert failures == []
    assert len([one for one in scene.deliveries() if one.state == DeliveryState.QUEUED]) == len(people)


def test_a_wake_up_is_answered_with_the_next_time_something_is_due(scene: Scene) -> None:
    anna = scene.subject()
    scene.booking(anna, "2026-12-08 13:30")
    facility_values(scene, cancel_deadline="")

    scene.plan(at("2026-11-24 12:00"))

    assert scene.next_planning_at(anna) == at("2026-12-07 16:00")


def test_a_subject_with_nothing_ahead_is_not_planned_again(scene: Scene) -> None:
    anna = scene.subject()

    scene.plan(DAY_BEFORE_AT)

    assert scene.next_planning_at(anna) is None


def test_stale_or_unknown_population_data_holds_and_loses_nothing(scene: Scene) -> None:
    anna = scene.subject(population_as_of=DAY_BEFORE_AT - timedelta(hours=25))
    booking_id = scene.booking(anna, "2026-12-01 13:30")
    scene.change(booking_id, ChangeKind.MOVED, DAY_BEFORE_AT, start_at=at("2026-12-02 10:00"))

    scene.plan(DAY_BEFORE_AT + timedelta(minutes=3))
    assert scene.deliveries() == []
    assert scene.next_planning_at(anna) == DAY_BEFORE_AT + timedelta(minutes=13)

    scene.set(Subject, anna.subject_id, population_as_of=DAY_BEFORE_AT)
    scene.plan_due(DAY_BEFORE_AT + timedelta(minutes=13))
    assert [one.purpose for one in scene.deliveries() if one.state == DeliveryState.QUEUED] == [Purpose.MOVED]


@pytest.mark.parametrize("flag", ["protected_on", "deceased_on"])
def test_an_explicit_flag_stops_every_message(scene: Scene, flag: str) -> None:
    anna = scene.subject(**{flag: scene.now.date()})
    scene.booking(anna, "2026-12-01 13:30")

    scene.plan(DAY_BEFORE_AT)

    assert scene.deliveries() == []
    assert scene.next_planning_at(anna) is None


def test_without_a_consent_nothing_is_planned(scene: Scene) -> None:
    scene.booking(scene.subject(), "2026-12-01 13:30")
    with scene.sessions.writing() as session:
        session.exec(update(Consent).values(withdrawn_on=scene.now.date()))

    scene.plan(DAY_BEFORE_AT)

    assert scene.deliveries() == []


def test_an_erased_person_stops_no_other(scene: Scene) -> None:
    erased, bertil = scene.subject(), scene.subject(BERTIL)
    for one in (erased, bertil):
        scene.booking(one, "2026-12-01 13:30")
    with scene.sessions.writing() as session:
        session.delete(session.get_one(SubjectKey, erased.subject_id))

    scene.plan(DAY_BEFORE_AT)

    assert {one.subject_id for one in scene.deliveries()} == {bertil.subject_id}


def test_somebody_who_cannot_be_planned_for_delays_nobody_else(scene: Scene) -> None:
    broken = scene.subject(ANNA)
    for engagement in (broken, scene.subject(BERTIL), scene.subject(CECILIA)):
        scene.booking(engagement, "2026-12-01 13:30")
    scene.set(SubjectKey, broken.subject_id, wrapped="k1.unknown.AAAA")

    with pytest.raises(Unsealable):
        scene.plan(at("2026-11-30 16:00"))
    scene.plan_due(at("2026-11-30 16:00"))  # without waiting for any lease

    assert len({one.recipient_id for one in scene.deliveries()}) == 2


def test_a_clinic_without_its_recorded_decision_sends_nothing(scene: Scene) -> None:
    scene.set(Clinic, scene.clinic_id, decided_on=None)
    scene.booking(scene.subject(), "2026-12-01 13:30")

    scene.plan(DAY_BEFORE_AT)

    assert scene.deliveries() == []


def test_the_next_contact_is_used_where_the_first_has_opted_out(scene: Scene) -> None:
    anna = scene.subject()
    scene.booking(anna, "2026-12-01 13:30")
    with scene.sessions.writing() as session:
        phone = session.exec(select(ContactPoint).where(col(ContactPoint.kind) == "phone")).one()
        suppress(session, phone.digest, "sms", "provider", scene.now)
        suppress(session, phone.digest, "sms", "provider", scene.now)  # twice is once

    scene.plan(DAY_BEFORE_AT)

    assert {one.channel for one in scene.deliveries()} == {"email"}


def test_who_cannot_be_reached_is_counted(scene: Scene) -> None:
    scene.booking(scene.subject(Person(ANNA.number)), "2026-12-01 13:30")
    facility_values(scene, cancel_deadline="")

    assert scene.plan(DAY_BEFORE_AT).untellable == 1


def test_english_words_are_pinned_for_who_reads_english(scene: Scene) -> None:
    scene.booking(scene.subject(DAVID), "2026-12-01 13:30")

    scene.plan(DAY_BEFORE_AT)

    with scene.sessions.reading() as session:
        pinned = {session.get_one(TemplateVersion, part.template_version_id).language for part in scene.parts()}
    assert pinned == {"en"}


def test_preparations_are_found_in_the_sealed_details(scene: Scene) -> None:
    scene.booking(scene.subject(), "2026-12-01 13:30", details=Details(preparations="Kom fastande."))

    scene.plan(at("2026-11-26 10:00"))

    assert [one.purpose for one in scene.deliveries()] == [Purpose.PREPARATIONS]


def test_a_change_is_told_once_and_then_no_more(scene: Scene) -> None:
    booking_id = scene.booking(scene.subject(), "2026-12-08 13:30")
    change_id = scene.change(booking_id, ChangeKind.GONE, scene.now, standing=Standing.GONE)

    scene.plan(scene.now)
    scene.plan(scene.now + timedelta(minutes=1))

    assert [one.purpose for one in scene.deliveries()] == [Purpose.GONE]
    with scene.sessions.reading() as session:
        assert not session.get_one(BookingChange, change_id).tell


def test_check_36_a_cancellation_undone_within_the_settling_is_silence(scene: Scene) -> None:
    booking_id = scene.booking(scene.subject(), "2026-12-08 13:30")
    scene.change(booking_id, ChangeKind.CANCELLED, scene.now, standing=Standing.CANCELLED)
    scene.plan(scene.now + timedelta(seconds=60))
    scene.change(booking_id, ChangeKind.RESTORED, scene.now + timedelta(seconds=90), standing=Standing.BOOKED)

    scene.plan(scene.now + timedelta(minutes=10))

    assert scene.deliveries() == []


def test_twenty_bookings_at_first_contact_confirm_nothing(scene: Scene) -> None:
    anna = scene.subject()
    for day in range(1, 21):
        scene.booking(anna, f"2026-12-{day:02} 10:00", seen_at=scene.now)

    scene.plan(scene.now)

    assert {one.state for one in scene.deliveries()} <= {DeliveryState.SKIPPED}
    assert Purpose.CONFIRMATION not in {one.purpose for one in scene.deliveries()}


def test_shipping_again_changes_nothing_and_a_new_text_is_a_new_version(scene: Scene) -> None:
    def numbers() -> list[int]:
        with scene.sessions.reading() as session:
            return sorted(row.number for row in session.exec(select(TemplateVersion)))

    before = numbers()
    with scene.sessions.writing() as session:
        ready_texts.install(session, scene.now)
    assert numbers() == before

    with scene.sessions.writing() as session:
        first = select(TemplateVersion.id).limit(1).scalar_subquery()
        session.exec(update(TemplateVersion).where(col(TemplateVersion.id) == first).values(text="Gamla ord"))
    with scene.sessions.writing() as session:
        ready_texts.install(session, scene.now)
    assert numbers() == sorted([*before, 2])


def test_a_booking_merged_away_by_a_move_leaves_the_planner_unharmed(scene: Scene) -> None:
    booking_id = scene.booking(scene.subject(), "2026-12-01 13:30")
    scene.plan(DAY_BEFORE_AT)
    with scene.sessions.writing() as session:
        session.delete(session.get_one(Booking, booking_id))

    assert scene.plan(DAY_BEFORE_AT).inserted == 0


def test_check_03_the_database_itself_refuses_the_same_promise_twice(scene: Scene) -> None:
    scene.booking(scene.subject(), "2026-12-01 13:30")
    facility_values(scene, cancel_deadline="")
    scene.plan(DAY_BEFORE_AT)
    (delivery,), (part,) = scene.deliveries(), scene.parts()

    with scene.sessions.writing() as session:
        again = Delivery(**{**dict(delivery), "id": new_id()})
        copy = DeliveryPart(**{**dict(part), "id": new_id(), "delivery_id": again.id})
        assert not insert(session, again, [copy])

    assert scene.deliveries() == [delivery]
    assert scene.parts() == [part]


def test_check_37_a_guardian_with_two_children_gets_one_message_about_each(scene: Scene) -> None:
    facility_values(scene, cancel_deadline="")
    for number in NUMBERS[:2]:
        child = scene.subject(Person(number, phone=ANNA.phone))
        for clock in ("09:00", "10:30"):
            scene.booking(child, f"2026-12-01 {clock}")

    scene.plan(DAY_BEFORE_AT)

    told = {one.id: one.subject_id for one in scene.deliveries() if one.state == DeliveryState.QUEUED}
    assert len(told) == len(set(told.values())) == 2
    assert sorted(told[part.delivery_id] for part in scene.parts()) == sorted([*told.values()] * 2)
