"""The addresses that a phone or a mail program makes pressable in a text, and whether each may stand there. Pure."""

import re
import unicodedata
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from enum import Enum, auto

_ANY_DOT = str.maketrans("。．｡․", "....")
# `scheme://...`, schemes that act without slashes, and bare names with a dot: phones link those too.
_ADDRESS = re.compile(
    r"(?P<scheme>[a-z][a-z0-9+.-]*)(?:://|:\\\\)(?P<rest>[^\s<>\"]*)"
    r"|(?P<acting>javascript|data|vbscript|file|mailto|tel|sms|intent):(?P<acted>[^\s<>\"]+)"
    r"|(?P<bare>(?<![\w@.-])(?:[\w.+-]+@)?[\w-]+(?:\.[\w-]+)+(?::\d+)?(?:[/?#\\][^\s<>\"]*)?)",
    re.IGNORECASE,
)
_HOST = re.compile(r"[\w-]+(?:\.[\w-]+)+")
_TOP = re.compile(r"(?=.*[^\W\d_])[\w-]{2,}|xn--[\w-]+", re.IGNORECASE)
_NUMERIC = re.compile(r"\d{1,3}(?:\.\d{1,3}){3}")
_ABBREVIATED = frozenset({"t.ex", "m.fl", "bl.an"})  # those that end in two letters
_SHORTENERS = frozenset(
    {
        "bit.ly", "bitly.com", "buff.ly", "cutt.ly", "goo.gl", "is.gd", "kutt.it", "lnkd.in", "ow.ly", "qrco.de",
        "rb.gy", "rebrand.ly", "s.id", "shorturl.at", "short.io", "smarturl.it", "t.co", "t.ly", "t2m.io", "tiny.cc",
        "tiny.one", "tinyurl.com", "url.ie", "v.gd", "wa.me", "youtu.be",
    }
)  # fmt: skip


class Fault(Enum):
    """Why an address may not stand in a text."""

    HOST = auto()  # nobody has said that this host is ours to send people to
    SHORTENER = auto()  # it hides where it leads
    DISGUISED = auto()  # it is written so that it looks like another one
    INSECURE = auto()  # http, or a scheme that is no web address


@dataclass(frozen=True, slots=True)
class Found:
    """An address in a text. `place` counts from 1."""

    place: int
    address: str
    host: str
    fault: Fault | None


def addresses(text: str, allowed: Collection[str]) -> Iterator[Found]:
    """Every address in the text. `allowed`: hosts that links may lead to, exactly as written, in lower case."""
    # Seen as a phone sees it; one character stays one, so that places are right.
    seen = "".join(_folded(char) for char in text).translate(_ANY_DOT)
    for match in _ADDRESS.finditer(seen):
        address = match[0].rstrip(".,;:!?)'")
        if match["bare"] and not _is_linked(address):
            continue
        host = _host(match, address)
        yield Found(match.start() + 1, address, host, _fault(match, address, host, allowed))


def _folded(char: str) -> str:
    folded = unicodedata.normalize("NFKC", char)
    return folded if len(folded) == 1 else char


def _is_linked(bare: str) -> bool:
    """Whether programs take it for a host: not `t.ex`, not `13.30`, not `nr.1`."""
    host = _HOST.search(re.split(r"[/?#\\]", bare, maxsplit=1)[0].rpartition("@")[2])
    if host is None or host[0].casefold() in _ABBREVIATED:
        return False
    return bool(_NUMERIC.fullmatch(host[0]) or _TOP.fullmatch(host[0].rpartition(".")[2]))


def _host(match: re.Match[str], address: str) -> str:
    rest = match["rest"] if match["scheme"] else match["acted"] if match["acting"] else address
    authority = re.split(r"[/?#\\]", rest, maxsplit=1)[0].rpartition("@")[2]
    return authority.partition(":")[0].rstrip(".,;:!?)'").casefold()


def _fault(match: re.Match[str], address: str, host: str, allowed: Collection[str]) -> Fault | None:
    if match["acting"]:
        return Fault.INSECURE
    if "\\" in address or "xn--" in host or not host.isascii():
        return Fault.DISGUISED
    if "@" in address and (match["scheme"] or "@" in address.partition("/")[2]):
        return Fault.DISGUISED
    if host.removeprefix("www.") in _SHORTENERS:
        return Fault.SHORTENER
    if host not in allowed:
        return Fault.HOST
    return None if (match["scheme"] or "https").casefold() == "https" else Fault.INSECURE
