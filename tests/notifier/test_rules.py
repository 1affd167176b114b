"""What is told and when: never late, never twice, never about a visit that is not as it was."""

from dataclasses import replace
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifier.change_notices import Change, Then
from notifier.ledger import Entry, Ledger, change_occasion, rule_occasion
from notifier.offsets import parse_offset
from notifier.reminders import Rule, Visit
from notifier.rules import Facts, Plan, Planned, due
from notifier.spacing import Limits
from notifier.swedish_days import cancel_deadline, local, wall_clock
from notifier.windows import DAYTIME, WIDE, is_open
from store.delivery_states import DeliveryState
from store.purposes import CHANGE_NOTICES, Purpose
from store.standing import ChangeKind, Standing

SUBJECT, CLINIC, OTHER_CLINIC = uuid4(), uuid4(), uuid4()
DEADLINE = Rule(uuid4(), Purpose.DEADLINE, parse_offset("deadline:24h:10.00"), "deadline", ("sms", "email"))
DAY_BEFORE = Rule(uuid4(), Purpose.REMINDER, parse_offset("days:1:16.00"), "day_before", ("sms", "email"))
PREPARATIONS = Rule(uuid4(), Purpose.PREPARATIONS, parse_offset("days:5:10.00"), "preparations", ("sms", "email"))
NIGHTLY = Rule(uuid4(), Purpose.REMINDER, parse_offset("hours:3"), "day_before", ("sms",))
RULES = {CLINIC: (DEADLINE, DAY_BEFORE, PREPARATIONS), OTHER_CLINIC: (DEADLINE, DAY_BEFORE, PREPARATIONS)}


def at(text: str) -> datetime:
    on, clock = text.split()
    return wall_clock(date.fromisoformat(on), time.fromisoformat(clock))


def visit(start: str, policy: str = "", **values: Any) -> Visit:
    start_at = at(start)
    known_at = values.pop("known_at", start_at - timedelta(days=60))
    return replace(
        Visit(uuid4(), CLINIC, "F1", start_at, cancel_deadline(start_at, policy), Standing.BOOKED, 1, known_at),
        **values,
    )


def facts(*visits: Visit, **values: Any) -> Facts:
    return replace(Facts(SUBJECT, visits, RULES), **values)


def entry(of: Visit, purpose: Purpose, told_at: datetime, occasion: str = "", **values: Any) -> Entry:
    known = Entry(
        uuid4(), SUBJECT, CLINIC, purpose, occasion or f"x:{uuid4()}", of.booking_id, DeliveryState.ACCEPTED, told_at
    )
    return replace(known, **values)


def change(of: Visit, kind: ChangeKind, when: str, before: Then | None, **values: Any) -> Change:
    settles_at = at(when) + timedelta(seconds=0 if kind == ChangeKind.GONE else 120)
    return replace(Change(uuid4(), of.booking_id, kind, at(when), settles_at, before), **values)


def sent(plan: Plan) -> list[Planned]:
    return [one for one in plan.deliveries if one.state == DeliveryState.QUEUED]


def reasons(plan: Plan) -> list[str]:
    return [one.reason for one in plan.deliveries]


def booked(start: str) -> Then:
    return Then(at(start), "F1", Standing.BOOKED)


# Reminders


def test_nothing_is_due_before_its_time_and_the_next_look_is_the_first_coming_reminder() -> None:
    plan = due(facts(visit("2026-12-08 13:30", "weekdays:1")), at("2026-11-24 09:55"))

    assert plan.deliveries == ()
    assert plan.next_planning_at == at("2026-12-06 10:00")  # the last 10:00 at least 24 h before Monday 13:30


def test_check_12_the_deadline_reminder_leaves_at_least_a_day_to_cancel() -> None:
    tuesday_after_easter = visit("2027-03-30 09:00", "weekdays:1")

    (told,) = sent(due(facts(tuesday_after_easter), at("2027-03-23 10:00")))
    assert told.purpose == Purpose.DEADLINE
    assert told.useful_until == at("2027-03-25 08:00")


def test_the_day_before_at_16_is_told_and_is_of_use_until_four_hours_before() -> None:
    plan = due(facts(visit("2026-12-01 13:30")), at("2026-11-30 16:00"))

    (told,) = sent(plan)
    assert (told.purpose, told.template_name) == (Purpose.REMINDER, "day_before")
    assert told.useful_until == at("2026-12-01 09:30")


