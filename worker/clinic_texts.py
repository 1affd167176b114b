"""A clinic's texts as its colleagues work on them: what holds for them, import and export, what each looks like."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import groupby
from pathlib import Path
from urllib.parse import urlsplit
from uuid import UUID

from notifier import health_words, languages
from notifier.action_links import example_address
from notifier.examples import About, example_values
from notifier.fields import Field
from notifier.lint import Draft, House, lint, worst
from notifier.rules import merged
from notifier.sms_text import Cost, cost
from notifier.wording import InvalidTemplate, MissingField, parse, render
from store import facilities, template_versions
from store.clinics import Clinic
from store.database import Session
from store.template_versions import Kept, VersionRefused
from worker.import_files import ImportRefused
from worker.settings import Settings, SettingsInvalid
from worker.template_files import TextEntry, TextsFile

Place = tuple[str, str, str]  # name, channel, language


@dataclass(frozen=True, slots=True)
class Shown:
    """A text with values put in. `fault`: what kept it from being one, in words; then there is no text."""

    subject_line: str = field(default="", repr=False)
    text: str = field(default="", repr=False)
    cost: Cost | None = None  # SMS only
    fault: str = ""


@dataclass(frozen=True, slots=True)
class Overview:
    """A text in one language, with every version that there is of it. `is_shipped`: the clinic has none of its own."""

    place: Place
    versions: tuple[Kept, ...]
    is_shipped: bool
    is_stale: bool

    @property
    def current(self) -> Kept:
        """In use; where nothing is yet, the newest."""
        return template_versions.active(self.versions) or self.versions[-1]

    @property
    def newest(self) -> Kept:
        return self.versions[-1]


def house_of(session: Session, clinic: Clinic, settings: Settings) -> House:
    """What holds for the clinic's texts."""
    places = facilities.of_clinic(session, clinic.id)
    return House(
        clinic=clinic.name,
        about=About(
            link=settings.way_to_1177,
            names=sorted({place.message_name for place in places}),
            phones=sorted({phone for phone in [clinic.phone, *(place.phone for place in places)] if phone}),
            cost=clinic.missed_visit_cost,
            cancel_link=example_address(settings.public_url),
        ),
        hosts=allowed_hosts(settings),
        health_words=listed_health_words(settings.health_words),
        cost_on=clinic.missed_visit_cost_on,
    )


def allowed_hosts(settings: Settings) -> frozenset[str]:
    """Where links may lead: what is set, and where our own lead."""
    ours = (urlsplit(address).hostname or "" for address in (settings.way_to_1177, settings.public_url))
    return frozenset(host.casefold() for host in (*settings.link_hosts.split(), *ours))


def listed_health_words(path: Path | None) -> tuple[str, ...]:
    if path is None:
        return health_words.SHIPPED
    try:
        return health_words.read(path.read_text("utf-8").splitlines())
    except (OSError, UnicodeDecodeError):
        raise SettingsInvalid(f"KALLELSE_HEALTH_WORDS: {path} cannot be read as UTF-8 text") from None


def overviews(session: Session, clinic: Clinic) -> list[Overview]:
    """Every text that the clinic's messages are made of: its own, and where it has none, the shipped one."""
    own, shipped = (_by_place(template_versions.of_clinic(session, owner)) for owner in (clinic.id, None))
    return [
        Overview(
            place,
            tuple(own.get(place) or shipped[place]),
            is_shipped=place not in own,
            is_stale=place in own and _is_stale(place, own, shipped),
        )
        for place in sorted(own.keys() | shipped.keys(), key=_in_order)
    ]


def exported(session: Session, clinic: Clinic) -> TextsFile:
    """What the clinic's messages are made of now. Importing it changes nothing."""
    found = overviews(session, clinic)
    numbers = _numbers(found)
    return TextsFile(clinic.name, tuple(_entry(overview, numbers) for overview in found))


def import_texts(  # noqa: PLR0913 - whose texts, by whom, held to what, and when
    session: Session, clinic: Clinic, file: TextsFile, path: Path, house: House, by: str, now: datetime, today: date
) -> list[Kept]:
    """Saves what is new as drafts. Raises ImportRefused, with every fault, before anything is written."""
    found = overviews(session, clinic)
    known, numbers = {one.place: one for one in found}, _numbers(found)
    changed = [entry for entry in file.entries if not _is_there(entry, known, numbers)]
    faults = [*_misplaced(changed, file, found), *_blocked(changed, house, today)]
    if faults:
        raise ImportRefused("\n".join(f"{path}, {fault}" for fault in faults))
    # Swedish first: a translation in the same file is made from it.
    in_order = sorted(changed, key=lambda entry: entry.language != languages.SWEDISH)
    return [_saved(session, clinic, entry, path, by, now) for entry in in_order]


def draft_of(kept: Kept) -> Draft:
    template, version = kept.template, kept.version
    return Draft(template.purpose, template.channel, version.language, version.subject_line, version.text)


