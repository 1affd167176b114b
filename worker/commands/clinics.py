"""Commands about clinics: their accounts, colleagues, decisions, and what they should know."""

from datetime import date, datetime
from typing import Annotated

import structlog
import typer

from notifier.recipients import EmailAddress, InvalidEmail, InvalidPhone, parse_email, parse_phone
from notifier.sms_text import dear_characters
from store import clinics, facilities, ledger
from store.clinics import Clinic, Colleague, Decision, Role
from store.database import Session
from worker import importing
from worker.commands.exits import Refused
from worker.commands.wired import today, wired

log = structlog.get_logger()
_LARGEST_COST = 99_999  # kronor: what the shipped texts have room for
_NAME_LENGTH = 80
_NO_CLINIC = "there is no clinic named {!r}: write it as in the facilities file, or make it by `kallelse clinic add`"
_NEXT = """\
{name} has an account; {email} is its {role}. Next, in this order:

  kallelse clinic colleague "{name}" EMAIL                 # a second one: nobody approves a text of their own
  kallelse facilities import FILE                          # its facilities, with {name} in the column clinic
  kallelse clinic decide "{name}" --reference NUMBER --by WHO --on DAY    # until then its messages are off
  kallelse templates export "{name}" > texts.toml          # the texts it begins with, to keep or to change
  kallelse clinic show "{name}"
"""

ClinicName = Annotated[str, typer.Argument(metavar="CLINIC", help="The clinic's name.")]


def register(app: typer.Typer) -> None:
    commands = typer.Typer(no_args_is_help=True, help="Clinics: accounts, colleagues, decisions.")
    for command in (add, colleague, decide, cost, show):
        commands.command()(command)
    app.add_typer(commands, name="clinic")


def clinic_named(session: Session, name: str) -> Clinic:
    found = clinics.by_name(session, name)
    if found is None:
        raise Refused(_NO_CLINIC.format(name))
    return found


def colleague_named(session: Session, clinic: Clinic, email: str) -> Colleague:
    """The clinic's colleague of that address. Raises Refused."""
    found = clinics.colleague(session, clinic.id, address(email, "--by"))
    if found is None:
        raise Refused(f"--by: this is nobody at {clinic.name}: `kallelse clinic colleague` adds one")
    return found


def address(email: str, option: str) -> EmailAddress:
    """In its normal form, so that a colleague is the same one however they write it."""
    try:
        return EmailAddress(parse_email(email).lower())
    except InvalidEmail as fault:
        raise Refused(f"{option}: {fault}") from None


def add(
    name: Annotated[str, typer.Argument(help="What the clinic is called.")],
    administrator: Annotated[str, typer.Option(help="The e-mail address of who runs its account.", metavar="EMAIL")],
    phone: Annotated[str, typer.Option(help="The number that messages tell people to call.")] = "",
) -> None:
    """Makes a clinic's account with its first colleague, an administrator, and prints what comes next.

    Use it when a clinic joins. One that came with a facilities file gets its administrator this way. It is sent no
    messages until `kallelse clinic decide` has recorded its decision.

    Example: `kallelse clinic add "Ekens vårdcentral" --administrator eva@eken.example --phone "010-123 45 67"`
    """
    email = address(administrator, "--administrator")
    _require_fit(name)
    with wired() as wiring, wiring.sessions.writing() as session:
        clinic = clinics.by_name(session, name) or clinics.add(session, name, wiring.now(), phone)
        clinic.phone = phone or clinic.phone
        _keep_colleague(session, clinic, email, Role.ADMINISTRATOR, "", wiring.now())
        log.info("clinic_added", clinic=str(clinic.id))
    typer.echo(_NEXT.format(name=name, email=email, role=Role.ADMINISTRATOR), nl=False)


def colleague(
    clinic: ClinicName,
    email: Annotated[str, typer.Argument(help="The colleague's address at work.")],
    role: Annotated[Role, typer.Option(help="An administrator also runs the account.")] = Role.WRITER,
    phone: Annotated[str, typer.Option(help="The colleague's own mobile number, for test messages.")] = "",
) -> None:
    """Adds a colleague to a clinic, or changes one's role or number.

    Use it at least once for each clinic: who wrote a text cannot approve it. Test messages go to colleagues alone, to
    the number that they have asked you to register here.

    Example: `kallelse clinic colleague "Ekens vårdcentral" ove@eken.example --phone "070-174 06 05"`
    """
    at_work = address(email, "EMAIL")
    number = _mobile(phone)
    with wired() as wiring, wiring.sessions.writing() as session:
        row = clinic_named(session, clinic)
        _keep_colleague(session, row, at_work, role, number, wiring.now())
        log.info("colleague_kept", clinic=str(row.id))
    typer.echo(f"{at_work} is {role.value} at {clinic}.")


