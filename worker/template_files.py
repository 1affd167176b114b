"""Clinics' texts as a TOML file that people write in: read and checked for its form, and written so that reading it
gives back every byte. Knows no table and no rule about words.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from notifier import languages
from store.purposes import Purpose
from store.template_versions import Words
from worker.import_files import ImportRefused
from worker.toml_text import escaped, quoted, read_table

CHANNELS = ("sms", "email", "paper")
_KEYS = ("name", "purpose", "channel", "language", "made_from", "subject_line", "text")
_NEEDED = ("name", "purpose", "channel", "language", "text")
_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")


@dataclass(frozen=True, slots=True)
class TextEntry(Words):
    """One `[[template]]` of a file. `remark` is written above it and not read back."""

    remark: str = ""

    @property
    def place(self) -> str:
        """How faults name it."""
        return f'template "{self.name}", {self.channel}, {self.language}'


@dataclass(frozen=True, slots=True)
class TextsFile:
    clinic: str
    entries: tuple[TextEntry, ...]


def read(path: Path) -> TextsFile:
    """The texts in a file. Raises ImportRefused with every fault, each by template, language and key."""
    content = read_table(path)
    clinic, written = content.get("clinic"), content.get("template", [])
    if not isinstance(clinic, str) or not clinic.strip() or content.keys() - {"clinic", "template"}:
        raise ImportRefused(f'{path}: begin it with clinic = "NAME", then a [[template]] for each text, nothing else')
    if not isinstance(written, list) or not all(isinstance(one, dict) for one in written):
        raise ImportRefused(f"{path}: write each text under a line [[template]]")
    faults: list[str] = []
    entries: dict[str, TextEntry] = {}
    for number, one in enumerate(written, start=1):
        wrong = list(_faults(one))
        faults += [f"{path}, {_named(number, one)}, {fault}" for fault in wrong]
        if wrong:
            continue
        entry = _entry(one)
        if entry.place in entries:
            faults.append(f"{path}, {entry.place}: stands twice; keep one of them")
        entries[entry.place] = entry
    if faults:
        raise ImportRefused("\n".join(faults))
    return TextsFile(clinic, tuple(entries.values()))


def written(file: TextsFile) -> str:
    """The file's content."""
    head = f"clinic = {quoted(file.clinic)}\n"
    return head + "".join(_table(entry) for entry in file.entries)


def _named(number: int, one: Mapping[str, Any]) -> str:
    """As much of a faulty entry's name as can be told."""
    parts = [str(one[key])[:40] for key in ("channel", "language") if isinstance(one.get(key), str)]
    name = one.get("name")
    told = f'template "{name[:40]}"' if isinstance(name, str) else f"template {number}"
    return ", ".join([told, *parts])


def _faults(one: Mapping[str, Any]) -> Iterable[str]:
    for key in one.keys() - set(_KEYS):
        meant = get_close_matches(key, _KEYS, n=1)
        yield f"{key[:40]}: there is no such key" + (f"; did you mean {meant[0]}?" if meant else "; take it away")
    for key in _NEEDED:
        if key not in one:
            yield f"{key}: is missing"
    for key in _KEYS:
        wanted: type = int if key == "made_from" else str
        if key in one and type(one[key]) is not wanted:
            yield f"{key}: must be {'a whole number' if wanted is int else 'text in quotes'}"
            return
    yield from _unknown_values(one)


def _unknown_values(one: Mapping[str, Any]) -> Iterable[str]:
    if not _NAME.fullmatch(one.get("name", "a")):
        yield "name: write it in small letters a-z, digits and _, as deadline or day_before"
    if one.get("channel", "sms") not in CHANNELS:
        yield f"channel: must be one of {', '.join(CHANNELS)}"
    if one.get("purpose", "reminder") not in set(Purpose):
        yield f"purpose: must be one of {', '.join(Purpose)}"
    if not languages.is_known(one.get("language", "sv")):
        yield "language: must be a code such as sv, en, ar or so"


def _entry(one: Mapping[str, Any]) -> TextEntry:
    return TextEntry(
        name=one["name"],
        purpose=Purpose(one["purpose"]),
        channel=one["channel"],
        language=one["language"],
        subject_line=one.get("subject_line", ""),
        text=one["text"],
        made_from=one.get("made_from"),
    )


def _table(entry: TextEntry) -> str:
    lines = [f"# {line}" for line in entry.remark.splitlines()]
    lines += [
        "[[template]]",
        f"name = {quoted(entry.name)}",
        f"purpose = {quoted(entry.purpose)}",
        f"channel = {quoted(entry.channel)}",
        f"language = {quoted(entry.language)}",
    ]
    if entry.made_from is not None:
        lines.append(f"made_from = {entry.made_from}")
    if entry.subject_line:
        lines.append(f"subject_line = {quoted(entry.subject_line)}")
    lines.append(f'text = """\n{escaped(entry.text)}"""')  # TOML leaves the first line break out
    return "\n" + "\n".join(lines) + "\n"