def as_example(draft: Draft, name: str, about: About) -> Shown:
    return shown(draft, example_values(draft.language, about, is_merged=name.endswith(merged(""))))


def at_worst(draft: Draft, about: About) -> Shown:
    """The dearest that an SMS can become. What cannot be parsed has no worst case."""
    try:
        text, counted = worst(draft, parse(draft.text, draft.purpose), about)
    except InvalidTemplate as wrong:
        return Shown(fault="; ".join(wrong.problems))
    return Shown(text=text, cost=counted)


def shown(draft: Draft, values: Mapping[Field, str]) -> Shown:
    """The text as somebody would get it."""
    try:
        text, subject_line = (
            render(parse(words, draft.purpose), values, from_the_right=draft.from_the_right)
            for words in (draft.text, draft.subject_line)
        )
    except MissingField as missing:
        return Shown(fault=f"Besöket saknar {', '.join(missing.fields)}: ingenting skulle skickas.")
    except InvalidTemplate as wrong:
        return Shown(fault="; ".join(wrong.problems))
    return Shown(subject_line, text, cost(text) if draft.channel == "sms" else None)


def _by_place(versions: Iterable[Kept]) -> dict[Place, list[Kept]]:
    return {place: list(kept) for place, kept in groupby(versions, _place)}


def _place(kept: Kept) -> Place:
    return kept.template.name, kept.template.channel, kept.version.language


def _in_order(place: Place) -> tuple[str, bool, bool, str]:
    """By name; SMS before e-mail, Swedish before its translations."""
    name, channel, language = place
    return name, channel != "sms", language != languages.SWEDISH, language


def _is_stale(place: Place, own: Mapping[Place, Sequence[Kept]], shipped: Mapping[Place, Sequence[Kept]]) -> bool:
    name, channel, _ = place
    swedish = (name, channel, languages.SWEDISH)
    translation = template_versions.active(own[place]) or own[place][-1]
    return template_versions.is_stale(translation, own.get(swedish, ()), shipped.get(swedish, ()))


def _entry(overview: Overview, numbers: Mapping[UUID, int]) -> TextEntry:
    template, version = overview.current.template, overview.current.version
    state = "shipped" if overview.is_shipped else f"version {version.number}, {version.state}"
    stale = "; STALE: the Swedish text has changed since" if overview.is_stale else ""
    return TextEntry(
        name=template.name,
        purpose=template.purpose,
        channel=template.channel,
        language=version.language,
        subject_line=version.subject_line,
        text=version.text,
        made_from=_made_from(overview.current, numbers),
        remark=state + stale,
    )


def _numbers(found: Iterable[Overview]) -> dict[UUID, int]:
    return {one.version.id: one.version.number for overview in found for one in overview.versions}


def _is_there(entry: TextEntry, known: Mapping[Place, Overview], numbers: Mapping[UUID, int]) -> bool:
    """Whether the words are those in use, or the newest, and a translation made from what the file says."""
    overview = known.get((entry.name, entry.channel, entry.language))
    return overview is not None and any(
        one.words == (entry.subject_line, entry.text)
        and (entry.made_from is None or entry.made_from == _made_from(one, numbers))
        for one in (overview.current, overview.newest)
    )


def _made_from(kept: Kept, numbers: Mapping[UUID, int]) -> int | None:
    made_from = kept.version.made_from_id
    return None if made_from is None else numbers.get(made_from)


def _misplaced(changed: Sequence[TextEntry], file: TextsFile, found: Iterable[Overview]) -> Iterable[str]:
    purposes = {one.place[:2]: one.current.template.purpose for one in found}
    swedish = {(one.name, one.channel) for one in file.entries if one.language == languages.SWEDISH}
    for entry in changed:
        purpose = purposes.get((entry.name, entry.channel))
        if purpose is not None and purpose != entry.purpose:
            yield f"{entry.place}, purpose: a text of this name is for {purpose}; write that, or name it otherwise"
        if purpose is None and entry.language != languages.SWEDISH and (entry.name, entry.channel) not in swedish:
            yield f"{entry.place}, language: there is no Swedish text of this name to stand in for it; import it too"


def _blocked(changed: Iterable[TextEntry], house: House, today: date) -> Iterable[str]:
    for entry in changed:
        draft = Draft(entry.purpose, entry.channel, entry.language, entry.subject_line, entry.text)
        for finding in lint(draft, house, today):
            if finding.blocks:
                yield f"{entry.place}, text: {finding.sentence}"


def _saved(  # noqa: PLR0913 - one entry of `import_texts`
    session: Session, clinic: Clinic, entry: TextEntry, path: Path, by: str, now: datetime
) -> Kept:
    try:
        return template_versions.save_draft(session, clinic.id, entry, by, now)
    except VersionRefused as refused:
        raise ImportRefused(f"{path}, {entry.place}, made_from: {refused}") from None
