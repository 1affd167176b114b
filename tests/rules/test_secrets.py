"""What is personal or secret cannot get out by the shape of the code: log calls, reprs, refusals, the environment; and
nothing of the kind stands in the repository."""

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from worker.logs import ALLOWED

ROOT = Path(__file__).parents[2]
PACKAGES = ("store", "feeds", "notifier", "worker")
LEVELS = {"debug", "info", "warning", "error", "critical", "exception"}
PERSONAL = {
    "number", "identity", "phone", "email", "token", "auth_token", "password", "secret", "wording", "body", "html",
    "twilio_auth_token", "smtp_password", "preparations", "reason_text",
}  # fmt: skip
CARE_UNITS_OWN = {"worker/import_files.py: FacilityRow.phone", "feeds/levels.py: Place.phone"}  # as in their letters


def modules() -> Iterator[tuple[str, ast.Module]]:
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            yield str(path.relative_to(ROOT)), ast.parse(path.read_text())


def log_calls(tree: ast.Module) -> Iterator[ast.Call]:
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute) or node.func.attr not in LEVELS:
            continue
        if isinstance(node.func.value, ast.Name) and node.func.value.id in ("log", "_log", "logger"):
            yield node


def test_every_log_line_has_a_constant_name_and_fields_that_are_on_the_list() -> None:
    odd = []
    for name, tree in modules():
        for call in log_calls(tree):
            is_constant = len(call.args) == 1 and isinstance(call.args[0], ast.Constant)
            unlisted = {str(one.arg) for one in call.keywords} - ALLOWED
            if not is_constant or unlisted:
                odd.append(f"{name}:{call.lineno} {sorted(unlisted)}")

    assert odd == []


def test_nobody_logs_beside_structlog() -> None:
    """A library's logger takes ready-made texts; ours is `structlog.get_logger()`, which takes fields."""
    found = [
        name
        for name, tree in modules()
        if name != "worker/logs.py"
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "logging.getLogger"
    ]

    assert set(found) <= {"notifier/channels/twilio_sms.py"}, "the SDK is handed a logger, and never told to use it"


def test_what_is_personal_never_shows_in_a_repr() -> None:
    shown = [
        f"{name}: {made.name}.{field.target.id}"
        for name, tree in modules()
        if not name.startswith("worker/demo/")  # whose people are invented
        for made in ast.walk(tree)
        if isinstance(made, ast.ClassDef) and any("dataclass" in ast.unparse(one) for one in made.decorator_list)
        for field in made.body
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name)
        if field.target.id in PERSONAL and "repr=False" not in ast.unparse(field)
    ]

    assert set(shown) - CARE_UNITS_OWN == set()


def test_no_refusal_quotes_what_is_personal() -> None:
    """A `number` in a refusal is a line's."""
    quoting = [
        f"{name}:{raised.lineno}"
        for name, tree in modules()
        for raised in ast.walk(tree)
        if isinstance(raised, ast.Raise) and raised.exc is not None
        for text in ast.walk(raised.exc)
        if isinstance(text, ast.FormattedValue)
        and (PERSONAL - {"number"}) & set(re.findall(r"\w+", ast.unparse(text.value)))
    ]

    assert quoting == []


def test_only_settings_reads_the_environment() -> None:
    reading = {
        name
        for name, tree in modules()
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and ast.unparse(node) in ("os.environ", "os.getenv", "os.environb")
    }

    assert reading == {"worker/settings.py"}


@pytest.fixture(scope="module")
def texts() -> dict[str, str]:
    """Every file of the repository that is text, the lock apart."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout.split("\n")  # fmt: skip
    files = [ROOT / name for name in listed if name and not name.endswith(".lock")]
    return {str(path.relative_to(ROOT)): path.read_text(errors="replace") for path in files if path.is_file()}


def test_no_key_or_password_stands_in_the_repository(texts: dict[str, str]) -> None:
    marks = [
        re.compile(r"-----BEGIN (?:RSA |EC |ENCRYPTED )?PRIVATE KEY-----\n[A-Za-z0-9+/]"),
        re.compile(r"\bAC(?!0{32})[0-9a-f]{32}\b"),  # a Twilio account other than the made-up one of zeros
        re.compile(r'"wrapping": \{"w1": "[A-Za-z0-9+/=]{44}'),
        re.compile(r"\bgh[pousr]_[A-Za-z0-9]{36}\b|\bAKIA[0-9A-Z]{16}\b|\bxox[bap]-[0-9A-Za-z-]{20}"),
    ]
    found = [f"{name}: {mark.pattern}" for name, text in texts.items() for mark in marks if mark.search(text)]

    assert found == []


def test_every_mobile_number_in_the_repository_is_one_set_aside_for_fiction(texts: dict[str, str]) -> None:
    """070-174 06 05 to 99, by PTS: anybody else's could be called."""
    found = [
        f"{name}: {number[:6]}..."
        for name, text in texts.items()
        for number in re.findall(r"(?<![\w+])\+467\d{8}(?!\d)", text)
        if not 46701740605 <= int(number) <= 46701740699
    ]

    assert found == []


def test_every_mail_address_in_the_repository_is_of_an_example(texts: dict[str, str]) -> None:
    # one letter, a stray hyphen and IDNA forms are what tables of bad input are made of
    reserved = re.compile(
        r"(?:[\w-]+\.)*(?:example(?:\.\w+)?|test|invalid|localhost|-example\.se|[a-z]\.se|xn--\S+\.se)$"
    )
    found = [
        f"{name}: ...@{domain}"
        for name, text in texts.items()
        for domain in re.findall(r"(?<![\w.@/-])[a-zA-Z][\w.+-]*@((?:[a-z0-9-]+\.)+[a-z]{2,})\b", text)
        if not reserved.fullmatch(domain)
    ]

    assert found == []
