"""A clinic's rules as a file for people: TOML in a fixed order, every fault named by its field. Pure: what a file may
refer to is handed in."""

import json
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import timedelta
from typing import Any

from notifier.offsets import Anchor, InvalidOffset, Offset, parse_offset
from notifier.precedence import Mode, Origin
from notifier.rules import merged
from notifier.spacing import REMINDERS
from notifier.swedish_days import parse_clock
from store.purposes import Purpose

CHANNELS = ("sms", "email")
MOST_RULES = 200
_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
_USE = {Purpose.PREPARATIONS: timedelta(hours=2), Purpose.DEADLINE: timedelta(hours=1)}
_HEAD = """\
# Reminder rules of a clinic, to be changed and read back: `kallelse rules import --help` says what each line means.
# The whole file counts: a rule that is not in it is taken away.
"""


class RulesRefused(ValueError):
    """A file that cannot be taken; every fault, one a line: its field, the bad value and what to write."""


@dataclass(frozen=True, slots=True)
class FileRule:
    """One `[[rule]]`. Which visits it is for stands in the last four but one; empty: all."""

    name: str
    purpose: str
    when: str
    words: str
    channels: tuple[str, ...] = CHANNELS
    facility: str = ""
    time_type: str = ""
    mode: str = ""
    origin: str = ""
    visits_from: str = ""
    weekdays_only: bool = False
    active: bool = True

    @property
    def key(self) -> tuple[str, ...]:
        return self.name, self.facility, self.time_type, self.mode, self.origin

    @property
    def label(self) -> str:
        """For an operator's eye."""
        scope = ("facility", "time_type", "mode", "origin")
        narrowed = [f"{field} {getattr(self, field)}" for field in scope if getattr(self, field)]
        return f"{self.name} ({', '.join(narrowed)})" if narrowed else self.name


@dataclass(frozen=True, slots=True)
class RulesFile:
    """A whole file. `messages_per_day` None: the installation's cap."""

    clinic: str
    rules: tuple[FileRule, ...] = ()
    weekdays_only: bool = False
    confirmations: bool = True
    messages_per_day: int | None = None

    @property
    def in_order(self) -> "RulesFile":
        """As it is written: the rules by name, the wide ones first."""
        ordered = tuple(sorted(self.rules, key=lambda one: one.key))
        return RulesFile(self.clinic, ordered, self.weekdays_only, self.confirmations, self.messages_per_day)


@dataclass(frozen=True, slots=True)
class Existing:
    """What a file may refer to. `words`: templates in use, by name and channel, with their purpose; `facilities`: the
    clinic's own; `shipped`: the purpose of each default rule, by name."""

    words: Mapping[tuple[str, str], Purpose]
    facilities: frozenset[str]
    shipped: Mapping[str, Purpose]


def written(file: RulesFile, remarks: Sequence[str] = ()) -> str:
    """The file's text. What has its usual value is left out of a rule."""
    file = file.in_order
    lines = [_HEAD, *(f"# {one}" for one in remarks), *([""] if remarks else []), f"clinic = {_value(file.clinic)}"]
    lines.append(f"weekdays_only = {_value(file.weekdays_only)}")
    lines.append(f"confirmations = {_value(file.confirmations)}")
    if file.messages_per_day is not None:
        lines.append(f"messages_per_day = {file.messages_per_day}")
    for rule in file.rules:
        lines += ["", "[[rule]]", *_rule_lines(rule)]
    return "\n".join(lines) + "\n"


def read(text: str) -> RulesFile:
    """The file, each value of the right kind. Raises RulesRefused."""
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as fault:
        raise RulesRefused(f"the file is not TOML: {fault}; `kallelse rules export` writes one to start from") from None
    faults: list[str] = []
    rules = table.pop("rule", [])
    if not isinstance(rules, list) or not all(isinstance(one, dict) for one in rules):
        raise RulesRefused("rule: each rule begins with a line [[rule]]")
    if len(rules) > MOST_RULES:
        raise RulesRefused(f"rule: there are {len(rules)}; at most {MOST_RULES} can be, as each visit is held to all")
    values = _typed(table, _FILE_FIELDS, "", faults)
    read_rules = [_typed(one, _RULE_FIELDS, _place(number, one), faults) for number, one in enumerate(rules, 1)]
    if faults:
        raise RulesRefused("\n".join(faults))
    return RulesFile(rules=tuple(FileRule(**one) for one in read_rules), **values)


