"""The simulation shares no code with the product: a mistake common to both would be seen by no test."""

import ast
import sys
from pathlib import Path

import pytest

import worker.demo

FOLDER = Path(worker.demo.__file__).parent
THE_SIMULATIONS_OWN = sorted(
    path for name in ("region*", "people", "cast", "care_units", "facilities", "servers", "accepted", "inbox",
                      "provider*", "twilio*", "elks*", "fault_answers", "phone", "smtp_host", "sms_parts")
    for path in FOLDER.glob(f"{name}.py")
)  # fmt: skip
OURS = ("store", "feeds", "notifier", "worker")
ALLOWED_OTHERS = {"starlette", "uvicorn", "lxml", "aiosmtpd", "anyio"}


def imported(path: Path) -> set[str]:
    tree = ast.walk(ast.parse(path.read_text()))
    nodes = [node for node in tree if isinstance(node, ast.Import | ast.ImportFrom)]
    names = [
        [alias.name for alias in node.names] if isinstance(node, ast.Import) else [node.module or ""] for node in nodes
    ]
    return {name for group in names for name in group}


@pytest.mark.parametrize("path", THE_SIMULATIONS_OWN, ids=lambda path: path.stem)
def test_nothing_of_the_products_is_imported(path: Path) -> None:
    ours = {name for name in imported(path) if name.split(".")[0] in OURS}
    assert {name for name in ours if not name.startswith("worker.demo.")} == set()


@pytest.mark.parametrize("path", THE_SIMULATIONS_OWN, ids=lambda path: path.stem)
def test_few_libraries_are_used(path: Path) -> None:
    roots = {name.split(".")[0] for name in imported(path)} - set(OURS)
    assert roots - set(sys.stdlib_module_names) <= ALLOWED_OTHERS
