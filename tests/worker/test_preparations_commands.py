"""A clinic's own texts before visits from file to citizen: every fault is named, and who has not read is listed."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlmodel import select

from store import clinics
from store.bookings import Booking, Details
from store.database import Session, open_database
from store.facilities import Facility
from store.leaflets import plain
from store.leaflets import read as read_leaflet
from store.replannings import Replanning
from store.vault import Vault, read_key_file
from tests import build
from tests.worker.shell import Shell
from worker.leaflet_files import LeafletsFile, TextEntry, read, written

CLINIC = "Ekens vårdcentral"
UNIT = build.VARDCENTRAL
FACILITIES = (
    "hsa_id,parent,display_name,message_name,sensitive,phone,address,clinic,cancel_deadline,remote_time_types,show_end\n"
    f"{UNIT},,Eken,=Eken,no,010-1234567,Ekgatan 1,{CLINIC},hours:24,,no\n"
)


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shell:
    """A deployment with one clinic of one unit."""
    monkeypatch.chdir(tmp_path)
    made = Shell(tmp_path, {"KALLELSE_PAPER_FOLDER": "paper"})
    made.done("migrate")
    (tmp_path / "facilities.csv").write_text(FACILITIES)
    made.done("facilities", "import", "facilities.csv")
    return made


def file_of(shell: Shell, *texts: str, **keys: str) -> str:
    """A file with a text per entry: `sv:words`."""
    entries = []
    for one in texts:
        language, _, text = one.partition(":")
        values = {"language": language, "text": text, **keys}
        entries.append("[[text]]\n" + "".join(f'{key} = """{value}"""\n' for key, value in values.items()))
    (shell.folder / "eken.toml").write_text(f'clinic = "{CLINIC}"\n' + "".join(entries))
    return "eken.toml"


@contextmanager
def stored(shell: Shell) -> Iterator[Session]:
    opened = open_database(f"sqlite:///{shell.folder}/kallelse.db")
    with opened.writing() as session:
        yield session
    opened.close()


def booked(shell: Shell, said: str = "") -> None:
    """Anna has a visit in two days."""
    vault, now = Vault(read_key_file(shell.folder / "kallelse.keys")), datetime.now(UTC)
    with stored(shell) as session:
        subject = build.subject(session, vault, now)
        of = build.engagement(session, subject.id, now)
        build.booking(session, vault, of, now + timedelta(days=2), details=Details(preparations=said))


def test_what_an_import_changes_is_shown_first_and_importing_the_export_changes_nothing(shell: Shell) -> None:
    file = file_of(shell, "sv:=1+1\n- [ ] Legitimation\n", "en:Bring your ID.", time_type="PROV", facility=UNIT.lower())
    told = f"+ PROV at {UNIT}, en\n+ PROV at {UNIT}, sv\n2 texts"
    assert shell.done("preparations", "import", file, "--dry-run") == f"{told} would change.\n"
    assert shell.done("preparations", "import", file) == f"{told} are in force.\n"

    exported = shell.done("preparations", "export", CLINIC)
    (shell.folder / "again.toml").write_text(exported)
    assert shell.done("preparations", "import", "again.toml") == "Nothing changes.\n"
    assert shell.done("preparations", "export", CLINIC) == exported

    (shell.folder / "none.toml").write_text(f'clinic = "{CLINIC}"\n')
    assert "- PROV at" in shell.done("preparations", "import", "none.toml")


def test_whom_a_changed_text_concerns_is_planned_anew(shell: Shell) -> None:
    shell.done("preparations", "import", file_of(shell, "sv:Ta hissen."))
    with stored(shell) as session:
        assert [row.facility for row in session.exec(select(Replanning)) if row.next_at] == [UNIT]


@pytest.mark.parametrize("text", ["=1+1", "-x\n+46\n@sum", "a\n", "\n\na", 'x"""y\\', "å\tb"])
def test_b28_a_file_gives_back_every_byte_whatever_a_text_begins_with(tmp_path: Path, text: str) -> None:
    file = LeafletsFile('A "b"', (TextEntry("", "", "sv", text),))
    path = tmp_path / "a.toml"
    path.write_bytes(written(file).encode())
    assert read(path) == file


