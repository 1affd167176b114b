"""A guardian's calendar from the shell: an address when the register says so, and else a sentence that names nobody."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.worker.shell import Shell
from worker.demo.people import Person, people, population_csv

CAST = people(7)
GUARDIAN, CHILD = CAST[5], CAST[6]


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shell:
    monkeypatch.chdir(tmp_path)
    shell = Shell(tmp_path, {"KALLELSE_POPULATION": "files/population.csv", "KALLELSE_PAPER_FOLDER": "paper"})
    shell.seeded(len(CAST))
    return shell


def test_a_guardian_gets_an_address_of_their_own_while_the_register_says_so_and_a_sentence_when_it_does_not(
    shell: Shell,
) -> None:
    ids = shell.ids()
    guardian, child, grown = ids[5], ids[6], ids[0]
    words = ("subjects", "link", child, "--level", "busy", "--guardian", guardian)

    assert re.fullmatch(r"http://127\.0\.0\.1:8000/f/[\w-]{43}\.ics\n", shell.done(*words))
    device = shell.done("subjects", "add-device", child, "--name", "Mammas", "--guardian", guardian)
    assert "Password" in device
    assert "Mammas" in shell.done("subjects", "devices", child, "--guardian", guardian)
    assert "Mammas" not in shell("subjects", "devices", child).all
    assert shell.done("subjects", "list").splitlines()[7].split()[2] == CHILD.level  # the child's own is as it was
    for newer, (changed, told) in enumerate(
        (
            (replace(CHILD, guardians=(CAST[1].identity,)), "does not say that this person is the child's guardian"),
            (replace(CHILD, guardians=()), "does not say that this person is the child's guardian"),
            (replace(GUARDIAN, is_protected=True), "not shown in calendars, by what the population register says"),
            (replace(CHILD, has_died=True), "not shown in calendars, by what the population register says"),
            (replace(CAST[0], guardians=(GUARDIAN.identity,)), "until it turns 13: open the person's own instead"),
        )
    ):
        register(shell, changed, newer)
        asked = grown if changed.identity == CAST[0].identity else child
        refused(shell, told, *words[:2], asked, *words[3:])
    refused(shell, "--guardian: nobody is their own guardian", *words[:6], child)
    refused(shell, "--guardian: there is no subject with this id", *words[:6], "00000000-0000-0000-0000-000000000000")


def register(shell: Shell, changed: Person, newer: int) -> None:
    """A register, newer than the one before, that says something else of one person."""
    said = {person.identity: person for person in [*CAST, changed]}
    as_of = datetime.now(UTC) + timedelta(minutes=1 + newer)
    (shell.folder / "files/population.csv").write_text(population_csv(said.values(), as_of))


def refused(shell: Shell, told: str, *words: str) -> None:
    said = shell(*words)
    assert (said.code, said.out) == (2, ""), said.all
    assert told in " ".join(said.err.replace("│", " ").split())
    assert not any(person.identity in said.all or person.name in said.all for person in CAST)
