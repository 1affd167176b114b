"""A clinic's own texts before visits as a TOML file that people write in: read and held to what may stand there, every
fault named by text, key and remedy. Knows no table.
"""

import re
import unicodedata
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from notifier import languages
from notifier.links_in_text import Fault, addresses
from store.identifiers import InvalidIdentifier, parse_hsa_id
from store.leaflets import plain
from store.leaflets import read as read_leaflet
from store.preparations import FALLBACK
from worker.import_files import ImportRefused
from worker.toml_text import escaped, quoted, read_table

MOST_TEXTS = 500
LONGEST_TEXT = 8_000
_LONGEST_TIME_TYPE = 100
_KEYS = ("facility", "time_type", "language", "text")
_JOINERS = "\u200c\u200d"  # they carry meaning in some scripts; all other format characters only hide something
_HEAD = """\
# What the clinic has people read before visits: one [[text]] for each kind of visit and language, Swedish always.
# facility: an HSA-id, also for those below it; left out: all of the clinic's. time_type: its id; left out: every one.
# In a text: "# heading", "- item", "1. step", "- [ ] to tick off", **strong**, [words](https://...).
"""
_REMEDIES = {
    Fault.HOST: "is not a host that the clinic's texts may lead to: `kallelse preparations hosts` allows it",
    Fault.SHORTENER: "hides where it leads: write the whole address",
    Fault.DISGUISED: "is written so that it looks like another one: write it with the letters a-z, without @ and \\",
    Fault.INSECURE: "is no safe web address: write it with https://",
}


@dataclass(frozen=True, slots=True)
class TextEntry:
    """One `[[text]]`. `facility` and `time_type` empty: for all of the clinic's."""

    facility: str
    time_type: str
    language: str
    text: str = field(repr=False)

    @property
    def kind(self) -> tuple[str, str]:
        return (self.facility, self.time_type)

    @property
    def key(self) -> tuple[str, str, str]:
        return (*self.kind, self.language)

    @property
    def named(self) -> str:
        return f"{self.time_type or 'every visit'} at {self.facility or 'every unit'}, {self.language}"


@dataclass(frozen=True, slots=True)
class LeafletsFile:
    clinic: str
    entries: tuple[TextEntry, ...] = ()


@dataclass(frozen=True, slots=True)
class Allowed:
    """What a clinic's texts may refer to."""

    facilities: Collection[str]
    hosts: Collection[str]


def read(path: Path) -> LeafletsFile:
    """The texts in a file, each value of the right kind. Raises ImportRefused with every fault."""
    content = read_table(path)
    clinic, found = content.get("clinic"), content.get("text", [])
    if not isinstance(clinic, str) or not clinic.strip() or content.keys() - {"clinic", "text"}:
        raise ImportRefused(f'{path}: begin it with clinic = "NAME", then a [[text]] for each text, nothing else')
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise ImportRefused(f"{path}: write each text under a line [[text]]")
    if len(found) > MOST_TEXTS:
        raise ImportRefused(f"{path}: there are {len(found)} texts; at most {MOST_TEXTS} can be")
    faults = [f"{path}, text {n}, {fault}" for n, one in enumerate(found, 1) for fault in _form_faults(one)]
    if faults:
        raise ImportRefused("\n".join(faults))
    return LeafletsFile(clinic, tuple(_entry(one) for one in found))


def require_fit(path: Path, file: LeafletsFile, allowed: Allowed) -> None:
    """Raises ImportRefused, with every fault, unless each text may be told to people."""
    faults = [
        f"{path}, text {number} ({entry.named}), {fault}"
        for number, entry in enumerate(file.entries, 1)
        for fault in _faults(entry, file.entries[: number - 1], allowed)
    ]
    faults += [f"{path}, {fault}" for fault in _without_swedish(file.entries)]
    if faults:
        raise ImportRefused("\n".join(faults))


def written(file: LeafletsFile) -> str:
    """The file's content, which reading gives back."""
    return f"{_HEAD}\nclinic = {quoted(file.clinic)}\n" + "".join(_table(entry) for entry in file.entries)


