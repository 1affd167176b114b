"""Commands about clinics' texts: written in a file, looked at, approved by a second colleague, used, taken back."""

import difflib
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated
from uuid import UUID

import structlog
import typer

from notifier import email_frame, languages
from notifier.action_links import example_address
from notifier.channels import Message
from notifier.composing import told
from notifier.examples import About, example_values, longest_values
from notifier.fields import CATALOGUE
from notifier.lint import Draft, House, lint
from notifier.recipients import InvalidPhone, parse_phone
from notifier.visit_preparations import to_read
from notifier.visit_words import values
from store import clinics, overview, subjects, template_versions
from store.clinics import Clinic
from store.database import Session
from store.facilities import Facility
from store.template_versions import Kept, VersionRefused
from store.templates import TemplateVersion, VersionState
from worker import clinic_texts, template_files
from worker.clinic_texts import Overview, Shown
from worker.commands import text_lines
from worker.commands.clinics import ClinicName, address, clinic_named, colleague_named
from worker.commands.exits import Refused
from worker.commands.trying import hand_over
from worker.commands.wired import our_id, today, wired
from worker.settings import Settings
from worker.spreadsheets import as_csv
from worker.wiring import Wiring

log = structlog.get_logger()

_Name = Annotated[str, typer.Argument(metavar="NAME", help="The text's name, as in `kallelse templates list`.")]
_SomeName = Annotated[str | None, typer.Argument(metavar="[NAME]", help="Only the text of this name.")]
_Channel = Annotated[str, typer.Option(help="sms, email or paper.")]
_SomeChannel = Annotated[str | None, typer.Option(help="Only sms, email or paper.")]
_Language = Annotated[str, typer.Option(help="sv, en, ar, ...")]
_SomeLanguage = Annotated[str | None, typer.Option(help="Only this language.")]
_By = Annotated[str, typer.Option(help="The colleague who does it, by e-mail address.", metavar="EMAIL")]
_Number = Annotated[int | None, typer.Option(help="This version instead of the newest.", min=1)]

_Step = Callable[[Session, TemplateVersion, str, datetime], None]


@dataclass(frozen=True, slots=True)
class _Chosen:
    """A clinic's text in one language, as a command names it."""

    clinic: Clinic
    overview: Overview
    kept: Kept
    house: House

    @property
    def draft(self) -> Draft:
        return clinic_texts.draft_of(self.kept)

    @property
    def name(self) -> str:
        return self.overview.place[0]


def register(app: typer.Typer) -> None:
    commands = typer.Typer(no_args_is_help=True, help="Clinics' texts: versions, approval, previews.")
    commands.command(name="import")(import_)
    commands.command(name="list")(list_)
    for command in (export, fields, preview, approve, activate, rollback, diff):
        commands.command()(command)
    commands.command(name="test")(send_test)
    app.add_typer(commands, name="templates")


def import_(
    file: Annotated[Path, typer.Argument(help="The TOML file; `kallelse templates export` shows how it looks.")],
    by: _By,
) -> None:
    """Saves what is new in a file of texts as drafts. When anything is wrong, nothing is saved: every fault is named by
    text, language and field, with the remedy. Texts that are as they were are left alone.

    Use it after changing what `kallelse templates export` wrote. Nothing is sent with a draft: a second colleague
    approves it (`kallelse templates approve`), then it is put in use (`activate`). Fields stand in double brackets,
    `((datum))`, and `((telefon?? Ring ((telefon)).))` is left out for visits without a number; `kallelse templates
    fields` lists them.

    Example: `kallelse templates import texts.toml --by eva@eken.example`
    """
    content = template_files.read(file)
    with wired() as wiring, wiring.sessions.writing() as session:
        clinic = clinic_named(session, content.clinic)
        author = colleague_named(session, clinic, by).email
        house = clinic_texts.house_of(session, clinic, wiring.settings)
        saved = clinic_texts.import_texts(session, clinic, content, file, house, author, wiring.now(), today(wiring))
        lines = [text_lines.line(one) for one in saved]
        log.info("texts_imported", clinic=str(clinic.id), count=len(saved))
    typer.echo(
        "\n".join([*lines, f"{len(saved)} drafts saved, {len(content.entries) - len(saved)} texts as they were."])
    )
    if saved:
        typer.echo(f'A colleague now looks and approves: kallelse templates approve "{content.clinic}" --by EMAIL')


