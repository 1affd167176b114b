"""Composes letters for those whom no channel reached, from what is known at that moment. Writes and prints nothing.

A letter holds no link of ours: it lies about at home, and nobody types one in. It leads where all words lead, and to
the clinic's phone.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import groupby
from uuid import UUID

from notifier import agreed, email_frame, languages
from notifier.action_links import CODE_LETTERS, written
from notifier.agreed import Agreed
from notifier.composing import as_it_stands, before, told, told_as, worded
from notifier.email_frame import Tail
from notifier.enclosing import enclosed
from notifier.facts import visit_of
from notifier.last_check import Covered, untrue
from notifier.letter_choice import Occasion, is_in_time, leading, matter, read_at
from notifier.planning import is_stale
from notifier.precedence import in_force
from notifier.sms_text import cleaned
from notifier.visit_preparations import ToRead, to_read
from notifier.visit_words import ToldVisit, values
from notifier.wording import InvalidTemplate, MissingField
from store import consents, facilities, subjects, templates
from store.bookings import Booking
from store.clinics import Clinic
from store.database import Session
from store.facilities import Facility
from store.identifiers import HsaId
from store.letters import Letter
from store.purposes import OFF, Purpose
from store.subjects import Subject
from store.templates import TemplateVersion, VersionKey
from store.unreached import Unreached
from store.vault import KeyDestroyed, SubjectCipher, Vault

CHANNEL = "paper"
_LIKE_EMAIL = "email"
_USUAL_WORDS = {Purpose.DEADLINE: "deadline", Purpose.REMINDER: "day_before", Purpose.PREPARATIONS: "preparations"}
_NUMBER_LENGTH = 10  # of 31 signs: a million letters, and one in two thousand that any two share one


@dataclass(frozen=True, slots=True)
class LetterSettings:
    """`link`: what ((länk)) leads to. `weekdays`: how long the post takes. `can_show`: whether the font has the signs
    of a text."""

    link: str
    weekdays: int
    population_age: timedelta
    can_show: Callable[[str], bool]


@dataclass(frozen=True, slots=True)
class ComposedLetter:
    """One letter, ready to be printed, and the row that will remember it."""

    row: Letter
    occasions: tuple[UUID, ...]  # the unreached ones that it tells of
    identity_number: str = field(repr=False)
    visit_at: datetime
    sender: str = field(repr=False)  # the facility's name in messages
    phone: str = field(repr=False)
    language: str
    subject_line: str = field(repr=False)
    text: str = field(repr=False)
    is_to_guardian: bool = False  # the recipient is a child still when it is read


@dataclass(frozen=True, slots=True)
class LeftOut:
    """What no letter is printed about, and why: somebody may have to call."""

    subject_id: UUID
    booking_id: UUID | None
    purpose: Purpose
    visit_at: datetime | None
    reason: str


@dataclass(frozen=True, slots=True)
class Letters:
    """What became of each group. Letters to one person lie together, for one envelope; whose visit is first, first."""

    made: tuple[ComposedLetter, ...] = ()
    left_out: tuple[LeftOut, ...] = ()


def grouped(rows: Iterable[Unreached]) -> list[list[Unreached]]:
    """What one letter can tell of: a visit, and a matter of it. Whatever is about no visit stands alone."""

    def key(row: Unreached) -> tuple[str, str, str]:
        return str(row.recipient_id), str(row.booking_id or row.id), matter(Purpose(row.purpose))

    return [list(group) for _, group in groupby(sorted(rows, key=key), key)]


def compose_letters(  # noqa: PLR0913 - whose, from what, about what, how, when
    session: Session,
    vault: Vault,
    clinic: Clinic,
    groups: Sequence[Sequence[Unreached]],
    settings: LetterSettings,
    now: datetime,
) -> Letters:
    """A letter for each group of what somebody could not be told. Raises Unsealable when the keys are not those that
    sealed."""
    recipients = {row.recipient_id for group in groups for row in group}
    held = agreed.read(session, recipients, None, now, [clinic])
    desk = _Desk(session, vault, clinic, settings, now, held, templates.active_versions(session))
    done = [desk.letter_about(group) for group in groups]
    return Letters(
        made=_in_order([one for one in done if isinstance(one, ComposedLetter)]),
        left_out=tuple(one for one in done if isinstance(one, LeftOut)),
    )


def letter_number(vault: Vault, recipient_id: UUID, occasion: str, purpose: Purpose) -> str:
    """The same for the same occasion: two copies of a letter, made before and after a crash, bear one number."""
    rest = int(vault.digest("letter", f"{recipient_id}|{purpose}|{occasion}").rpartition(":")[2], 16)
    signs = written(rest, CODE_LETTERS, _NUMBER_LENGTH)
    return f"{signs[:5]}-{signs[5:]}"


def _in_order(made: Sequence[ComposedLetter]) -> tuple[ComposedLetter, ...]:
    by_visit = sorted(made, key=lambda one: (one.visit_at, one.row.number))
    places: dict[UUID, int] = {}
    for one in by_visit:
        places.setdefault(one.row.recipient_id, len(places))
    return tuple(sorted(by_visit, key=lambda one: places[one.row.recipient_id]))


class _NotPrinted(Exception):
    """Why there is no letter."""


@dataclass(frozen=True, slots=True)
class _Case:
    """A visit and the person who could not be told of it."""

    recipient: Subject
    booking: Booking
    place: Facility
    about: SubjectCipher
    own: SubjectCipher
    to_read: ToRead | None


@dataclass(frozen=True, slots=True)
class _Standing:
    """What was to be told and is still true, beside its booking as that stands."""

    row: Unreached
    covered: Covered
    occasion: Occasion


@dataclass(frozen=True, slots=True)
class _Worded:
    version: TemplateVersion
    subject_line: str = field(repr=False)
    text: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class _Desk:
    """What is the same for every letter of a run."""

    session: Session
    vault: Vault
    clinic: Clinic
    settings: LetterSettings
    now: datetime
    held: Agreed
    versions: Mapping[VersionKey, UUID]

    def letter_about(self, rows: Sequence[Unreached]) -> ComposedLetter | LeftOut:
        try:
            return self._composed(rows)
        except _NotPrinted as why:
            reason = str(why)
        except KeyDestroyed:
            reason = "erased"
        except MissingField:
            reason = "missing_field"
        except InvalidTemplate:
            reason = "invalid_template"
        first = rows[0]
        return LeftOut(first.subject_id, first.booking_id, Purpose(first.purpose), first.visit_at, reason)

    def _composed(self, rows: Sequence[Unreached]) -> ComposedLetter:
        case = self._case(rows[0])
        standing = self._still_true(rows, case)
        leads = leading([one.occasion for one in standing])
        first = next(one for one in standing if one.occasion is leads)
        self._may_go_now(first, case.place)
        now = told(case.booking, case.place, self.clinic, has_preparations=case.to_read is not None)
        visit = told_as(leads.purpose, first.covered, now)
        words = self._words(self._words_name(first.row, case), leads.purpose, case.recipient.language, visit)
        return ComposedLetter(
            row=self._row(case, first, words.version),
            occasions=tuple(one.row.id for one in standing),
            identity_number=subjects.number_of(case.recipient, case.own).number,
            visit_at=visit.start_at,
            sender=_on_one_line(visit.clinic),
            phone=visit.phone,
            language=words.version.language,
            subject_line=words.subject_line,
            text=self._whole_text(words, leads.purpose, case.to_read),
            is_to_guardian=self._is_guarded(case),
        )

    def _whole_text(self, words: _Worded, purpose: Purpose, found: ToRead | None) -> str:
        """With what is to be read itself, where it may stand in an e-mail and the font has its signs."""
        if purpose != Purpose.PREPARATIONS or found is None or not found.in_mail:
            return words.text
        whole = email_frame.text(words.text, Tail(enclosed([found], words.version.language)))
        return whole if self.settings.can_show(whole) else words.text

    def _is_guarded(self, case: _Case) -> bool:
        grown_at = subjects.grown_at(case.recipient, case.own)
        return grown_at is not None and grown_at > read_at(self.now, self.settings.weekdays)

    def _case(self, row: Unreached) -> _Case:
        about, recipient = (self.session.get_one(Subject, one) for one in (row.subject_id, row.recipient_id))
        self._may_be_told(about, recipient)
        booking = self.session.get(Booking, row.booking_id) if row.booking_id else None
        if booking is None:
            raise _NotPrinted("no_visit")
        place = facilities.by_ids(self.session, [booking.facility])[HsaId(booking.facility)]
        known, own = (subjects.cipher_of(self.session, self.vault, one.id) for one in (about, recipient))
        found = to_read(self.session, known, [booking], self.clinic, recipient.language)
        return _Case(recipient, booking, place, known, own, found.get(booking.id))

    def _may_be_told(self, about: Subject, recipient: Subject) -> None:
        """As for a message."""
        if about.protected_on or recipient.protected_on:
            raise _NotPrinted("protected")
        if about.deceased_on or recipient.deceased_on:
            raise _NotPrinted("deceased")
        if not consents.stands(self.session, about.id):
            raise _NotPrinted("no_consent")
        age = self.settings.population_age
        if is_stale(about, age, self.now) or is_stale(recipient, age, self.now):
            raise _NotPrinted("held")

    def _still_true(self, rows: Sequence[Unreached], case: _Case) -> list[_Standing]:
        """What somebody has chosen about channels bars no letter: it is none of them."""
        standing, reasons = [], []
        choices = self.held.choices_of(case.recipient.id)
        for row in rows:
            bare = Covered(
                part_id=row.id,
                booking_id=row.booking_id,
                time_version=_time_version(row, case.booking),
                has_preparations=case.to_read is not None,
            )
            stood = before(self.session, case.about, row.occasion)
            covered = as_it_stands(bare, case.booking, case.place, stood)
            purpose = Purpose(row.purpose)
            reason = untrue(purpose, covered) or choices.objection(purpose, self.clinic.id)
            if reason:
                reasons.append(reason)
            else:
                standing.append(_Standing(row, covered, self._occasion(row, covered, case.booking)))
        if not standing:
            raise _NotPrinted(reasons[0])
        return standing

    def _occasion(self, row: Unreached, covered: Covered, booking: Booking) -> Occasion:
        known = [booking.start_at, *([covered.before.start_at] if covered.before else [])]
        concerns_at = min((at for at in known if at > self.now), default=booking.start_at)
        return Occasion(row.id, Purpose(row.purpose), booking.id, concerns_at, row.at)

    def _may_go_now(self, one: _Standing, place: Facility) -> None:
        """What is in doubt waits for the second look while there is time, as a message does; then it says so."""
        occasion, look = one.occasion, one.covered.second_look_at
        if not self._is_in_time(occasion, self.now):
            raise _NotPrinted("too_late")
        if occasion.purpose in OFF:
            if place.frozen_at is not None:
                raise _NotPrinted("frozen")
            return
        is_looked_into = one.covered.suspect_since is not None and look is not None and look > self.now
        if look is not None and is_looked_into and self._is_in_time(occasion, look):
            raise _NotPrinted("in_doubt")

    def _is_in_time(self, occasion: Occasion, printed_at: datetime) -> bool:
        return is_in_time(occasion.concerns_at, read_at(printed_at, self.settings.weekdays))

    def _words_name(self, row: Unreached, case: _Case) -> str:
        """Those of the rule in force for the visit; of one that is no more, those that are usual for its purpose."""
        purpose = Purpose(row.purpose)
        if purpose not in _USUAL_WORDS:
            return purpose.value
        visit = visit_of(case.booking, case.place, case.about, self.held)
        rules = in_force(self.held.rules.get(self.clinic.id, ()), visit)
        names = (rule.template_name for rule in rules if row.occasion.startswith(f"rule:{rule.id}/"))
        return next(names, _USUAL_WORDS[purpose])

    def _words(self, name: str, purpose: Purpose, language: str, visit: ToldVisit) -> _Worded:
        """The recipient's language before Swedish, where the font has its signs; the clinic's own before the shipped,
        those for letters before those for e-mail. A deadline that will have passed is not told."""
        read = read_at(self.now, self.settings.weekdays)
        why = "no_words"
        for spoken in dict.fromkeys((language, *languages.SHIPPED)):
            version = self._version(name, spoken)
            if version is not None:
                subject_line, text = worded(version, purpose, values([visit], spoken, self.settings.link, read))
                if self.settings.can_show(f"{subject_line}{text}{_on_one_line(visit.clinic)}"):
                    return _Worded(version, subject_line, text)
                why = "no_signs"
        raise _NotPrinted(why)

    def _version(self, name: str, language: str) -> TemplateVersion | None:
        for owner, channel in ((self.clinic.id, CHANNEL), (self.clinic.id, _LIKE_EMAIL), (None, _LIKE_EMAIL)):
            found = self.versions.get(VersionKey(owner, name, channel, language))
            if found is not None:
                return self.session.get_one(TemplateVersion, found)
        return None

    def _row(self, case: _Case, first: _Standing, version: TemplateVersion) -> Letter:
        purpose = first.occasion.purpose
        return Letter(
            number=letter_number(self.vault, case.recipient.id, first.row.occasion, purpose),
            clinic_id=self.clinic.id,
            subject_id=case.booking.subject_id,
            recipient_id=case.recipient.id,
            purpose=purpose,
            booking_id=case.booking.id,
            time_version=case.booking.time_version,
            template_version_id=version.id,
            made_at=self.now,
        )


def _on_one_line(name: str) -> str:
    return " ".join(cleaned(name).split())


def _time_version(row: Unreached, booking: Booking) -> int:
    """Of a reminder: the one it is about. A notice is about whatever stands in the end."""
    _, is_there, version = row.occasion.rpartition("/time:")
    return int(version) if is_there else booking.time_version
