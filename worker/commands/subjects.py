"""Commands about subjects: their consents, their calendars, and finding one without naming anybody."""

import sys
from datetime import date, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer

from feeds import subscribing
from feeds.subscribing import PAST_DAYS, Wishes, make_device, make_link, open_calendar
from store import app_passwords, calendars, enrolment
from store import subjects as known_subjects
from store.app_passwords import AppPassword
from store.calendars import Calendar
from store.database import Session
from store.enrolment import Enrolled
from store.identifiers import InvalidIdentifier, parse_subject_id
from store.level import Level
from store.subjects import Said
from worker import import_files, importing, population
from worker.commands import choosing, contacts
from worker.commands.exits import Failed, Refused
from worker.commands.progress import steps
from worker.commands.wired import minute, our_id, today, wired
from worker.import_files import SubjectRow
from worker.wiring import Wiring

_IMPORT_HELP = f"""Adds subjects, with their consent, from a UTF-8 CSV file. Nothing is imported when anything is wrong:
every fault is named by line and field, never by value.

The first line must be `{",".join(import_files.SUBJECT_COLUMNS)}`.

- **identity**: personnummer or samordningsnummer, as `YYYYMMDD-NNNN` or twelve digits.
- **language**: `sv` or `en`, of calendar and messages.
- **phone**, **email**: a Swedish mobile number and an address; either may be empty.
- **consent_given_on**, **consent_version**: the day, as `2026-11-23`, and which words were consented to.
- **level**: what their calendar shows: `busy`, `visit`, `clinic`, `full`; empty: none yet (`subjects link` opens one).

Use it to begin, and again with newer files: somebody known before gets what is new, a calendar that they have is left
as it is. Who has withdrawn since the day on
the line is left alone. `--said-by` and `--as-of` stay with each number and address, as where it came from and how old
it is; what the person has verified or removed is left as it is. Example: `kallelse subjects import subjects.csv`
"""
_DEVICES_HEADER = f"{'id':<36}  {'since':<16}  {'last use':<24}  name"
_HEADER = f"{'id':<36}  lang  {'calendar':<8}  coming  consent    register"
OurId = Annotated[UUID, typer.Argument(help="Our id, from `kallelse subjects list`.", parser=our_id, metavar="ID")]
_GUARDIAN = typer.Option(
    help="Our id of a guardian, for their calendar of this child: `kallelse subjects find` finds it.",
    parser=our_id,
    metavar="ID",
)


class Language(StrEnum):
    """What calendars and messages are written in."""

    SV = "sv"
    EN = "en"


def register(app: typer.Typer) -> None:
    commands = typer.Typer(no_args_is_help=True, help="Subjects: their consents and their calendars.")
    commands.command(name="import", help=_IMPORT_HELP)(import_subjects)
    commands.command(name="list")(list_subjects)
    commands.command()(find)
    commands.command()(link)
    commands.command()(devices)
    commands.command(name="add-device")(add_device)
    commands.command(name="remove-device")(remove_device)
    commands.command()(choosing.choose)
    commands.command()(withdraw)
    contacts.register(commands)
    app.add_typer(commands, name="subjects")


def import_subjects(
    file: Annotated[Path, typer.Argument(help="The CSV file.", exists=True, dir_okay=False)],
    said_by: Annotated[str, typer.Option(help="Who gives these numbers and addresses: a register, a system.")] = "file",
    as_of: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="The day as of which they are given; else today.")
    ] = None,
) -> None:
    with wired() as wiring:
        rows = import_files.read_subjects(file, today(wiring))
        said = Said(said_by, _said_on(as_of, today(wiring)))
        numbered = zip(steps("Importing", len(rows)), rows, strict=True)
        taken = [row for _, row in numbered if _take(wiring, row, said)]
        _ask_the_register(wiring)
        waiting = sum(not _open(wiring, taken[place]) for place in steps("Opening calendars", len(taken)))
    typer.echo(f"{len(taken)} subjects imported.")
    for remark in _remarks(wiring, len(rows) - len(taken), waiting):
        typer.echo(remark)


def list_subjects() -> None:
    """Lists subjects by our own ids, with what they have: no names, no numbers, no addresses.

    Use it to get an id for other commands, or to see who still waits. *coming*: visits to come. *register*: `held`
    until the population register has told of them; nothing is sent before.
    To find a certain person use `kallelse subjects find`.

    Example: `kallelse subjects list`
    """
    with wired() as wiring, wiring.sessions.reading() as session:
        found = list(enrolment.enrolled(session, wiring.now()))
    if not found:
        typer.echo("There is nobody yet: `kallelse subjects import`.", err=True)
        return
    typer.echo(_HEADER)
    for one in found:
        typer.echo(_line(one))