def export(
    clinic: ClinicName,
    csv: Annotated[
        bool, typer.Option("--csv", help="Languages side by side, for a spreadsheet; only to read.")
    ] = False,
) -> None:
    """Writes what a clinic's messages are made of, its own texts and the shipped ones, to standard output.

    Use it to begin, to keep a copy, or to hand the Swedish texts to a translator. Importing the file changes nothing.
    A translation that is STALE was made from Swedish words that are not in use any more.

    Example: `kallelse templates export "Ekens vårdcentral" > texts.toml`
    """
    with wired() as wiring, wiring.sessions.reading() as session:
        row = clinic_named(session, clinic)
        if csv:
            content = as_csv(text_lines.side_by_side(clinic_texts.overviews(session, row)))
        else:
            content = template_files.written(clinic_texts.exported(session, row))
    typer.echo(content, nl=False)


def list_(clinic: ClinicName) -> None:
    """Lists a clinic's texts, their versions, who wrote and approved them, and which translations are stale.

    Use it to see what waits for approval, and what a citizen of another language gets: where there is no text in a
    language, the Swedish one is sent.

    Example: `kallelse templates list "Ekens vårdcentral"`
    """
    with wired() as wiring, wiring.sessions.reading() as session:
        found = clinic_texts.overviews(session, clinic_named(session, clinic))
        lines = [line for overview in found for line in text_lines.listed(overview)]
    typer.echo("\n".join(lines))


def fields(
    language: _Language = "sv",
) -> None:
    """Lists the fields that a text may hold: what each stands for, an example, and its longest value.

    Use it while writing. A field marked *if there is one* may be missing: write `((telefon?? Ring ((telefon)).))`, so
    that the words around it are left out too.

    Example: `kallelse templates fields --language en`
    """
    _require_language(language)
    with wired() as wiring:
        settings = wiring.settings
        about = About(settings.way_to_1177, cost=3100, cancel_link=example_address(settings.public_url))
    example, longest = example_values(language, about, is_merged=True), longest_values(language, about, in_doubt=True)
    cost = longest_values(language, about)
    for field, info in CATALOGUE.items():
        kind = "condition only" if info.is_condition_only else "if there is one" if info.is_optional else "always"
        long = longest[field] or cost[field]
        typer.echo(f"(({field}))  {info.type}, {kind}: {info.meaning}")
        if not info.is_condition_only:
            typer.echo(f"    {text_lines.on_one_line(example[field] or long)}  |  {text_lines.on_one_line(long)}")


def preview(
    clinic: ClinicName,
    name: _Name,
    channel: _Channel = "sms",
    language: _Language = "sv",
    version: _Number = None,
    booking: Annotated[
        str | None, typer.Option(help="For this booking, by our id, or `next` for the clinic's next one.", metavar="ID")
    ] = None,
) -> None:
    """Shows a text as a citizen would get it, what it costs, its worst case, and what is wrong with it.

    Use it before approving. Without --booking it is written for an example. *BLOCKS* must be mended before the text can
    be used, *see* is worth a look.

    Example: `kallelse templates preview "Ekens vårdcentral" deadline --channel sms --language sv --booking next`
    """
    with wired() as wiring, wiring.sessions.reading() as session:
        chosen = _chosen(session, wiring.settings, clinic, (name, channel, language), version)
        shown = _shown(session, wiring, chosen, booking)
        worst = clinic_texts.at_worst(chosen.draft, chosen.house.about) if channel == "sms" else None
        found = lint(chosen.draft, chosen.house, today(wiring))
        heading = text_lines.line(chosen.kept)
    price = wiring.settings.sms_part_price
    typer.echo(heading)
    typer.echo(text_lines.told_as("as it is sent", shown, price))
    if worst is not None:
        typer.echo(text_lines.told_as("at worst", worst, price))
    for finding in found:
        typer.echo(f"{'BLOCKS' if finding.blocks else 'see':<7} {finding.sentence}")


def approve(
    clinic: ClinicName,
    by: _By,
    name: _SomeName = None,
    channel: _SomeChannel = None,
    language: _SomeLanguage = None,
) -> None:
    """Approves a clinic's newest drafts: all of them, or those of a name, channel or language.

    Use it when you have read them (`preview`, `diff`) and did not write them: nobody approves a text of their own.

    Example: `kallelse templates approve "Ekens vårdcentral" deadline --by ove@eken.example`
    """
    _step(clinic, by, (name, channel, language), VersionState.DRAFT, template_versions.approve)


def activate(
    clinic: ClinicName,
    by: _By,
    name: _SomeName = None,
    channel: _SomeChannel = None,
    language: _SomeLanguage = None,
) -> None:
    """Puts approved texts in use: all of them, or those of a name, channel or language.

    Use it after `approve`. Messages that are planned already keep the words they were planned with. `rollback` takes it
    back at once.

    Example: `kallelse templates activate "Ekens vårdcentral" deadline --by ove@eken.example`
    """
    _step(clinic, by, (name, channel, language), VersionState.APPROVED, template_versions.activate)


