"""What is well and what is not, from the vitals alone: each stall turns red in time, and nothing else does."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from store.heartbeats import Beat, Part
from store.installation import Gap
from store.provider_weights import ProviderWeight, Version
from store.vitals import Vitals
from store.weight_causes import WeightCause
from worker.actors import Kind
from worker.finding import Finding
from worker.health import REMEDIES, cap_shares, for_how_long, judged, population
from worker.settings import Configuration, SourceSettings, read_settings

SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
RED_WITHIN = 2 * MINUTE
NOW = datetime(2026, 11, 24, 8, 55, tzinfo=UTC)
NO_ROWS = {Kind.WEIGHTS, Kind.BEAT, Kind.POPULATION}  # a sign of life; a newer file
WELL = Vitals(
    beats=[Beat(part, "1.0", 5 * SECOND) for part in Part],
    overdue={kind: timedelta() for kind in Kind if kind not in NO_ROWS},
    uncertain=0,
    uncertain_for=timedelta(),
    tried=None,
    polled=None,
    silent={},
    frozen=0,
    paused_at=None,
    paused_clinics=0,
    gap=None,
    faults={},
    tried_lately=0,
    ahead=timedelta(),
)


@pytest.fixture
def configuration() -> Configuration:
    source = SourceSettings(name="region", url="https://platform.example/vp", logical_address="5565594230")
    return replace(read_settings({}), sources=(source,))


def found(vital: Vitals, configuration: Configuration) -> dict[str, Finding]:
    return {one.what: one for one in judged(vital, configuration)}


def ill(vital: Vitals, configuration: Configuration) -> set[str]:
    return {what for what, one in found(vital, configuration).items() if not one.is_well}


def warned(vital: Vitals, configuration: Configuration) -> set[str]:
    return {what for what, one in found(vital, configuration).items() if one.warns}


def overdue(kind: str, waited: timedelta) -> Vitals:
    return replace(WELL, overdue={**WELL.overdue, kind: waited})


def heard(**silences: timedelta) -> Vitals:
    """Each part's silence; those left out do not run."""
    return replace(WELL, beats=[Beat(Part(part), "1.0", silence) for part, silence in silences.items()])


def test_all_is_well(configuration: Configuration) -> None:
    assert ill(WELL, configuration) == warned(WELL, configuration) == set()


@pytest.mark.parametrize("part", list(Part))
def test_a_part_that_stands_still_is_red_in_time(configuration: Configuration, part: Part) -> None:
    silences = dict.fromkeys(Part, 5 * SECOND)

    assert ill(heard(**{**silences, part: 30 * SECOND}), configuration) == set()
    assert ill(heard(**{**silences, part: RED_WITHIN}), configuration) == {part}


def test_what_does_not_run_is_told_and_how_to_start_it(configuration: Configuration) -> None:
    clockless = found(heard(worker=SECOND, web=SECOND), configuration)["clock"]

    assert not clockless.is_well
    assert "start `kallelse clock`" in clockless.meaning


def test_without_a_clock_nobody_looks_for_the_fault_in_the_worker(configuration: Configuration) -> None:
    silent = found(heard(clock=RED_WITHIN, worker=RED_WITHIN, web=SECOND), configuration)["worker"]

    assert "see to the clock first" in silent.meaning


def test_one_killed_beside_others_is_told_and_is_no_alarm(configuration: Configuration) -> None:
    beats = [*WELL.beats, Beat(Part.WORKER, "1.0", timedelta(hours=3))]
    one = found(replace(WELL, beats=beats), configuration)["worker"]

    assert (one.is_well, one.warns) == (True, True)
    assert "1 at work; 1 ended without a word" in one.meaning


def test_every_kind_of_due_row_has_its_alarm() -> None:
    """A new kind without one would be what stalls unseen. That each is read: tests/store/test_vitals.py."""
    assert {Kind(kind) for kind in REMEDIES} == set(Kind) - NO_ROWS


@pytest.mark.parametrize("kind", [kind for kind in Kind if kind not in NO_ROWS])
def test_the_oldest_row_of_any_kind_is_red_when_nothing_has_been_done_for_two_minutes(
    configuration: Configuration, kind: Kind
) -> None:
    assert ill(overdue(kind, RED_WITHIN), configuration) == set()
    assert ill(overdue(kind, RED_WITHIN + SECOND), configuration) == {f"due: {kind}"}


def test_a_large_burst_that_is_being_sent_is_no_stall_for_five_minutes(configuration: Configuration) -> None:
    sending = replace(overdue("dispatch", 4 * MINUTE), tried=SECOND)

    assert ill(sending, configuration) == set()
    assert ill(replace(sending, tried=3 * MINUTE), configuration) == {"due: dispatch"}
    late = replace(overdue("dispatch", 5 * MINUTE + SECOND), tried=SECOND)
    assert ill(late, configuration) == {"due: dispatch"}


def test_what_nobody_knows_is_red_when_asking_has_had_its_time(configuration: Configuration) -> None:
    give_up = timedelta(seconds=configuration.settings.give_up_seconds)
    young = replace(WELL, uncertain=2, uncertain_for=give_up)

    assert ill(young, configuration) == set()
    assert ill(replace(young, uncertain_for=give_up + 6 * MINUTE), configuration) == {"uncertain"}


