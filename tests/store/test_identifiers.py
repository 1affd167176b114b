"""Identity numbers and HSA-ids in every written form seen: one canonical value, or a refusal that repeats nothing."""

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from store.identifiers import (
    INERA_RESERVE,
    NATIONAL_RESERVE,
    PERSONNUMMER,
    SAMORDNINGSNUMMER,
    STOCKHOLM_RESERVE,
    VARMLAND_RESERVE,
    VASTRA_GOTALAND_RESERVE,
    HsaId,
    InvalidIdentifier,
    SubjectId,
    is_conforming,
    masked,
    new_id,
    parse_hsa_id,
    parse_subject_id,
)

TODAY = date(2026, 11, 24)
OLD = "191212121212"
YOUNG = "200002292399"
COORDINATED = "197302889931"


def refusal(text: str, oid: str | None = None) -> str:
    with pytest.raises(InvalidIdentifier) as caught:
        parse_subject_id(text, today=TODAY, oid=oid)
    return str(caught.value)


class TestWrittenForms:
    """B1."""

    @pytest.mark.parametrize(
        ("written", "number"),
        [
            ("19121212-1212", OLD),
            ("191212121212", OLD),
            ("19121212+1212", OLD),
            ("121212+1212", OLD),
            ("20000229-2399", YOUNG),
            ("000229-2399", YOUNG),
            ("0002292399", YOUNG),
            ("800426-2385", "198004262385"),
            ("18900101-9802", "189001019802"),
        ],
    )
    def test_each_becomes_the_same_twelve_digits(self, written: str, number: str) -> None:
        assert parse_subject_id(written, today=TODAY) == SubjectId(number, PERSONNUMMER)

    def test_a_hyphen_after_ten_digits_means_the_latest_birth_not_in_the_future(self) -> None:
        assert parse_subject_id("121212-1212", today=TODAY).born_on == date(2012, 12, 12)
        assert parse_subject_id("121212-1212", today=date(2012, 12, 11)).born_on == date(1912, 12, 12)

    def test_somebody_who_turns_a_hundred_later_this_year_is_not_two_hundred(self) -> None:
        assert parse_subject_id("121212+1212", today=date(2012, 11, 24)).born_on == date(1912, 12, 12)

    def test_twelve_digits_never_have_their_century_guessed(self) -> None:
        assert parse_subject_id("18900101-9802", today=TODAY).born_on == date(1890, 1, 1)


class TestWrongNumbers:
    """B2."""

    @pytest.mark.parametrize("digit", sorted(set("0123456789") - {OLD[-1]}))
    def test_every_wrong_check_digit_is_refused(self, digit: str) -> None:
        assert "check digit" in refusal(OLD[:-1] + digit)

    @pytest.mark.parametrize("day", ["19120231", "19121312", "19120012", "19121200", "19121232", "20010229"])
    def test_a_day_that_does_not_exist_is_refused_with_a_right_check_digit(self, day: str) -> None:
        assert "does not exist" in refusal(with_check_digit(day + "121"))

    @pytest.mark.parametrize("day", ["21121212", "17121212", "20261125"])
    def test_a_year_before_1800_or_a_birth_in_the_future_is_refused(self, day: str) -> None:
        assert "between 1800 and today" in refusal(with_check_digit(day + "121"))

    @pytest.mark.parametrize(
        "text", ["1912121212", "19121212121", "1912121212121", "A91212121212", "19121212--1212", "-"]
    )
    def test_a_number_of_another_length_or_with_letters_is_refused(self, text: str) -> None:
        assert refusal(text)


