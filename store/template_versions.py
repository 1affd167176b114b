"""How a clinic's text comes into use: written, approved by a second colleague, active, and back again.

A version's words are never changed: what is new is a new version, what is old comes back as it was, byte for byte.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import event, inspect
from sqlmodel import Session, col, select

from store.purposes import Purpose
from store.templates import Template, TemplateVersion, VersionState

SOURCE_LANGUAGE = "sv"
_HAS_BEEN_IN_USE = frozenset({VersionState.ACTIVE, VersionState.RETIRED})
_WORDS = ("template_id", "language", "number", "subject_line", "text", "written_by", "made_at")


class VersionRefused(Exception):
    """A step that may not be taken; the message says what to do instead."""


@dataclass(frozen=True, slots=True)
class Words:
    """A text as somebody has written it. `made_from`: the number of the Swedish version it was translated from; None:
    the newest."""

    name: str
    purpose: Purpose
    channel: str
    language: str
    subject_line: str = field(repr=False)
    text: str = field(repr=False)
    made_from: int | None = None


@dataclass(frozen=True, slots=True)
class Kept:
    """A version with the template it belongs to."""

    template: Template
    version: TemplateVersion

    @property
    def words(self) -> tuple[str, str]:
        return self.version.subject_line, self.version.text


def of_clinic(session: Session, clinic_id: UUID | None) -> list[Kept]:
    """Every version of a clinic's texts, or of those shipped: by name, channel, language, the newest last."""
    query = (
        select(Template, TemplateVersion)
        .join(TemplateVersion, col(TemplateVersion.template_id) == col(Template.id))
        .where(col(Template.clinic_id).is_(None) if clinic_id is None else col(Template.clinic_id) == clinic_id)
        .order_by(
            col(Template.name), col(Template.channel).desc(), col(TemplateVersion.language), col(TemplateVersion.number)
        )
    )
    return [Kept(template, version) for template, version in session.exec(query)]


def active(versions: Sequence[Kept]) -> Kept | None:
    return next((one for one in versions if one.version.state == VersionState.ACTIVE), None)


def is_stale(translation: Kept, own: Sequence[Kept], shipped: Sequence[Kept]) -> bool:
    """Whether the Swedish words in use are others than those it was made from; `own` before `shipped`. One made from
    words that are not in use yet is ahead, not behind."""
    made_from_id, in_use = translation.version.made_from_id, active(own) or active(shipped)
    if made_from_id is None or in_use is None or made_from_id == in_use.version.id:
        return False
    made_from = next((one for one in (*own, *shipped) if one.version.id == made_from_id), None)
    return made_from is None or made_from.version.state in _HAS_BEEN_IN_USE


def save_draft(session: Session, clinic_id: UUID, words: Words, written_by: str, now: datetime) -> Kept:
    """The words as a new version. Raises VersionRefused where a translation has no Swedish words to be made from, or
    other ones than named."""
    template = _template(session, clinic_id, words)
    kept = _versions(session, template, words.language)
    made_from_id = None if words.language == SOURCE_LANGUAGE else _source(session, template, words).id
    version = TemplateVersion(
        template_id=template.id,
        language=words.language,
        number=kept[-1].version.number + 1 if kept else 1,
        state=VersionState.DRAFT,
        subject_line=words.subject_line,
        text=words.text,
        written_by=written_by,
        made_from_id=made_from_id,
        made_at=now,
    )
    session.add(version)
    session.flush()
    return Kept(template, version)


def approve(session: Session, version: TemplateVersion, by: str, now: datetime) -> None:
    """Raises VersionRefused unless it is a draft that somebody else has written."""
    row = _locked(session, version)
    if row.state != VersionState.DRAFT:
        raise VersionRefused(f"version {row.number} is {row.state}: only a draft can be approved")
    if row.written_by == by:
        raise VersionRefused("whoever wrote a text cannot approve it: ask another colleague")
    row.state, row.approved_by, row.approved_at = VersionState.APPROVED, by, now
    session.add(row)
    session.flush()


