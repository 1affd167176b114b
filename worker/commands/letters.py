"""Commands about letters: for whom no channel reaches, printed for a clinic's staff to send."""

import re
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Annotated

import typer

from notifier.channels.letter_sheets import can_show
from notifier.letters import ComposedLetter, LeftOut, Letters, LetterSettings
from notifier.swedish_days import wall_clock
from store import clinics, letters
from store.clinics import Clinic
from store.database import DatabaseError, Session
from store.installation import paused_at
from store.letters import Handed, Letter, PrintedElsewhere
from worker.commands.clinics import clinic_named
from worker.commands.exits import Failed, Refused
from worker.commands.wired import minute, wired
from worker.letter_printing import Files, hand_over, hand_over_again, letters_again, new_letters
from worker.wiring import Wiring

_NUMBER = re.compile(r"[0-9A-Z]{5}-[0-9A-Z]{5}")
_LETTERS_HEADER = f"{'visit':<16}  {'purpose':<12}  {'letter':<11}  {'subject':<36}  booking"
_LEFT_OUT_HEADER = f"{'visit':<16}  {'purpose':<12}  {'no letter':<13}  {'subject':<36}  booking"
_HANDED_HEADER = f"{'printed':<16}  {'letters':>7}  {'again':>5}  by"
_DAY = timedelta(days=1)
_UNKNOWN = (
    "the files are written, but the database went away: `kallelse letters CLINIC --printed` says whether the letters"
    " are written down. If not, they come again under the same numbers: delete the files"
)


def register(app: typer.Typer) -> None:
    app.command(name="letters")(print_letters)


def print_letters(
    clinic: Annotated[str, typer.Argument(help="The clinic's name, as in the facilities file.", metavar="CLINIC")],
    csv: Annotated[
        Path | None,
        typer.Option(help="New file that tells who is to have which letter, and its words.", metavar="FILE"),
    ] = None,
    pdf: Annotated[
        Path | None, typer.Option(help="New file with the letters on A4 for window envelopes.", metavar="FILE")
    ] = None,
    by: Annotated[str, typer.Option(help="Who is handed the files: it is kept; needed with `--csv`.")] = "",
    again: Annotated[
        str, typer.Option(help="Prints lost ones anew: a letter's number, or the day it was printed.")
    ] = "",
    printed: Annotated[
        bool, typer.Option("--printed", help="Lists who was handed letters, when and how many.")
    ] = False,
) -> None:
    """Prints a letter for everybody on `kallelse subjects unreached` whom the post still reaches in time, and lists for
    whom there is none: those are to be called.

    Use it daily. Without files it only lists. Each letter is made from what is known at that moment, with the clinic's
    words for `paper` if it has such, else those for e-mail, and printed once; a visit that moves or is off afterwards
    gets a new one. *In time*: read the day before, KALLELSE_LETTER_WEEKDAYS Swedish weekdays after printing. *no
    letter*: `too_late`, `protected`, `no_consent`, `held` (the population register is not fresh), `in_doubt` (looked at
    again within minutes), `frozen`, `overtaken` (told since, or no longer true) and the like.

    **The files hold personal data**: their owner alone can read them, no file that exists is written over, and they are
    to be deleted when the letters are sent. We know no names or postal addresses: the CSV has identity number and
    letter number, the PDF the letter number alone, which shows in the envelope's window until an address covers it. A
    language whose signs the PDF's font does not have is written in Swedish. When the command dies in between, the same
    letters come again under the same numbers.

    Example: `kallelse letters "Ekens vårdcentral" --csv brev.csv --pdf brev.pdf --by "Sköterska Lind"`, or `... --again
    2026-11-25`
    """
    with wired() as wiring:
        if printed:
            _list_handed(wiring, clinic)
            return
        files = _files(csv, pdf, by)
        lost, found = _composed(wiring, clinic, again, _settings(wiring, pdf))
        if files is not None and found.made:
            _print(wiring, lost, found.made, files, by.strip())
    _show(found, files)


def _files(csv: Path | None, pdf: Path | None, by: str) -> Files | None:
    if csv is None:
        if pdf is not None:
            raise Refused("--pdf: give --csv too: a PDF alone tells nobody whose letters they are")
        return None
    if not by.strip():
        raise Refused("--by: say who is handed the letters")
    for option, path in (("--csv", csv), ("--pdf", pdf)):
        if path is not None and path.exists():
            raise Refused(f"{option}: {path} is there already: name a new file")
    return Files(csv, pdf)


