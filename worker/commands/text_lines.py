"""How clinics' texts look in the shell: versions, costs, languages side by side. Decides nothing."""

from notifier import languages
from store.template_versions import Kept
from store.templates import TemplateVersion
from worker.clinic_texts import Overview, Shown


def told_as(heading: str, shown: Shown, price: float) -> str:
    lines = [f"--- {heading}"]
    if shown.fault:
        return "\n".join([*lines, shown.fault])
    lines += [shown.subject_line] if shown.subject_line else []
    lines.append(shown.text)
    if shown.cost is not None:
        parts, units = shown.cost.parts, shown.cost.units
        room = f"of {shown.cost.limit} " if parts == 1 else ""
        lines.append(f"    {parts} part{'s' * (parts > 1)}, {units} {room}characters, {parts * price:.2f} kr")
    return "\n".join(lines)


def line(kept: Kept) -> str:
    template, version = kept.template, kept.version
    return f"{template.name}, {template.channel}, {version.language}, version {version.number}, {version.state}"


def listed(overview: Overview) -> list[str]:
    name, channel, language = overview.place
    heading = f"{name}, {channel}, {language} ({languages.swedish_name(language)})"
    if overview.is_shipped:
        return [f"{heading}: shipped"]
    stale = ": STALE, the Swedish text has changed" if overview.is_stale else ""
    return [heading + stale, *(f"    {_history(one.version)}" for one in overview.versions)]


def _history(version: TemplateVersion) -> str:
    approved = f", approved by {version.approved_by}" if version.approved_by else ""
    return f"version {version.number}, {version.state}: written by {version.written_by}{approved}"


def side_by_side(found: list[Overview]) -> list[list[str]]:
    """A row for each text, a column for each language, Swedish first."""
    spoken = sorted({one.place[2] for one in found}, key=lambda one: (one != languages.SWEDISH, one))
    by_place = {one.place: one for one in found}
    texts = list(dict.fromkeys(one.place[:2] for one in found))
    heading = ["name", "channel", *(f"{language} ({languages.swedish_name(language)})" for language in spoken)]
    rows = [
        [name, channel, *(_side(by_place.get((name, channel, language))) for language in spoken)]
        for name, channel in texts
    ]
    return [heading, *rows]


def _side(overview: Overview | None) -> str:
    if overview is None:
        return ""
    text = "\n\n".join(one for one in overview.current.words if one)
    return f"{'[STALE] ' if overview.is_stale else ''}{text}"


def lines_of(kept: Kept) -> list[str]:
    subject_line, text = kept.words
    return [subject_line, *text.split("\n")] if subject_line else text.split("\n")


def on_one_line(text: str) -> str:
    return " / ".join(text.split("\n"))
