"""Commands about a clinic's reminder rules: out to a file, back from it, and what they lead to."""

from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer

from notifier import rule_exchange, rule_files
from notifier.previewing import Line, Note, preview
from notifier.rule_files import FileRule, RulesRefused
from store import clinics
from store.clinics import Clinic
from store.database import Session
from worker.commands.exits import Refused
from worker.commands.looking import masked
from worker.commands.wired import minute, wired

_ClinicName = Annotated[str, typer.Argument(help="The clinic's name, as in the facilities file.", metavar="CLINIC")]
_WHY = {
    "too_late": "its time had passed when the visit was booked or moved",
    "missed": "it should have gone before and is of no use now",
    "outside_window": "no hour when it may go is left before it is of no use",
    "told_recently": "the person is told of this visit within the 12 hours before",
    "capped": "the person or the clinic has had a day's messages, and waiting is past its use",
    "opted_out": "the person wants no reminders",
    "clinic_reminds": "the person says that the clinic's own reminders are enough",
    "no_decision": "the clinic may not send: `kallelse facilities decide` records its decision",
    "paused": "sending is paused: `kallelse resume`",
    "held": "the population register has not told of the person, or is stale",
    "protected": "the person's identity is protected",
    "deceased": "the person has died",
    "no_consent": "no consent stands",
    "no_contact": "no phone or address that may be used: none, dead, opted out, or no channel set up",
    "no_words": "no template is in use for it",
}

_NOTES = {
    Note.PLANNED: "PLANNED: its words are made when it goes",
    Note.IN_DOUBT: "IN DOUBT: the visit was missing from the latest answer; it waits for a second look, or says so",
    Note.FROZEN: "FROZEN: many visits disappeared there at once; it waits until 24 hours before the visit",
}

_IMPORT_HELP = """Puts a clinic's rules in force from a file. All is checked first: when anything is wrong, nothing
changes, and each fault is named by field, value and remedy. Then what changes is shown, and made in one step; whom it
concerns is planned anew, by and by.

- **clinic**; **weekdays_only**: no reminders on days off; **confirmations**: whether a new booking is confirmed;
  **messages_per_day**: the clinic's cap; left out: the installation's.
- each `[[rule]]`: **name**; one that is named like a shipped rule takes its place, also with `active = false`.
- **purpose**: `deadline`, `reminder` or `preparations`. **words**: the template's name. **channels**: by preference.
- **when**: `deadline:24h:10.00` (the last 10.00 at least 24 h before the last moment to cancel), `days:1:16.00`,
  `weekdays:2:10.00`, `hours:3` before the visit; `deadline:weekdays:1:10.00`, `deadline:hours:30` before that moment;
  `booking:hours:2`, `booking:weekdays:1:10.00` after the visit got its time.
- **facility** (an HSA-id, and those below it), **time_type**, **mode** (`on_site`, `remote`), **origin** (`invitation`,
  `booking`): only these visits. Of rules with one name the nearest facility's holds, then the one with a time type, a
  mode, an origin.
- **visits_from**: only visits from that time of day on, or with preparations. **weekdays_only**, **active**.

Use it to change what a clinic's patients are told and when. Example: `kallelse rules import eken.toml`
"""


def register(app: typer.Typer) -> None:
    commands = typer.Typer(no_args_is_help=True, help="A clinic's reminder rules.")
    commands.command()(export)
    commands.command(name="import", help=_IMPORT_HELP)(import_rules)
    commands.command(name="preview")(preview_rules)
    app.add_typer(commands, name="rules")


def export(clinic: _ClinicName) -> None:
    """Prints a clinic's rules as a file: what it has set itself, and in remarks the shipped rules that hold besides.

    Use it to see a clinic's rules, and before a change. Reading the file back unchanged changes nothing.

    Example: `kallelse rules export "Ekens vårdcentral" > eken.toml`
    """
    with wired() as wiring, wiring.sessions.reading() as session:
        row = _clinic(session, clinic)
        remarks = [f"Shipped, in force unless named here: {_shipped(one)}" for one in rule_exchange.inherited(session)]
        typer.echo(rule_files.written(rule_exchange.exported(session, row), remarks), nl=False)


def import_rules(
    file: Annotated[Path, typer.Argument(help="The file.", exists=True, dir_okay=False)],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only check it and show what would change.")] = False,
) -> None:
    try:
        read = rule_files.read(file.read_text("utf-8"))
        with wired() as wiring, wiring.sessions.writing() as session:
            clinic = _clinic(session, read.clinic)
            lines = rule_exchange.differences(session, clinic, read)
            if lines and not dry_run:
                rule_exchange.take(session, clinic, read, wiring.now())
    except UnicodeDecodeError:
        raise Refused(f"{file} is not UTF-8 text") from None
    except RulesRefused as fault:
        raise Refused(str(fault)) from None
    for line in lines:
        typer.echo(line)
    typer.echo(_ended(changes=len(lines), dry_run=dry_run))


def preview_rules(
    clinic: _ClinicName,
    days: Annotated[int, typer.Option(help="How many days ahead.", min=1, max=60)] = 7,
) -> None:
    """Shows for a clinic's coming visits what goes out when, by which channel and words, and why something does not.

    Use it before and after a change of rules. It asks what the planner asks, at later and later times, as things stand
    now; visits booked or moved meanwhile are not in it. What is planned already is marked: a change of rules plans it
    anew. People are named by our ids, addresses masked. Nothing is sent.

    Example: `kallelse rules preview "Ekens vårdcentral" --days 3`
    """
    count = 0
    with wired() as wiring, wiring.sessions.reading() as session:
        now = wiring.now()
        until = now + timedelta(days=days)
        for line in preview(session, wiring.vault, _clinic(session, clinic), wiring.planning, now, until):
            typer.echo(_shown(line))
            count += 1
    if not count:
        typer.echo(f"Nothing goes out within {days} days.", err=True)


def _clinic(session: Session, name: str) -> Clinic:
    found = clinics.by_name(session, name)
    if found is None:
        raise Refused(f"clinic: there is no clinic named {name!r}: write it as in the facilities file")
    return found


def _shipped(rule: FileRule) -> str:
    return f"{rule.name} ({rule.when}{'' if rule.active else ', off'})"


def _ended(*, changes: int, dry_run: bool) -> str:
    if not changes:
        return "Nothing changes."
    return f"{changes} changes would be made." if dry_run else f"{changes} changes are in force."


def _shown(line: Line) -> str:
    visits = ", ".join(minute(start) for start in line.visits)
    by = f"{line.channel} {masked(line.to)}" if line.channel else "-"
    told = f"{minute(line.at)}  {line.subject_id}  {by}  {line.purpose}, words {line.words}, visit {visits}"
    noted = "".join(f"  {_NOTES[one]}" for one in Note if one in line.notes)
    why = f"  NOT: {line.reason} ({_WHY.get(line.reason, 'see README')})" if line.reason else ""
    return f"{told}{noted}{why}"
