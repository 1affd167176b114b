"""Commands about contact points: who could not be reached, and which numbers and addresses are of no use."""

from typing import Annotated

import typer

from notifier.fallback import REPORTING
from store import contact_points, unreached
from store.contact_points import Problem
from store.unreached import NotReached
from worker.commands.clinics import clinic_named
from worker.commands.wired import minute, wired

_UNREACHED_HEADER = f"{'visit':<16}  {'purpose':<12}  {'reason':<13}  {'subject':<36}  booking"
_PROBLEMS_HEADER = f"{'since':<16}  {'kind':<5}  {'reason':<14}  {'another':<7}  {'subject':<36}  contact point"
_Clinic = Annotated[str, typer.Argument(help="The clinic's name, as in the facilities file.", metavar="CLINIC")]


def register(commands: typer.Typer) -> None:
    commands.command(name="unreached")(list_unreached)
    commands.command(name="contact-problems")(list_problems)


def list_unreached(clinic: _Clinic) -> None:
    """Lists who could not be told, by any channel, of a visit to come at a clinic, for a letter or a call to follow.

    Use it daily, the first visit first: our ids alone, no names, numbers or addresses. *reason*: `no_contact` (nothing
    to reach the person by, or all of it dead or spared), `not_delivered`, `not_confirmed` (taken by the provider, and
    never said to have arrived), `missed` and `not_in_time` (too late after a standstill), or why the last try failed.
    Somebody who is reached after all is no longer listed, nor is a visit that is off or has another time.

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


def _unreached_line(row: NotReached) -> str:
    booking = row.booking_id or "-"
    return f"{minute(row.visit_at)}  {row.purpose:<12}  {row.reason:<13}  {row.subject_id}  {booking}"


def _problem_line(row: Problem) -> str:
    another = "yes" if row.has_another else "no"
    return f"{minute(row.since)}  {row.kind:<5}  {row.reason:<14}  {another:<7}  {row.subject_id}  {row.contact_id}"
