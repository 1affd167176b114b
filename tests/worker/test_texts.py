"""A clinic's texts from file to citizen: nobody approves their own, every fault is named, what was planned stays."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlmodel import select

from store import template_versions
from store.clinics import Clinic, may_send
from store.database import open_database
from store.template_versions import VersionRefused
from store.templates import TemplateVersion
from store.vault import Vault, read_key_file
from tests import build
from tests.worker.shell import Shell
from worker.spreadsheets import as_csv
from worker.template_files import TextEntry, TextsFile, read, written

CLINIC = "Ekens vårdcentral"
EVA, OVE = "eva@eken.example", "ove@eken.example"
TEXT = "Tid ((veckodag)) ((datum)) kl. ((tid)), ((mottagning)). ((länk))"


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shell:
    """A deployment with one clinic and two colleagues."""
    monkeypatch.chdir(tmp_path)
    made = Shell(tmp_path, {"KALLELSE_PAPER_FOLDER": "paper"})
    made.done("migrate")
    made.done("clinic", "add", CLINIC, "--administrator", EVA)
    made.done("clinic", "colleague", CLINIC, OVE, "--phone", "070-174 06 05")
    return made


def file_of(shell: Shell, *texts: str, name: str = "day_before", **keys: str) -> str:
    """A file with a text per entry: `sv:words`."""
    entries = []
    for one in texts:
        language, _, text = one.partition(":")
        values = {"name": name, "purpose": "reminder", "channel": "sms", "language": language, "text": text, **keys}
        entries.append("[[template]]\n" + "".join(f'{key} = """{value}"""\n' for key, value in values.items()))
    path = shell.folder / "texts.toml"
    path.write_text(f'clinic = "{CLINIC}"\n' + "".join(entries))
    return "texts.toml"


def used(shell: Shell, *texts: str) -> None:
    """Texts brought into use, written by Eva and approved by Ove."""
    shell.done("templates", "import", file_of(shell, *texts), "--by", EVA)
    shell.done("templates", "approve", CLINIC, "--by", OVE)
    shell.done("templates", "activate", CLINIC, "--by", EVA)


def stored(shell: Shell) -> list[TemplateVersion]:
    opened = open_database(f"sqlite:///{shell.folder}/kallelse.db")
    with opened.reading() as session:
        clinic = session.exec(select(Clinic).where(Clinic.name == CLINIC)).one()
        rows = [one.version for one in template_versions.of_clinic(session, clinic.id)]
    opened.close()
    return rows


def test_importing_the_export_changes_nothing(shell: Shell) -> None:
    used(
        shell,
        f"sv:{TEXT}\nEn rad till  \\\\ \\u00e5 ",
        "ar:((mottagning)) ((obekräftad sedan?? ((obekräftad sedan))))((länk))",
    )
    exported = shell.done("templates", "export", CLINIC)
    (shell.folder / "again.toml").write_text(exported)

    assert "0 drafts saved" in shell.done("templates", "import", "again.toml", "--by", OVE)
    assert shell.done("templates", "export", CLINIC) == exported


@pytest.mark.parametrize(
    "text", ["", "a\n", "\n\na", 'x"""y\\', "a\rb\r\nc\t\u202e\u200c", "å ((datum))", "😀\x00\x7f"]
)
def test_a_file_gives_back_every_byte(tmp_path: Path, text: str) -> None:
    entry = TextEntry("a", "reminder", "email", "sv", text.replace("\n", " "), text, 3)  # type: ignore[arg-type]
    path = tmp_path / "a.toml"
    path.write_bytes(written(TextsFile('A "b"', (entry,))).encode())

    assert read(path) == TextsFile('A "b"', (entry,))


def test_check_21_an_import_with_a_fault_saves_nothing_and_names_file_text_language_field_and_remedy(
    shell: Shell,
) -> None:
    refused = shell("templates", "import", file_of(shell, f"sv:{TEXT}", "en:((mottagnin)) ((länk))"), "--by", EVA)

    assert refused.code == 2
    assert refused.err == (
        'kallelse: texts.toml, template "day_before", sms, en, text: Fältet (mottagnin) finns inte.'
        " Menade du ((mottagning))?\n"
    )
    assert stored(shell) == []


