"""A leaflet: a small structured text that somebody reads before a visit. Headings, paragraphs, lists, emphasis, links.

Pure. Its written form is what clinics write and what is kept (sealed, where it is about a person); its plain form is
for calendars and mails. Both read well where the other is shown, and text from before there were leaflets stays itself.
"""

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from itertools import groupby
from urllib.parse import urlsplit

_LONGEST_ADDRESS = 500
_ADDRESS = re.compile(r"https://[!#-;=?-Z_a-z~]+")  # printable ASCII without quotes, angles, brackets, backslash, bars
_HOST = re.compile(r"(?=.{4,253}$)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]")
_LINE = re.compile(r"(?P<heading># +)|(?P<check>- \[[ xX]?\] +)|(?P<item>- +)|(?P<step>(?P<number>[0-9]{1,3})\. +)")
_PLAIN_LINE = re.compile(r"(?P<item>[-\u2022] +)|(?P<step>(?P<number>[0-9]{1,3})\. +)")
_BEGINS_LIKE_A_MARK = re.compile(r"^(?=[#-] )|^([0-9]{1,3})(?=\. )")
_INLINE = re.compile(
    r"\\(?P<escaped>[\\*\[#.-])"
    r"|\*\*(?=\S)(?P<strong>(?:\\.|[^*\\])+)\*\*"
    r"|\[(?P<words>(?:\\.|[^\[\]\\])+)\]\((?P<address>https://[^\s()]+)\)"
)
_ESCAPED = re.compile(r"\\([\\*\[\]#.-])")
_TO_ESCAPE = re.compile(r"[\\*\[]")


class BlockKind(StrEnum):
    HEADING = "heading"
    PARAGRAPH = "paragraph"
    ITEM = "item"
    STEP = "step"  # of a numbered list
    CHECK = "check"  # something to tick off


LISTED = frozenset({BlockKind.ITEM, BlockKind.STEP, BlockKind.CHECK})


@dataclass(frozen=True, slots=True)
class Run:
    """Words of one look. `address`: where they lead, https only."""

    text: str = field(repr=False)
    is_strong: bool = False
    address: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Block:
    """`step`: its number, as given by whoever wrote it. Only a paragraph holds line breaks."""

    kind: BlockKind
    runs: tuple[Run, ...]
    step: int = 0


@dataclass(frozen=True, slots=True)
class Leaflet:
    blocks: tuple[Block, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.blocks)

    def groups(self) -> list[tuple[BlockKind, list[Block]]]:
        """Blocks of one kind in a row together: a list's items."""
        return [(kind, list(blocks)) for kind, blocks in groupby(self.blocks, key=lambda block: block.kind)]


def web_address(text: str) -> str:
    """An https address with a host's name and nothing hidden, fit to be shown and pressed; empty where it is none."""
    written = text.strip().replace("(", "%28").replace(")", "%29")
    if len(written) > _LONGEST_ADDRESS or not _ADDRESS.fullmatch(written):
        return ""
    return written if host_of(written) else ""


def host_of(address: str) -> str:
    """The address's host; empty where it has none that may be shown (a number, a user's name or a port before it)."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return ""
    name = parts.netloc.lower()
    return name if parts.scheme == "https" and is_host(name) else ""


def is_host(name: str) -> bool:
    """Whether it is a host's full name in lower case."""
    return _HOST.fullmatch(name) is not None


def from_plain(text: str) -> Leaflet:
    """Somebody's plain text: its lists are seen, and nothing within its lines is taken for a mark."""
    return Leaflet(tuple(Block(one.kind, (Run(one.words),), one.step) for one in _marked_lines(text, _PLAIN_LINE)))


def read(text: str) -> Leaflet:
    """A leaflet in its written form: `# heading`, `- item`, `1. step`, `- [ ] to tick off`, `**strong**`,
    `[words](https://...)`. What is none of these is a paragraph's words; nothing is an error."""
    return Leaflet(tuple(Block(one.kind, _runs(one.words), one.step) for one in _marked_lines(text, _LINE)))


def written(leaflet: Leaflet) -> str:
    """The form that `read` reads."""
    return _lines_of(leaflet, _written_block)


def plain(leaflet: Leaflet) -> str:
    """Its words as lines of plain text."""
    return _lines_of(leaflet, _plain_block)


def joined(leaflets: Iterable[Leaflet]) -> Leaflet:
    """One after the other; what says the same as an earlier one is left out."""
    different = dict.fromkeys(leaflet for leaflet in leaflets if leaflet)
    return Leaflet(tuple(block for leaflet in different for block in leaflet.blocks))


def linking_only_to(leaflet: Leaflet, hosts: Collection[str]) -> Leaflet:
    """Links to other hosts become words, with the address to be seen: nobody is led there by a press."""
    blocks = [replace(block, runs=tuple(_held(run, hosts) for run in block.runs)) for block in leaflet.blocks]
    return Leaflet(tuple(blocks))


