"""Templates: `((fält))` and `((villkor??text))`. No logic, one pass; values are put in and never read again. Pure.

A condition's text may hold fields, not further conditions. In words that are written from the right, each value is
isolated: a phone number or a Swedish name keeps its own direction, and leaves the rest alone.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from notifier.fields import CATALOGUE, Field, closest, field_named
from notifier.sms_text import cleaned, isolated
from store.purposes import Purpose

LONGEST_TEMPLATE = 10_000
_FIELD = r"\(\((?P<field>[^()?]{1,60})\)\)"
_CONDITION = r"\(\((?P<condition>[^()?]{1,60})\?\?(?P<inner>(?:[^()]|\((?!\()|\)(?!\))|\(\([^()?]{1,60}\)\))*)\)\)"
_HOLE = re.compile(f"{_CONDITION}|{_FIELD}")
_LEFT_OVER = re.compile(r"\(\(|\)\)")
_BRACKETS = re.compile(r"\(\(|\)\)|\?\?")
# Other systems' fields ({{namn}}, {0.namn}, {% if %}, %(namn)s, $NAMN) would reach people as they stand.
_FOREIGN = re.compile(r"\{[^{}]*\}|\{\{|\}\}|\{%|%\}|%\(\w+\)|\$[A-Za-z_]")
_DOUBLE_BRACKETS = "Dubbla parenteser måste omsluta ett fält: ((datum)) eller ((telefon??Frågor: ((telefon))))."
_OPENINGS = re.compile(r"\({2,}")


class InvalidTemplate(ValueError):
    """A template that may not be saved; `problems` are sentences for the person who writes it."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = tuple(problems)


class MissingField(ValueError):
    """A value that the words need and the visit does not have. Names fields, never values."""

    def __init__(self, fields: Sequence[Field]) -> None:
        super().__init__("missing field: " + ", ".join(fields))
        self.fields = tuple(fields)


@dataclass(frozen=True, slots=True)
class _Hole:
    field: Field


@dataclass(frozen=True, slots=True)
class _Condition:
    field: Field
    inner: tuple["str | _Hole", ...]


_Piece = str | _Hole | _Condition


@dataclass(frozen=True, slots=True)
class Words:
    """A template that has been read and found right."""

    pieces: tuple[_Piece, ...]

    @property
    def fields(self) -> frozenset[Field]:
        """Every field that is asked for or written out."""
        return frozenset(_fields(self.pieces))

    @property
    def always(self) -> frozenset[Field]:
        """The fields that are written out whatever the visit."""
        return frozenset(piece.field for piece in self.pieces if isinstance(piece, _Hole))

    @property
    def unguarded(self) -> frozenset[Field]:
        """The fields that are written out without having been asked for: a visit without them is told nothing."""
        return frozenset(_unguarded(self.pieces))

    @property
    def plain(self) -> str:
        """What stands there whatever the visit, fields left out."""
        return "".join(piece if isinstance(piece, str) else " " for piece in self.pieces)


def parse(text: str, purpose: Purpose) -> Words:
    """Reads a template for a purpose. Raises InvalidTemplate with every problem found."""
    if len(text) > LONGEST_TEMPLATE:
        raise InvalidTemplate([f"Texten är längre än {LONGEST_TEMPLATE} tecken."])
    problems: list[str] = []
    words = Words(tuple(_pieces(text, purpose, problems)))
    broken = _bracket_problems(text)
    if broken:
        problems = [*broken, *(one for one in problems if one != _DOUBLE_BRACKETS)]
    if problems:
        raise InvalidTemplate(list(dict.fromkeys(problems)))
    return words


def render(words: Words, values: Mapping[Field, str], *, from_the_right: bool = False) -> str:
    """The words with values put in, fit for SMS and e-mail. Raises MissingField.

    An empty value counts as absent: a condition on it leaves its text out. No `((` ever leaves.
    """
    missing: list[Field] = []
    text = "".join(_written(words.pieces, values, missing, from_the_right=from_the_right))
    if missing:
        raise MissingField(sorted(set(missing)))
    # In this order: cleaning may bring two brackets together.
    return _OPENINGS.sub("(", text if from_the_right else cleaned(text))


