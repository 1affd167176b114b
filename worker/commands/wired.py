"""What most commands begin with: settings read, logs kept to the allow-list, everything wired and closed again."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from uuid import UUID

import typer

from notifier.swedish_days import STOCKHOLM, local
from worker.logs import configure_logs
from worker.settings import read_settings
from worker.wiring import Wiring, wire


@contextmanager
def wired() -> Iterator[Wiring]:
    """Everything a command works with."""
    configuration = read_settings()
    configure_logs(configuration.settings.log_format)
    wiring = wire(configuration)
    try:
        yield wiring
    finally:
        wiring.close()


def our_id(text: str) -> UUID:
    """A subject's id as typed. Never repeats what was typed: it may be an identity number."""
    try:
        return UUID(text)
    except ValueError:
        raise typer.BadParameter("this is not one of our ids; `kallelse subjects list` shows them") from None


def today(wiring: Wiring) -> date:
    """The day by Swedish clocks: forms and decisions are dated by it."""
    return local(wiring.now()).date()


def instant(text: str) -> datetime:
    """A time as typed; one without an offset is Swedish: that is what people here call the time. Raises ValueError,
    OverflowError."""
    at = datetime.fromisoformat(text)
    return (at if at.tzinfo else at.replace(tzinfo=STOCKHOLM)).astimezone(UTC)


def minute(at: datetime) -> str:
    """An instant for an operator's eye, by Swedish clocks."""
    return f"{local(at):%Y-%m-%d %H:%M}"