def test_preparations_are_told_only_where_there_are_any() -> None:
    now = at("2026-11-26 10:00")

    assert sent(due(facts(visit("2026-12-01 13:30")), now)) == []
    (told,) = sent(due(facts(visit("2026-12-01 13:30", has_preparations=True)), now))
    assert told.purpose == Purpose.PREPARATIONS


def test_check_03_what_stands_in_the_ledger_is_not_planned_again() -> None:
    one = visit("2026-12-01 13:30")
    now = at("2026-11-30 16:00")
    (told,) = sent(due(facts(one), now))
    known = entry(one, Purpose.REMINDER, now, told.parts[0].occasion)

    for state in DeliveryState:
        ledger = Ledger((replace(known, state=state),))
        assert due(facts(one, ledger=ledger), now + timedelta(minutes=1)).deliveries == ()


def test_check_13_an_offset_that_had_passed_at_booking_is_skipped_as_too_late() -> None:
    late = visit("2026-12-01 13:30", known_at=at("2026-11-30 17:00"))

    (skipped,) = due(facts(late), at("2026-11-30 17:03")).deliveries

    assert (skipped.state, skipped.reason) == (DeliveryState.SKIPPED, "too_late")


def test_check_13_a_confirmation_and_a_reminder_are_never_both_sent_within_12_hours() -> None:
    late = visit("2026-12-01 13:30", known_at=at("2026-11-30 15:57"))
    appeared = change(late, ChangeKind.BOOKED, "2026-11-30 15:57", None)

    waiting = due(facts(late, changes=(appeared,)), at("2026-11-30 15:58"))
    assert (waiting.deliveries, waiting.next_planning_at) == ((), at("2026-11-30 15:59"))
    at_four = due(facts(late, changes=(replace(appeared, settles_at=at("2026-11-30 16:01")),)), at("2026-11-30 16:00"))
    assert at_four.deliveries == ()  # the reminder waits for the notice that may stand for it

    plan = due(facts(late, changes=(appeared,)), at("2026-11-30 16:01"))
    assert [one.purpose for one in sent(plan)] == [Purpose.CONFIRMATION]
    assert "told_recently" in reasons(plan)


def test_a_visit_moved_away_and_back_is_reminded_anew() -> None:
    one = visit("2026-12-01 13:30", time_version=3, time_version_at=at("2026-11-20 12:00"))
    before = entry(one, Purpose.REMINDER, at("2026-11-10 16:00"), rule_occasion(DAY_BEFORE.id, one.booking_id, 1))

    (told,) = sent(due(facts(one, ledger=Ledger((before,))), at("2026-11-30 16:00")))

    assert told.parts[0].occasion == rule_occasion(DAY_BEFORE.id, one.booking_id, 3)


@pytest.mark.parametrize("standing", [Standing.GONE, Standing.CANCELLED, Standing.PASSED])
def test_a_visit_that_is_off_is_not_reminded_of(standing: Standing) -> None:
    assert due(facts(visit("2026-12-01 13:30", standing=standing)), at("2026-11-30 16:00")).deliveries == ()


def test_a_visit_that_may_be_a_suspects_new_place_is_told_of_after_15_minutes_at_most() -> None:
    waits = visit("2026-12-01 13:30", waits_until=at("2026-11-30 16:10"))
    appeared = change(waits, ChangeKind.BOOKED, "2026-11-30 15:55", None)

    plan = due(facts(waits, changes=(appeared,)), at("2026-11-30 16:00"))

    assert plan.deliveries == ()
    assert plan.told == frozenset()
    assert plan.next_planning_at == at("2026-11-30 16:10")


def test_a_facility_without_a_clinic_gets_calendar_only() -> None:
    nobodys = visit("2026-12-01 13:30", clinic_id=None)
    appeared = change(nobodys, ChangeKind.BOOKED, "2026-11-24 10:00", None)

    plan = due(facts(nobodys, changes=(appeared,)), at("2026-11-30 16:00"))

    assert (plan.deliveries, plan.told, plan.next_planning_at) == ((), {appeared.id}, None)


def test_a_clinic_without_its_decision_sends_nothing() -> None:
    one = visit("2026-12-01 13:30")
    moved = change(one, ChangeKind.MOVED, "2026-11-30 15:00", booked("2026-12-02 09:00"))

    plan = due(facts(one, rules={}, changes=(moved,)), at("2026-11-30 16:00"))

    assert (plan.deliveries, plan.told) == ((), {moved.id})


# After a standstill