def decide(
    clinic: ClinicName,
    reference: Annotated[str, typer.Option(help="The decision's own number.")],
    by: Annotated[str, typer.Option(help="Who decided.")],
    on: Annotated[datetime, typer.Option(help="The day, as 2026-11-23.", formats=["%Y-%m-%d"])],
    covers_texts: Annotated[
        bool, typer.Option("--covers-texts", help="It covers whole texts before visits, too.")
    ] = False,
) -> None:
    """Records a clinic's needs-and-risk decision. Its SMS and e-mail stay off without one (HSLF-FS 2016:40).

    Use it when the clinic has told you of the decision. A later one takes an earlier one's place, also in what it
    covers. With `--covers-texts` whole texts about preparations stand in e-mail, and a sensitive unit's own behind the
    link. Formerly called `kallelse facilities decide`, which still works.

    Example: `kallelse clinic decide "Ekens vårdcentral" --reference "RS 2026-0417" --by "Verksamhetschefen" --on
    2026-11-02`
    """
    if not reference.strip() or not by.strip():
        raise Refused("--reference and --by: neither may be empty")
    with wired() as wiring:
        _require_past(on.date(), today(wiring), "--on: the decision's day has not come yet")
        decision = Decision(reference.strip(), by.strip(), on.date(), covers_texts)
        if not importing.decide(wiring.sessions, clinic, decision, wiring.now()):
            raise Refused(_NO_CLINIC.format(clinic))
    also = ", whole texts about preparations too" if covers_texts else ""
    typer.echo(f"{clinic}: decision {reference.strip()} is recorded; its messages may go out{also}.")


def cost(
    clinic: ClinicName,
    amount: Annotated[int, typer.Argument(help="Whole kronor; 0 takes the figure away.", min=0, max=_LARGEST_COST)],
    on: Annotated[
        datetime | None, typer.Option(help="The day of the figure, as 2026-01-15.", formats=["%Y-%m-%d"])
    ] = None,
) -> None:
    """Records what a missed visit costs, by the clinic's own reckoning: texts tell it where they ask for ((kostnad)).

    Use it with a figure that the clinic can stand for, and again once it is two years old. It takes effect when a rule
    uses the text `deadline_cost`, or a text of the clinic's own names the cost.

    Example: `kallelse clinic cost "Ekens vårdcentral" 3100 --on 2026-01-15`
    """
    if amount and on is None:
        raise Refused("--on: give the day of the figure: people are told a dated one")
    with wired() as wiring, wiring.sessions.writing() as session:
        if on is not None:
            _require_past(on.date(), today(wiring), "--on: that day has not come yet")
        row = clinic_named(session, clinic)
        row.missed_visit_cost = amount or None
        row.missed_visit_cost_on = on.date() if on is not None and amount else None
        session.add(row)
    typer.echo(f"{clinic}: {f'a missed visit costs {amount} kr' if amount else 'no cost is told'}.")


def show(
    clinic: ClinicName,
) -> None:
    """Shows a clinic: its decision, colleagues, facilities, and the messages that its texts kept from going out.

    Use it when a clinic asks why nothing is sent, and after a new text. A *missing field* is a value that a text needs
    and a visit does not have: mend the text by a condition, `((telefon?? Ring ((telefon)).))`.

    Example: `kallelse clinic show "Ekens vårdcentral"`
    """
    with wired() as wiring, wiring.sessions.reading() as session:
        row = clinic_named(session, clinic)
        lines = [
            f"decision    {_decision(row)}",
            f"paused      {'yes' if row.paused_at else 'no'}",
            f"phone       {row.phone or 'none: messages tell no number'}",
            f"cost        {_cost(row)}",
            *(f"colleague   {one.role}  {one.email}" for one in clinics.colleagues(session, row.id)),
            *(f"facility    {_facility(place.message_name)}" for place in facilities.of_clinic(session, row.id)),
            *(f"NOT SENT    {_stopped(one)}" for one in ledger.stopped_by_words(session, row.id)),
        ]
    typer.echo("\n".join(lines))


def _require_fit(name: str) -> None:
    if not name.strip() or name != name.strip() or len(name) > _NAME_LENGTH or not name.isprintable():
        raise Refused(f"NAME: write 1 to {_NAME_LENGTH} characters, without line breaks or spaces around")


def _require_past(on: date, today_: date, refusal: str) -> None:
    if on > today_:
        raise Refused(refusal)


def _mobile(phone: str) -> str:
    try:
        return parse_phone(phone) if phone else ""
    except InvalidPhone as fault:
        raise Refused(f"--phone: {fault}") from None


def _keep_colleague(  # noqa: PLR0913 - a row's values
    session: Session, clinic: Clinic, email: str, role: Role, phone: str, now: datetime
) -> None:
    row = clinics.colleague(session, clinic.id, email) or Colleague(
        clinic_id=clinic.id, email=email, role=role, added_at=now
    )
    row.role, row.phone = role, phone or row.phone
    session.add(row)
    session.flush()


def _decision(clinic: Clinic) -> str:
    if not clinics.may_send(clinic):
        return "NONE: its SMS and e-mail are off until `kallelse clinic decide`"
    covers = ", covers whole texts before visits" if clinic.decision_covers_texts else ""
    return f"{clinic.decision_reference}, {clinic.decided_on}, {clinic.decided_by}{covers}"


def _cost(clinic: Clinic) -> str:
    if clinic.missed_visit_cost is None:
        return "none: no text tells what a missed visit costs"
    return f"{clinic.missed_visit_cost} kr a missed visit, {clinic.missed_visit_cost_on}"


def _facility(name: str) -> str:
    dear = dear_characters(name)
    if not dear:
        return name
    return f"{name}: {dear[0].char} ({dear[0].name}) makes each SMS with this name 70 characters a part"


def _stopped(one: ledger.Stopped) -> str:
    return f"{one.messages} ({one.reason}): {one.template}, {one.channel}, {one.language}, version {one.number}"
