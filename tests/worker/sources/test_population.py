"""The population register: only what it says explicitly acts; unknown, stale and unusable data never empty anything."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from store.identifiers import PERSONNUMMER, SubjectId
from tests.people import ANNA, BERTIL, CECILIA, EBBA
from worker.sources.population import (
    InvalidPopulation,
    PersonRecord,
    PopulationFile,
    PopulationRegister,
    PopulationStanding,
    standing_of,
)

AS_OF = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)
FIRST = "# as_of: 2026-11-23T04:00:00+01:00"
HEADER = "identity,protected,deceased_on,guardians"
KNOWN = PersonRecord(protected=False, deceased_on=None, guardians=())


def subject(number: str) -> SubjectId:
    return SubjectId(number, PERSONNUMMER)


def written(path: Path, *rows: str, first: str = FIRST, header: str = HEADER) -> Path:
    file = path / "population.csv"
    file.write_text("\n".join([first, header, *rows, ""]), encoding="utf-8")
    return file


def test_a_file_says_who_is_protected_deceased_and_guarded(tmp_path: Path) -> None:
    register: PopulationRegister = PopulationFile(
        written(
            tmp_path,
            f"{ANNA.number},no,,",
            f"{BERTIL.number[:8]}-{BERTIL.number[8:]},YES,,",
            "",
            f"{CECILIA.number},false,2026-10-30,",
            f"{EBBA.number},0,,{ANNA.number}|{BERTIL.number}",
        )
    )
    people = [subject(one.number) for one in (ANNA, BERTIL, CECILIA, EBBA)]
    anna, bertil, cecilia, ebba = (register.records(people)[one] for one in people)
    assert register.as_of == AS_OF
    assert anna == KNOWN
    assert bertil.protected
    assert cecilia.deceased_on == date(2026, 10, 30)
    assert ebba.guardians == (people[0], people[1])


def test_somebody_the_file_does_not_name_is_unknown_and_not_unprotected(tmp_path: Path) -> None:
    register = PopulationFile(written(tmp_path, f"{ANNA.number},no,,"))
    assert register.records([subject(BERTIL.number)]) == {}


def test_a_byte_order_mark_and_windows_line_ends_do_no_harm(tmp_path: Path) -> None:
    file = written(tmp_path, f"{ANNA.number},no,,")
    file.write_bytes(b"\xef\xbb\xbf" + file.read_bytes().replace(b"\n", b"\r\n"))
    assert PopulationFile(file).records([subject(ANNA.number)]) == {subject(ANNA.number): KNOWN}


@pytest.mark.parametrize(
    ("row", "place"),
    [
        (f"{ANNA.number[:-1]}0,no,,", "line 4, identity"),
        (",no,,", "line 4, identity"),
        (f"{BERTIL.number},kanske,,", "line 4, protected"),
        (f"{BERTIL.number},,,", "line 4, protected"),
        (f"{BERTIL.number},no,2026-02-30,", "line 4, deceased_on"),
        (f"{BERTIL.number},no,,{ANNA.number[:-1]}0", "line 4, guardians"),
        (f"{BERTIL.number},no,", "line 4: has 3 fields"),
        (f"{BERTIL.number},no,,,", "line 4: has 5 fields"),
        (f"{ANNA.number},no,,", "line 4, identity: the person stands on an earlier line"),
        (f'{BERTIL.number},"no"x,,', "not CSV"),
    ],
)
def test_a_bad_row_names_line_and_field_and_never_the_value(tmp_path: Path, row: str, place: str) -> None:
    with pytest.raises(InvalidPopulation) as caught:
        PopulationFile(written(tmp_path, f"{ANNA.number},no,,", row))
    assert place in str(caught.value)
    assert not [value for value in row.split(",") if len(value) > 2 and value in str(caught.value)]


@pytest.mark.parametrize(
    ("first", "header", "place"),
    [
        ("", HEADER, "line 1"),
        ("# as_of: yesterday", HEADER, "line 1"),
        ("# as_of: 2026-11-23T04:00:00", HEADER, "line 1, as_of"),
        (HEADER, "", "line 1"),
        (FIRST, "identity;protected;deceased_on;guardians", "line 2"),
        (FIRST, "identity,protected,guardians,deceased_on", "line 2"),
    ],
)
def test_a_file_that_does_not_say_when_or_what_is_not_used(tmp_path: Path, first: str, header: str, place: str) -> None:
    with pytest.raises(InvalidPopulation, match=place):
        PopulationFile(written(tmp_path, f"{ANNA.number},no,,", first=first, header=header))


def test_a_file_in_another_encoding_is_not_used(tmp_path: Path) -> None:
    file = written(tmp_path)
    file.write_bytes(file.read_bytes() + "å".encode("latin-1"))
    with pytest.raises(InvalidPopulation, match="UTF-8"):
        PopulationFile(file)


@pytest.mark.parametrize(
    ("record", "age", "standing"),
    [
        (KNOWN, timedelta(0), PopulationStanding.KNOWN),
        (KNOWN, timedelta(days=7), PopulationStanding.KNOWN),
        (KNOWN, timedelta(days=7, seconds=1), PopulationStanding.HOLD),
        (None, timedelta(0), PopulationStanding.HOLD),
        (PersonRecord(protected=True, deceased_on=None, guardians=()), timedelta(0), PopulationStanding.KNOWN),
    ],
)
def test_unknown_or_stale_holds(record: PersonRecord | None, age: timedelta, standing: PopulationStanding) -> None:
    assert standing_of(record, AS_OF, AS_OF + age) is standing


@given(st.timedeltas(timedelta(0), timedelta(days=400)), st.timedeltas(timedelta(0), timedelta(days=400)))
def test_once_stale_it_stays_stale_until_a_newer_file(age: timedelta, later: timedelta) -> None:
    if standing_of(KNOWN, AS_OF, AS_OF + age) is PopulationStanding.HOLD:
        assert standing_of(KNOWN, AS_OF, AS_OF + age + later) is PopulationStanding.HOLD