def test_check_07_what_a_standstill_swallowed_is_countable_and_never_sent_late() -> None:
    passed = visit("2026-12-01 09:00", standing=Standing.PASSED)
    soon = visit("2026-12-01 16:00")
    tomorrow = visit("2026-12-02 13:30")

    plan = due(facts(passed, soon, tomorrow), at("2026-12-01 13:00"))

    assert [(one.state, one.reason) for one in plan.deliveries] == [
        (DeliveryState.EXPIRED, "missed"),
        (DeliveryState.EXPIRED, "missed"),
    ]
    assert plan.next_planning_at == at("2026-12-01 16:00")


def test_check_09_a_late_tick_still_sends_what_is_of_use() -> None:
    (told,) = sent(due(facts(visit("2026-12-01 13:30")), at("2026-11-30 16:10")))

    assert told.purpose == Purpose.REMINDER


def test_a_change_that_nobody_was_told_in_time_is_countable() -> None:
    passed = visit("2026-12-01 09:00", standing=Standing.PASSED)
    moved = change(passed, ChangeKind.MOVED, "2026-12-01 07:00", booked("2026-12-03 09:00"))

    plan = due(facts(passed, changes=(moved,)), at("2026-12-01 13:00"))

    assert (Purpose.MOVED, DeliveryState.EXPIRED) in [(one.purpose, one.state) for one in plan.deliveries]


def test_a_confirmation_settled_at_night_expires_and_wakes_nobody() -> None:
    new = visit("2026-12-20 13:30", known_at=at("2026-11-24 23:00"))
    appeared = change(new, ChangeKind.BOOKED, "2026-11-24 23:00", None)

    (expired,) = due(facts(new, changes=(appeared,)), at("2026-11-24 23:02")).deliveries

    assert (expired.state, expired.reason) == (DeliveryState.EXPIRED, "outside_window")


# Merging, spacing and caps


def test_several_visits_of_one_day_make_one_reminder() -> None:
    visits = [visit("2026-12-01 09:00"), visit("2026-12-01 10:30"), visit("2026-12-01 13:30")]

    (told,) = sent(due(facts(*visits), at("2026-11-30 16:00")))

    assert told.template_name == "day_before_merged"
    assert {part.booking_id for part in told.parts} == {one.booking_id for one in visits}
    assert told.visit_at == at("2026-12-01 09:00")
    assert told.useful_until == at("2026-12-01 05:00")


def test_merging_takes_what_comes_due_for_the_same_day_within_12_hours() -> None:
    early, late = visit("2026-12-01 08:00", "hours:24"), visit("2026-12-01 15:00", "hours:24")

    (told,) = sent(due(facts(early, late), at("2026-11-28 10:00")))

    # Deadline Monday 08:00 -> Saturday 10:00, Monday 15:00 -> Sunday 10:00: a day apart, so not merged.
    assert len(told.parts) == 1


def test_clinics_and_days_are_not_merged() -> None:
    here, there = visit("2026-12-01 09:00"), visit("2026-12-01 13:30", clinic_id=OTHER_CLINIC)

    told = sent(due(facts(here, there), at("2026-11-30 16:00")))

    assert [len(one.parts) for one in told] == [1, 1]


def test_another_visits_reminder_waits_until_12_hours_have_passed() -> None:
    first, other = visit("2026-12-09 10:00"), visit("2026-12-01 23:00")
    ledger = Ledger((entry(first, Purpose.DEADLINE, at("2026-11-30 10:00")),))

    plan = due(facts(other, ledger=ledger), at("2026-11-30 16:00"))

    assert sent(plan) == []
    assert plan.next_planning_at == at("2026-12-01 08:00")  # 22:00 is at night


def test_another_visits_reminder_is_sent_where_waiting_would_be_past_its_use() -> None:
    first, other = visit("2026-12-09 10:00"), visit("2026-12-01 11:00")
    ledger = Ledger((entry(first, Purpose.DEADLINE, at("2026-11-30 10:00")),))

    (told,) = sent(due(facts(other, ledger=ledger), at("2026-11-30 16:00")))

    assert told.purpose == Purpose.REMINDER


def test_preparations_wait_rather_than_being_taken_for_told() -> None:
    one = visit("2026-12-01 13:30", has_preparations=True)
    ledger = Ledger((entry(one, Purpose.DEADLINE, at("2026-11-26 09:00")),))

    plan = due(facts(one, ledger=ledger), at("2026-11-26 10:00"))

    assert plan.deliveries == ()
    assert plan.next_planning_at == at("2026-11-27 08:00")


