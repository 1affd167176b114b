"""Rules out to a file, back, and foreseen, as an operator meets them; and what a citizen has chosen."""

import pytest

from tests.worker.shell import Shell
from tests.worker.test_commands import _logs_as_before as _logs_as_before
from tests.worker.test_commands import deployed as deployed
from tests.worker.test_commands import region as region
from tests.worker.test_commands import shell as shell

CLINIC = "Björkängens vårdcentral"
RULE = '\n[[rule]]\nname = "day_before"\npurpose = "reminder"\nwhen = "days:2:16.00"\nwords = "day_before"\n'


def test_an_export_read_back_changes_nothing_and_a_change_is_shown_and_made(deployed: Shell) -> None:
    file = deployed.folder / "rules.toml"
    file.write_text(deployed.done("rules", "export", CLINIC))
    assert deployed.done("rules", "import", str(file)) == "Nothing changes.\n"

    file.write_text(file.read_text() + RULE)
    assert "1 changes would be made" in deployed.done("rules", "import", str(file), "--dry-run")
    told = deployed.done("rules", "import", str(file))
    assert told == "+ day_before: reminder, days:2:16.00, words day_before\n1 changes are in force.\n"
    assert 'when = "days:2:16.00"' in deployed.done("rules", "export", CLINIC)


def test_a_fault_in_rules_is_told_with_its_field_and_remedy(deployed: Shell) -> None:
    file = deployed.folder / "rules.toml"
    file.write_text(f'clinic = "{CLINIC}"\n' + RULE.replace("days:2:16.00", "1 dag"))

    refused = deployed("rules", "import", str(file))

    assert (refused.code, "rule 1 (day_before), when: '1 dag' must be written as" in refused.err) == (2, True)


def test_a_preview_of_a_clinic_without_visits_says_so(deployed: Shell) -> None:
    assert "Nothing goes out within 3 days" in deployed("rules", "preview", CLINIC, "--days", "3").err


def test_choices_are_kept(deployed: Shell) -> None:
    somebody = deployed.ids()[0]
    chosen = ("--channels", "email", "--quiet", "19.00-09.00", "--also", "days:7:10.00", "--reminded-by", CLINIC)
    assert deployed.done("subjects", "choose", somebody, *chosen, "--language", "ar") == "Kept.\n"


@pytest.mark.parametrize(
    ("words", "fault"),
    [
        (("--quiet", "07.00-21.00"), "--quiet: quiet hours must leave"),
        (("--quiet", "nio"), "--quiet: write it as 19.00-09.00"),
        (("--also", "i morgon"), "--also: must be written as"),
        (("--channels", "fax"), "--channels or --also: channels are sms, email"),
        (("--reminded-by", "Ingen"), "--reminded-by: there is no clinic named 'Ingen'"),
        (("--language", "svenska"), "--language: must be a code such as sv, en, ar"),
    ],
)
def test_a_choice_that_cannot_be_kept_is_refused_with_the_remedy(
    deployed: Shell, words: tuple[str, ...], fault: str
) -> None:
    refused = deployed("subjects", "choose", deployed.ids()[0], *words)
    assert (refused.code, fault in refused.err) == (2, True)
