"""Commands that look and change nothing: what is in force, what was promised."""

import json
from collections.abc import Iterator
from typing import Annotated

import typer
from pydantic import SecretStr

from store import ledger as delivery_ledger
from store.delivery_states import DeliveryState
from worker import checking
from worker.commands.exits import MUST_BE_SET_RIGHT
from worker.commands.wired import wired
from worker.finding import Finding
from worker.logs import configure_logs
from worker.settings import PREFIX, Configuration, Settings, read_settings, without_password


def register(app: typer.Typer) -> None:
    app.command()(check)
    app.command()(ledger)


def check() -> None:
    """Shows every setting and where it came from, secrets masked, tries every connection, says whether all is well.

    Use it before the first start, after each change of settings, and when something does not work. Each line under
    *Findings* that says NOT also says what to do; *see* is well, and worth knowing. The last ones are what
    `/health/ready` tells. It sends nothing. Exit code 2 when something must be set right.

    Example: `kallelse check`
    """
    configuration = read_settings()
    configure_logs(configuration.settings.log_format)
    typer.echo("Settings\n")
    for line in _settings_lines(configuration):
        typer.echo(line)
    typer.echo("\nFindings\n")
    is_well = True
    for finding in checking.findings(configuration):
        is_well = is_well and finding.is_well
        typer.echo(f"  {_grade(finding):<4} {finding.what:<18} {finding.meaning}")
    if not is_well:
        raise typer.Exit(MUST_BE_SET_RIGHT)


def ledger(
    state: Annotated[DeliveryState | None, typer.Option(help="Only deliveries in this state.")] = None,
    reveal: Annotated[bool, typer.Option("--reveal", help="Show addresses in full instead of masked.")] = False,
) -> None:
    """Prints every delivery, the oldest first, as one JSON object a line: what was promised and what became of it.

    Use it to see what nobody knows the end of (`--state uncertain`), what failed and why, or to count. Fields: id,
    purpose, state, reason, channel, to, parts, attempts, tokens, useful_until. Times are UTC. Texts are not in it.

    Example: `kallelse ledger --state uncertain`, or `kallelse ledger | grep confirmation`
    """
    count = 0
    with wired() as wiring, wiring.sessions.reading() as session:
        for entry in delivery_ledger.entries(session, wiring.vault, state=state):
            to = entry.address if reveal else masked(entry.address)
            typer.echo(json.dumps({**entry.as_json(), "to": to}, ensure_ascii=False))
            count += 1
    if not count:
        typer.echo(f"No deliveries{f' are {state}' if state else ' yet'}.", err=True)


def masked(address: str) -> str:
    """An address of which only its last two characters show."""
    return f"{'*' * max(0, len(address) - 2)}{address[-2:]}"


def _grade(finding: Finding) -> str:
    if not finding.is_well:
        return "NOT"
    return "see" if finding.warns else "ok"


def _settings_lines(configuration: Configuration) -> Iterator[str]:
    names = list(Settings.model_fields)
    width = max(map(len, names)) + len(PREFIX)
    for name in names:
        shown = _shown(getattr(configuration.settings, name))
        origin = configuration.origins.get(name, "default")
        yield f"  {PREFIX + name.upper():<{width}}  {origin:<11}  {shown}".rstrip()


def _shown(value: object) -> str:
    if isinstance(value, SecretStr):
        return "***" if value.get_secret_value() else ""
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else without_password(str(value))
