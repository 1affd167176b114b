"""Commands about contact points: who could not be reached, and which numbers and addresses are of no use."""

import sys
from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

import typer

from notifier.fallback import REPORTING
from notifier.planning import CHANNELS
from notifier.recipients import InvalidEmail, InvalidPhone, parse_email, parse_phone
from notifier.swedish_days import local
from notifier.verifying import Moment, Outcome, TooMany, check_code, send_code
from store import contact_points, unreached
from store import subjects as known_subjects
from store.contact_points import Problem
from store.database import Session
from store.subjects import Contact, ContactKind, ContactPoint, Subject, opened, said_at
from store.unreached import NotReached
from worker.commands.clinics import clinic_named
from worker.commands.exits import Failed, Refused
from worker.commands.looking import masked
from worker.commands.wired import minute, our_id, wired
from worker.wiring import Wiring

_UNREACHED_HEADER = f"{'visit':<16}  {'purpose':<12}  {'reason':<13}  {'letter':<17}  {'subject':<36}  booking"
_PROBLEMS_HEADER = f"{'since':<16}  {'kind':<5}  {'reason':<14}  {'another':<7}  {'subject':<36}  contact point"
_CONTACTS_HEADER = f"{'id':<36}  {'kind':<5}  {'address':<24}  {'state':<24}  {'verified':<16}  given"
_NOT_VERIFIED = {
    Outcome.WRONG: "this is not the code: read it again",
    Outcome.NONE_STANDS: "no code holds: it is older than ten minutes or was tried five times; have a new one sent",
}
OurId = Annotated[UUID, typer.Argument(help="Our id, from `kallelse subjects list`.", parser=our_id, metavar="ID")]
_Clinic = Annotated[str, typer.Argument(help="The clinic's name, as in the facilities file.", metavar="CLINIC")]


def register(commands: typer.Typer) -> None:
    commands.command(name="unreached")(list_unreached)
    commands.command(name="contact-problems")(list_problems)
    commands.command()(contacts)
    commands.command(name="verify-contact")(verify_contact)
    commands.command(name="remove-contact")(remove_contact)


def list_unreached(clinic: _Clinic) -> None:
    """Lists who could not be told, by any channel, of a visit to come at a clinic, for a letter or a call to follow.

    Use it daily, the first visit first: our ids alone, no names, numbers or addresses. *reason*: `no_contact` (nothing
    to reach the person by, or all of it dead or spared), `not_delivered`, `not_confirmed` (taken by the provider, and
    never said to have arrived), `missed` and `not_in_time` (too late after a standstill), or why the last try failed.
    Somebody who is reached after all is no longer listed, nor is a visit that is off or has another time. *letter*: the
    day on which `kallelse letters` printed one; nobody knows whether it has arrived.

    Example: `kallelse subjects unreached "Ekens vårdcentral"`
    """
    with wired() as wiring, wiring.sessions.reading() as session:
        rows = unreached.listed(session, clinic_named(session, clinic).id, wiring.now(), REPORTING)
    if not rows:
        typer.echo("Everybody with a visit to come there has been reached, or is about to be.", err=True)
        return
    typer.echo(_UNREACHED_HEADER)
    for row in rows:
        typer.echo(_unreached_line(row))


def list_problems(clinic: _Clinic) -> None:
    """Lists dead phone numbers and e-mail addresses of people with a visit to come at a clinic, the latest first.

    Use it to ask them for another one when they call or come: our ids alone. *reason*: `invalid_number`, `not_mobile`
    (a land line), `unreachable` (three messages in thirty days did not arrive), `wrong_person` (whoever has it says
    that it is theirs), `grown_up` (given before the 13th birthday, so perhaps a guardian's). *another*: whether another
    one of the same kind is in use.

    Example: `kallelse subjects contact-problems "Ekens vårdcentral"`
    """
    with wired() as wiring, wiring.sessions.reading() as session:
        rows = contact_points.problems(session, wiring.now(), clinic_named(session, clinic).id)
    if not rows:
        typer.echo("No number or address of anybody with a visit to come there is known to be dead.", err=True)
        return
    typer.echo(_PROBLEMS_HEADER)
    for row in rows:
        typer.echo(_problem_line(row))


def contacts(subject: OurId) -> None:
    """Lists somebody's phone numbers and e-mail addresses, masked: where each came from, how old it is, whether it is
    in use.

    Use it before `verify-contact` or `remove-contact`, or to see why nothing reaches somebody. *given*: when the person
    gave it, or who else did and as of which day.

    Example: `kallelse subjects contacts 01a206b5-ca55-7cf9-8036-32bf2ca86384`
    """
    with wired() as wiring, wiring.sessions.reading() as session:
        _subject(session, subject)
        cipher = known_subjects.cipher_of(session, wiring.vault, subject)
        rows = [(row, opened(cipher, row)) for row in contact_points.of_subject(session, subject)]
    if not rows:
        typer.echo("There is none: `kallelse subjects verify-contact` adds one.", err=True)
        return
    typer.echo(_CONTACTS_HEADER)
    for row, contact in rows:
        typer.echo(_contact_line(row, contact))