class TestCoordinationNumbers:
    """B3."""

    def test_day_plus_sixty_is_a_samordningsnummer(self) -> None:
        subject = parse_subject_id(COORDINATED, today=TODAY)
        assert (subject.oid, subject.born_on) == (SAMORDNINGSNUMMER, date(1973, 2, 28))
        assert parse_subject_id("730288-9931", today=TODAY) == subject

    def test_a_wrong_check_digit_is_refused(self) -> None:
        assert "check digit" in refusal(COORDINATED[:-1] + "2")

    @pytest.mark.parametrize("day", ["60", "92"])
    def test_a_day_outside_61_to_91_is_refused(self, day: str) -> None:
        assert "does not exist" in refusal(with_check_digit(f"197303{day}993"))


class TestReserveNumbers:
    """B4."""

    @pytest.mark.parametrize(
        ("written", "oid"),
        [
            ("22801014AB1C", NATIONAL_RESERVE),
            ("991234567891", STOCKHOLM_RESERVE),
            ("19800101K011", VASTRA_GOTALAND_RESERVE),
            ("19800101AB1C", VARMLAND_RESERVE),
            ("198001451234", INERA_RESERVE),
        ],
    )
    def test_each_is_opaque_with_its_own_oid_and_without_a_birth_date(self, written: str, oid: str) -> None:
        subject = parse_subject_id(f" {written[:8]}-{written[8:].lower()} ", today=TODAY, oid=oid)
        assert subject == SubjectId(written, oid)
        assert subject.born_on is None

    @pytest.mark.parametrize("text", ["", "   ", "\u00a0", "000000000000", "000000-0000", "00000000-0000", "0"])
    @pytest.mark.parametrize("oid", [None, NATIONAL_RESERVE])
    def test_nothing_and_only_zeros_are_nobody(self, text: str, oid: str | None) -> None:
        assert "empty" in refusal(text, oid) or "zeros" in refusal(text, oid)

    def test_letters_without_an_oid_are_refused(self) -> None:
        assert refusal("22801014AB1C")

    def test_an_unknown_oid_is_refused(self) -> None:
        assert "OID" in refusal(OLD, "1.2.3")

    @pytest.mark.parametrize("text", ["22801014AB1", "22801014AB1CD", "22801014ÅB1C", "22801014AB1_"])
    def test_a_malformed_one_is_refused(self, text: str) -> None:
        assert refusal(text, NATIONAL_RESERVE)


class TestUnusualCharacters:
    """B5."""

    @pytest.mark.parametrize(
        "written", [" 191212121212\n", "19121212 1212", "1912\u00a01212\u202f1212", "\t19121212 - 1212"]
    )
    def test_spaces_of_any_kind_are_taken_away(self, written: str) -> None:
        assert parse_subject_id(written, today=TODAY).number == OLD

    @pytest.mark.parametrize(
        "written",
        [
            "19121212\u22121212",  # minus sign
            "19121212\u20131212",  # en dash
            "".join(chr(ord(digit) - ord("0") + 0xFF10) for digit in OLD),  # full-width
            "".join(chr(ord(digit) - ord("0") + 0x0660) for digit in OLD),  # Arabic-Indic
            "19121212\u200b1212",  # zero width
            "19121212\u00ad1212",  # soft hyphen
            "19121212<!-- -->1212",
            "１91212121212",
        ],
    )
    def test_anything_but_plain_digits_and_signs_is_refused(self, written: str) -> None:
        assert "digits 0-9" in refusal(written)


class TestNothingLeaks:
    """B6."""

    def test_a_subject_shows_its_number_nowhere(self) -> None:
        subject = SubjectId(OLD, PERSONNUMMER)
        for shown in (str(subject), repr(subject), f"{subject}", f"{[subject]}", masked(OLD)):
            assert OLD not in shown
            assert not set(OLD) & set(shown.replace(PERSONNUMMER, ""))

    @given(
        st.text(alphabet="0123456789+-ABC \u00a0", min_size=5, max_size=20),
        st.sampled_from([None, NATIONAL_RESERVE, "1.2.3"]),
    )
    def test_no_refusal_repeats_what_was_written(self, text: str, oid: str | None) -> None:
        try:
            subject = parse_subject_id(text, today=TODAY, oid=oid)
        except InvalidIdentifier as fault:
            assert text.strip() not in str(fault).split()  # noqa: PT017
        else:
            assert parse_subject_id(subject.number, today=TODAY, oid=oid) == subject


