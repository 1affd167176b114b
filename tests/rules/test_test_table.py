"""What `tests/README.md` says is tested, is."""

import re
from pathlib import Path

from tests.faults.test_crash_points import SCENARIOS

ROOT = Path(__file__).parents[2]
CRASH_POINTS = "tests/faults/test_crash_points.py::"


def rows() -> list[tuple[str, str, str]]:
    """Number, test and case of each row."""
    table = (ROOT / "tests" / "README.md").read_text()
    return re.findall(r"^\| (C\d+) \|.*\| `(\S+::\w+)` \|(.*)\|$", table, re.MULTILINE)


def test_every_crash_point_has_a_row() -> None:
    assert [number for number, _, _ in rows()] == [f"C{number}" for number in range(18)]


def test_every_test_named_is_there() -> None:
    missing = [test for _, test, _ in rows() if not is_there(*test.split("::"))]
    assert missing == []


def test_the_cases_named_are_those_that_are_run() -> None:
    named = {case.strip() for _, test, cases in rows() if test.startswith(CRASH_POINTS) for case in cases.split(";")}
    assert named == set(SCENARIOS)


def test_every_rule_that_other_servers_break_is_held_by_a_test_that_is_there() -> None:
    told = (ROOT / "tests" / "README.md").read_text().partition("## Where today's servers fail")[2]
    lines = [line for line in told.splitlines() if line.startswith("| ")][1:]
    named = [re.fullmatch(r"\| .+ \| .+ \| `(\S+)::(\w+)` \|", line) for line in lines]

    assert len(lines) == 36
    assert all(named)
    assert [one[0] for one in named if one and not is_there(one[1], one[2])] == []


def is_there(path: str, name: str) -> bool:
    file = ROOT / path
    return file.is_file() and f"def {name}(" in file.read_text()