def verify_contact(
    subject: OurId,
    contact: Annotated[
        UUID | None,
        typer.Option(parser=our_id, metavar="ID", help="One that has been sent a code: only the code is asked for."),
    ] = None,
) -> None:
    """Adds a phone number or e-mail address that somebody gives us, once they have read out the code sent to it.

    Use it when a person has a new number, or wants a dead one back. Address and code are asked for, or read from
    standard input a line each: on a command line the address would stay in the shell's history. The code has six
    digits and holds for ten minutes and five tries; one address is sent five a day, a minute apart. Nothing else is
    sent to an address that is not verified. Once it is, it stands for those of its kind that were known before.

    Example: `kallelse subjects verify-contact 01a206b5-ca55-7cf9-8036-32bf2ca86384`, and for the code alone, later:
    `... --contact 01a206b5-ca55-7cf9-8036-32bf2ca86385`
    """
    with wired() as wiring:
        at = Moment(wiring.now(), datetime.now(UTC))
        contact_id = contact or _send_code(wiring, subject, at)
        typed = _typed("Code")
        if not typed:
            typer.echo(f"When you have the code: kallelse subjects verify-contact {subject} --contact {contact_id}")
            return
        with wiring.sessions.writing() as session:
            row = _contact(session, subject, contact_id)
            outcome = check_code(session, wiring.vault, row, typed, Moment(wiring.now(), datetime.now(UTC)))
    if outcome != Outcome.VERIFIED:
        raise Failed(_NOT_VERIFIED[outcome])
    typer.echo("Verified: messages go there from now on, and no longer where they went by this channel before.")


def remove_contact(
    contact: Annotated[
        UUID, typer.Argument(help="Its id, from `kallelse subjects contacts`.", parser=our_id, metavar="ID")
    ],
) -> None:
    """Removes a phone number or e-mail address: nothing is sent there any more, and no imported file brings it back.

    Use it when the person says so. `kallelse subjects verify-contact` takes it back.

    Example: `kallelse subjects remove-contact 01a206b5-ca55-7cf9-8036-32bf2ca86385`
    """
    with wired() as wiring, wiring.sessions.writing() as session:
        if contact_points.remove(session, contact, wiring.now()) is None:
            raise Refused("there is no contact point in use with this id; `kallelse subjects contacts` shows them")
    typer.echo("Removed.")


def _send_code(wiring: Wiring, subject: UUID, at: Moment) -> UUID:
    kind, address = _parsed(_typed("Phone number or e-mail address"))
    with wiring.sessions.writing() as session:
        row = _subject(session, subject)
        try:
            contact = send_code(session, wiring.vault, row, kind, address, at)
        except TooMany as error:
            raise Failed(str(error)) from None
        contact_id = contact.id
    if CHANNELS[kind] not in wiring.channels:
        typer.echo(f"No {CHANNELS[kind]} channel is set up here: no code will come.", err=True)
    typer.echo(f"A code is on its way, if a worker runs. Contact point {contact_id}.", err=True)
    return contact_id


def _parsed(text: str) -> tuple[ContactKind, str]:
    try:
        return (ContactKind.EMAIL, parse_email(text)) if "@" in text else (ContactKind.PHONE, parse_phone(text))
    except (InvalidEmail, InvalidPhone) as fault:
        raise Refused(str(fault)) from None


def _typed(what: str) -> str:
    text = str(typer.prompt(what, default="", show_default=False)) if sys.stdin.isatty() else sys.stdin.readline()
    return text.strip()


def _subject(session: Session, subject: UUID) -> Subject:
    row = session.get(Subject, subject)
    if row is None:
        raise Refused("there is no subject with this id; `kallelse subjects list` shows them")
    return row


def _contact(session: Session, subject: UUID, contact_id: UUID) -> ContactPoint:
    row = session.get(ContactPoint, contact_id)
    if row is None or row.subject_id != subject:
        raise Refused("--contact: this person has no such contact point; `kallelse subjects contacts` shows them")
    return row


def _contact_line(row: ContactPoint, contact: Contact) -> str:
    given = f"{row.said_by or row.origin} {said_at(row):%Y-%m-%d}"
    verified = minute(row.verified_at) if row.verified_at else "-"
    return (
        f"{row.id}  {row.kind:<5}  {masked(contact.address):<24}  {_state(row, contact):<24}  {verified:<16}  {given}"
    )


def _state(row: ContactPoint, contact: Contact) -> str:
    if row.removed_at is not None:
        return "removed"
    if row.dead_since is not None:
        return f"dead: {row.dead_reason or 'unknown'}"
    return "in use" if contact.is_usable else "waits for its code"


def _unreached_line(row: NotReached) -> str:
    booking = row.booking_id or "-"
    letter = f"letter {local(row.letter_at):%Y-%m-%d}" if row.letter_at else "-"
    return f"{minute(row.visit_at)}  {row.purpose:<12}  {row.reason:<13}  {letter:<17}  {row.subject_id}  {booking}"


def _problem_line(row: Problem) -> str:
    another = "yes" if row.has_another else "no"
    return f"{minute(row.since)}  {row.kind:<5}  {row.reason:<14}  {another:<7}  {row.subject_id}  {row.contact_id}"