def activate(session: Session, version: TemplateVersion, by: str, now: datetime) -> None:
    """It is used from now on; what is planned keeps the words it was planned with. Raises VersionRefused."""
    row = _locked(session, version)
    if row.state != VersionState.APPROVED:
        raise VersionRefused(f"version {row.number} is {row.state}: only what a colleague has approved is activated")
    _put_in_use(session, row, by, now)


def roll_back(session: Session, clinic_id: UUID, of: tuple[str, str, str], by: str, now: datetime) -> Kept | None:
    """Name, channel, language: the version that was in use before the present one is again, as it was. None: there was
    none, and the shipped words stand in. Raises VersionRefused where these would be missing too.
    """
    name, channel, language = of
    template = _of_name(session, clinic_id, name, channel)
    kept = [] if template is None else _versions(session, template, language)
    in_use = active(kept)
    if in_use is None:
        raise VersionRefused("no version of this text is in use: there is nothing to go back from")
    before = [one for one in kept if one.version.state == VersionState.RETIRED and one.version.activated_at]
    if not before and _of_name(session, None, name, channel) is None:
        raise VersionRefused("no other version has been in use, and none is shipped: there is nothing to go back to")
    if not before:
        _retire(session, in_use.version)
        return None
    latest = max(before, key=lambda one: (one.version.activated_at or one.version.made_at, one.version.number))
    _put_in_use(session, _locked(session, latest.version), by, now)
    return latest


def _put_in_use(session: Session, row: TemplateVersion, by: str, now: datetime) -> None:
    template = session.get_one(Template, row.template_id)
    in_use = active(_versions(session, template, row.language))
    if in_use is not None:
        _retire(session, in_use.version)
    row.state, row.activated_by, row.activated_at = VersionState.ACTIVE, by, now
    session.add(row)
    session.flush()


def _retire(session: Session, row: TemplateVersion) -> None:
    row.state = VersionState.RETIRED
    session.add(row)
    session.flush()


def _locked(session: Session, version: TemplateVersion) -> TemplateVersion:
    """The row as it is now, held with its siblings: two colleagues take their steps one after the other."""
    session.exec(select(Template.id).where(col(Template.id) == version.template_id).with_for_update()).one()
    return session.get_one(TemplateVersion, version.id, populate_existing=True)


def _template(session: Session, clinic_id: UUID, words: Words) -> Template:
    found = _of_name(session, clinic_id, words.name, words.channel)
    if found is not None:
        return found
    made = Template(clinic_id=clinic_id, name=words.name, purpose=words.purpose, channel=words.channel)
    session.add(made)
    session.flush()
    return made


def _of_name(session: Session, clinic_id: UUID | None, name: str, channel: str) -> Template | None:
    owner = col(Template.clinic_id).is_(None) if clinic_id is None else col(Template.clinic_id) == clinic_id
    query = select(Template).where(owner, col(Template.name) == name, col(Template.channel) == channel)
    return session.exec(query.with_for_update()).first()


def _versions(session: Session, template: Template, language: str) -> list[Kept]:
    query = select(TemplateVersion).where(
        col(TemplateVersion.template_id) == template.id, col(TemplateVersion.language) == language
    )
    return [Kept(template, row) for row in session.exec(query.order_by(col(TemplateVersion.number)))]


def _source(session: Session, template: Template, words: Words) -> TemplateVersion:
    """The Swedish words that a translation is made from: the clinic's own before the shipped ones."""
    own = _versions(session, template, SOURCE_LANGUAGE)
    shipped = _of_name(session, None, words.name, words.channel)
    candidates = own or ([] if shipped is None else _versions(session, shipped, SOURCE_LANGUAGE))
    if words.made_from is not None:
        candidates = [one for one in candidates if one.version.number == words.made_from]
    if not candidates:
        raise VersionRefused(
            "there are no such Swedish words to be made from: import the Swedish text too, it stands in"
        )
    return candidates[-1].version


@event.listens_for(TemplateVersion, "before_update")
def _never_changed(_mapper: Any, _connection: Any, row: TemplateVersion) -> None:  # noqa: ANN401 - the library's own
    state = inspect(row)
    changed = [name for name in _WORDS if state.attrs[name].history.has_changes()]
    if changed:
        raise VersionRefused(f"a version is never changed ({', '.join(changed)}): write a new one")
