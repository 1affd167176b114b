"""TOML that people write in: read whole, and strings written so that reading them gives back every byte."""

import tomllib
from pathlib import Path
from typing import Any

from worker.import_files import ImportRefused

_LARGEST_FILE = 2_000_000
_ESCAPES = {"\\": "\\\\", '"': '\\"', "\t": "\\t", "\r": "\\r"}


def read_table(path: Path) -> dict[str, Any]:
    """The file's content. Raises ImportRefused."""
    try:
        if path.stat().st_size > _LARGEST_FILE:
            raise ImportRefused(f"{path}: is larger than {_LARGEST_FILE:,} bytes; no clinic has that many texts")
        return tomllib.loads(path.read_bytes().decode("utf-8-sig"))
    except OSError as error:
        raise ImportRefused(f"{path}: cannot be read ({error.strerror})") from None
    except UnicodeDecodeError:
        raise ImportRefused(f"{path}: is not UTF-8; save it as that") from None
    except tomllib.TOMLDecodeError as error:
        raise ImportRefused(f"{path}: is not TOML: {error}") from None
    except RecursionError:
        raise ImportRefused(f"{path}: is not TOML: too deeply nested") from None


def quoted(text: str) -> str:
    return '"' + escaped(text).replace("\n", "\\n") + '"'


def escaped(text: str) -> str:
    """Also what nobody would see in an editor."""
    return "".join(_ESCAPES.get(char) or (char if char.isprintable() or char == "\n" else _code(char)) for char in text)


def _code(char: str) -> str:
    return f"\\u{ord(char):04X}" if ord(char) <= 0xFFFF else f"\\U{ord(char):08X}"
