"""What `tests/README.md` says is tested, is."""

import ast
import re
from functools import cache
from pathlib import Path

from tests.faults.test_crash_points import SCENARIOS

ROOT = Path(__file__).parents[2]
CRASH_POINTS = "tests/faults/test_crash_points.py::"
NOT_HERE = {33}  # invitations by mail are left out
UNBUILT: set[int] = set()  # a check that is built has its rows, and is taken from here
NOT_TESTED = ("cannot arise: ", "not built")
_NAMED = re.compile(r"`(tests/\S+\.py)::(\w+)`")


def table(title: str, columns: int) -> list[list[str]]:
    """The cells of the rows under a heading."""
    told = (ROOT / "tests" / "README.md").read_text().partition(f"\n## {title}\n")[2].partition("\n## ")[0]
    rows = [[cell.strip() for cell in line[1:-1].split("|")] for line in told.splitlines() if line.startswith("| ")][1:]
    assert rows
    assert [row for row in rows if len(row) != columns] == []
    return rows


def test_every_crash_point_has_a_row() -> None:
    assert [row[0] for row in crash_points()] == [f"C{number}" for number in range(19)]


def test_every_test_named_is_there() -> None:
    told = (ROOT / "tests" / "README.md").read_text()
    assert [f"{path}::{name}" for path, name in _NAMED.findall(told) if not is_there(path, name)] == []


def test_the_cases_named_are_those_that_are_run() -> None:
    rows = [row for row in crash_points() if row[3].startswith(f"`{CRASH_POINTS}")]
    named = {case.strip() for row in rows for case in row[4].split(";")}
    assert named == set(SCENARIOS)


def test_every_rule_that_other_servers_break_is_held_by_a_test_that_is_there() -> None:
    rows = table("Where today's servers fail", 3)

    assert len(rows) == 36
    assert [rule for rule, _, test in rows if not _NAMED.fullmatch(test)] == []


def test_every_check_of_messages_has_its_rows_in_order() -> None:
    numbers = [int(row[0]) for row in checks()]

    assert numbers == sorted(numbers)
    assert set(numbers) == set(range(1, 40)) - NOT_HERE - UNBUILT


def test_every_check_has_a_test_and_the_line_without_which_that_test_fails() -> None:
    """The line is sought by its function: a row that names none any more says so, and is looked at anew."""
    built = [row for row in checks() if row[2] not in NOT_TESTED]

    assert [row for row in built if not _NAMED.fullmatch(row[2])] == []
    assert [f"{row[0]}: {row[3]}" for row in built if not holds_line(row[3])] == []


def test_every_complaint_is_kept_from_us_by_a_test_or_cannot_arise() -> None:
    rows = table("What users of other systems suffer", 3)

    assert [row[0] for row in rows] == [f"C{number}" for number in range(1, 53)]
    assert [row for row in rows if not (_NAMED.search(row[2]) or row[2].startswith(NOT_TESTED))] == []


def crash_points() -> list[list[str]]:
    """Number, between what, what follows, test and case."""
    return table("Where a program can die", 5)


def checks() -> list[list[str]]:
    """Number, what must hold, test, and what it does not pass without."""
    return table("The checks of messages", 4)


def holds_line(place: str) -> bool:
    """Whether a function, written as `file::name`, has a line that holds these words."""
    named = re.fullmatch(r"`(\S+\.py)::(\w+)`: `(.+)`", place)
    if named is None or not (ROOT / named[1]).is_file():
        return False
    return any(named[3] in line for line in lines_of(named[1]).get(named[2], ()))


@cache
def lines_of(path: str) -> dict[str, list[str]]:
    """The lines of every function and named value of a file; of one name that stands twice, all."""
    text = (ROOT / path).read_text()
    found: dict[str, list[str]] = {}
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            name = node.name
        elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            name = node.targets[0].id
        else:
            continue
        found.setdefault(name, []).extend(text.splitlines()[node.lineno - 1 : node.end_lineno])
    return found


def is_there(path: str, name: str) -> bool:
    file = ROOT / path
    return file.is_file() and f"def {name}(" in file.read_text()
