"""Commands that run processes or bring the database up."""

import logging
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from feeds import renderer
from feeds.renderer import Following
from notifier import ready_texts
from store import subjects
from store.database import Sessions, migrate, open_database
from worker import processes
from worker.commands.wired import instant
from worker.demo import run as demo_run
from worker.demo.people import MOST_CITIZENS
from worker.logs import configure_logs
from worker.settings import Configuration, SettingsInvalid, read_settings
from worker.web.app import build_app
from worker.wiring import Wiring, open_vault, wire

Host = Annotated[str | None, typer.Option(help="Address to listen on; else KALLELSE_HOST.")]
Port = Annotated[int | None, typer.Option(help="Port to listen on; else KALLELSE_PORT.", min=0, max=65535)]


def register(app: typer.Typer) -> None:
    app.command()(demo)
    app.command()(up)
    app.command()(web)
    app.command()(worker)
    app.command()(clock)
    app.command(name="migrate")(migrate_command)


def demo(
    port: Annotated[int, typer.Option(help="Port of the start page; 0 takes a free one.", min=0, max=65535)] = 8000,
    citizens: Annotated[int, typer.Option(help="How many simulated citizens.", min=1, max=MOST_CITIZENS)] = 25,
    directory: Annotated[
        Path | None,
        typer.Option("--dir", help="Keeps its files, to go on with later; else a temporary folder.", file_okay=False),
    ] = None,
    now: Annotated[
        str | None,
        typer.Option(help="Business time to start at, as 2026-12-24T03:00 by Swedish clocks; else next weekday 09:55."),
    ] = None,
    ready_file: Annotated[
        Path | None, typer.Option(help="Gets JSON with all addresses after the first full cycle.", dir_okay=False)
    ] = None,
    once: Annotated[
        bool, typer.Option("--once", help="Run one cycle, forward to 16:01, print what happened, and end.")
    ] = False,
) -> None:
    """Shows everything on this machine: the product, a simulated region and simulated providers, on loopback only.

    Use it to see what the product does; it needs no settings and reads none. It prints an address to open: one
    citizen's calendar and phone, buttons that move, cancel, restore and silence, and one that forwards business time.

    Example: `kallelse demo`, or `kallelse demo --citizens 5 --now 2026-12-24T03:00 --once`
    """
    if ready_file is not None and not ready_file.absolute().parent.is_dir():
        raise typer.BadParameter("its folder is not there", param_hint="--ready-file")
    configure_logs("console", logging.WARNING)  # a newcomer reads the greeting, not every poll
    options = demo_run.DemoOptions(port, citizens, directory, _instant(now), ready_file, once=once)
    demo_run.run(options, say=typer.echo)


def up(host: Host = None, port: Port = None) -> None:
    """Runs web, worker and clock in one process, until Ctrl-C or SIGTERM.

    Use it on one machine with SQLite: it brings the database up by itself and needs no broker. With several machines
    use PostgreSQL, Redis or RabbitMQ, and the Procfile.

    Example: `kallelse up`, or `kallelse up --port 8080`
    """
    configuration = _configured(host, port)
    configure_logs(configuration.settings.log_format)
    if configuration.settings.database_url.startswith("sqlite"):
        bring_up(configuration)
    typer.echo(f"Kallelse on http://{configuration.settings.host}:{configuration.settings.port}", err=True)
    with closing(wire(configuration)) as wiring:
        processes.run(wiring, build_app(wiring), works=True, ticks=True)


def web(host: Host = None, port: Port = None) -> None:
    """Serves calendars and providers' receipts. Any number of these, behind a proxy with TLS.

    Use it by way of the Procfile, beside `worker` and `clock`.

    Example: `kallelse web --host 0.0.0.0 --port 8000`
    """
    with closing(_wired(_configured(host, port))) as wiring:
        processes.run(wiring, build_app(wiring), works=False, ticks=False)


def worker() -> None:
    """Does what is due when a doorbell rings: asks sources, plans, sends. Any number of these.

    Use it by way of the Procfile, beside `web` and `clock`. It is stopped by SIGTERM and finishes what it has begun.

    Example: `kallelse worker`
    """
    with closing(_wired(_with_broker(read_settings()))) as wiring:
        processes.run(wiring, None, works=True, ticks=False)


def clock() -> None:
    """Looks every few seconds for what is due, and rings. One is enough; two are harmless.

    Use it by way of the Procfile, beside `web` and `worker`.

    Example: `kallelse clock`
    """
    with closing(_wired(_with_broker(read_settings()))) as wiring:
        processes.run(wiring, None, works=False, ticks=True)


def migrate_command() -> None:
    """Brings the database's schema up to this version, and installs the shipped rules and templates.

    Use it before the first start and with each new version, before the processes start: they refuse an old schema. It
    may be repeated; what clinics have changed is left alone. Back the database up first. Calendars that another version
    has made are made anew by the workers, spread over time, from ten minutes on: let old processes be gone by then.

    Example: `kallelse migrate`
    """
    configuration = read_settings()
    configure_logs(configuration.settings.log_format)
    following = bring_up(configuration)
    typer.echo("The schema is current; shipped rules and templates are installed.")
    if following.count:
        until = f"{following.until:%Y-%m-%d %H:%M} UTC"
        typer.echo(f"{following.count} calendars of another version are made anew by the workers until about {until}.")


def bring_up(configuration: Configuration) -> Following:
    """Migrates, makes the embedded mode's key file, installs the shipped texts. Harmless to repeat."""
    sessions = open_database(configuration.settings.database_url)
    try:
        migrate(sessions)
        _require_keys_of_what_is_sealed(sessions, configuration)
        open_vault(configuration)
        with sessions.writing() as session:
            ready_texts.install(session, datetime.now(UTC))
        return renderer.follow(sessions, datetime.now(UTC))
    finally:
        sessions.close()


def _require_keys_of_what_is_sealed(sessions: Sessions, configuration: Configuration) -> None:
    """A new key file would open nothing: everybody would be a stranger, and be enrolled a second time."""
    with sessions.reading() as session:
        if subjects.count(session) and not configuration.key_file.exists():
            raise SettingsInvalid(
                "the key file is gone, and people's data are sealed with it: restore it from its backup to"
                f" {configuration.key_file}, or set KALLELSE_KEYS"
            )


def _configured(host: str | None, port: int | None) -> Configuration:
    given = {name: value for name, value in (("host", host), ("port", port)) if value is not None}
    return read_settings(None, **given)


def _wired(configuration: Configuration) -> Wiring:
    configure_logs(configuration.settings.log_format)
    return wire(configuration)


def _with_broker(configuration: Configuration) -> Configuration:
    """Without one, the bells of one process would never be heard in another."""
    if not configuration.settings.broker_url:
        raise SettingsInvalid(
            "KALLELSE_BROKER_URL is not set: processes of their own need Redis or RabbitMQ. Or run `kallelse up`"
        )
    return configuration


def _instant(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        return instant(text)
    except (ValueError, OverflowError):
        raise typer.BadParameter(
            "write it as 2026-12-24T03:00, with an offset if it is not Swedish", param_hint="--now"
        ) from None