def merged(runs: Iterable[Run]) -> tuple[Run, ...]:
    """Words of one look in a row as one run; empty ones left out."""
    found: list[Run] = []
    for run in runs:
        if found and not run.address and (found[-1].is_strong, found[-1].address) == (run.is_strong, ""):
            found.append(replace(run, text=found.pop().text + run.text))
        elif run.text:
            found.append(run)
    return tuple(found)


def shortened(leaflet: Leaflet, most: int) -> Leaflet:
    """At most `most` characters of plain text; one that is cut ends with `…`, so that nobody takes it for the whole."""
    if len(plain(leaflet)) <= most:
        return leaflet
    kept: list[Block] = []
    room = most
    for block in leaflet.blocks:
        room -= len("\n\n- [ ] ")
        runs = tuple(_fitting(block.runs, room - 1))
        if runs:
            kept.append(replace(block, runs=runs))
        room -= sum(len(_plain_run(run)) for run in runs)
        if runs != block.runs:
            break
    if not kept:
        return Leaflet((Block(BlockKind.PARAGRAPH, (Run(plain(leaflet)[: most - 1] + "…"),)),))
    return Leaflet((*kept[:-1], *(replace(last, runs=merged([*last.runs, Run("…")])) for last in kept[-1:])))


def _fitting(runs: Sequence[Run], room: int) -> Iterator[Run]:
    """As many of the runs as there is room for, cut between words: half a number would be another one."""
    for run in runs:
        if len(_plain_run(run)) > room:
            cut = "" if run.address else run.text[: max(room, 0)]
            if len(cut.split()) > 1:
                yield replace(run, text=cut.rsplit(maxsplit=1)[0])
            return
        room -= len(_plain_run(run))
        yield run


@dataclass(slots=True)
class _Marked:
    """Lines that belong together, while more of them may come."""

    kind: BlockKind
    words: str
    step: int = 0

    def goes_on(self, line: str) -> bool:
        return self.kind is BlockKind.PARAGRAPH or (self.kind in LISTED and line[:1].isspace())

    def add(self, words: str) -> None:
        self.words += ("\n" if self.kind is BlockKind.PARAGRAPH else " ") + words


def _marked_lines(text: str, marks: "re.Pattern[str]") -> list[_Marked]:
    found: list[_Marked] = []
    is_open = False  # no empty line since the last
    for line in text.split("\n"):
        words = line.strip()
        mark = marks.match(words)
        if mark and words[mark.end() :]:
            found.append(_Marked(_kind_of(mark), words[mark.end() :], int(mark["number"] or 0)))
        elif words and is_open and found[-1].goes_on(line):
            found[-1].add(words)
        elif words:
            found.append(_Marked(BlockKind.PARAGRAPH, words))
        is_open = words != ""
    return found


def _kind_of(mark: "re.Match[str]") -> BlockKind:
    return next(BlockKind(name) for name, part in mark.groupdict().items() if part is not None and name != "number")


def _runs(words: str) -> tuple[Run, ...]:
    found: list[Run] = []
    at = 0
    for mark in _INLINE.finditer(words):
        found += [Run(words[at : mark.start()]), _marked(mark)]
        at = mark.end()
    return merged([*found, Run(words[at:])])


def _marked(mark: "re.Match[str]") -> Run:
    if mark["escaped"]:
        return Run(mark["escaped"])
    if mark["strong"]:
        return Run(_ESCAPED.sub(r"\1", mark["strong"]), is_strong=True)
    address = web_address(mark["address"])
    return Run(_ESCAPED.sub(r"\1", mark["words"]), address=address) if address else Run(mark[0])


def _held(run: Run, hosts: Collection[str]) -> Run:
    if not run.address or host_of(run.address) in hosts:
        return run
    return Run(_plain_run(run))


def _lines_of(leaflet: Leaflet, line_of: Callable[[Block], str]) -> str:
    """List items follow each other and what announces them; all else has an empty line before it."""
    lines = []
    for block in leaflet.blocks:
        lines += ["\n" if block.kind in LISTED else "\n\n", line_of(block)]
    return "".join(lines[1:])


def _plain_block(block: Block) -> str:
    mark = {BlockKind.ITEM: "- ", BlockKind.CHECK: "- ", BlockKind.STEP: f"{block.step}. "}.get(block.kind, "")
    return mark + "".join(_plain_run(run) for run in block.runs)


def _plain_run(run: Run) -> str:
    return f"{run.text}: {run.address}" if run.address and run.text != run.address else run.text


def _written_block(block: Block) -> str:
    marks = {
        BlockKind.HEADING: "# ",
        BlockKind.ITEM: "- ",
        BlockKind.CHECK: "- [ ] ",
        BlockKind.STEP: f"{block.step}. ",
    }
    words = "".join(_written_run(run) for run in block.runs)
    if block.kind is BlockKind.PARAGRAPH:
        return "\n".join(_BEGINS_LIKE_A_MARK.sub(r"\1\\", line) for line in words.split("\n"))
    return marks[block.kind] + words


def _written_run(run: Run) -> str:
    text = _TO_ESCAPE.sub(r"\\\g<0>", run.text)
    if run.address:
        return f"[{text.replace(']', chr(92) + ']')}]({run.address})"
    return f"**{text}**" if run.is_strong else text