def _settings(wiring: Wiring, pdf: Path | None) -> LetterSettings:
    settings = wiring.settings
    shown = can_show if pdf is not None else _anything
    return LetterSettings(settings.way_to_1177, settings.letter_weekdays, wiring.population_stale_after, shown)


def _anything(_text: str) -> bool:
    """What a clinic lays out itself has a font of its own."""
    return True


def _composed(
    wiring: Wiring, name: str, again: str, settings: LetterSettings
) -> tuple[Sequence[Letter] | None, Letters]:
    """The lost letters, if it is about those, and what there is to print."""
    with wiring.sessions.reading() as session:
        clinic = _may_print(session, clinic_named(session, name))
        if not again:
            return None, new_letters(session, wiring.vault, clinic, settings, wiring.now())
        lost = _lost(session, clinic, again)
        return lost, letters_again(session, wiring.vault, clinic, lost, settings, wiring.now())


def _may_print(session: Session, clinic: Clinic) -> Clinic:
    if not clinics.may_send(clinic):
        raise Refused("the clinic's needs-and-risk decision is not recorded: `kallelse clinic decide`")
    if clinic.paused_at is not None or paused_at(session) is not None:
        raise Refused("sending is paused: `kallelse resume`")
    return clinic


def _lost(session: Session, clinic: Clinic, again: str) -> list[Letter]:
    if _NUMBER.fullmatch(again):
        found = letters.numbered(session, clinic.id, again)
        lost = [] if found is None else [found]
    else:
        on = _day(again)
        lost = letters.printed(session, clinic.id, wall_clock(on, time()), wall_clock(on + _DAY, time()))
    if not lost:
        raise Refused(
            f"--again: the clinic has no letter of {again}; `kallelse letters CLINIC --printed` shows the days"
        )
    return lost


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise Refused("--again: write a letter's number as it stands there, or a day as 2026-11-25") from None


def _print(
    wiring: Wiring, lost: Sequence[Letter] | None, made: Sequence[ComposedLetter], files: Files, by: str
) -> None:
    try:
        if lost is None:
            hand_over(wiring.sessions, made, files, by)
        else:
            hand_over_again(wiring.sessions, made, lost, files, by)
    except FileExistsError:
        raise Refused("--csv, --pdf: a file of that name is there already: name a new file") from None
    except PrintedElsewhere:
        raise Failed("somebody else has printed some of these letters meanwhile: try again for the rest") from None
    except OSError as error:
        raise Refused(f"the files cannot be written: {error.strerror}") from None
    except DatabaseError:
        raise Failed(_UNKNOWN) from None


def _show(found: Letters, files: Files | None) -> None:
    if found.made:
        typer.echo(_LETTERS_HEADER)
    for one in found.made:
        typer.echo(_letter_line(one))
    if found.left_out:
        typer.echo(_LEFT_OUT_HEADER)
    for left in found.left_out:
        typer.echo(_left_out_line(left))
    typer.echo(_summary(found, files), err=True)


def _summary(found: Letters, files: Files | None) -> str:
    number = len(found.made)
    if files is None:
        return f"{number} to print with --csv and --pdf; {len(found.left_out)} not."
    if not number:
        return f"No letter is to be printed, and no file was written; {len(found.left_out)} not."
    where = f"{files.csv} and {files.pdf}" if files.pdf is not None else str(files.csv)
    return f"{number} printed: {where}. {len(found.left_out)} not. Delete the files when the letters are sent."


def _list_handed(wiring: Wiring, name: str) -> None:
    with wiring.sessions.reading() as session:
        rows = letters.handed_over(session, clinic_named(session, name).id)
    if not rows:
        typer.echo("No letter has been printed for this clinic.", err=True)
        return
    typer.echo(_HANDED_HEADER)
    for row in rows:
        typer.echo(_handed_line(row))


def _handed_line(row: Handed) -> str:
    return f"{minute(row.printed_at)}  {row.letters:>7}  {row.again:>5}  {row.printed_by}"


def _letter_line(one: ComposedLetter) -> str:
    row = one.row
    return f"{minute(one.visit_at)}  {row.purpose:<12}  {row.number}  {row.subject_id}  {row.booking_id}"


def _left_out_line(one: LeftOut) -> str:
    return f"{_at(one.visit_at):<16}  {one.purpose:<12}  {one.reason:<13}  {one.subject_id}  {one.booking_id or '-'}"


def _at(at: datetime | None) -> str:
    return "-" if at is None else minute(at)