def require_valid(file: RulesFile, existing: Existing) -> None:
    """Raises RulesRefused unless every value can be kept and refers to what is there."""
    faults = list(_faults(file, existing))
    if faults:
        raise RulesRefused("\n".join(faults))


def differences(before: RulesFile, after: RulesFile) -> list[str]:
    """What taking `after` changes, a line each: `+` new, `-` taken away, `~` changed."""
    lines = []
    for field in ("weekdays_only", "confirmations", "messages_per_day"):
        old, new = getattr(before, field), getattr(after, field)
        if old != new:
            lines.append(f"~ {field}: {_shown(old)} -> {_shown(new)}")
    had, has = ({one.key: one for one in file.rules} for file in (before, after))
    for key in sorted({*had, *has}):
        lines += _difference(had.get(key), has.get(key))
    return lines


def _difference(before: FileRule | None, after: FileRule | None) -> Iterator[str]:
    if before is None and after is not None:
        yield f"+ {after.label}: {after.purpose}, {after.when}, words {after.words}{'' if after.active else ', off'}"
    elif after is None and before is not None:
        yield f"- {before.label}: {before.purpose}, {before.when}, words {before.words}"
    elif before is not None and after is not None:
        for field in fields(FileRule):
            old, new = getattr(before, field.name), getattr(after, field.name)
            if old != new:
                yield f"~ {after.label}, {field.name}: {_shown(old)} -> {_shown(new)}"


def _faults(file: RulesFile, existing: Existing) -> Iterator[str]:
    if file.messages_per_day is not None and not 1 <= file.messages_per_day <= 1_000_000:
        yield f"messages_per_day: {file.messages_per_day} must be from 1 to 1000000, or left out"
    seen: dict[tuple[str, ...], int] = {}
    purposes: dict[str, str] = dict(existing.shipped)
    for number, rule in enumerate(file.rules, 1):
        place = f"rule {number} ({rule.name})"
        yield from (f"{place}, {fault}" for fault in _rule_faults(rule, existing))
        if rule.key in seen:
            yield f"{place}, name: rule {seen[rule.key]} has the same name for the same visits; keep one of them"
        seen.setdefault(rule.key, number)
        if purposes.setdefault(rule.name, rule.purpose) != rule.purpose:
            yield f"{place}, purpose: {rule.purpose!r} must be {purposes[rule.name]}, as in every rule of this name"


def _rule_faults(rule: FileRule, existing: Existing) -> Iterator[str]:
    if not _NAME.fullmatch(rule.name):
        yield f"name: {rule.name!r} must be a to z, digits and _, at most 40, such as day_before"
    if rule.purpose not in REMINDERS:
        yield f"purpose: {rule.purpose!r} must be one of {', '.join(sorted(REMINDERS))}"
    yield from _words_faults(rule, existing)
    yield from _when_faults(rule)
    if not rule.channels or not set(rule.channels) <= set(CHANNELS) or len(set(rule.channels)) < len(rule.channels):
        yield f"channels: {list(rule.channels)} must be some of {', '.join(CHANNELS)}, each once, the preferred first"
    if rule.facility and rule.facility not in existing.facilities:
        yield f"facility: {rule.facility!r} is none of the clinic's; write its HSA-id as in the facilities file"
    if rule.mode and rule.mode not in set(Mode):
        yield f"mode: {rule.mode!r} must be {' or '.join(Mode)}"
    if rule.origin and rule.origin not in set(Origin):
        yield f"origin: {rule.origin!r} must be {' or '.join(Origin)}"
    if not rule.time_type.isprintable() or len(rule.time_type) > 64:
        yield "time_type: must be a time type's id as the source sends it, on one line, at most 64 characters"


def _words_faults(rule: FileRule, existing: Existing) -> Iterator[str]:
    wrong = {one for (name, _), one in existing.words.items() if name == rule.words and one != rule.purpose}
    if wrong:
        yield f"words: {rule.words!r} are for {', '.join(wrong)}; take words for {rule.purpose}"
        return
    for name in (rule.words, merged(rule.words)):
        for channel in (one for one in rule.channels if one in CHANNELS and (name, one) not in existing.words):
            there = [one for (one, by), what in existing.words.items() if (what, by) == (rule.purpose, channel)]
            fitting = ", ".join(sorted(there)) or "none"
            yield f"words: no template {name!r} is in use for {channel}; for this purpose there are {fitting}"


