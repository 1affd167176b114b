"""What README says is what the code does."""

import re
from pathlib import Path

from pydantic import SecretStr

from worker.settings import PREFIX, Settings

ROOT = Path(__file__).parents[2]


def documented() -> dict[str, tuple[str, str]]:
    rows = re.findall(rf"^\| `{PREFIX}(\w+)` \| (.*?) \| (.*?) \|$", (ROOT / "README.md").read_text(), re.MULTILINE)
    return {name.lower(): (default, what) for name, default, what in rows}


def shown(default: object) -> str:
    if isinstance(default, SecretStr):
        default = default.get_secret_value()
    if default is None or default == "":
        return ""
    return f"`{str(default).lower() if isinstance(default, bool) else default}`"


def test_every_setting_stands_in_the_readme_with_its_default() -> None:
    fields = Settings.model_fields
    assert documented() == {name: (shown(one.default), one.description) for name, one in fields.items()}


def test_the_procfile_and_the_readme_name_the_same_processes() -> None:
    processes = re.findall(r"^(\w+):", (ROOT / "Procfile").read_text(), re.MULTILINE)
    readme = (ROOT / "README.md").read_text()

    assert processes == ["release", "web", "worker", "clock"]
    assert all(f"| `{name}` |" in readme for name in processes)


def test_no_file_is_named_after_nothing() -> None:
    refused = {"utils", "helpers", "common", "base", "manager", "service", "handler", "repository", "dao"}
    names = [path for part in ("store", "feeds", "notifier", "worker") for path in (ROOT / part).rglob("*.py")]

    assert [path for path in names if refused & set(path.stem.split("_"))] == []


def test_no_file_grows_past_five_hundred_lines() -> None:
    files = [path for part in ("store", "feeds", "notifier", "worker") for path in (ROOT / part).rglob("*.py")]
    long = [path for path in files if len(path.read_text().splitlines()) > 500 and "versions" not in path.parts]

    assert long == []


def test_the_lock_names_no_index_and_hashes_everything() -> None:
    lock = (ROOT / "requirements.lock").read_text()

    assert "index-url" not in lock
    assert "://" not in lock
    assert lock.count("==") <= lock.count("--hash=sha256:")
