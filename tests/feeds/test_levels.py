"""What each level shows: no clinic below `clinic`, none that is sensitive, and good words in both languages."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feeds.levels import Mode, Place, Shown, Silence, Visit, about, calendar_name, mode_of, shown
from store.leaflets import from_plain
from store.level import Level
from store.standing import Standing

WAY = "https://www.1177.se"
EKEN = Place("Ekens vårdcentral", "Ekgatan 1, Storstad", "010-123 45 67", is_sensitive=False)
PSYKIATRIN = Place("Psykiatriska mottagningen", "Lugna gatan 2", "010-765 43 21", is_sensitive=True)
VISIT = Visit(
    Standing.BOOKED,
    Mode.ON_SITE,
    may_cancel=True,
    may_rebook=True,
    time_type="Nybesök läkare",
    performer="Dr Ek",
    resource="Rum 3",
    preparations=from_plain("Kom fastande."),
)


def test_busy_tells_nothing_of_care_not_even_1177() -> None:
    assert shown(VISIT, EKEN, Level.BUSY, "sv", WAY) == Shown("Upptagen tid")


def test_visit_shows_the_mode_and_the_way_to_1177_only() -> None:
    assert shown(VISIT, EKEN, Level.VISIT, "sv", WAY) == Shown(
        "Bokad tid, besök", "", "Avboka eller boka om på 1177: https://www.1177.se", WAY
    )


def test_clinic_adds_name_address_and_phone() -> None:
    texts = shown(VISIT, EKEN, Level.CLINIC, "sv", WAY)

    assert texts.summary == "Bokad tid, Ekens vårdcentral"
    assert texts.location == "Ekens vårdcentral, Ekgatan 1, Storstad"
    assert texts.description.splitlines() == [
        "Avboka eller boka om på 1177: https://www.1177.se",
        "Mottagning: Ekens vårdcentral",
        "Adress: Ekgatan 1, Storstad",
        "Telefon: 010-123 45 67",
    ]


def test_full_adds_time_type_performer_resource_and_preparations() -> None:
    assert shown(VISIT, EKEN, Level.FULL, "en", WAY).description.splitlines()[4:] == [
        "The booking is for: Nybesök läkare",
        "You will meet: Dr Ek",
        "Resource: Rum 3",
        "",
        "Information from the clinic:",
        "Kom fastande.",
    ]


@pytest.mark.parametrize("level", [Level.BUSY, Level.VISIT])
@pytest.mark.parametrize("language", ["sv", "en"])
@pytest.mark.parametrize("standing", Standing)
def test_check_31_default_summary_and_all_below_clinic_name_no_clinic(
    level: Level, language: str, standing: Standing
) -> None:
    told = from_plain("Kom fastande.")
    visit = Visit(standing, Mode.VIDEO, time_type="Nybesök läkare", performer="Dr Ek", preparations=told)
    texts = str(
        [getattr(shown(visit, EKEN, level, language, WAY), name) for name in ("summary", "location", "description")]
    )

    for secret in ("Eken", "Ekgatan", "010-123", "läkare", "Dr Ek", "fastande"):
        assert secret not in texts


@pytest.mark.parametrize("level", [Level.CLINIC, Level.FULL])
def test_a_sensitive_facility_lowers_the_level_to_visit(level: Level) -> None:
    assert shown(VISIT, PSYKIATRIN, level, "sv", WAY) == shown(VISIT, EKEN, Level.VISIT, "sv", WAY)


@given(st.sampled_from(Level), st.sampled_from(Standing), st.sampled_from(Mode), st.sampled_from(["sv", "en"]))
def test_a_sensitive_clinic_is_named_at_no_level(level: Level, standing: Standing, mode: Mode, language: str) -> None:
    visit = Visit(standing, mode, time_type="Hemligt", performer="Hemlig", preparations=from_plain("Hemligt"))
    texts = shown(visit, PSYKIATRIN, level, language, WAY)

    written = texts.summary + texts.location + texts.description + texts.url
    assert not any(secret in written for secret in ("Psykiatri", "Lugna", "765", "Hemlig"))


@pytest.mark.parametrize(
    ("standing", "language", "summary", "first_line"),
    [
        (Standing.CANCELLED, "sv", "Avbokad: Bokad tid, besök", "Tiden är avbokad."),
        (Standing.CANCELLED, "en", "Cancelled: Booked time, visit", "The visit has been cancelled."),
        (
            Standing.GONE,
            "sv",
            "Visas inte längre: Bokad tid, besök",
            "Mottagningen visar inte längre tiden. Hör med dem innan du åker.",
        ),
        (
            Standing.GONE,
            "en",
            "No longer shown: Booked time, visit",
            "The clinic no longer shows this visit. Check with them before you travel.",
        ),
    ],
)
def test_what_no_longer_stands_says_so_first(standing: Standing, language: str, summary: str, first_line: str) -> None:
    texts = shown(Visit(standing, Mode.ON_SITE, may_cancel=True), EKEN, Level.VISIT, language, WAY)

    assert texts.summary == summary
    assert texts.description.startswith(first_line)
    assert "vboka eller" not in texts.description  # nobody cancels what is cancelled


def test_a_passed_visit_reads_as_before_it_passed() -> None:
    passed = Visit(Standing.PASSED, Mode.ON_SITE)
    assert shown(passed, EKEN, Level.FULL, "sv", WAY) == shown(
        Visit(Standing.BOOKED, Mode.ON_SITE), EKEN, Level.FULL, "sv", WAY
    )


def test_a_remote_visit_sends_nobody_to_a_building() -> None:
    texts = shown(Visit(Standing.BOOKED, Mode.VIDEO), EKEN, Level.CLINIC, "sv", WAY)

    assert texts.summary == "Bokad tid, videobesök, Ekens vårdcentral"
    assert texts.location == ""


@pytest.mark.parametrize(
    ("type_id", "type_name", "mode"),
    [
        ("VIDEO", "", Mode.VIDEO),
        ("T1", "Telefontid", Mode.PHONE),
        ("D1", "Distans", Mode.REMOTE),
        ("NB", "Videovisning på plats", Mode.ON_SITE),
        ("", "", Mode.ON_SITE),
    ],
)
def test_only_the_facilitys_own_list_makes_a_visit_remote(type_id: str, type_name: str, mode: Mode) -> None:
    assert mode_of(type_id, type_name, ["VIDEO", "T1", "D1"]) is mode


@pytest.mark.parametrize(
    ("may_cancel", "may_rebook", "words"),
    [
        (True, True, "Avboka eller boka om på 1177"),
        (True, False, "Avboka på 1177"),
        (False, True, "Boka om på 1177"),
        (False, False, "Se tiden på 1177"),
    ],
)
def test_the_way_back_promises_only_what_1177_allows(may_cancel: bool, may_rebook: bool, words: str) -> None:  # noqa: FBT001
    visit = Visit(Standing.BOOKED, Mode.ON_SITE, may_cancel=may_cancel, may_rebook=may_rebook)
    assert shown(visit, EKEN, Level.VISIT, "sv", WAY).description == f"{words}: {WAY}"


def test_a_time_in_the_hour_of_the_clock_change_is_flagged() -> None:
    visit = Visit(Standing.BOOKED, Mode.ON_SITE, is_in_clock_change=True)
    assert "klockan ställs om" in shown(visit, EKEN, Level.VISIT, "sv", WAY).description


def test_a_line_break_in_a_performers_name_makes_no_line_of_ours() -> None:
    visit = Visit(Standing.BOOKED, Mode.ON_SITE, performer="Dr Ek\nTelefon: 0900-123")
    assert "Du träffar: Dr Ek Telefon: 0900-123" in shown(visit, EKEN, Level.FULL, "sv", WAY).description


SINCE = datetime(2026, 12, 2, 12, 30, tzinfo=UTC)


def test_the_calendar_never_says_that_there_are_no_visits() -> None:
    for level in Level:
        assert "kan saknas" in about(level, [], "sv")
        assert "may be missing" in about(level, [], "en")


def test_a_silent_clinic_is_not_named_below_clinic() -> None:
    silences = [Silence("Ekens vårdcentral", SINCE)]

    assert about(Level.VISIT, silences, "sv").endswith(
        "Vi har inte fått svar från en mottagning sedan onsdag 2 december kl. 13.30. Tider där kan ha ändrats."
    )
    assert "mottagning" not in about(Level.BUSY, silences, "sv")
    assert "onsdag 2 december kl. 13.30" in about(Level.BUSY, silences, "sv")


def test_at_clinic_a_silent_clinic_is_named_and_a_sensitive_one_only_counted() -> None:
    silences = [Silence("Ekens vårdcentral", SINCE), Silence("", SINCE)]

    text = about(Level.CLINIC, silences, "en")
    assert "no answer from Ekens vårdcentral since Wednesday 2 December, 13:30." in text
    assert "no answer from one clinic since" in text


def test_every_word_exists_in_both_languages() -> None:
    from feeds import levels

    assert levels._SWEDISH.keys() == levels._ENGLISH.keys()
    assert calendar_name("sv") == "Bokade tider"
    assert calendar_name("en") == "Booked times"
