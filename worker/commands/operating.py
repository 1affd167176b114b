"""Commands by which an operator steers: pause and resume, frozen facilities, backup and restore."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import structlog
import typer

from store import backup as backups
from store import calendars, clinics, freezes, heartbeats, installation, pauses
from store import facilities as known_facilities
from store.clinics import Clinic
from store.database import Session
from store.facilities import Facility
from worker.commands.exits import Failed, Refused
from worker.commands.wired import instant, minute, wired

log = structlog.get_logger()

_ClinicName = Annotated[
    str | None, typer.Option("--clinic", help="Only this clinic, by its name in the facilities file.", metavar="NAME")
]


def register(app: typer.Typer) -> None:
    app.command()(pause)
    app.command()(resume)
    app.command()(frozen)
    app.command()(backup)
    app.command()(restored)


def pause(clinic: _ClinicName = None) -> None:
    """Stops all sending, or one clinic's, until `kallelse resume`. Nothing is dropped: it waits, while it is of use.

    Use it when messages would do harm: a wrong text, a source that errs, a provider in trouble. Polls and calendars go
    on. A message that is under way at this moment still goes. What is no longer of use when you resume has expired.

    Example: `kallelse pause`, or `kallelse pause --clinic "Ekens vårdcentral"`
    """
    with wired() as wiring, wiring.sessions.writing() as session:
        pauses.pause(session, wiring.now(), _clinic(session, clinic))
    log.warning("paused", clinic=clinic or "")
    typer.echo(f"{clinic or 'Everything'} is paused: nothing is sent until `kallelse resume{_again(clinic)}`.")


def resume(clinic: _ClinicName = None) -> None:
    """Sending goes on after `kallelse pause` or `kallelse restored`. What waited is due at once, if still of use.

    Use it when you have looked at what would go: `kallelse ledger --state queued`. A clinic that was paused by itself
    stays so until it is resumed by name.

    Example: `kallelse resume`, or `kallelse resume --clinic "Ekens vårdcentral"`
    """
    with wired() as wiring, wiring.sessions.writing() as session:
        woken = pauses.resume(session, wiring.now(), wiring.dispatching.look_again, _clinic(session, clinic))
    log.warning("resumed", clinic=clinic or "", count=woken)
    typer.echo(f"{clinic or 'Sending'} goes on; {woken} messages that waited are due now.")


def frozen(
    release: Annotated[
        str | None, typer.Option(help="Lets this facility go: its disappearances are believed.", metavar="HSAID")
    ] = None,
) -> None:
    """Lists facilities where so many visits disappeared at once that nobody is told, or lets one of them go.

    Use it when `kallelse check` or `/health/ready` names frozen facilities. Ask the clinic first. If its visits are
    still there, do nothing: the facility thaws by itself when they are listed again. If they are truly off, release it:
    on the next answers that omit them, people are told, neutrally. What disappears later may freeze it anew.

    Example: `kallelse frozen`, or `kallelse frozen --release SE2321000016-1A01`
    """
    with wired() as wiring, wiring.sessions.writing() as session:
        if release is not None:
            facility = _frozen_facility(session, release)
            freezes.release(session, facility, wiring.now())
            log.warning("facility_released", facility=facility.hsa_id)
        found = freezes.frozen(session, wiring.now())
    if release is not None:
        typer.echo(f"{release} is released: those concerned are asked about now.")
    for one in found:
        next_visit = minute(one.next_visit_at) if one.next_visit_at else "none"
        typer.echo(
            f"{one.facility:<24}  {one.name}: since {minute(one.since)}, {one.suspects} visits of {one.subjects} people"
            f" are missing, the next one {next_visit}"
        )
    if not found:
        typer.echo("No facility is frozen.")


def backup(
    file: Annotated[Path, typer.Argument(help="Where to write it; nothing may be there yet.")],
) -> None:
    """Writes a whole copy of a SQLite database, while everything goes on. For PostgreSQL use `pg_dump`.

    Use it daily, and before `kallelse migrate` with a new version. Copying the database's file by other means while
    processes run gives a broken one. It holds no keys: back the key file up apart from it.

    Example: `kallelse backup /backup/kallelse-2026-11-24.db`
    """
    made_at = datetime.now(UTC)
    with wired() as wiring:
        if wiring.sessions.on_postgresql:
            raise Refused("this is PostgreSQL: use `pg_dump --format=custom`, see *Backup and restore* in README")
        try:
            backups.copy(wiring.sessions, file)
        except FileExistsError:
            raise Refused(f"{file} is there already: name another") from None
        except OSError as error:
            raise Failed(f"{file} cannot be written ({error.strerror})") from None
    typer.echo(
        f"Wrote {file}. After a restore of it: `kallelse restored --backup-made-at {made_at:%Y-%m-%dT%H:%M:%SZ}`"
    )


def restored(
    backup_made_at: Annotated[
        str, typer.Option(help="When the backup was begun, as 2026-11-24T03:00; without an offset Swedish time.")
    ],
) -> None:
    """Says that the database has been restored from a backup: everything stays paused until somebody has looked.

    Use it right after a restore, before any process starts. What was sent since the backup was made stands in no
    ledger; after `kallelse resume` each such message is looked up at the provider before it is sent.

    Example: `kallelse restored --backup-made-at 2026-11-24T03:00`
    """
    real_now = datetime.now(UTC)
    made_at = _past_instant(backup_made_at, real_now)
    with wired() as wiring, wiring.sessions.writing() as session:
        gap = installation.note_restore(session, made_at, real_now)
        heartbeats.forget(session)
        calendars.begin_epoch(session, real_now)
    log.warning("restored")
    typer.echo(f"Paused. What was sent from {minute(gap.since)} to {minute(gap.until)} is not known here.")
    typer.echo("Start the processes, see that `kallelse check` is well, then `kallelse resume`.")


def _clinic(session: Session, name: str | None) -> Clinic | None:
    if name is None:
        return None
    found = clinics.by_name(session, name)
    if found is None:
        raise Refused(f"--clinic: there is no clinic named {name!r}: write it as in the facilities file")
    return found


def _frozen_facility(session: Session, hsa_id: str) -> Facility:
    found = known_facilities.by_ids(session, [hsa_id.upper()]).values()
    facility = next((one for one in found if one.frozen_at is not None), None)
    if facility is None:
        raise Refused("--release: no frozen facility has this HSA-id; `kallelse frozen` lists them")
    return facility


def _past_instant(text: str, real_now: datetime) -> datetime:
    try:
        at = instant(text)
    except (ValueError, OverflowError):
        raise typer.BadParameter(
            "write it as 2026-11-24T03:00, with an offset if it is not Swedish", param_hint="--backup-made-at"
        ) from None
    if at > real_now:
        raise Refused("--backup-made-at: that time has not come yet")
    return at


def _again(clinic: str | None) -> str:
    return "" if clinic is None else f' --clinic "{clinic}"'