def differences(before: Sequence[TextEntry], after: Sequence[TextEntry]) -> list[str]:
    """What taking `after` changes, a line each: `+` new, `-` taken away, `~` changed."""
    had, has = ({one.key: one for one in entries} for entries in (before, after))
    lines = []
    for key in sorted({*had, *has}):
        old, new = had.get(key), has.get(key)
        if old != new:
            mark = "+" if old is None else "-" if new is None else "~"
            lines.append(f"{mark} {(new or had[key]).named}")
    return lines


def _form_faults(one: Mapping[str, Any]) -> Iterator[str]:
    for key in one.keys() - set(_KEYS):
        meant = get_close_matches(key, _KEYS, n=1)
        yield f"{key[:40]}: there is no such key" + (f"; did you mean {meant[0]}?" if meant else "; take it away")
    for key in ("language", "text"):
        if key not in one:
            yield f"{key}: is missing"
    for key in _KEYS:
        if not isinstance(one.get(key, ""), str):
            yield f"{key}: must be text in quotes"


def _entry(one: Mapping[str, Any]) -> TextEntry:
    return TextEntry(_facility(one.get("facility", "")), one.get("time_type", ""), one["language"], one["text"])


def _facility(text: str) -> str:
    """In its normal form; as written where it is none, which is found at the check."""
    try:
        return parse_hsa_id(text) if text else ""
    except InvalidIdentifier:
        return text


def _faults(entry: TextEntry, earlier: Sequence[TextEntry], allowed: Allowed) -> Iterator[str]:
    if not languages.is_known(entry.language):
        yield "language: must be a code such as sv, en, ar or so"
    if entry.facility and entry.facility not in allowed.facilities:
        yield f"facility: {entry.facility[:40]!r} is no unit of the clinic's; `kallelse clinic show` names them"
    if len(entry.time_type) > _LONGEST_TIME_TYPE or entry.time_type != entry.time_type.strip():
        yield f"time_type: write its id, at most {_LONGEST_TIME_TYPE} characters, without spaces around"
    if entry.key in {one.key for one in earlier}:
        yield "stands twice: keep one of them"
    yield from _text_faults(entry.text, allowed.hosts)


def _text_faults(text: str, hosts: Collection[str]) -> Iterator[str]:
    if not text.strip():
        yield "text: is empty; write what people are to read, or take the whole [[text]] away"
    if len(text) > LONGEST_TEXT:
        yield f"text: is longer than {LONGEST_TEXT} characters; nobody reads that on a phone"
    for number, line in enumerate(text.split("\n"), 1):
        if any(_is_hidden(char) for char in line):
            yield f"text, line {number}: holds a character that nobody sees; write the line anew"
        if re.search(r"(?<!\\)\[[^\[\]]+\]\((?!https://)", line):
            yield f"text, line {number}: a link is written [words](https://...)"
    for found in addresses(plain(read_leaflet(text)), hosts):
        if found.fault is not None:
            yield f"text: {(found.host or found.address)[:60]!r} {_REMEDIES[found.fault]}"


def _is_hidden(char: str) -> bool:
    return unicodedata.category(char) in ("Cc", "Cf", "Cs", "Co") and char not in _JOINERS


def _without_swedish(entries: Sequence[TextEntry]) -> Iterator[str]:
    swedish = {one.kind for one in entries if one.language == FALLBACK}
    for kind in dict.fromkeys(one.kind for one in entries):
        if kind not in swedish:
            yield f"{TextEntry(*kind, FALLBACK, '').named}: is missing; it is told where a language has no text"


def _table(entry: TextEntry) -> str:
    keys = (("facility", entry.facility), ("time_type", entry.time_type), ("language", entry.language))
    lines = ["[[text]]", *(f"{key} = {quoted(value)}" for key, value in keys if value)]
    return "\n" + "\n".join(lines) + f'\ntext = """\n{escaped(entry.text)}"""\n'  # TOML leaves the first line break out