def rollback(
    clinic: ClinicName,
    name: _Name,
    by: _By,
    channel: _Channel = "sms",
    language: _Language = "sv",
) -> None:
    """Puts the version in use again that was so before, exactly as it was; the shipped one where there was none.

    Use it when a text turns out wrong. It needs nobody's approval: what comes back has been approved before. Once more
    goes forward again. `kallelse pause --clinic` stops what is planned with the wrong words.

    Example: `kallelse templates rollback "Ekens vårdcentral" deadline --channel sms --by eva@eken.example`
    """
    with wired() as wiring, wiring.sessions.writing() as session:
        row = clinic_named(session, clinic)
        colleague = colleague_named(session, row, by).email
        try:
            back = template_versions.roll_back(session, row.id, (name, channel, language), colleague, wiring.now())
        except VersionRefused as refused:
            raise Refused(f"{name}, {channel}, {language}: {refused}") from None
        log.warning("text_rolled_back", clinic=str(row.id))
        told_back = "the shipped text is in use again" if back is None else text_lines.line(back)
    typer.echo(f"{name}, {channel}, {language}: {told_back}" if back is None else told_back)


def diff(
    clinic: ClinicName,
    name: _Name,
    channel: _Channel = "sms",
    language: _Language = "sv",
    old: Annotated[
        int | None, typer.Option("--from", help="The older version; by default the one in use.", min=1)
    ] = None,
    new: Annotated[int | None, typer.Option("--to", help="The newer version; by default the newest.", min=1)] = None,
) -> None:
    """Shows what differs between two versions of a text, line by line.

    Use it before approving. The first text of a clinic's own is compared with the shipped one.

    Example: `kallelse templates diff "Ekens vårdcentral" deadline --from 2 --to 3`
    """
    with wired() as wiring, wiring.sessions.reading() as session:
        newer = _chosen(session, wiring.settings, clinic, (name, channel, language), new)
        older = _older(session, newer, old)
        lines = list(
            difflib.unified_diff(
                text_lines.lines_of(older),
                text_lines.lines_of(newer.kept),
                text_lines.line(older),
                text_lines.line(newer.kept),
                lineterm="",
            )
        )
    typer.echo("\n".join(lines) if lines else "They are the same.")


def send_test(
    clinic: ClinicName,
    name: _Name,
    to: Annotated[str, typer.Option(help="A colleague's e-mail address or registered mobile number.")],
    channel: _Channel = "sms",
    language: _Language = "sv",
    version: _Number = None,
) -> None:
    """Sends a text, written for an example, to a colleague of the clinic: to nobody else, whatever address is given.

    Use it to see a text on a real phone or in a real mail program. It goes out for real and may cost, is not in the
    ledger, and holds no citizen's data.

    Example: `kallelse templates test "Ekens vårdcentral" deadline --channel email --to eva@eken.example`
    """
    if channel == "paper":
        raise Refused("--channel: letters are sent to nobody from here; `kallelse templates preview` shows the words")
    with wired() as wiring:
        with wiring.sessions.reading() as session:
            chosen = _chosen(session, wiring.settings, clinic, (name, channel, language), version)
            address = _colleagues_own(session, chosen.clinic, channel, to)
            shown = clinic_texts.as_example(chosen.draft, name, chosen.house.about)
            blocking = [one.sentence for one in lint(chosen.draft, chosen.house, today(wiring)) if one.blocks]
        if shown.fault or blocking:
            raise Refused(f"{name}, {channel}, {language}: {shown.fault or blocking[0]}")
        message = _test_message(address, shown, language, wiring.settings.way_to_1177)
        typer.echo(hand_over(wiring.channels, channel, message))


def _chosen(
    session: Session, settings: Settings, clinic: str, place: tuple[str, str, str], number: int | None
) -> _Chosen:
    row = clinic_named(session, clinic)
    found = next((one for one in clinic_texts.overviews(session, row) if one.place == place), None)
    if found is None:
        raise Refused(f"{', '.join(place)}: there is no such text; `kallelse templates list` shows them")
    kept = found.newest if number is None else next((one for one in found.versions if _is(one, number)), None)
    if kept is None:
        raise Refused(f"{', '.join(place)}: there is no version {number}")
    return _Chosen(row, found, kept, clinic_texts.house_of(session, row, settings))


def _is(kept: Kept, number: int) -> bool:
    return kept.version.number == number


