"""Import files: every fault is named by line and field, and no value is ever repeated."""

import csv
from datetime import date
from pathlib import Path

import pytest

from store.identifiers import PERSONNUMMER, SAMORDNINGSNUMMER
from store.level import Level
from tests.people import ANNA
from worker.import_files import (
    FACILITY_COLUMNS,
    SUBJECT_COLUMNS,
    FacilityRow,
    ImportRefused,
    SubjectRow,
    read_facilities,
    read_subjects,
)

TODAY = date(2026, 11, 24)
SUBJECT = {
    "identity": ANNA.number,
    "language": "sv",
    "phone": "+46701740605",
    "email": "anna@example.se",
    "consent_given_on": "2026-10-01",
    "consent_version": "1",
    "level": "visit",
}
FACILITY = {
    "hsa_id": "SE2321000016-1A01",
    "parent": "",
    "display_name": "Ekens vårdcentral",
    "message_name": "Eken",
    "sensitive": "no",
    "phone": "010-123 45 67",
    "address": "Ekgatan 1, Storstad",
    "clinic": "Eken",
    "cancel_deadline": "weekdays:1",
    "remote_time_types": "VIDEO|TELEFON",
    "show_end": "yes",
}


def subjects(folder: Path, *lines: dict[str, str]) -> list[SubjectRow]:
    return read_subjects(file(folder, SUBJECT_COLUMNS, [SUBJECT | line for line in lines]), TODAY)


def facilities(folder: Path, *lines: dict[str, str]) -> list[FacilityRow]:
    return read_facilities(file(folder, FACILITY_COLUMNS, [FACILITY | line for line in lines]))


def file(folder: Path, columns: tuple[str, ...], rows: list[dict[str, str]]) -> Path:
    path = folder / "import.csv"
    with path.open("w", encoding="utf-8", newline="") as lines:
        writer = csv.DictWriter(lines, columns)
        writer.writeheader()
        writer.writerows(rows)
    return path


def refusal(folder: Path, **cells: str) -> str:
    """What is said of a second line with these cells, the first being well."""
    with pytest.raises(ImportRefused) as refused:
        subjects(folder, {}, cells)
    said = str(refused.value)
    assert said.startswith("line 3, ")
    for value in cells.values():
        assert not value.strip() or value not in said, "the value is repeated"
    return said.removeprefix("line 3, ")


def test_a_whole_line_is_read(tmp_path: Path) -> None:
    (row,) = subjects(tmp_path, {})

    assert (row.subject.number, row.subject.oid, row.language) == (ANNA.number, PERSONNUMMER, "sv")
    assert (row.phone, row.email, row.level) == ("+46701740605", "anna@example.se", Level.VISIT)
    assert (row.consent_given_on, row.consent_version) == (date(2026, 10, 1), "1")
    assert ANNA.number not in repr(row)
    assert "anna@" not in repr(row)
    assert "174" not in repr(row)


# reliability 4, B1, B3, B5: normalised
@pytest.mark.parametrize(
    ("written", "number", "oid"),
    [
        ("191212121212", "191212121212", PERSONNUMMER),
        ("19121212-1212", "191212121212", PERSONNUMMER),
        ("121212+1212", "191212121212", PERSONNUMMER),
        ("800426-2385", "198004262385", PERSONNUMMER),
        ("8004262385", "198004262385", PERSONNUMMER),
        (" 19800426 2385 ", "198004262385", PERSONNUMMER),
        ("19800426\u00a02385", "198004262385", PERSONNUMMER),
        ("19800426\u202f-\u20092385", "198004262385", PERSONNUMMER),
        ("197302889931", "197302889931", SAMORDNINGSNUMMER),
        ("730288-9931", "197302889931", SAMORDNINGSNUMMER),
    ],
)
def test_an_identity_number_is_taken_in_its_usual_forms(tmp_path: Path, written: str, number: str, oid: str) -> None:
    (row,) = subjects(tmp_path, {"identity": written})

    assert (row.subject.number, row.subject.oid) == (number, oid)


# B2, B3, B4, B5: refused
@pytest.mark.parametrize(
    "written",
    [
        "",
        "   ",
        "0",
        "000000-0000",
        "000000000000",
        "19121212-1213",  # check digit
        "197302889932",  # check digit of a samordningsnummer
        "19800231-0002",  # 31 February
        "198013010000",  # month 13
        "198004262385x",
        "1980042623851",
        "198004\u221262385",
        "19800426\u22122385",  # U+2212
        "１９８００４２６２３８５",  # full-width
        "١٩٨٠٠٤٢٦٢٣٨٥",  # Arabic-Indic
        "19800426\u200b2385",  # zero-width inside
        "19800426--2385",
        "19800426-2385,198108222384",
        "99999999-9999",
        "R12345678901",  # a reserve number needs its own kind
        "=19800426-2385",
    ],
)
def test_an_identity_number_that_is_none_is_refused_without_being_repeated(tmp_path: Path, written: str) -> None:
    assert refusal(tmp_path, identity=written).startswith("identity: ")