def test_a_failed_message_does_not_count_as_told() -> None:
    one = visit("2026-12-01 13:30")
    failed = entry(one, Purpose.DEADLINE, at("2026-11-30 10:00"), state=DeliveryState.FAILED)

    assert len(sent(due(facts(one, ledger=Ledger((failed,))), at("2026-11-30 16:00")))) == 1


def test_the_cap_defers_reminders_and_never_a_change() -> None:
    one = visit("2026-12-01 23:30")
    many = Ledger(
        tuple(
            entry(visit("2026-12-20 10:00"), Purpose.REMINDER, at("2026-11-30 09:00"), clinic_id=OTHER_CLINIC)
            for _ in range(8)
        )
    )
    moved = change(one, ChangeKind.MOVED, "2026-11-30 15:00", booked("2026-12-03 09:00"))

    capped = due(facts(one, ledger=many), at("2026-11-30 16:00"))
    assert capped.deliveries == ()
    assert capped.next_planning_at == at("2026-12-01 09:00")
    assert [one.purpose for one in sent(due(facts(one, ledger=many, changes=(moved,)), at("2026-11-30 16:00")))] == [
        Purpose.MOVED
    ]


def test_a_reminder_that_the_cap_would_hold_past_its_use_is_recorded() -> None:
    one = visit("2026-12-01 10:00")
    busy = tuple(entry(visit("2026-12-20 10:00"), Purpose.NOTICE, at("2026-11-30 15:00")) for _ in range(8))

    assert reasons(due(facts(one, ledger=Ledger(busy)), at("2026-11-30 16:00"))) == ["capped"]


# Changes


def test_a_change_settles_before_it_is_told() -> None:
    one = visit("2026-12-08 13:30")
    moved = change(one, ChangeKind.MOVED, "2026-11-24 10:00", booked("2026-12-07 09:00"))

    waiting = due(facts(one, changes=(moved,)), at("2026-11-24 10:01"))
    assert (waiting.deliveries, waiting.told, waiting.next_planning_at) == ((), frozenset(), at("2026-11-24 10:02"))

    plan = due(facts(one, changes=(moved,)), at("2026-11-24 10:02"))
    (told,) = sent(plan)
    assert (told.purpose, told.useful_until) == (Purpose.MOVED, one.start_at)
    assert told.parts[0].occasion == change_occasion(moved.id)
    assert plan.told == {moved.id}


def test_gone_is_told_without_further_settling() -> None:
    gone = visit("2026-12-08 13:30", standing=Standing.GONE)
    went = change(gone, ChangeKind.GONE, "2026-11-24 10:00", booked("2026-12-08 13:30"))

    assert [one.purpose for one in sent(due(facts(gone, changes=(went,)), at("2026-11-24 10:00")))] == [Purpose.GONE]


def test_moved_and_back_before_anybody_was_told_is_silence() -> None:
    one = visit("2026-12-08 13:30")
    away = change(one, ChangeKind.MOVED, "2026-11-24 10:00", booked("2026-12-08 13:30"))
    back = change(one, ChangeKind.MOVED, "2026-11-24 10:01", booked("2026-12-09 13:30"))

    plan = due(facts(one, changes=(away, back)), at("2026-11-24 10:05"))

    assert (sent(plan), plan.told) == ([], {away.id, back.id})


def test_check_35_a_visit_that_flaps_before_anybody_was_told_causes_no_message() -> None:
    one = visit("2026-12-08 13:30")
    went = change(one, ChangeKind.GONE, "2026-11-24 10:00", booked("2026-12-08 13:30"))
    back = change(one, ChangeKind.RESTORED, "2026-11-24 10:01", Then(at("2026-12-08 13:30"), "F1", Standing.GONE))

    plan = due(facts(one, changes=(went, back)), at("2026-11-24 10:05"))

    assert (sent(plan), plan.told) == ([], {went.id, back.id})


def test_appeared_and_gone_before_anybody_was_told_is_silence() -> None:
    gone = visit("2026-12-08 13:30", standing=Standing.GONE)
    appeared = change(gone, ChangeKind.BOOKED, "2026-11-24 10:00", None)
    went = change(gone, ChangeKind.GONE, "2026-11-24 10:11", booked("2026-12-08 13:30"))

    assert due(facts(gone, changes=(appeared, went)), at("2026-11-24 10:11")).deliveries == ()


