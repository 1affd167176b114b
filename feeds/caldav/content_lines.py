"""Content lines (RFC 5545 3.1): a calendar read into its components, and written again in lines of at most 75 octets.

Knows the form only; what a line means is for those who ask.
"""

import re
from dataclasses import dataclass, field
from typing import NamedTuple

_LONGEST_LINE = 75
_DEEPEST = 8
_PARAMETER_VALUES = r'(?:"[^"]*"|[^";:,]*)(?:,(?:"[^"]*"|[^";:,]*))*'
_LINE = re.compile(rf"([A-Za-z0-9-]+)((?:;[A-Za-z0-9-]+={_PARAMETER_VALUES})*):(.*)", re.DOTALL)
_PARAMETER = re.compile(rf";([A-Za-z0-9-]+)=({_PARAMETER_VALUES})")
_PARAMETER_VALUE = re.compile(r'"([^"]*)"|([^",]+)')
_ESCAPED = re.compile(r"\\([\\;,nN])")


class Garbled(Exception):
    """This is no calendar: a line without a colon, or a component that does not end."""


class Line(NamedTuple):
    """One property; `parameters` and `value` as written."""

    name: str  # in capitals
    parameters: str
    value: str

    def __repr__(self) -> str:
        """Without the value."""
        return f"Line({self.name})"

    def parameter(self, name: str) -> list[str] | None:
        """The values of a parameter, without quotation marks; None: there is no such one."""
        for found in _PARAMETER.finditer(self.parameters):
            if found[1].upper() == name:
                return [quoted or plain for quoted, plain in _PARAMETER_VALUE.findall(found[2])] or [""]
        return None

    def without_parameter(self, name: str) -> str:
        """The parameters but one, as written."""
        found = _PARAMETER.finditer(self.parameters)
        return "".join(one[0] for one in found if one[1].upper() != name)

    @property
    def text(self) -> str:
        """The value as somebody reads it."""
        return _ESCAPED.sub(_unescaped, self.value) if "\\" in self.value else self.value


@dataclass(frozen=True, slots=True)
class Component:
    name: str  # in capitals
    lines: list[Line] = field(repr=False)
    components: "list[Component]" = field(repr=False)

    def first(self, name: str) -> Line | None:
        return next((line for line in self.lines if line.name == name), None)


def read(content: bytes) -> Component:
    """The outermost component. Raises Garbled."""
    outside = Component("", [], [])
    around = [outside]
    for text in _unfolded(content):
        found = _LINE.fullmatch(text)
        if found is None:
            raise Garbled
        line = Line(found[1].upper(), found[2], found[3])
        if line.name == "BEGIN":
            _begin(around, line.value.upper())
        elif line.name == "END":
            _end(around, line.value.upper())
        else:
            around[-1].lines.append(line)
    if len(around) != 1 or outside.lines or len(outside.components) != 1:
        raise Garbled
    return outside.components[0]


def written(component: Component) -> str:
    """As content lines; equal to what was read but for where long lines are folded."""
    lines = [f"BEGIN:{component.name}\r\n"]
    lines += [f"{folded(f'{line.name}{line.parameters}:{line.value}')}\r\n" for line in component.lines]
    lines += [written(one) for one in component.components]
    lines.append(f"END:{component.name}\r\n")
    return "".join(lines)


def folded(text: str) -> str:
    """In lines of at most 75 octets, cut between characters."""
    encoded = text.encode()
    if len(encoded) <= _LONGEST_LINE:
        return text
    pieces = []
    start, room = 0, _LONGEST_LINE
    while start < len(encoded):
        end = min(start + room, len(encoded))
        while end < len(encoded) and encoded[end] & 0xC0 == 0x80:
            end -= 1
        pieces.append(encoded[start:end].decode())
        start, room = end, _LONGEST_LINE - 1
    return "\r\n ".join(pieces)


def _unfolded(content: bytes) -> list[str]:
    lines = content.replace(b"\r\n", b"\n").replace(b"\n ", b"").replace(b"\n\t", b"")
    try:
        return [text for text in lines.decode().split("\n") if text]
    except UnicodeDecodeError:
        raise Garbled from None


def _begin(around: list[Component], name: str) -> None:
    if len(around) > _DEEPEST:
        raise Garbled
    begun = Component(name, [], [])
    around[-1].components.append(begun)
    around.append(begun)


def _end(around: list[Component], name: str) -> None:
    if len(around) == 1 or around.pop().name != name:
        raise Garbled


def _unescaped(found: re.Match[str]) -> str:
    return "\n" if found[1] in "nN" else found[1]