def _when_faults(rule: FileRule) -> Iterator[str]:
    try:
        offset = parse_offset(rule.when)
    except InvalidOffset as fault:
        yield f"when: {rule.when!r} {fault}"
        return
    if _is_useless(offset, rule.purpose):
        yield f"when: {rule.when!r} is too late to be of use; preparations need 2 h before the visit or more"
    if rule.visits_from and not _is_clock(rule.visits_from):
        yield f"visits_from: {rule.visits_from!r} must be a time such as 11.00"


def _is_useless(offset: Offset, purpose: str) -> bool:
    if offset.hours is None:
        return False
    if purpose == Purpose.DEADLINE and offset.anchor == Anchor.DEADLINE:
        return timedelta(hours=offset.hours) < _USE[Purpose.DEADLINE]
    return (
        purpose == Purpose.PREPARATIONS
        and offset.anchor == Anchor.VISIT
        and timedelta(hours=offset.hours) < _USE[Purpose.PREPARATIONS]
    )


def _is_clock(text: str) -> bool:
    try:
        return bool(re.fullmatch(r"[0-9]{2}\.[0-9]{2}", text)) and parse_clock(text) is not None
    except ValueError:
        return False


Check = Callable[[Any], bool]


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _is_flag(value: object) -> bool:
    return isinstance(value, bool)


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(one, str) for one in value)


_FILE_FIELDS: dict[str, tuple[Check, str, bool]] = {
    "clinic": (_is_text, 'text, such as "Ekens vårdcentral"', True),
    "weekdays_only": (_is_flag, "true or false", False),
    "confirmations": (_is_flag, "true or false", False),
    "messages_per_day": (_is_count, "a whole number", False),
}
_RULE_FIELDS: dict[str, tuple[Check, str, bool]] = {
    "name": (_is_text, 'text, such as "day_before"', True),
    "purpose": (_is_text, 'text, such as "reminder"', True),
    "when": (_is_text, 'text, such as "days:1:16.00"', True),
    "words": (_is_text, "a template's name in quotes", True),
    "channels": (_is_texts, 'a list, such as ["sms", "email"]', False),
    "facility": (_is_text, "an HSA-id in quotes", False),
    "time_type": (_is_text, "a time type's id in quotes", False),
    "mode": (_is_text, '"on_site" or "remote"', False),
    "origin": (_is_text, '"invitation" or "booking"', False),
    "visits_from": (_is_text, 'text, such as "11.00"', False),
    "weekdays_only": (_is_flag, "true or false", False),
    "active": (_is_flag, "true or false", False),
}


def _typed(
    table: Mapping[str, Any], known: Mapping[str, tuple[Check, str, bool]], place: str, faults: list[str]
) -> dict[str, Any]:
    values = {}
    for name, value in table.items():
        if name not in known:
            faults.append(f"{place}{name}: there is no such field; there are {', '.join(known)}")
        elif not known[name][0](value):
            faults.append(f"{place}{name}: {value!r} must be {known[name][1]}")
        else:
            values[name] = tuple(value) if isinstance(value, list) else value
    faults += [f"{place}{name}: is missing" for name, (_, _, must) in known.items() if must and name not in table]
    return values


def _place(number: int, table: Mapping[str, Any]) -> str:
    name = table.get("name")
    return f"rule {number} ({name}), " if isinstance(name, str) else f"rule {number}, "


def _rule_lines(rule: FileRule) -> Iterator[str]:
    usual = FileRule("", "", "", "")
    for field in fields(FileRule):
        value = getattr(rule, field.name)
        if value != getattr(usual, field.name) or field.name in ("name", "purpose", "when", "words", "channels"):
            yield f"{field.name} = {_value(value)}"


def _value(value: object) -> str:
    """As TOML writes it; a JSON string is a TOML string but for one character."""
    written_value = json.dumps(list(value) if isinstance(value, tuple) else value, ensure_ascii=False)
    return written_value.replace("\x7f", "\\u007f")


def _shown(value: object) -> str:
    if value is None:
        return "the installation's"
    if isinstance(value, tuple):
        return ", ".join(value)
    return str(value).lower() if isinstance(value, bool) else str(value) or "any"