def test_two_moves_untold_are_one_message_from_the_time_that_is_known() -> None:
    one = visit("2026-12-10 13:30")
    first = change(one, ChangeKind.MOVED, "2026-11-24 10:00", booked("2026-12-08 13:30"))
    second = change(one, ChangeKind.MOVED, "2026-11-24 10:01", booked("2026-12-09 13:30"))

    (told,) = sent(due(facts(one, changes=(first, second)), at("2026-11-24 10:05")))

    assert told.parts[0].occasion == change_occasion(first.id)


def test_a_restored_visit_is_told_at_once_if_it_was_told_as_gone() -> None:
    one = visit("2026-12-08 13:30")
    off = entry(one, Purpose.GONE, at("2026-11-24 09:00"), "change:x")
    back = change(one, ChangeKind.RESTORED, "2026-11-24 10:01", Then(one.start_at, "F1", Standing.GONE))

    told = sent(due(facts(one, changes=(back,), ledger=Ledger((off,))), at("2026-11-24 10:01")))

    assert [one.purpose for one in told] == [Purpose.RESTORED]


def test_a_restored_visit_is_not_told_if_its_notice_never_left() -> None:
    one = visit("2026-12-08 13:30")
    back = change(one, ChangeKind.RESTORED, "2026-11-24 10:01", Then(one.start_at, "F1", Standing.GONE))
    went = change(
        one, ChangeKind.GONE, "2026-11-24 09:00", booked("2026-12-08 13:30"),
        queued_delivery=uuid4(), queued_purpose=Purpose.GONE,
    )  # fmt: skip

    plan = due(facts(one, changes=(went, back)), at("2026-11-24 10:01"))

    assert sent(plan) == []
    assert plan.withdrawn == {went.queued_delivery}


def test_a_second_move_is_told_by_the_notice_still_queued() -> None:
    one = visit("2026-12-10 13:30")
    queued = uuid4()
    first = change(
        one, ChangeKind.MOVED, "2026-11-24 10:00", booked("2026-12-08 13:30"),
        queued_delivery=queued, queued_purpose=Purpose.MOVED,
    )  # fmt: skip
    second = change(one, ChangeKind.MOVED, "2026-11-24 10:05", booked("2026-12-09 13:30"))

    plan = due(facts(one, changes=(first, second)), at("2026-11-24 10:10"))

    assert (sent(plan), plan.withdrawn, plan.told) == ([], frozenset(), {second.id})


def test_gone_after_a_move_still_queued_is_told_as_gone_at_the_time_that_is_known() -> None:
    gone = visit("2026-12-10 13:30", standing=Standing.GONE)
    first = change(
        gone, ChangeKind.MOVED, "2026-11-24 10:00", booked("2026-12-08 13:30"),
        queued_delivery=uuid4(), queued_purpose=Purpose.MOVED,
    )  # fmt: skip
    went = change(gone, ChangeKind.GONE, "2026-11-24 10:30", booked("2026-12-10 13:30"))

    plan = due(facts(gone, changes=(first, went)), at("2026-11-24 10:30"))

    assert [(one.purpose, one.parts[0].occasion) for one in sent(plan)] == [(Purpose.GONE, change_occasion(first.id))]
    assert plan.withdrawn == {first.queued_delivery}


def test_a_change_at_night_waits_for_the_morning_and_for_wider_hours_if_the_visit_is_near() -> None:
    near, far = visit("2026-12-02 09:00"), visit("2026-12-08 09:00")
    changes = [change(one, ChangeKind.MOVED, "2026-12-01 23:00", booked("2026-12-20 09:00")) for one in (near, far)]

    assert due(facts(near, changes=(changes[0],)), at("2026-12-01 23:02")).next_planning_at == at("2026-12-02 06:30")
    assert due(facts(far, changes=(changes[1],)), at("2026-12-01 23:02")).next_planning_at == at("2026-12-02 08:00")


def test_a_move_saves_the_journey_to_the_old_time_too() -> None:
    later = visit("2026-12-20 09:00")
    moved = change(later, ChangeKind.MOVED, "2026-12-01 23:00", booked("2026-12-02 08:00"))

    assert due(facts(later, changes=(moved,)), at("2026-12-01 23:02")).next_planning_at == at("2026-12-02 06:30")


# Whatever happens