def test_a_source_that_answers_nobody_is_red_within_two_minutes(configuration: Configuration) -> None:
    assert ill(replace(WELL, silent={"region": 20 * SECOND}), configuration) == set()
    assert ill(replace(WELL, silent={"region": RED_WITHIN}), configuration) == {"answers: region"}
    assert ill(replace(WELL, silent={"former": RED_WITHIN}), configuration) == set()


def test_a_pause_a_freeze_and_a_restore_are_told_and_are_no_alarm(configuration: Configuration) -> None:
    set_so = replace(WELL, paused_at=NOW, frozen=2, gap=Gap(NOW - MINUTE, NOW))

    assert ill(set_so, configuration) == set()
    assert warned(set_so, configuration) == {"sending", "frozen", "restored"}
    assert "kallelse resume" in found(set_so, configuration)["sending"].meaning
    assert "3 clinics" in found(replace(WELL, paused_clinics=3), configuration)["sending"].meaning


@pytest.mark.parametrize("ahead", [3 * SECOND, -3 * SECOND])
def test_clocks_that_differ_are_told_and_far_apart_are_red(configuration: Configuration, ahead: timedelta) -> None:
    assert warned(replace(WELL, ahead=ahead), configuration) == {"time"}
    assert ill(replace(WELL, ahead=ahead), configuration) == set()
    assert ill(replace(WELL, ahead=11 * ahead), configuration) == {"time"}


def test_the_registers_age_is_told_by_its_first_line_alone(tmp_path: Path) -> None:
    path = tmp_path / "population.csv"
    path.write_text(f"# as_of: {(NOW - timedelta(days=6)).isoformat()}\nnothing that could be read\n")
    settings = read_settings({}, population=path)

    assert population(settings, NOW).is_well
    assert "stale" in population(settings, NOW + timedelta(days=2)).meaning
    assert "future" in population(settings, NOW - timedelta(days=8)).meaning
    path.write_bytes(b"\xff\xfe\xfa")
    assert "not UTF-8" in population(settings, NOW).meaning
    path.unlink()
    assert "cannot be read" in population(settings, NOW).meaning
    assert "KALLELSE_POPULATION is not set" in population(read_settings({}), NOW).meaning


@pytest.mark.parametrize(
    ("duration", "said"),
    [(90 * SECOND, "90 s"), (5 * MINUTE, "5 min"), (30 * 60 * MINUTE, "30 h"), (timedelta(days=3), "3 days")],
)
def test_durations_are_said_as_one_says_them(duration: timedelta, said: str) -> None:
    assert for_how_long(duration) == said


def test_check_37_a_clinic_that_has_used_80_percent_of_its_day_is_named(configuration: Configuration) -> None:
    """Check 37: an alert at 80 %, by the clinic's own cap or the installation's."""
    near = replace(WELL, planned_today={"Eken": (80, 100), "Linden": (79, 100), "Granen": (80, None)})

    assert warned(near, configuration) == {"caps"}
    assert "Eken 80%;" in found(near, configuration)["caps"].meaning
    assert cap_shares(near, 100) == {"Eken": 0.8, "Linden": 0.79, "Granen": 0.8}


def test_check_19_codes_that_a_person_must_look_into_are_told_of_and_others_not(configuration: Configuration) -> None:
    vital = replace(WELL, faults={("twilio", "20003"): 3, ("twilio", "99999"): 1, ("twilio", "30003"): 9})
    said = [one.meaning for one in judged(vital, configuration) if one.what == "provider: twilio"]

    assert [one.split(",")[0] for one in said] == ["20003", "99999"]


@pytest.mark.parametrize(("filtered", "is_told"), [(2, False), (3, True)])
def test_check_19_more_than_one_in_a_hundred_blocked_is_told_of(
    configuration: Configuration, filtered: int, *, is_told: bool
) -> None:
    vital = replace(WELL, faults={("twilio", "30004"): 1, ("twilio", "30007"): filtered - 1}, tried_lately=200)

    assert ("filtered" in found(vital, configuration)) is is_told


def weights(cause: WeightCause | None = None) -> Vitals:
    rows = [
        ProviderWeight(channel="sms", version=2, provider=name, weight=weight, is_stopped=is_stopped,
                       cause=WeightCause.DRIFT, reason="nothing amiss for a while", made_at=NOW)
        for name, weight, is_stopped in (("46elks", 60, False), ("twilio", 40, cause is not None))
    ]  # fmt: skip
    return replace(WELL, sms_weights=Version(rows, NOW, cause))


def test_a_provider_that_refuses_our_account_is_not_well_and_one_that_we_stopped_is_only_named() -> None:
    both = read_settings({}, twilio_account_sid="AC1", elks_username="u1")

    assert found(weights(), both)["sms providers"].meaning == "46elks 60, twilio 40 (nothing amiss for a while)"
    assert ill(weights(WeightCause.SHUT_OUT), both) == {"sms providers"}
    assert warned(weights(WeightCause.OPERATOR), both) == {"sms providers"}
    assert "kallelse providers --start twilio" in found(weights(WeightCause.OPERATOR), both)["sms providers"].meaning
    assert "sms providers" not in found(weights(WeightCause.SHUT_OUT), read_settings({}, twilio_account_sid="AC1"))