@pytest.mark.parametrize(
    ("keys", "complaint"),
    [
        ({"purpose": "remindr"}, "purpose: must be one of deadline, reminder"),
        ({"channel": "fax"}, "channel: must be one of sms, email"),
        ({"language": "xx"}, "language: must be a code such as sv"),
        ({"purpose": "gone"}, "purpose: a text of this name is for reminder"),
        ({"txt": "x"}, "txt: there is no such key; did you mean text?"),
        ({"name": "egen", "language": "so"}, "there is no Swedish text of this name"),
        ({"name": "Mall 1"}, "name: write it in small letters"),
    ],
)
def test_a_file_that_is_none_is_refused_with_the_remedy(shell: Shell, keys: dict[str, str], complaint: str) -> None:
    refused = shell("templates", "import", file_of(shell, f"sv:{TEXT}", **keys), "--by", EVA)
    assert (refused.code, complaint in refused.err) == (2, True), refused.err


def test_check_24_nobody_approves_their_own_and_only_what_is_approved_is_used(shell: Shell) -> None:
    shell.done("templates", "import", file_of(shell, f"sv:{TEXT}"), "--by", EVA)

    assert "ask another colleague" in shell("templates", "approve", CLINIC, "--by", EVA.upper()).err
    assert "this is nobody at" in shell("templates", "approve", CLINIC, "--by", "lena@annan.example").err
    assert shell("templates", "activate", CLINIC, "--by", OVE).code == 2
    shell.done("templates", "approve", CLINIC, "--by", OVE)
    assert "version 1, active" in shell.done("templates", "activate", CLINIC, "--by", EVA)


def test_check_24_a_rollback_brings_back_every_byte_and_once_more_goes_forward(shell: Shell) -> None:
    used(shell, f"sv:{TEXT}  \\u00a0a")
    used(shell, f"sv:{TEXT} Ny.")
    said = shell.done("templates", "diff", CLINIC, "day_before", "--from", "1", "--to", "2")
    assert f"+{TEXT} Ny." in said

    shell.done("templates", "rollback", CLINIC, "day_before", "--by", OVE)
    assert [(one.text, one.state) for one in stored(shell)] == [
        (f"{TEXT}  \u00a0a", "active"),
        (f"{TEXT} Ny.", "retired"),
    ]
    shell.done("templates", "rollback", CLINIC, "day_before", "--by", OVE)
    assert [one.state for one in stored(shell)] == ["retired", "active"]


def test_a_first_text_rolled_back_leaves_the_shipped_one(shell: Shell) -> None:
    used(shell, f"sv:{TEXT}")

    assert "the shipped text is in use again" in shell.done("templates", "rollback", CLINIC, "day_before", "--by", OVE)
    assert "nothing to go back from" in shell("templates", "rollback", CLINIC, "day_before", "--by", OVE).err


def test_a_versions_words_are_never_changed(shell: Shell) -> None:
    used(shell, f"sv:{TEXT}")
    opened = open_database(f"sqlite:///{shell.folder}/kallelse.db")
    with opened.reading() as session:
        row = session.get_one(TemplateVersion, stored(shell)[0].id)
        row.text = "Andra ord"
        with pytest.raises(VersionRefused, match="never changed"):
            session.flush()
        session.rollback()
    opened.close()


def test_a_translation_is_stale_once_the_swedish_text_in_use_is_another_and_not_before(shell: Shell) -> None:
    english = "en:Visit ((datum)), ((mottagning)). ((länk))"
    used(shell, f"sv:{TEXT}", english)
    shell.done("templates", "import", file_of(shell, f"sv:{TEXT} Ny."), "--by", EVA)
    assert "STALE" not in shell.done("templates", "list", CLINIC)

    shell.done("templates", "approve", CLINIC, "--by", OVE)
    shell.done("templates", "activate", CLINIC, "--by", EVA)
    assert "day_before, sms, en (engelska): STALE" in shell.done("templates", "list", CLINIC)
    assert "[STALE] Visit" in shell.done("templates", "export", CLINIC, "--csv")
    # Looked at, and still right: said by the number of the Swedish version.
    path = shell.folder / file_of(shell, english)
    path.write_text(path.read_text() + "made_from = 2\n")
    assert "1 drafts saved" in shell.done("templates", "import", "texts.toml", "--by", EVA)


def test_a_preview_shows_the_words_their_cost_and_what_is_wrong(shell: Shell) -> None:
    shell.done("templates", "import", file_of(shell, f"sv:{TEXT} Façade."), "--by", EVA)
    said = shell.done("templates", "preview", CLINIC, "day_before")

    assert "Tid tisdag 1 december kl. 13.30, Ekens vårdcentral. https://www.1177.se Façade." in said
    assert "2 parts, 79 characters, 1.00 kr" in said
    assert "'ç' (tecken 68, LATIN SMALL LETTER C WITH CEDILLA)" in said


