"""Commands about the key file, which opens everything sealed in the database."""

from pathlib import Path
from typing import Annotated

import typer

from store.vault import make_key_file
from worker.commands.exits import Refused


def register(app: typer.Typer) -> None:
    commands = typer.Typer(no_args_is_help=True, help="The key file, which opens everything sealed in the database.")
    commands.callback()(_group)  # else typer takes an app with one command for that command
    commands.command()(make)
    app.add_typer(commands, name="keys")


def _group() -> None:
    """The key file, which opens everything sealed in the database."""


def make(file: Annotated[Path, typer.Argument(help="Where to write it; nothing may be there yet.")]) -> None:
    """Writes a new key file, readable by you alone, for KALLELSE_KEYS to name.

    Use it once, before the first `kallelse migrate` with PostgreSQL. With SQLite the key file is made beside the
    database by itself. Back it up apart from the database: without it nothing that is sealed opens again, and with
    both at hand everything does.

    Example: `kallelse keys make /etc/kallelse/kallelse.keys`
    """
    try:
        make_key_file(file)
    except FileExistsError:
        raise Refused(f"{file} is there already, and is never overwritten: what it sealed would be lost") from None
    except OSError as error:
        raise Refused(f"{file} cannot be written ({error.strerror})") from None
    typer.echo(f"Wrote {file}. Set KALLELSE_KEYS to it, and back it up apart from the database.")
