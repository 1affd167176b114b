"""Commands about healthcare facilities and the clinics that own them."""

from pathlib import Path
from typing import Annotated

import typer

from store import clinics
from store import facilities as known_facilities
from store.facilities import WHOLE_SOURCE, Facility, LogicalAddress
from worker import import_files, importing
from worker.commands.clinics import decide
from worker.commands.wired import minute, wired
from worker.wiring import Wiring

_IMPORT_HELP = f"""Adds or updates facilities from a UTF-8 CSV file. Nothing is imported when anything is wrong: every
fault is named by line and field.

The first line must be `{",".join(import_files.FACILITY_COLUMNS)}`.

- **hsa_id**, **parent**: HSA-ids; the parent is empty, or the unit whose time book it shares.
- **message_name**: what messages call it, at most 30 characters, neutral for a sensitive one; empty: its display name.
- **sensitive**: `yes` hides its name in calendars and messages; else `no`.
- **clinic**: whose account it belongs to. Empty: its visits are in calendars, but nobody is sent messages.
- **cancel_deadline**: `weekdays:1`, `hours:24`, `clock:1:08.30` (at that time so many weekdays before), or empty.
- **remote_time_types**: ids of video and telephone visits, as `VIDEO|TELEFON`.
- **show_end**: `yes` where the end of a visit may be relied upon; else `no`.

Use it to begin, and again with a newer file whenever something has changed.

Example: `kallelse facilities import facilities.csv`
"""


def register(app: typer.Typer) -> None:
    commands = typer.Typer(no_args_is_help=True, help="Healthcare facilities and the clinics that own them.")
    commands.command(name="import", help=_IMPORT_HELP)(import_facilities)
    commands.command(hidden=True)(decide)  # as it was called before there was `kallelse clinic`
    commands.command()(silent)
    app.add_typer(commands, name="facilities")


def import_facilities(
    file: Annotated[Path, typer.Argument(help="The CSV file.", exists=True, dir_okay=False)],
) -> None:
    rows = import_files.read_facilities(file)
    with wired() as wiring:
        new = importing.import_facilities(wiring.sessions, rows, wiring.now())
        undecided = _undecided(wiring, {row.clinic for row in rows if row.clinic})
    typer.echo(f"{new} facilities added, {len(rows) - new} updated.")
    if undecided:
        typer.echo(f"No messages go out for {', '.join(undecided)}: record each decision by `kallelse clinic decide`.")


def silent() -> None:
    """Lists who does not answer, since when, and whom we are no longer let in to.

    Use it when calendars say that a clinic is silent, or now and then. *No answer* mends itself as a rule; *not visible
    to us* does not: ask the platform's owner whether the permission was withdrawn.

    Example: `kallelse facilities silent`
    """
    with wired() as wiring, wiring.sessions.reading() as session:
        rows = known_facilities.silent(session)
        names = known_facilities.by_ids(session, {row.address for row in rows})
    for row in rows:
        typer.echo(_silence(row, {str(hsa_id): facility for hsa_id, facility in names.items()}))
    if not rows:
        typer.echo("Everybody who has been asked answers.")


def _silence(row: LogicalAddress, names: dict[str, Facility]) -> str:
    known = names.get(row.address)
    who = "the source itself" if row.address == WHOLE_SOURCE else known.display_name if known else "not imported"
    since = row.not_visible_since or row.silent_since
    what = "not visible to us" if row.not_visible_since else f"no answer ({row.last_failure})"
    return f"{row.source}  {row.address:<24}  {who}: {what} since {minute(since) if since else 'now'}"


def _undecided(wiring: Wiring, names: set[str]) -> list[str]:
    with wiring.sessions.reading() as session:
        found = {name: clinics.by_name(session, name) for name in sorted(names)}
    return [name for name, clinic in found.items() if clinic is None or not clinics.may_send(clinic)]