def test_a_preview_for_a_real_booking_shows_the_link_that_citizens_get(shell: Shell) -> None:
    """Shown with another link, it would look right and be longer when it is sent."""
    shell.environment["KALLELSE_PUBLIC_URL"] = "https://kallelse.example.se"
    none = shell("templates", "preview", CLINIC, "deadline", "--booking", "next")
    assert (none.code, "no such coming booking" in none.err) == (2, True)

    a_coming_visit(shell)
    as_sent = shell.done("templates", "preview", CLINIC, "deadline", "--booking", "next").partition("--- at worst")[0]
    assert re.search(r"Tid .*, Eken\. .*https://kallelse\.example\.se/a/\w{22}$", as_sent, re.MULTILINE)


def a_coming_visit(shell: Shell) -> None:
    opened = open_database(f"sqlite:///{shell.folder}/kallelse.db")
    vault, now = Vault(read_key_file(shell.folder / "kallelse.keys")), datetime.now(UTC)
    with opened.writing() as session:
        clinic = session.exec(select(Clinic).where(Clinic.name == CLINIC)).one()
        build.facility(session, clinic_id=clinic.id, message_name="Eken")
        subject = build.subject(session, vault, now)
        build.booking(session, vault, build.engagement(session, subject.id, now), now + timedelta(days=9))
    opened.close()


def test_a_test_goes_to_a_colleague_and_to_nobody_else(shell: Shell) -> None:
    test = ("templates", "test", CLINIC, "day_before", "--to")
    assert "belongs to no colleague" in shell(*test, "070-174 06 06").err
    assert "belongs to no colleague" in shell(*test, "x@eken.example", "--channel", "email").err
    assert list((shell.folder / "paper").glob("*")) == []

    assert "took it" in shell.done(*test, "0701740605")
    assert "took it" in shell.done(*test, EVA, "--channel", "email")
    assert len(list((shell.folder / "paper").glob("*"))) == 2


def test_check_23_messages_are_off_until_the_decision_has_a_day_and_a_person(shell: Shell) -> None:
    assert "NONE: its SMS and e-mail are off" in shell.done("clinic", "show", CLINIC)
    decide = ("clinic", "decide", CLINIC, "--reference", "RS 1", "--on")
    assert "neither may be empty" in shell(*decide, "2026-01-02", "--by", " ").err
    assert "has not come yet" in shell(*decide, f"{datetime.now(UTC).date() + timedelta(days=2)}", "--by", "Chefen").err

    shell.done(*decide, "2026-01-02", "--by", "Chefen")
    assert "decision    RS 1, 2026-01-02, Chefen" in shell.done("clinic", "show", CLINIC)


def test_check_23_a_decision_without_a_person_or_a_day_opens_nothing() -> None:
    day = datetime(2026, 1, 2, tzinfo=UTC)
    assert not may_send(Clinic(name="E", created_at=day, decided_on=day.date(), decided_by=""))
    assert not may_send(Clinic(name="E", created_at=day, decided_on=None, decided_by="Chefen"))
    assert may_send(Clinic(name="E", created_at=day, decided_on=day.date(), decided_by="Chefen"))


def test_b28_no_cell_is_taken_for_a_formula() -> None:
    cells = ["=1+1", "+46", "-1", "@sum", "\tx", " =1", "vanlig", "a=b"]
    assert as_csv([cells]) == '\ufeff"\'=1+1","\'+46","\'-1","\'@sum","\'\tx","\' =1","vanlig","a=b"\r\n'


def test_b28_the_spreadsheet_of_texts_is_written_by_that_rule(shell: Shell) -> None:
    used(shell, "sv:= ((mottagning)) ((länk))")
    assert "\"'= ((mottagning))" in shell.done("templates", "export", CLINIC, "--csv")


def test_check_24_a_draft_is_never_put_in_use_and_a_rollback_goes_to_the_version_before(shell: Shell) -> None:
    for text in ("ett", "två", "tre"):
        used(shell, f"sv:{TEXT} {text}")
    shell.done("templates", "import", file_of(shell, f"sv:{TEXT} fyra"), "--by", EVA)
    opened = open_database(f"sqlite:///{shell.folder}/kallelse.db")
    with opened.writing() as session:
        now = datetime.now(UTC)
        clinic = session.exec(select(Clinic).where(Clinic.name == CLINIC)).one()
        draft = template_versions.of_clinic(session, clinic.id)[-1].version
        with pytest.raises(VersionRefused, match="only what a colleague has approved"):
            template_versions.activate(session, draft, OVE, now)
        back = template_versions.roll_back(session, clinic.id, ("day_before", "sms", "sv"), OVE, now)
        assert back is not None
        assert back.version.text == f"{TEXT} två"
    opened.close()