def find() -> None:
    """Finds one person by identity number, and prints our id and what they have.

    Use it when somebody calls. The number is asked for, or read from standard input: on a command line it would stay
    in the shell's history.

    Example: `kallelse subjects find`, or `kallelse subjects find < number.txt`
    """
    with wired() as wiring:
        try:
            number = parse_subject_id(_typed_number(), today=today(wiring))
        except InvalidIdentifier as fault:
            raise Refused(str(fault)) from None
        with wiring.sessions.reading() as session:
            subject = known_subjects.by_number(session, wiring.vault, number)
            if subject is None:
                raise Failed("nobody with this number is enrolled")
            (found,) = enrolment.enrolled(session, wiring.now(), subject.id)
    typer.echo(_HEADER)
    typer.echo(_line(found))


def link(
    subject: OurId,
    level: Annotated[Level, typer.Option(help="What the calendar shows, as the person has chosen.")],
    language: Annotated[Language, typer.Option(help="Of the calendar's texts.")] = Language.SV,
    guardian: Annotated[UUID | None, _GUARDIAN] = None,
    alarm: Annotated[
        list[int] | None,
        typer.Option(
            metavar="MINUTES",
            help="An alarm of the calendar program's own, so long before each visit. May be given several times.",
        ),
    ] = None,
    past_days: Annotated[int, typer.Option(metavar="DAYS", help="How long a passed visit is shown.")] = PAST_DAYS,
) -> None:
    """Opens a person's calendar, or changes what it shows, and prints a new subscription address for it.

    Use it when the person has asked for a calendar. The address is shown this once: only a keyed digest of it is kept.
    Whoever has it sees the calendar, so hand it to the person alone. Earlier addresses go on working; all of them then
    show what is given here: alarms not given again are gone. Google Calendar passes over alarms, and Apple's lets
    people turn them off when they subscribe. Cancelled visits have none.

    With `--guardian` it is the guardian's calendar of this child, beside the child's own, with a level of its own.
    The population register must name them as guardian. On the child's 13th birthday it becomes empty by itself, and
    its addresses end 30 days later; so too when the register names other guardians, or says that either is protected
    or has died.

    Example: `kallelse subjects link 01a206b5-ca55-7cf9-8036-32bf2ca86384 --level visit`, or with an alarm a day and an
    hour before, and passed visits gone after a week: `... --level visit --alarm 1440 --alarm 60 --past-days 7`
    """
    with wired() as wiring:
        _ask_the_register(wiring)
        with wiring.sessions.writing() as session:
            _require_known(session, subject)
            viewer = _viewer(session, subject, guardian)
            wishes = Wishes(level, language, tuple(alarm or ()), past_days)
            token = _new_token(session, wiring, viewer, subject, wishes)
        typer.echo(f"{wiring.settings.public_url}/f/{token}.ics")


def devices(subject: OurId, guardian: Annotated[UUID | None, _GUARDIAN] = None) -> None:
    """Lists the devices that read a person's calendar through its CalDAV account: id, name, since when, last use.

    Use it when somebody asks which devices there are, or to get an id for `subjects remove-device`. With `--guardian`:
    those that read the guardian's calendar of this child.

    Example: `kallelse subjects devices 01a206b5-ca55-7cf9-8036-32bf2ca86384`
    """
    with wired() as wiring, wiring.sessions.reading() as session:
        calendar = _calendar(session, subject, guardian)
        rows = app_passwords.of_calendar(session, calendar.id)
        cipher = known_subjects.cipher_of(session, wiring.vault, calendar.viewer_id)
        lines = [_device_line(row, app_passwords.name_of(cipher, row)) for row in rows]
    if not lines:
        typer.echo("There is no device yet: `kallelse subjects add-device`.", err=True)
        return
    typer.echo(_DEVICES_HEADER)
    for line in lines:
        typer.echo(line)


def add_device(
    subject: OurId,
    name: Annotated[str, typer.Option(help="What the person calls the device, such as: Annas telefon.")],
    guardian: Annotated[UUID | None, _GUARDIAN] = None,
) -> None:
    """Makes an app password for one more device, and prints what to type into its calendar program.

    Use it when the person wants their visits as a CalDAV account; open the calendar with `subjects link` first. The
    password is shown this once: only a keyed digest of it is kept. One for each device, so that a lost one can be
    removed alone. The account can be read, never written. With `--guardian` the device reads the guardian's calendar
    of this child, and ends with it.

    Example: `kallelse subjects add-device 01a206b5-ca55-7cf9-8036-32bf2ca86384 --name "Annas telefon"`
    """
    with wired() as wiring:
        _ask_the_register(wiring)
        now, rules = wiring.now(), wiring.syncing.calendar_rules
        with wiring.sessions.writing() as session:
            calendar = _calendar(session, subject, guardian)
            device = make_device(session, wiring.vault, calendar.id, name, now, rules)
        typer.echo(f"Server     {wiring.settings.public_url}/dav/")
        typer.echo(f"User name  {device.account}")
        typer.echo(f"Password   {device.password}")


