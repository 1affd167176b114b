"""Progress of long work, on a terminal only."""

from collections.abc import Iterator

from rich.console import Console
from rich.progress import track


def steps(what: str, count: int) -> Iterator[int]:
    """Counts from 0 to `count`, with a bar on standard error where somebody watches."""
    console = Console(stderr=True)
    yield from track(range(count), description=what, total=count, console=console, disable=not console.is_terminal)