def test_a_person_with_a_coordination_number_and_later_a_personnummer_are_two_ids() -> None:
    """B7: that they are one person is a fact from the population register, never guessed from the ids."""
    assert parse_subject_id(COORDINATED, today=TODAY) != parse_subject_id(OLD, today=TODAY)
    assert SubjectId(OLD, PERSONNUMMER) != SubjectId(OLD, SAMORDNINGSNUMMER)


class TestHsaIds:
    """B8."""

    @pytest.mark.parametrize(
        "written", ["SE2321000016-1HZ5", "se2321000016-1hz5", "  SE2321000016-1hz5 ", "SE2321000016 -1hz5"]
    )
    def test_case_and_spaces_make_no_other_facility(self, written: str) -> None:
        assert parse_hsa_id(written) == HsaId("SE2321000016-1HZ5")
        assert is_conforming(parse_hsa_id(written))

    @pytest.mark.parametrize("written", ["HSA-VKK123", "5565594230", "SE2321000016", "SE2321000016-" + "A" * 30])
    def test_an_id_that_breaks_hsas_rules_is_taken_and_known_as_such(self, written: str) -> None:
        assert not is_conforming(parse_hsa_id(written))

    @pytest.mark.parametrize(
        "written", ["", "  ", "A" * 300, "A" * 65, "SE2321000016-å", "SE\x002321", "SE\u200b2321000016-1"]
    )
    def test_what_cannot_be_an_id_is_refused_without_repeating_it(self, written: str) -> None:
        with pytest.raises(InvalidIdentifier) as caught:
            parse_hsa_id(written)
        assert not written.strip() or written not in str(caught.value)


class TestPublishedVectors:
    """The test vectors that the personnummer packages share."""

    def test_valid_ones_are_read_and_invalid_ones_refused(self, shared: Path) -> None:
        for vector in vectors(shared, "list.json"):
            if vector["valid"]:
                read = parse_subject_id(vector["long_format"], today=TODAY)
                assert parse_subject_id(vector["separated_long"], today=TODAY) == read
                assert parse_subject_id(vector["separated_format"], today=TODAY) == read
                assert read.oid == (SAMORDNINGSNUMMER if vector["type"] == "con" else PERSONNUMMER)
            elif " " not in vector["long_format"]:  # ours reads past spaces: people type them
                assert refusal(vector["long_format"])

    def test_interim_numbers_are_nobody_we_can_ask_about(self, shared: Path) -> None:
        for vector in vectors(shared, "interim.json"):
            assert refusal(vector["long_format"])

    def test_structured_ones_agree(self, shared: Path) -> None:
        kinds = vectors(shared, "structured.json")
        for kind in ("ssn", "con"):
            for written in kinds[kind]["string"]["valid"]:
                assert parse_subject_id(written, today=TODAY)
            for written in kinds[kind]["string"]["invalid"]:
                if " " not in written:
                    assert refusal(written)


def test_new_ids_are_of_version_7_and_rise_with_time() -> None:
    ids = [new_id() for _ in range(1000)]
    assert len(set(ids)) == 1000
    assert {(one.version, one.variant) for one in ids} == {(7, "specified in RFC 4122")}
    assert ids == sorted(ids)  # within a millisecond too: receipts are applied in the order of their ids


def vectors(shared: Path, name: str) -> Any:
    return json.loads((shared / "samples/personnummer" / name).read_text("utf-8"))


def with_check_digit(eleven: str) -> str:
    """The number with the digit that makes its last ten right (weights 2 and 1, modulus 10)."""
    doubled = [int(digit) * (2 - place % 2) for place, digit in enumerate(eleven[2:])]
    return eleven + str(-sum(value - 9 if value > 9 else value for value in doubled) % 10)
