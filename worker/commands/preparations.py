"""Commands about what a clinic has people read before visits: out to a file, back from it, and who has not read."""

from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer

from store import preparations
from store.deliveries import Delivery
from store.delivery_states import DeliveryState
from store.leaflets import is_host
from worker import clinic_leaflets, leaflet_files
from worker.clinic_leaflets import Unseen
from worker.commands.clinics import ClinicName, clinic_named
from worker.commands.exits import Refused
from worker.commands.wired import minute, wired
from worker.spreadsheets import as_csv

_COLUMNS = ("visit", "subject", "at", "told", "state", "read before")
_TO_COME = (DeliveryState.QUEUED, DeliveryState.SENDING)
_GONE_OUT = (DeliveryState.ACCEPTED, DeliveryState.DELIVERED, DeliveryState.UNCERTAIN)
_IMPORT_HELP = f"""Puts a clinic's own texts before visits in force from a TOML file: the whole file takes the place of
what was there. All is checked first: when anything is wrong, nothing changes, and each fault is named by text, key and
remedy. Then what changes is shown, and made in one step; whom it concerns is planned anew, by and by.

- **clinic**; then for each text `[[text]]` with
- **facility**: an HSA-id, for those below it too; left out: all the clinic's. **time_type**: its id; left out: all.
- **language**: `sv`, `en`, `ar`, ...; Swedish is needed, and told where a language is missing.
- **text**, at most {leaflet_files.LONGEST_TEXT} characters: `# heading`, `- item`, `1. step`, `- [ ] to tick off`,
  `**strong**`, `[words](https://...)` to a host that `kallelse preparations hosts` has allowed.

Of texts for a time type the nearest facility's is told, and so of those for every visit: people read both, after what
the booking system itself says of the visit.

Use it when a clinic has new texts, and `export` first. Example: `kallelse preparations import eken.toml`
"""


def register(app: typer.Typer) -> None:
    commands = typer.Typer(no_args_is_help=True, help="What a clinic has people read before visits.")
    commands.command(name="import", help=_IMPORT_HELP)(import_texts)
    commands.command()(export)
    commands.command()(hosts)
    commands.command()(unseen)
    app.add_typer(commands, name="preparations")


def import_texts(
    file: Annotated[Path, typer.Argument(help="The TOML file.", exists=True, dir_okay=False)],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only check it and show what would change.")] = False,
) -> None:
    read = leaflet_files.read(file)
    with wired() as wiring, wiring.sessions.writing() as session:
        clinic = clinic_named(session, read.clinic)
        lines = clinic_leaflets.take(session, clinic, read, file, wiring.now(), is_tried=dry_run)
    for line in lines:
        typer.echo(line)
    done = "would change" if dry_run else "are in force"
    typer.echo(f"{len(lines)} texts {done}." if lines else "Nothing changes.")


def export(clinic: ClinicName) -> None:
    """Prints a clinic's own texts before visits as a file. Reading it back unchanged changes nothing.

    Use it before a change, and to begin: the head says how a text is written.

    Example: `kallelse preparations export "Ekens vårdcentral" > eken.toml`
    """
    with wired() as wiring, wiring.sessions.reading() as session:
        content = leaflet_files.written(clinic_leaflets.exported(session, clinic_named(session, clinic)))
    typer.echo(content, nl=False)


def hosts(
    clinic: ClinicName,
    allow: Annotated[str | None, typer.Option(help="Lets the texts lead there.", metavar="HOST")] = None,
    forbid: Annotated[str | None, typer.Option(help="Not any more.", metavar="HOST")] = None,
) -> None:
    """Lists the hosts that a clinic's texts before visits may lead to, or allows or forbids one.

    Use it when the clinic has decided that a form or a page of theirs may be led to: 1177 always may. A link to a host
    that is forbidden later becomes words, in texts that are there and in the booking system's own.

    Example: `kallelse preparations hosts "Ekens vårdcentral" --allow formular.example.se`
    """
    with wired() as wiring, wiring.sessions.writing() as session:
        row = clinic_named(session, clinic)
        if allow is not None:
            preparations.allow_host(session, row.id, _host(allow, "--allow"))
        if forbid is not None and not preparations.forbid_host(session, row.id, _host(forbid, "--forbid")):
            raise Refused("--forbid: this host was not allowed; 1177 always is")
        found = sorted(preparations.hosts_of(session, row.id))
    typer.echo("\n".join(found))


def unseen(
    clinic: ClinicName,
    days: Annotated[int, typer.Option(help="How many days ahead.", min=1, max=60)] = 7,
    csv: Annotated[bool, typer.Option("--csv", help="For a spreadsheet.")] = False,
) -> None:
    """Lists visits to come for which there is something to read on our page, and nobody has pressed "I have read it".

    Use it daily, for a letter or a call to follow: our ids alone, `kallelse subjects find` tells whose one is. *told*
    and *state*: when the last message about it went, and what became of it. *read before*: when an earlier text was
    read; it has changed since. What a sensitive unit leaves to 1177 is not listed: nobody tells us who read it there.

    Example: `kallelse preparations unseen "Ekens vårdcentral" --days 3 --csv > unseen.csv`
    """
    with wired() as wiring, wiring.sessions.reading() as session:
        now, row = wiring.now(), clinic_named(session, clinic)
        found = clinic_leaflets.unseen(session, wiring.vault, row, now, now + timedelta(days=days))
        rows = [_cells(one) for one in found]
    if csv:
        typer.echo(as_csv([_COLUMNS, *rows]), nl=False)
        return
    if not rows:
        typer.echo(f"Nobody within {days} days has something left to read.", err=True)
        return
    for line in (_COLUMNS, *rows):
        typer.echo(
            "  ".join((cell or "-").ljust(width) for cell, width in zip(line, (16, 36, 30, 16, 18, 0), strict=True))
        )


def _host(text: str, option: str) -> str:
    if not is_host(text):
        raise Refused(f"{option}: write the host alone, in small letters, as formular.example.se")
    return text


def _cells(one: Unseen) -> tuple[str, ...]:
    told = one.told
    return (
        minute(one.start_at),
        str(one.subject_id),
        one.place,
        _when_told(told),
        f"{told.channel}: {told.reason or told.state}" if told else "",
        minute(one.read_at) if one.read_at else "",
    )


def _when_told(told: Delivery | None) -> str:
    if told is None or told.state in _TO_COME:
        return "not yet"
    return minute(told.settled_at or told.created_at) if told.state in _GONE_OUT else "not told"