def _older(session: Session, newer: _Chosen, number: int | None) -> Kept:
    """What to compare with: the version named, or the one in use; the shipped one where there is no other."""
    versions = newer.overview.versions
    if number is not None:
        found = next((one for one in versions if _is(one, number)), None)
        if found is None:
            raise Refused(f"--from: there is no version {number}")
        return found
    in_use = template_versions.active([one for one in versions if one != newer.kept])
    shipped = (one for one in template_versions.of_clinic(session, None) if _is_same(one, newer.overview))
    return in_use or template_versions.active(list(shipped)) or versions[0]


def _is_same(kept: Kept, overview: Overview) -> bool:
    return (kept.template.name, kept.template.channel, kept.version.language) == overview.place


def _step(
    clinic: str, by: str, of: tuple[str | None, str | None, str | None], state: VersionState, step: _Step
) -> None:
    """Takes one step with the newest version of every text asked for that stands before it."""
    with wired() as wiring, wiring.sessions.writing() as session:
        row = clinic_named(session, clinic)
        colleague = colleague_named(session, row, by).email
        house = clinic_texts.house_of(session, row, wiring.settings)
        waiting = [one for one in _asked(session, row, of) if one.version.state == state]
        if not waiting:
            raise Refused(f"no {state} of that name, channel and language waits; `kallelse templates list` shows all")
        for one in waiting:
            _take(session, one, house, step, colleague, wiring)
        log.info("texts_stepped", clinic=str(row.id), count=len(waiting))
        lines = [text_lines.line(one) for one in waiting]
    typer.echo("\n".join(lines))


def _asked(session: Session, clinic: Clinic, of: tuple[str | None, str | None, str | None]) -> list[Kept]:
    own = (one for one in clinic_texts.overviews(session, clinic) if not one.is_shipped)
    return [
        one.newest
        for one in own
        if all(wanted is None or wanted == part for wanted, part in zip(of, one.place, strict=True))
    ]


def _take(session: Session, kept: Kept, house: House, step: _Step, by: str, wiring: Wiring) -> None:  # noqa: PLR0913
    """Held to today's lint: the lists may have grown since it was saved."""
    name = text_lines.line(kept)
    blocking = [one.sentence for one in lint(clinic_texts.draft_of(kept), house, today(wiring)) if one.blocks]
    if blocking:
        raise Refused(f"{name}: {blocking[0]}")
    try:
        step(session, kept.version, by, wiring.now())
    except VersionRefused as refused:
        raise Refused(f"{name}: {refused}") from None


def _shown(session: Session, wiring: Wiring, chosen: _Chosen, booking: str | None) -> Shown:
    if booking is None:
        return clinic_texts.as_example(chosen.draft, chosen.name, chosen.house.about)
    row = overview.next_booking_of_clinic(session, chosen.clinic.id, wiring.now(), _booking_id(booking))
    if row is None:
        raise Refused("--booking: the clinic has no such coming booking")
    place = session.get_one(Facility, row.facility)
    cipher, language = subjects.cipher_of(session, wiring.vault, row.subject_id), chosen.draft.language
    reading = to_read(session, cipher, [row], chosen.clinic, language).get(row.id)
    visit = told(row, place, chosen.clinic, has_preparations=reading is not None)
    about = chosen.house.about
    page = about.cancel_link if reading is not None and reading.on_page else ""
    return clinic_texts.shown(
        chosen.draft, values([visit], language, about.link, wiring.now(), about.cancel_link, page)
    )


def _booking_id(text: str) -> UUID | None:
    return None if text == "next" else our_id(text)


def _require_language(language: str) -> None:
    if not languages.is_known(language):
        raise Refused("--language: must be a code such as sv, en, ar or so")


def _colleagues_own(session: Session, clinic: Clinic, channel: str, to: str) -> str:
    """The address in its normal form, if it is a colleague's. Raises Refused."""
    known = clinics.colleagues(session, clinic.id)
    try:
        wanted = address(to, "--to") if channel == "email" else parse_phone(to)
    except InvalidPhone as fault:
        raise Refused(f"--to: {fault}") from None
    if wanted not in {one.email if channel == "email" else one.phone for one in known}:
        raise Refused(
            f"--to: this belongs to no colleague of {clinic.name}: `kallelse clinic colleague` registers addresses and"
            " numbers; tests go to nobody else"
        )
    return wanted


def _test_message(address: str, shown: Shown, language: str, link: str) -> Message:
    now = datetime.now(UTC)
    subject_line = shown.subject_line
    return Message(
        to=address,
        subject_line=subject_line,
        text=shown.text,
        html=email_frame.html(subject_line, shown.text, language, link) if subject_line else "",
        language=language,
        delivery_id=f"test-{secrets.token_hex(8)}",
        attempt_id=secrets.token_urlsafe(16),
        useful_until=now + timedelta(hours=1),
        now=now,
    )