def remove_device(
    device: Annotated[UUID, typer.Argument(help="Its id, from `subjects devices`.", parser=our_id, metavar="ID")],
) -> None:
    """Revokes one device's app password: it is refused from now on, the others go on.

    Use it when a device is lost or no longer used.

    Example: `kallelse subjects remove-device 01a206b5-ca55-7cf9-8036-32bf2ca86384`
    """
    with wired() as wiring, wiring.sessions.writing() as session:
        subscribing.remove_device(session, device, wiring.now())
    typer.echo("Removed.")


def withdraw(subject: OurId) -> None:
    """Withdraws every consent that stands for a person: nobody asks about them, no messages go out, and their calendar
    addresses are gone at once.

    Use it when the person says so. There is no way back but a new consent, imported again.

    Example: `kallelse subjects withdraw 01a206b5-ca55-7cf9-8036-32bf2ca86384`
    """
    with wired() as wiring, wiring.sessions.writing() as session:
        _require_known(session, subject)
        count = importing.withdraw_consents(session, subject, wiring.now())
    typer.echo(f"Consents withdrawn: {count}. Nobody asks about this person, and their calendar addresses are gone.")


def _said_on(as_of: datetime | None, today: date) -> date:
    if as_of is not None and as_of.date() > today:
        raise Refused("--as-of: is in the future")
    return today if as_of is None else as_of.date()


def _take(wiring: Wiring, row: SubjectRow, said: Said) -> bool:
    sources = list(wiring.syncing.sources)
    with wiring.sessions.writing() as session:
        return importing.import_subject(session, wiring.vault, row, sources, wiring.now(), said)


def _open(wiring: Wiring, row: SubjectRow) -> bool:
    rules = wiring.syncing.calendar_rules
    return importing.open_wished_calendar(wiring.sessions, wiring.vault, row, rules, wiring.now())


def _ask_the_register(wiring: Wiring) -> None:
    """Calendars open only for people whom the register has told of; the worker may not have asked yet."""
    register = wiring.population.current()
    if register is None:
        return
    asking = population.Asking(register, wiring.now(), wiring.population_stale_after)
    while population.ask_due(wiring.sessions, wiring.vault, asking):
        pass


def _remarks(wiring: Wiring, withdrawn: int, waiting: int) -> list[str]:
    remarks = []
    if withdrawn:
        remarks.append(f"{withdrawn} have withdrawn their consent since the day on their line: left alone.")
    if not wiring.syncing.sources:
        remarks.append("No source is set, so nobody is asked about: set KALLELSE_SOURCES and import again.")
    if waiting:
        remarks.append(
            f"{waiting} calendars were not opened: the population register (KALLELSE_POPULATION) does not tell of the"
            " person, is stale, or says that they are protected or have died. Import again with a newer register."
        )
    return remarks


def _typed_number() -> str:
    if sys.stdin.isatty():
        return str(typer.prompt("Identity number", hide_input=True))
    return sys.stdin.readline()


def _line(one: Enrolled) -> str:
    consent, register = "stands" if one.consents else "none", "held" if one.is_held else "known"
    return f"{one.id}  {one.language:<4}  {one.level or '-':<8}  {one.coming:>6}  {consent:<9}  {register}"


def _require_known(session: Session, subject: UUID) -> None:
    if not enrolment.is_known(session, subject):
        raise Refused("there is no subject with this id; `kallelse subjects list` shows them")


def _calendar(session: Session, subject: UUID, guardian: UUID | None) -> Calendar:
    _require_known(session, subject)
    found = calendars.of_viewer(session, _viewer(session, subject, guardian), subject)
    if found is None:
        raise Refused("there is no such calendar yet; open it with `kallelse subjects link`")
    return found


def _device_line(row: AppPassword, name: str) -> str:
    used = f"used {minute(row.last_used_at)}" if row.last_used_at else "never used"
    state = f"removed {minute(row.revoked_at)}" if row.revoked_at else used
    return f"{row.id}  {minute(row.created_at)}  {state:<24}  {name}"


def _viewer(session: Session, subject: UUID, guardian: UUID | None) -> UUID:
    if guardian is None:
        return subject
    if guardian == subject:
        raise Refused("--guardian: nobody is their own guardian; leave it out for the person's own calendar")
    if not enrolment.is_known(session, guardian):
        raise Refused("--guardian: there is no subject with this id; `kallelse subjects list` shows them")
    return guardian


def _new_token(session: Session, wiring: Wiring, viewer: UUID, subject: UUID, wishes: Wishes) -> str:
    now, rules = wiring.now(), wiring.syncing.calendar_rules
    calendar_id = open_calendar(
        session, wiring.vault, wishes, viewer_id=viewer, subject_id=subject, now=now, rules=rules
    )
    return make_link(session, wiring.vault, calendar_id, now, rules).token
