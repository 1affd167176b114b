"""Commands about what people have answered: who wants to cancel at a clinic, and who wants no messages."""

from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated
from uuid import UUID

import typer

from notifier import opting
from notifier.opting import Address, Heard
from store import audit, clinics, subjects, visit_answers
from store.audit import Act, AuditEntry
from store.clinics import Clinic
from store.database import Session
from store.subjects import ContactKind
from store.visit_answers import Request
from worker.commands.exits import Refused
from worker.commands.subjects import OurId
from worker.commands.wired import minute, our_id, wired

_STAFFS_OWN = ("staff", "citizen", "provider")  # what staff may take back; a wrong number stays one
_KINDS = {"sms": ContactKind.PHONE, "email": ContactKind.EMAIL}
_HEADER = f"{'request':<36}  {'subject':<36}  {'visit':<16}  {'asked':<16}  by    state"


class SparedChannel(StrEnum):
    SMS = "sms"
    EMAIL = "email"


def register(app: typer.Typer) -> None:
    app.command()(requests)
    app.command()(spare)


def requests(
    clinic: Annotated[str, typer.Argument(help="The clinic's name, as in the facilities file.")],
    handled: Annotated[
        UUID | None, typer.Option(help="Marks this request as handled.", parser=our_id, metavar="ID")
    ] = None,
    by: Annotated[str, typer.Option(help="Who handled it; needed with `--handled`.")] = "",
) -> None:
    """Lists who has asked to cancel a visit at a clinic, the next visit first, or marks one request as handled.

    Use it daily: a request changes nothing in the booking system, so the clinic has to cancel the visit there, or ask
    the person. Our own ids only: `kallelse subjects find` tells whose one is. *state*: `open`, and what has been so
    since: the visit has moved or is off, or the person has said to be coming.

    Example: `kallelse requests "Ekens vårdcentral"`, or `... --handled 01a206b5-ca55-7cf9-8036-32bf2ca86384 --by
    "Sköterska Lind"`
    """
    with wired() as wiring, wiring.sessions.writing() as session:
        found = _clinic(session, clinic)
        if handled is not None:
            _handle(session, found, handled, by, wiring.now())
        lines = [_line(one) for one in visit_answers.requests(session, found.id)]
    if handled is not None:
        typer.echo("Marked as handled.")
    if not lines:
        typer.echo("Nobody waits to have a visit cancelled.")
        return
    typer.echo(_HEADER)
    for line in lines:
        typer.echo(line)


def spare(
    subject: OurId,
    channel: Annotated[SparedChannel, typer.Option(help="Which channel.")],
    by: Annotated[str, typer.Option(help="Who does it: it is kept in the audit log.")],
    lift: Annotated[bool, typer.Option("--lift", help="Messages again, also after the person's own STOPP.")] = False,
) -> None:
    """Stops SMS or e-mail to all of a person's addresses, or lets messages go to them again.

    Use it when somebody calls and wants no messages. A START of theirs does not lift it: use `--lift`. Their visits and
    calendars are as before. Codes that they ask for still reach them.

    Example: `kallelse spare 01a206b5-ca55-7cf9-8036-32bf2ca86384 --channel sms --by "Sköterska Lind"`
    """
    if not by.strip():
        raise Refused("--by: say who does it")
    with wired() as wiring, wiring.sessions.writing() as session:
        heard = Heard("staff", "command", datetime.now(UTC), wiring.now(), by.strip())
        digests = subjects.digests(session, subject, _KINDS[channel])
        for digest in digests:
            if lift:
                opting.start(session, Address(digest, channel), heard, _STAFFS_OWN)
            else:
                opting.stop(session, Address(digest, channel), heard)
    if not digests:
        raise Refused(f"this person has no address for {channel}, or is not known: `kallelse subjects list`")
    typer.echo(f"{channel}: {len(digests)} addresses are {'told again' if lift else 'spared'}.")


def _clinic(session: Session, name: str) -> Clinic:
    found = clinics.by_name(session, name)
    if found is None:
        raise Refused(f"there is no clinic named {name!r}: write it as in the facilities file")
    return found


def _handle(session: Session, clinic: Clinic, request: UUID, by: str, now: datetime) -> None:
    if not by.strip():
        raise Refused("--by: say who handled it")
    row = visit_answers.handle(session, request, clinic.id, by.strip(), now)
    if row is None:
        raise Refused("--handled: the clinic has no open request with this id")
    entry = AuditEntry(
        at=datetime.now(UTC),
        actor="staff",
        name=by.strip(),
        act=Act.CANCEL_HANDLED,
        way="command",
        subject_id=row.subject_id,
        booking_id=row.booking_id,
    )
    audit.note(session, entry)


def _line(one: Request) -> str:
    answer, visit = one.answer, minute(one.booking.start_at) if one.booking else "-"
    asked = minute(answer.answered_at)
    return f"{answer.id}  {answer.subject_id}  {visit:<16}  {asked}  {answer.way:<4}  {_state(one)}"


def _state(one: Request) -> str:
    if one.booking is None:
        return "the visit is no more"
    if one.booking.standing != "booked":
        return f"open; the visit is {one.booking.standing} since"
    if one.booking.time_version != one.answer.time_version:
        return "open; the visit has moved since"
    return "open; has said since to be coming: ask first" if one.is_taken_back else "open"
