"""How commands end: 0 done, 1 something failed at work, 2 something must be set right first. Refusals are one sentence
that names the remedy; no operator's mistake shows a traceback."""

from typing import Any

import typer
from typer.core import TyperGroup

from feeds import subscribing
from store.database import DatabaseError, DatabaseUnusable
from store.vault import KeysUnusable, Unsealable
from worker.demo.run import NotInTime
from worker.import_files import ImportRefused
from worker.processes import CannotStart
from worker.settings import SettingsInvalid

FAILED = 1
MUST_BE_SET_RIGHT = 2

_NO_DATABASE = (
    "the database does not answer or cannot be opened: see KALLELSE_DATABASE_URL, that its server runs, and that the"
    " folder of an SQLite file exists and can be written. `kallelse check` tries it"
)


class Refused(Exception):
    """Something must be set right first; the message says what, and names nobody."""


class Failed(Exception):
    """It was tried and did not work; the message says what did not."""


_REFUSALS = (
    Refused,
    SettingsInvalid,
    DatabaseUnusable,
    KeysUnusable,
    Unsealable,
    ImportRefused,
    CannotStart,
    subscribing.Refused,
)


class Commands(TyperGroup):
    """All commands; refusals and failures of any of them become a line on standard error and an exit code."""

    def invoke(self, ctx: Any) -> Any:  # noqa: ANN401 - typer's own
        try:
            return super().invoke(ctx)
        except _REFUSALS as refusal:
            raise _ended(str(refusal), MUST_BE_SET_RIGHT) from None
        except DatabaseError:
            raise _ended(_NO_DATABASE, MUST_BE_SET_RIGHT) from None
        except (Failed, NotInTime) as failure:
            raise _ended(str(failure), FAILED) from None


def _ended(what: str, code: int) -> typer.Exit:
    typer.echo(f"kallelse: {what}", err=True)
    return typer.Exit(code)