def _bracket_problems(text: str) -> list[str]:
    """What is wrong with the double brackets, each with its place; nothing where they go in pairs."""
    opened: list[tuple[int, bool]] = []  # place, whether it has turned out to be a condition
    problems = []
    for token in _BRACKETS.finditer(text):
        place = token.start() + 1
        if token[0] == "((":
            opened.append((place, False))
        elif token[0] == "??" and opened:
            if any(is_condition for _, is_condition in opened):
                problems.append(
                    f"Villkoret vid tecken {place} står inuti ett annat villkor. Skriv dem efter varandra i stället."
                )
            opened[-1] = (opened[-1][0], True)
        elif token[0] == "))" and not opened:
            problems.append(f"Parenteserna )) vid tecken {place} har ingen början. Skriv (( före fältets namn.")
        elif token[0] == "))":
            opened.pop()
    problems += [f"Parenteserna (( vid tecken {place} stängs aldrig. Skriv )) efter fältet." for place, _ in opened]
    return problems


def _pieces(text: str, purpose: Purpose, problems: list[str]) -> Iterator[_Piece]:
    end = 0
    for match in _HOLE.finditer(text):
        yield _plain(text[end : match.start()], problems)
        yield from _piece(match, purpose, problems)
        end = match.end()
    yield _plain(text[end:], problems)


def _piece(match: re.Match[str], purpose: Purpose, problems: list[str]) -> Iterator[_Piece]:
    if match["condition"] is None:
        yield from _hole(match["field"], purpose, problems)
        return
    field = _known(match["condition"], purpose, problems)
    inner = tuple(_inner(match["inner"], purpose, problems))
    if field is not None:
        yield _Condition(field, inner)


def _inner(text: str, purpose: Purpose, problems: list[str]) -> Iterator[str | _Hole]:
    end = 0
    for match in re.finditer(_FIELD, text):
        yield _plain(text[end : match.start()], problems)
        yield from _hole(match["field"], purpose, problems)
        end = match.end()
    yield _plain(text[end:], problems)


def _hole(written: str, purpose: Purpose, problems: list[str]) -> Iterator[_Hole]:
    field = _known(written, purpose, problems)
    if field is None:
        return
    if CATALOGUE[field].is_condition_only:
        problems.append(f"Fältet ({field}) kan bara vara ett villkor: (({field}??text)).")
    yield _Hole(field)


def _known(written: str, purpose: Purpose, problems: list[str]) -> Field | None:
    field = field_named(written)
    if field is None:
        problems.append(f"Fältet ({written.strip()}) finns inte.{_meant(written, purpose)}")
    elif purpose not in CATALOGUE[field].purposes:
        problems.append(f"Fältet ({field}) finns inte i den här sortens meddelande.")
        return None
    return field


def _meant(written: str, purpose: Purpose) -> str:
    among = [field for field, info in CATALOGUE.items() if purpose in info.purposes]
    field = closest(written, among)
    return f" Menade du (({field}))?" if field else f" De som finns: {', '.join(among)}."


def _plain(text: str, problems: list[str]) -> str:
    if _LEFT_OVER.search(text):
        problems.append(_DOUBLE_BRACKETS)
    foreign = _FOREIGN.search(text)
    if foreign:
        problems.append(f"Så skrivs inte fält här: {foreign[0][:40]}. Skriv ((datum)).")
    return text


def _written(
    pieces: Sequence[_Piece], values: Mapping[Field, str], missing: list[Field], *, from_the_right: bool
) -> Iterator[str]:
    for piece in pieces:
        if isinstance(piece, str):
            yield cleaned(piece) if from_the_right else piece
        elif isinstance(piece, _Hole):
            value = values.get(piece.field, "")
            if not value:
                missing.append(piece.field)
            yield isolated(cleaned(value)) if from_the_right else value
        elif values.get(piece.field):
            yield from _written(piece.inner, values, missing, from_the_right=from_the_right)


def _unguarded(pieces: Sequence[_Piece], asked: Field | None = None) -> Iterator[Field]:
    for piece in pieces:
        if isinstance(piece, _Hole) and piece.field != asked:
            yield piece.field
        elif isinstance(piece, _Condition):
            yield from _unguarded(piece.inner, piece.field)


def _fields(pieces: Sequence[_Piece]) -> Iterator[Field]:
    for piece in pieces:
        if isinstance(piece, _Hole):
            yield piece.field
        elif isinstance(piece, _Condition):
            yield piece.field
            yield from _fields(piece.inner)
