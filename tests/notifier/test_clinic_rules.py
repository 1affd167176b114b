"""The wrong rule for a visit tells somebody at the wrong time; a choice not kept tells them at all."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, time, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlmodel import select

from notifier import rule_exchange, rule_files
from notifier.choices import Choices
from notifier.foreseeing import carried_out
from notifier.ledger import Ledger
from notifier.offsets import parse_offset
from notifier.planning import PlanningSettings
from notifier.precedence import Mode, Origin, Rule, Scope, in_force
from notifier.previewing import Line, Note, preview
from notifier.replanning import ReplanningSettings, replan_due
from notifier.rule_files import FileRule, RulesFile, RulesRefused
from notifier.rules import Terms, due
from notifier.swedish_days import is_weekday, local
from notifier.windows import EVERY_DAY, Hours, InvalidQuietHours, outside, within_window
from store import choices as kept_choices
from store.bookings import Booking
from store.budgets import ClinicDay
from store.choices import Choice
from store.clinics import Clinic
from store.purposes import Purpose
from store.replannings import Replanning, ask_for_clinic
from store.standing import ChangeKind, Standing
from store.subjects import Subject
from tests.notifier.conftest import Provider, Scene, at, facility_values
from tests.notifier.test_offsets_and_windows import INSTANTS
from tests.notifier.test_rules import (
    CLINIC,
    DAY_BEFORE,
    PREPARATIONS,
    RULES,
    booked,
    change,
    entry,
    facts,
    reasons,
    sent,
    visit,
)
from tests.people import ANNA, BERTIL, CECILIA

ABOVE = ("PARENT", "TOP")
PLACES = ("", "F1", *ABOVE)


def narrowed(scope: Scope, offset: str = "days:2:16.00", **values: Any) -> Rule:
    return replace(DAY_BEFORE, scope=scope, offset=parse_offset(offset), is_own=True, **values)


# Which rule holds


@given(
    st.lists(
        st.builds(
            Scope, st.sampled_from(PLACES), st.sampled_from(["", "T1"]), st.sampled_from([None, *Mode]),
            st.sampled_from([None, *Origin]),
        ),
        unique=True,
    ),
    st.randoms(),
)  # fmt: skip
def test_the_nearest_facilitys_rule_holds_whatever_the_order(scopes: list[Scope], random: Any) -> None:
    one = visit("2026-12-01 13:30", above=ABOVE, time_type="T1")
    rules = [narrowed(scope) for scope in scopes]
    (held,) = in_force([DAY_BEFORE, *rules], one)
    random.shuffle(rules)

    assert in_force([*rules, DAY_BEFORE], one) == [held]
    fitting = [rule.scope for rule in rules if rule.scope.covers(one)]
    nearest = next((place for place in ("F1", *ABOVE) if any(scope.facility == place for scope in fitting)), "")
    assert held.scope.facility == nearest


def test_a_facilitys_rule_switched_off_keeps_its_parents_from_holding() -> None:
    one = visit("2026-12-01 13:30", above=ABOVE)
    off = narrowed(Scope("F1"), is_active=False)

    assert in_force([DAY_BEFORE, narrowed(Scope("PARENT")), off], one) == []
    assert len(in_force([DAY_BEFORE, narrowed(Scope("PARENT")), off], visit("2026-12-01 13:30", facility="F2"))) == 1


def test_c15_an_edited_rule_tells_at_its_new_time_and_never_what_was_told_by_the_old_one() -> None:
    """C15: planning is a function of booking and rules, so an edit is followed; what was told stays told."""
    one = visit("2026-12-10 13:30")
    edited = {CLINIC: (DAY_BEFORE, narrowed(Scope(), "days:3:10.00"))}

    first = due(facts(one, rules=edited), at("2026-12-07 10:00"))
    assert [told.purpose for told in sent(first)] == [Purpose.REMINDER]
    told = carried_out(facts(one), first, at("2026-12-07 10:00"))
    assert sent(due(replace(told, rules=RULES), at("2026-12-09 16:00"))) == []


def test_preparations_are_timed_anew_when_the_visit_moves() -> None:
    moved = visit("2026-12-20 13:30", has_preparations=True, time_version=2, time_version_at=at("2026-12-01 09:00"))
    rules = {CLINIC: (replace(PREPARATIONS, scope=Scope(time_type="T1"), offset=parse_offset("days:7:10.00")),)}

    plan = due(facts(replace(moved, time_type="T1"), rules=rules), at("2026-12-01 10:00"))

    assert plan.next_planning_at == at("2026-12-13 10:00")


def test_the_same_day_rule_is_for_visits_late_enough_or_with_preparations() -> None:
    rules = {CLINIC: (replace(DAY_BEFORE, offset=parse_offset("hours:3"), visits_from=time(11)),)}
    early, late = visit("2026-12-01 10:00"), visit("2026-12-01 13:00")

    assert due(facts(early, rules=rules), at("2026-11-30 12:00")).next_planning_at is None
    assert due(facts(late, rules=rules), at("2026-11-30 12:00")).next_planning_at == at("2026-12-01 10:00")
    prepared = due(facts(replace(early, has_preparations=True), rules=rules), at("2026-11-30 12:00"))
    assert prepared.next_planning_at == at("2026-12-01 08:00")  # 07:00 is night


@pytest.mark.parametrize(
    ("offset", "fires"),
    [
        ("deadline:weekdays:1:10.00", "2026-11-26 10:00"),
        ("deadline:hours:30", "2026-11-26 07:30"),
        ("booking:hours:2", "2026-11-20 14:00"),
        ("booking:weekdays:1:10.00", "2026-11-23 10:00"),
    ],
)
def test_offsets_count_from_the_deadline_and_from_the_booking(offset: str, fires: str) -> None:
    fired = parse_offset(offset).fires_at(at("2026-11-30 13:30"), at("2026-11-27 13:30"), at("2026-11-20 12:00"))
    assert fired == at(fires)


def test_c14_a_rule_by_the_booking_is_not_for_visits_booked_before_we_knew_of_them() -> None:
    """C14, check 13: nothing whose time had passed, and no storm of them at first contact."""
    rules = {CLINIC: (replace(DAY_BEFORE, offset=parse_offset("booking:hours:2")),)}
    assert due(facts(visit("2026-12-10 13:30"), rules=rules), at("2026-11-24 10:00")).next_planning_at is None


# Windows


def test_a_rule_for_weekdays_only_is_told_on_the_friday_before_and_not_on_a_sunday() -> None:
    monday = visit("2026-11-30 09:00")
    rules = {CLINIC: (replace(DAY_BEFORE, weekdays_only=True),)}

    plan = due(facts(monday, rules=rules), at("2026-11-24 10:00"))
    assert plan.next_planning_at == at("2026-11-27 16:00")
    assert sent(due(facts(monday, rules=rules), at("2026-11-27 16:00")))[0].weekdays_only
    booked_on_saturday = replace(visit("2026-12-01 13:30"), time_version_at=at("2026-11-28 12:00"))
    rules = {CLINIC: (replace(DAY_BEFORE, offset=parse_offset("days:2:16.00"), weekdays_only=True),)}
    assert due(facts(booked_on_saturday, rules=rules), at("2026-11-28 12:00")).next_planning_at == at(
        "2026-11-30 08:00"
    )


@given(INSTANTS, st.timedeltas(timedelta(0), timedelta(days=5)), st.times(), st.times(), st.booleans())
def test_check_14_quiet_hours_and_days_off_never_push_past_usefulness(
    wanted: datetime,
    use: timedelta,
    quiet_from: time,
    quiet_until: time,
    weekdays_only: bool,  # noqa: FBT001
) -> None:
    """Check 14, C21, C22: never at night, never in quiet hours, never on a day off, and never past its use."""
    try:
        hours = replace(outside(quiet_from, quiet_until), weekdays_only=weekdays_only)
    except InvalidQuietHours:
        hours = Hours(EVERY_DAY.spans, weekdays_only)
    moved = within_window(wanted, wanted + use, hours)

    assert moved <= wanted + use
    assert hours.is_open(moved)
    assert EVERY_DAY.is_open(moved)
    assert not weekdays_only or is_weekday(local(moved).date())


# Choices and caps


def test_a_citizens_choices_win_except_for_what_must_arrive() -> None:
    one = visit("2026-12-01 13:30")
    moved = change(one, ChangeKind.MOVED, "2026-11-30 15:50", booked("2026-12-02 09:00"))
    muted = Choices(is_muted=True, hours=outside(time(9), time(18)))
    now = at("2026-11-30 16:00")

    assert reasons(due(facts(one, choices=Choices(reminded_by=frozenset({CLINIC}))), now))[0] == "clinic_reminds"
    assert [told.purpose for told in sent(due(facts(one, changes=(moved,), choices=muted), now))] == [Purpose.MOVED]
    by_mail = Choices(channels=("email",))
    assert sent(due(facts(one, choices=by_mail), now))[0].channels == ("email",)
    assert sent(due(facts(one, changes=(moved,), choices=by_mail), now))[0].channels == ("sms", "email")
    assert due(facts(one, choices=replace(by_mail, hours=outside(time(14), time(22)))), now).next_planning_at == at(
        "2026-12-01 08:00"
    )


def test_check_37_a_clinic_that_has_used_its_day_waits_for_the_next_one_or_skips_countably() -> None:
    """Check 37: per-clinic daily cap; what waiting would make useless is skipped, and changes go all the same."""
    one, soon = visit("2026-12-01 23:30"), visit("2026-12-01 10:00")
    spent = {CLINIC: Terms(budget=0)}
    moved = change(one, ChangeKind.MOVED, "2026-11-30 15:00", booked("2026-12-03 09:00"))
    now = at("2026-11-30 16:00")

    assert due(facts(one, terms=spent), now).next_planning_at == at("2026-12-01 08:00")
    assert reasons(due(facts(soon, terms=spent), now)) == ["capped"]
    assert [told.purpose for told in sent(due(facts(one, terms=spent, changes=(moved,)), now))] == [Purpose.MOVED]


def test_c52_a_visit_going_to_and_fro_is_told_of_six_times_a_day_and_then_as_it_ends() -> None:
    """C52: loops of booking and cancelling cost no more than that; four hours before the visit it is told at last."""
    one = visit("2026-12-08 13:30")
    told = tuple(entry(one, Purpose.MOVED, at(f"2026-11-24 1{hour}:00"), f"change:{hour}") for hour in range(6))
    moved = change(one, ChangeKind.MOVED, "2026-11-24 16:00", booked("2026-12-07 09:00"))

    waiting = due(facts(one, changes=(moved,), ledger=Ledger(told)), at("2026-11-24 16:02"))
    assert (waiting.deliveries, waiting.told, waiting.next_planning_at) == ((), frozenset(), at("2026-11-25 10:00"))
    assert sent(due(facts(one, changes=(moved,), ledger=Ledger(told[1:])), at("2026-11-24 16:02")))


def test_c52_confirmations_count_in_the_recipients_day() -> None:
    new = visit("2026-12-20 13:30", known_at=at("2026-11-24 10:00"))
    appeared = change(new, ChangeKind.BOOKED, "2026-11-24 10:00", None)
    many = Ledger(tuple(entry(visit("2026-12-21 10:00"), Purpose.NOTICE, at("2026-11-24 09:00")) for _ in range(8)))

    assert "capped" in reasons(due(facts(new, changes=(appeared,), ledger=many), at("2026-11-24 10:02")))
    silent = due(facts(new, changes=(appeared,), terms={CLINIC: Terms(confirms=False)}), at("2026-11-24 10:02"))
    assert (sent(silent), silent.told) == ([], {appeared.id})


def test_check_37_planners_never_exceed_a_clinics_cap_and_count_what_they_plan(scene: Scene) -> None:
    scene.set(Clinic, scene.clinic_id, messages_per_day=2)
    facility_values(scene, cancel_deadline="")
    for person in (ANNA, BERTIL, CECILIA):
        scene.booking(scene.subject(person), "2026-12-01 10:00")
    scene.planning = PlanningSettings(batch=50)  # all three read of the day before any of them is planned

    scene.plan(at("2026-11-30 16:00"))

    assert sorted(one.reason for one in scene.deliveries()) == ["", "", "capped"]
    with scene.sessions.reading() as session:
        assert session.exec(select(ClinicDay.planned)).all() == [2]


def test_what_is_chosen_after_planning_is_heard_before_sending(scene: Scene, provider: Provider) -> None:
    anna = scene.subject()
    scene.booking(anna, "2026-12-01 13:30")
    facility_values(scene, cancel_deadline="")
    scene.plan(at("2026-11-30 16:00"))
    with scene.sessions.writing() as session:
        chosen = Choice(subject_id=anna.subject_id, chosen_at=scene.now)
        kept_choices.keep(session, chosen, [scene.clinic_id])

    scene.send(provider.channels, at("2026-11-30 16:01"))

    assert (provider.texts, scene.states()) == ([], [("skipped", "clinic_reminds")])


# Files, previews, replanning

TEXTS = st.text(st.characters(min_codepoint=32, exclude_categories=["Cs"]), max_size=12)
FILES = st.builds(
    RulesFile, TEXTS,
    st.lists(
        st.builds(
            FileRule, TEXTS, TEXTS, TEXTS, TEXTS, st.lists(TEXTS).map(tuple), TEXTS, TEXTS, TEXTS, TEXTS, TEXTS,
            st.booleans(), st.booleans(),
        ),
        max_size=4,
        unique_by=lambda rule: rule.key,
    ).map(tuple),
    st.booleans(), st.booleans(), st.none() | st.integers(1, 10**6),
)  # fmt: skip


@given(FILES)
def test_a_file_read_back_is_the_file_that_was_written(file: RulesFile) -> None:
    assert rule_files.read(rule_files.written(file)) == file.in_order


def taken(scene: Scene, *rules: FileRule, **values: Any) -> list[str]:
    with scene.sessions.writing() as session:
        clinic = session.get_one(Clinic, scene.clinic_id)
        file = RulesFile(clinic.name, rules, **values)
        lines = rule_exchange.differences(session, clinic, file)
        rule_exchange.take(session, clinic, file, scene.now)
    with scene.sessions.reading() as session:
        clinic = session.get_one(Clinic, scene.clinic_id)
        exported = rule_files.read(rule_files.written(rule_exchange.exported(session, clinic)))
        assert rule_exchange.differences(session, clinic, exported) == []
    return lines


TWO_DAYS = FileRule("day_before", "reminder", "days:2:16.00", "day_before")


def test_c15_rules_are_taken_from_a_file_and_those_concerned_planned_anew(scene: Scene) -> None:
    anna = scene.subject()
    scene.booking(anna, "2026-12-08 13:30")
    facility_values(scene, cancel_deadline="")
    scene.plan(scene.now)
    assert scene.next_planning_at(anna) == at("2026-12-07 16:00")

    here = replace(TWO_DAYS, facility="SE2321000016-1A01", when="weekdays:3:09.00")
    assert [line[0] for line in taken(scene, TWO_DAYS, here)] == ["+", "+"]
    while replan_due(scene.sessions, scene.now, ReplanningSettings()):
        pass
    scene.plan_due(scene.now)

    assert scene.next_planning_at(anna) == at("2026-12-03 09:00")
    assert [line[0] for line in taken(scene, TWO_DAYS, weekdays_only=True)] == ["~", "-"]


def test_replanning_goes_on_from_where_it_was_and_leaves_room_for_news(scene: Scene) -> None:
    people = [scene.subject(person) for person in (ANNA, BERTIL, CECILIA)]
    for place, one in enumerate(people):
        scene.booking(one, f"2026-12-0{place + 1} 13:30")
        scene.set(Subject, one.subject_id, next_planning_at=None)
    with scene.sessions.writing() as session:
        ask_for_clinic(session, scene.clinic_id, scene.now)
    two = ReplanningSettings(room=2)

    replan_due(scene.sessions, scene.now, two)
    assert [scene.next_planning_at(one) for one in people] == [scene.now, scene.now, None]  # the nearest first
    replan_due(scene.sessions, scene.now, two)
    assert scene.next_planning_at(people[2]) is None  # no room: those two are not planned yet
    scene.plan_due(scene.now)
    later = scene.now + timedelta(minutes=1)
    replan_due(scene.sessions, later, two)
    assert scene.next_planning_at(people[2]) == later
    replan_due(scene.sessions, later, two)
    with scene.sessions.reading() as session:
        assert session.exec(select(Replanning.next_at)).all() == [None]


@pytest.mark.parametrize(
    ("rule", "fault"),
    [
        (replace(TWO_DAYS, when="1 dag"), "rule 1 (day_before), when: '1 dag' must be written as deadline:24h:10.00"),
        (replace(TWO_DAYS, words="hej"), "words: no template 'hej' is in use for sms; for this purpose there are"),
        (replace(TWO_DAYS, facility="SE1-X"), "facility: 'SE1-X' is none of the clinic's"),
        (replace(TWO_DAYS, channels=("fax",)), "channels: ['fax'] must be some of sms, email"),
        (replace(TWO_DAYS, mode="video"), "mode: 'video' must be on_site or remote"),
        (replace(TWO_DAYS, visits_from="25"), "visits_from: '25' must be a time such as 11.00"),
        (replace(TWO_DAYS, purpose="deadline", words="deadline"), "must be reminder, as in every rule of this name"),
    ],
)
def test_a_fault_in_a_rules_file_names_field_value_and_remedy_and_changes_nothing(
    scene: Scene, rule: FileRule, fault: str
) -> None:
    with pytest.raises(RulesRefused) as refused:
        taken(scene, rule)
    assert fault in str(refused.value)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("clinic = ", "not TOML"),
        ('clinic = "E"\nweekdays_only = "ja"', "weekdays_only: 'ja' must be true or false"),
        ('clinic = "E"\nkanaler = 1', "kanaler: there is no such field"),
        ('clinic = "E"\n[[rule]]\nname = "x"', "rule 1 (x), purpose: is missing"),
    ],
)
def test_a_file_that_is_none_is_refused(text: str, fault: str) -> None:
    with pytest.raises(RulesRefused) as refused:
        rule_files.read(text)
    assert fault in str(refused.value)


def lines(scene: Scene, now: datetime, days: int = 7) -> list[Line]:
    with scene.sessions.reading() as session:
        clinic = session.get_one(Clinic, scene.clinic_id)
        return list(preview(session, scene.vault, clinic, scene.planning, now, now + timedelta(days=days)))


@pytest.mark.parametrize(
    ("prepare", "reason"),
    [
        (lambda scene: None, ""),
        (lambda scene: scene.set(Clinic, scene.clinic_id, decided_on=None), "no_decision"),
        (lambda scene: scene.set(Clinic, scene.clinic_id, paused_at=scene.now), "paused"),
    ],
)
def test_the_preview_says_what_the_planner_will_do_and_why_not_and_writes_nothing(
    scene: Scene, prepare: Callable[[Scene], None], reason: str
) -> None:
    anna = scene.subject()
    scene.booking(anna, "2026-12-01 13:30")
    facility_values(scene, cancel_deadline="")
    prepare(scene)

    (line,) = lines(scene, at("2026-11-27 12:00"))

    assert (line.at, line.subject_id, line.channel, line.words, line.reason) == (
        at("2026-11-30 16:00"), anna.subject_id, "sms", "day_before", reason,
    )  # fmt: skip
    assert line.to not in repr(line)
    assert scene.deliveries() == []


def test_the_preview_foresees_a_clinics_cap_day_by_day(scene: Scene) -> None:
    scene.set(Clinic, scene.clinic_id, messages_per_day=1)
    facility_values(scene, cancel_deadline="")
    for person in (ANNA, BERTIL):
        scene.booking(scene.subject(person), "2026-12-01 10:00")

    assert sorted(line.reason for line in lines(scene, at("2026-11-27 12:00"))) == ["", "capped"]


def test_the_preview_shows_what_is_planned_already_and_what_is_in_doubt(scene: Scene) -> None:
    """Else a visit whose reminder lies queued, or will wait, looks like one that nobody is told of."""
    facility_values(scene, cancel_deadline="")
    queued = scene.booking(scene.subject(ANNA), "2026-12-01 13:30")
    scene.plan(at("2026-11-30 16:00"))
    doubted = scene.booking(scene.subject(BERTIL), "2026-12-02 13:30")
    scene.set(Booking, doubted, missed_at=at("2026-11-30 15:00"))

    shown = {
        line.visits: (line.at, line.channel, line.words, line.notes) for line in lines(scene, at("2026-11-30 16:00"))
    }

    wanted: dict[tuple[datetime, ...], Any] = {
        (at("2026-12-01 13:30"),): (at("2026-11-30 16:00"), "sms", "day_before", frozenset({Note.PLANNED})),
        (at("2026-12-02 13:30"),): (at("2026-12-01 16:00"), "sms", "day_before", frozenset({Note.IN_DOUBT})),
    }
    assert shown == wanted
    assert queued in {part.booking_id for part in scene.parts()}


def test_the_preview_says_that_a_notice_of_a_visit_off_waits_while_its_facility_is_frozen(scene: Scene) -> None:
    booking_id = scene.booking(scene.subject(ANNA), "2026-12-08 13:30")
    scene.change(booking_id, ChangeKind.GONE, at("2026-11-30 12:00"), standing=Standing.GONE)
    facility_values(scene, frozen_at=at("2026-11-30 11:00"))

    (line,) = lines(scene, at("2026-11-30 13:00"))

    assert (line.purpose, line.notes) == ("gone", frozenset({Note.FROZEN}))
