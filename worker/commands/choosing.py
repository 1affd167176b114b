"""The command by which a citizen's choices about being told are kept, until there are pages for it."""

from typing import Annotated
from uuid import UUID

import typer

from notifier import agreed, languages
from notifier.choices import InvalidChoice
from notifier.offsets import InvalidOffset
from notifier.windows import InvalidQuietHours
from store import choices, clinics, enrolment, subjects
from store.choices import Choice
from store.database import Session
from store.subjects import Subject
from worker.commands.exits import Refused
from worker.commands.wired import our_id, wired

_OurId = Annotated[UUID, typer.Argument(help="Our id, from `kallelse subjects list`.", parser=our_id, metavar="ID")]


def choose(
    subject: Annotated[
        UUID, typer.Argument(help="Our id, from `kallelse subjects list`.", parser=our_id, metavar="ID")
    ],
    channels: Annotated[
        str, typer.Option(help="`email`, `sms`, or both as `email,sms`, the preferred first; `none`.")
    ] = "",
    language: Annotated[str, typer.Option(help="Of messages, as `sv`, `en`, `ar`; else as before.")] = "",
    quiet: Annotated[str, typer.Option(help="When not to be told, as `19.00-09.00`.", metavar="FROM-UNTIL")] = "",
    also: Annotated[list[str] | None, typer.Option(help="One more reminder, as `days:7:10.00`; at most three.")] = None,
    reminded_by: Annotated[
        list[str] | None, typer.Option(help="A clinic whose own reminders are enough.", metavar="CLINIC")
    ] = None,
) -> None:
    """Keeps what a person has chosen about being told, in the place of what they chose before.

    Use it when somebody asks for it. What is not given is the clinic's to say again. A visit moved, off or on again is
    told of all the same, by any channel.

    Example: `kallelse subjects choose 01a206b5-ca55-7cf9-8036-32bf2ca86384 --channels email --quiet 19.00-09.00`
    """
    with wired() as wiring, wiring.sessions.writing() as session:
        if not enrolment.is_known(session, subject):
            raise Refused("there is no subject with this id; `kallelse subjects list` shows them")
        quiet_from, _, quiet_until = quiet.partition("-")
        choice = Choice(
            subject_id=subject, channels=channels, quiet_from=quiet_from, quiet_until=quiet_until,
            offsets=",".join(also or ()), chosen_at=wiring.now(),
        )  # fmt: skip
        _require_readable(choice)
        choices.keep(session, choice, [_clinic(session, name) for name in reminded_by or ()])
        if language:
            _speak(session, subject, language)
        subjects.wake_planning(session, [subject], wiring.now())
    typer.echo("Kept.")


def _require_readable(choice: Choice) -> None:
    try:
        agreed.of_choice(choice)
    except InvalidChoice as fault:
        raise Refused(f"--channels or --also: {fault}") from None
    except InvalidOffset as fault:
        raise Refused(f"--also: {fault}") from None
    except InvalidQuietHours as fault:
        raise Refused(f"--quiet: {fault}") from None
    except ValueError:
        raise Refused("--quiet: write it as 19.00-09.00") from None


def _clinic(session: Session, name: str) -> UUID:
    found = clinics.by_name(session, name)
    if found is None:
        raise Refused(f"--reminded-by: there is no clinic named {name!r}: write it as in the facilities file")
    return found.id


def _speak(session: Session, subject: UUID, language: str) -> None:
    if not languages.is_known(language):
        raise Refused("--language: must be a code such as sv, en, ar or so")
    row = session.get_one(Subject, subject)
    row.language = language
    session.add(row)