@st.composite
def situations(draw: st.DrawFn) -> tuple[Facts, datetime]:
    now = at("2026-11-24 00:00") + timedelta(minutes=draw(st.integers(0, 14 * 24 * 60)))
    visits = []
    changes: list[Change] = []
    for _ in range(draw(st.integers(0, 5))):
        start_at = now + timedelta(minutes=draw(st.integers(-3 * 24 * 60, 9 * 24 * 60)))
        standing = draw(st.sampled_from(list(Standing)))
        one = Visit(
            uuid4(), draw(st.sampled_from([CLINIC, OTHER_CLINIC, None])), "F1", start_at,
            cancel_deadline(start_at, draw(st.sampled_from(["", "weekdays:1", "hours:24"]))),
            standing, 1, now - timedelta(minutes=draw(st.integers(0, 9 * 24 * 60))), draw(st.booleans()),
        )  # fmt: skip
        visits.append(one)
        if draw(st.booleans()):
            then = Then(
                start_at + timedelta(hours=draw(st.integers(-40, 40))), "F1", draw(st.sampled_from(list(Standing)))
            )
            changed_at = now - timedelta(minutes=draw(st.integers(0, 600)))
            changes.append(
                Change(
                    uuid4(), one.booking_id, draw(st.sampled_from(list(ChangeKind))), changed_at,
                    changed_at + timedelta(seconds=120), draw(st.sampled_from([None, then])),
                )
            )  # fmt: skip
    return Facts(SUBJECT, tuple(visits), {**RULES, CLINIC: (*RULES[CLINIC], NIGHTLY)}, tuple(changes)), now


def recorded(known: Facts, plan: Plan, now: datetime) -> Facts:
    """The facts after the plan has been carried out."""
    made = [
        Entry(delivery, SUBJECT, one.clinic_id, one.purpose, part.occasion, part.booking_id, one.state, now)
        for one in plan.deliveries
        for delivery in [uuid4()]
        for part in one.parts
    ]
    left = tuple(change for change in known.changes if change.id not in plan.told)
    return replace(known, changes=left, ledger=known.ledger.with_entries(made))


@given(situations())
def test_check_07_and_14_nothing_goes_out_at_night_or_past_its_use(situation: tuple[Facts, datetime]) -> None:
    known, now = situation
    for one in sent(due(known, now)):
        assert now <= one.useful_until
        assert is_open(WIDE if one.purpose in CHANGE_NOTICES else DAYTIME, now)


@given(situations())
def test_check_03_planning_again_at_once_plans_nothing_more(situation: tuple[Facts, datetime]) -> None:
    known, now = situation
    plan = due(known, now)

    again = due(recorded(known, plan, now), now)

    assert again.deliveries == ()
    assert again.next_planning_at is None or again.next_planning_at > now


@given(situations())
def test_no_promise_is_made_twice_and_no_visit_is_told_of_twice_within_12_hours(
    situation: tuple[Facts, datetime],
) -> None:
    known, now = situation
    occasions: set[tuple[Purpose, str]] = set()
    told: dict[UUID, list[tuple[datetime, Purpose]]] = {}
    end = now + timedelta(days=3)
    for _ in range(200):
        plan = due(known, now)
        for one in plan.deliveries:
            for part in one.parts:
                assert (one.purpose, part.occasion) not in occasions
                occasions.add((one.purpose, part.occasion))
        for one in sent(plan):
            for part in one.parts:
                told.setdefault(part.booking_id, []).append((now, one.purpose))
        known = recorded(known, plan, now)
        if plan.next_planning_at is None or plan.next_planning_at > end:
            break
        assert plan.next_planning_at > now
        now = plan.next_planning_at
    for times in told.values():
        reminders = [(when, what) for when, what in times if what in (Purpose.DEADLINE, Purpose.REMINDER)]
        for (earlier, _), (later, _) in zip(reminders, reminders[1:], strict=False):
            assert later - earlier >= Limits().apart


@given(situations(), st.randoms())
def test_the_order_of_facts_does_not_matter(situation: tuple[Facts, datetime], random: Any) -> None:
    known, now = situation
    visits = list(known.visits)
    random.shuffle(visits)

    first, second = due(known, now), due(replace(known, visits=tuple(visits)), now)

    assert {(one.purpose, part.occasion, one.state) for one in first.deliveries for part in one.parts} == {
        (one.purpose, part.occasion, one.state) for one in second.deliveries for part in one.parts
    }
    assert first.next_planning_at == second.next_planning_at


def test_check_10_the_whole_plan_keeps_16_o_clock_across_both_clock_changes() -> None:
    for start in ("2027-03-28 09:00", "2027-10-31 09:00"):
        plan = due(facts(visit(start)), at("2027-03-01 12:00"))
        assert plan.next_planning_at is not None
        assert local(plan.next_planning_at).time() == time(16)
