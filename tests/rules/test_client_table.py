"""What README says of calendar programs is what is run: each program has its test, at the version that it names."""

import json
import re
from importlib.metadata import version
from pathlib import Path

ROOT = Path(__file__).parents[2]
CLIENTS = ROOT / "tests" / "clients"
README = (ROOT / "README.md").read_text()


def rows() -> dict[str, str]:
    """The version of each program that is run, by its test."""
    return dict(re.findall(r"^\| .*?\(`(test_\w+\.py)`\) \| (\S+) \|", README, re.MULTILINE))


def test_the_table_names_every_client_test_and_no_other() -> None:
    tests = {one.name for one in CLIENTS.glob("test_*.py")} - {"test_parsers.py"}
    assert rows().keys() == tests


def test_the_table_names_the_versions_that_are_locked() -> None:
    locked = json.loads((CLIENTS / "package.json").read_text())["dependencies"]
    said = rows()

    assert said["test_tsdav.py"] == locked["tsdav"]
    for test, package in {"python_caldav": "caldav", "vdirsyncer": "vdirsyncer", "khal": "khal"}.items():
        assert said[f"test_{test}.py"] == version(package)
    for package in ("ical.js", "node-ical", "ts-ics"):
        assert f"{package} {locked[package]}" in README
    for name, package in {"icalendar": "icalendar", "vobject": "vobject", "ics.py": "ics"}.items():
        assert f"{name} {version(package)}" in README


def test_the_lock_of_the_javascript_programs_names_no_address_and_hashes_everything() -> None:
    lock = json.loads((CLIENTS / "package-lock.json").read_text())
    packages = [one for name, one in lock["packages"].items() if name]

    assert "://" not in json.dumps(lock)
    assert all("integrity" in one and "resolved" not in one for one in packages)