def test_somebody_not_yet_born_is_refused(tmp_path: Path) -> None:
    path = file(tmp_path, SUBJECT_COLUMNS, [SUBJECT])
    with pytest.raises(ImportRefused, match="identity"):
        read_subjects(path, date(1980, 4, 25))


# normalised (row B9)
@pytest.mark.parametrize(
    "written",
    [
        "+46701740605",
        "070-174 06 05",
        "070 174 06 05",
        "0701740605",
        "+46 (0)70 1740605",
        "0046701740605",
        "46701740605",
        "070\u00a0174\u202f06\u200905",
    ],
)
def test_a_mobile_number_is_taken_in_its_usual_forms(tmp_path: Path, written: str) -> None:
    assert subjects(tmp_path, {"phone": written})[0].phone == "+46701740605"


# refused (rows B10-B12)
@pytest.mark.parametrize(
    "written",
    [
        "08-123 456 78",  # land line
        "010-123 45 67",
        "020-123 456",
        "71123",  # short code
        "0900-123 45 67",  # premium
        "0939-123 45 67",
        "0944-123 45 67",
        "0719-12 34 56",  # machines
        "0740-12 34 56",  # pagers
        "112",
        "+4670174060512345",
        "+460",
        "070-ANNA",
        "070-174 06 05;ext=1",
        "tel:+46701740605",
        "070-174 06 05, 070-174 06 06",
        "070-174 06 05 / 070-174 06 06",
        "０７０１７４０６０５",
        "+4740612345",  # foreign
        "+18765551234",
        "+14735551234",
        "+881612345678",
        "+882161234567",
        "+883510012345",
        "=0701740605",
        "070-174 06 05\nBcc",
    ],
)
def test_a_phone_that_cannot_be_sent_an_sms_is_refused_without_being_repeated(tmp_path: Path, written: str) -> None:
    assert refusal_of_field(tmp_path, "phone", written).startswith("phone: ")


# B13, B14: refused
@pytest.mark.parametrize(
    "written",
    [
        "anna",
        "a@b.se\r\nBcc: x@y.se",
        "a@b.se%0aBcc:x",
        '"a\r" <a@b.se>',
        "a@b.se,c@d.se",
        "<a@b.se> x",
        "Anna <a@b.se>",
        '"anna"@example.se',
        "åsa@example.se",
        "a@[127.0.0.1]",
        "root@localhost",
        "a@example.se.",
        "a@-example.se",
        "a@" + "x" * 250 + ".se",
        "a" * 65 + "@example.se",
        "=a@example.se\t",
    ],
)
def test_an_email_address_that_is_none_is_refused_without_being_repeated(tmp_path: Path, written: str) -> None:
    if written == "=a@example.se\t":
        assert subjects(tmp_path, {"email": written})[0].email == "=a@example.se"  # a legal, if odd, local part
        return
    assert refusal_of_field(tmp_path, "email", written).startswith("email: ")


def refusal_of_field(folder: Path, field: str, written: str) -> str:
    """As `refusal`, where the cell may itself break the line in two."""
    path = file(folder, SUBJECT_COLUMNS, [SUBJECT | {field: written}])
    with pytest.raises(ImportRefused) as refused:
        read_subjects(path, TODAY)
    said = str(refused.value)
    assert written.strip() not in said
    return said.partition(", ")[2]


@pytest.mark.parametrize(
    ("written", "normal"),
    [
        ("Anna.B+kal@Example.SE", "Anna.B+kal@example.se"),
        ("a@räksmörgås.example.se", "a@xn--rksmrgs-5wao1o.example.se"),
        ("", ""),
    ],
)
def test_an_email_address_is_taken_with_its_domain_in_ascii(tmp_path: Path, written: str, normal: str) -> None:
    assert subjects(tmp_path, {"email": written})[0].email == normal


@pytest.mark.parametrize(
    ("field", "written", "told"),
    [
        ("language", "xx", "language: must be a code such as sv, en"),
        ("language", "", "language: "),
        ("consent_version", "", "consent_version: is empty"),
        ("consent_given_on", "", "consent_given_on: must be a date such as"),
        ("consent_given_on", "24/11 2026", "consent_given_on: must be a date such as"),
        ("consent_given_on", "2026-02-29", "consent_given_on: must be a date such as"),
        ("consent_given_on", "2026-11-25", "consent_given_on: is in the future"),
        ("level", "everything", "level: must be empty or one of busy, visit, clinic, full"),
    ],
)
def test_every_field_of_a_subject_has_its_own_refusal(tmp_path: Path, field: str, written: str, told: str) -> None:
    assert refusal(tmp_path, **{field: written}).startswith(told)