@pytest.mark.parametrize(
    ("texts", "keys", "complaint"),
    [
        (["en:Hi"], {}, "eken.toml, every visit at every unit, sv: is missing"),
        (["xx:Hej"], {}, "text 1 (every visit at every unit, xx), language: must be a code such as sv"),
        (["sv:Hej"], {"facility": "SE2321000016-9Z99"}, "facility: 'SE2321000016-9Z99' is no unit of the clinic's"),
        (["sv:Hej"], {"facilty": UNIT}, "text 1, facilty: there is no such key; did you mean facility?"),
        (["sv:Hej"], {"time_type": " PROV"}, "time_type: write its id"),
        (["sv:Hej", "sv:Hopp"], {}, "text 2 (every visit at every unit, sv), stands twice"),
        (["sv: \n"], {}, "text: is empty"),
        ([f"sv:{'Hej. ' * 2000}"], {}, "text: is longer than 8000 characters"),
        (["sv:Hej\nd\u202eu"], {}, "text, line 2: holds a character that nobody sees"),
        (["sv:[här](http://www.1177.se)"], {}, "text, line 1: a link is written [words](https://...)"),
        (["sv:[här](https://evil.example.se/x)"], {}, "text: 'evil.example.se' is not a host that the clinic's texts"),
        (["sv:Se evil.example.se"], {}, "`kallelse preparations hosts` allows it"),
        (["sv:[1177](https://www.1177.se@evil.example.se/)"], {}, "is written so that it looks like another one"),
        (["sv:[här](https://bit.ly/x)"], {}, "hides where it leads"),
    ],
)
def test_a_fault_saves_nothing_and_is_named_with_text_key_and_remedy(
    shell: Shell, texts: list[str], keys: dict[str, str], complaint: str
) -> None:
    refused = shell("preparations", "import", file_of(shell, *texts, **keys))
    assert (refused.code, complaint in refused.err) == (2, True), refused.err
    assert "[[text]]\nlanguage" not in shell.done("preparations", "export", CLINIC)


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("clinic = ", "is not TOML"),
        ("x = 1", 'begin it with clinic = "NAME"'),
        ('clinic = "Ingen"', "there is no clinic named 'Ingen'"),
        (f'clinic = "{CLINIC}"\ntext = 1', "write each text under a line [[text]]"),
        (f'clinic = "{CLINIC}"\n[[text]]\nlanguage = 1', "language: must be text in quotes"),
    ],
)
def test_a_file_that_is_none_is_refused_with_the_remedy(shell: Shell, content: str, complaint: str) -> None:
    (shell.folder / "eken.toml").write_text(content)
    refused = shell("preparations", "import", "eken.toml")
    assert (refused.code, complaint in refused.err) == (2, True), refused.err


def test_a_host_is_allowed_by_the_clinic_alone_and_taken_back(shell: Shell) -> None:
    text = "sv:Svara på [formuläret](https://formular.example.se/h)."
    assert shell("preparations", "import", file_of(shell, text)).code == 2
    assert "formular.example.se" in shell.done("preparations", "hosts", CLINIC, "--allow", "formular.example.se")
    shell.done("preparations", "import", file_of(shell, text))
    assert "formular" not in shell.done("preparations", "hosts", CLINIC, "--forbid", "formular.example.se")
    assert "was not allowed" in shell("preparations", "hosts", CLINIC, "--forbid", "www.1177.se").err
    assert "write the host alone" in shell("preparations", "hosts", CLINIC, "--allow", "https://a.example.se").err


def test_b28_who_has_not_read_is_listed_for_a_spreadsheet_without_formulas_texts_or_numbers(shell: Shell) -> None:
    assert "Nobody within 7 days" in shell("preparations", "unseen", CLINIC).err
    booked(shell, "Kanariefågel")

    listed = shell.done("preparations", "unseen", CLINIC, "--csv")
    with stored(shell) as session:
        (booking,) = session.exec(select(Booking))

    assert listed.startswith("\ufeff")
    assert f'"{booking.subject_id}","\'=Eken","not yet","",""' in listed
    assert str(booking.subject_id) in shell.done("preparations", "unseen", CLINIC)
    assert "Kanarie" not in listed
    assert "Nobody within 1 days" in shell("preparations", "unseen", CLINIC, "--days", "1").err


def test_a_sensitive_units_text_is_listed_only_where_we_show_it(shell: Shell) -> None:
    booked(shell, "Fasta.")
    with stored(shell) as session:
        session.get_one(Facility, UNIT).is_sensitive = True
    assert shell.done("preparations", "unseen", CLINIC) == ""
    shell.done("clinic", "decide", CLINIC, "--reference", "1", "--by", "C", "--on", "2026-01-02", "--covers-texts")
    assert "covers whole texts before visits" in shell.done("clinic", "show", CLINIC)
    assert "not yet" in shell.done("preparations", "unseen", CLINIC)
    shell.done("clinic", "decide", CLINIC, "--reference", "2", "--by", "C", "--on", "2026-01-03")
    with stored(shell) as session:
        found = clinics.by_name(session, CLINIC)
        assert found is not None
        assert not found.decision_covers_texts  # a later decision that does not say so takes it back


def test_a_clinics_text_is_read_as_it_is_written() -> None:
    assert plain(read_leaflet("# Fasta\n- [ ] Remiss\n- Tofflor")) == "Fasta\n- Remiss\n- Tofflor"