def test_every_fault_is_told_at_once_each_with_its_line(tmp_path: Path) -> None:
    with pytest.raises(ImportRefused) as refused:
        subjects(tmp_path, {"identity": "x"}, {}, {"phone": "y"}, {"level": "z"})

    assert [line.split(":")[0] for line in str(refused.value).split("\n")] == [
        "line 2, identity",
        "line 4, phone",
        "line 5, level",
    ]


def test_one_person_on_two_lines_is_refused_rather_than_one_line_lost(tmp_path: Path) -> None:
    with pytest.raises(ImportRefused, match="line 3, identity: the same one stands on an earlier line too"):
        subjects(tmp_path, {}, {"identity": "800426-2385"})


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"identity,phone\n",
        b"\xff\xfe",
        b"identity;language;phone;email;consent_given_on;consent_version;level\n",
    ],
)
def test_a_file_that_is_none_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "import.csv"
    path.write_bytes(content)
    with pytest.raises(ImportRefused):
        read_subjects(path, TODAY)


@pytest.mark.parametrize("line", ["198004262385,sv", "198004262385,sv,,,2026-10-01,1,visit,extra", '"198004262385,sv'])
def test_a_line_with_fields_too_many_or_too_few_is_refused_by_number(tmp_path: Path, line: str) -> None:
    path = tmp_path / "import.csv"
    path.write_text(",".join(SUBJECT_COLUMNS) + f"\n{line}\n")
    with pytest.raises(ImportRefused) as refused:
        read_subjects(path, TODAY)
    assert "line 2" in str(refused.value) or "UTF-8 CSV" in str(refused.value)
    assert "1980" not in str(refused.value)


def test_a_file_from_excel_with_a_byte_order_mark_is_read(tmp_path: Path) -> None:
    path = file(tmp_path, SUBJECT_COLUMNS, [SUBJECT])
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())

    assert len(read_subjects(path, TODAY)) == 1


def test_a_missing_file_is_refused_in_words(tmp_path: Path) -> None:
    with pytest.raises(ImportRefused, match="cannot be read"):
        read_facilities(tmp_path / "none.csv")


def test_a_whole_facility_is_read(tmp_path: Path) -> None:
    (row,) = facilities(tmp_path, {"hsa_id": " se2321000016-1a01 "})

    assert (row.hsa_id, row.spelling, row.parent) == ("SE2321000016-1A01", "se2321000016-1a01", None)
    assert (row.is_sensitive, row.shows_end, row.remote_time_types) == (False, True, ("VIDEO", "TELEFON"))


def test_a_facility_without_a_message_name_is_called_by_its_own(tmp_path: Path) -> None:
    assert facilities(tmp_path, {"message_name": ""})[0].message_name == "Ekens vårdcentral"


# B8 and the facility's own fields
@pytest.mark.parametrize(
    ("field", "written", "told"),
    [
        ("hsa_id", "", "line 2, hsa_id: the HSA-id is empty"),
        ("hsa_id", "SE" + "1" * 300, "line 2, hsa_id: the HSA-id has 302 characters"),
        ("hsa_id", "SE2321000016-1Å01", "line 2, hsa_id: the HSA-id holds a character"),
        ("parent", "SE2321000016-1\u200b", "line 2, parent: holds a line break or another character"),
        ("display_name", "", "line 2, display_name: is empty"),
        ("message_name", "x" * 31, "line 2, message_name: has 31 characters"),
        ("sensitive", "", "line 2, sensitive: must be yes or no"),
        ("sensitive", "ja", "line 2, sensitive: must be yes or no"),
        ("show_end", "maybe", "line 2, show_end: must be yes or no"),
        ("cancel_deadline", "tomorrow", "line 2, cancel_deadline: "),
        ("cancel_deadline", "weekdays:0", "line 2, cancel_deadline: "),
    ],
)
def test_every_field_of_a_facility_has_its_own_refusal(tmp_path: Path, field: str, written: str, told: str) -> None:
    with pytest.raises(ImportRefused) as refused:
        facilities(tmp_path, {field: written})
    assert str(refused.value).startswith(told)


def test_a_facility_on_two_lines_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ImportRefused, match="line 3, hsa_id: the same one stands on an earlier line too"):
        facilities(tmp_path, {}, {"hsa_id": "se2321000016-1a01"})


@pytest.mark.parametrize("name", ["Eken\nEND:VEVENT", "Eken\u202egnp", "Eken\x00", "Eken\u2028x"])
@pytest.mark.parametrize("field", ["display_name", "message_name", "phone", "address", "clinic"])
def test_a_text_that_could_forge_lines_is_refused_at_the_door(tmp_path: Path, field: str, name: str) -> None:
    with pytest.raises(ImportRefused) as refused:
        facilities(tmp_path, {field: name})
    assert f"{field}: " in str(refused.value)
