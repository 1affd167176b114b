"""Reads everything a queued delivery depends on as it is now, has it decided, and renders the words. Writes nothing."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from uuid import UUID

from notifier import codes, email_frame, languages
from notifier.action_links import LinkedTo, NewLink, code
from notifier.agreed import of_choice
from notifier.choices import Choices
from notifier.email_frame import Enclosed, Tail
from notifier.enclosing import enclosed
from notifier.facts import change_of, stands, then
from notifier.fields import Field
from notifier.last_check import MOST_CRASHES, Covered, Defer, End, Permission, Send, Situation, decide
from notifier.message_links import LinkedMessage, MessageLinks, message_links
from notifier.planning import is_stale
from notifier.recipients import is_mobile
from notifier.swedish_days import cancel_deadline
from notifier.visit_preparations import ToRead, to_read
from notifier.visit_words import ToldVisit, unconfirmed_sentence, values
from notifier.windows import EVERY_DAY, Hours
from notifier.wording import InvalidTemplate, MissingField, Words, parse, render
from store import bookings, clinics, deliveries, subjects
from store.bookings import Booking, BookingChange
from store.clinics import Clinic
from store.database import Session
from store.deliveries import Delivery
from store.delivery_states import DeliveryState
from store.facilities import Facility
from store.outgoing import Outgoing, OutgoingPart, cipher
from store.purposes import CHANGE_NOTICES, OFF, Purpose
from store.subjects import Contact
from store.templates import TemplateVersion
from store.vault import KeyDestroyed, SubjectCipher, Unsealable, Vault

_PAGES = frozenset({Field.CANCEL_LINK, Field.PREPARATIONS_LINK})
_READING = frozenset({Field.PREPARATIONS, Field.PREPARATIONS_LINK})


@dataclass(frozen=True, slots=True)
class Composing:
    """`channels`: those set up here. `link`: what ((länk)) leads to. `look_again`: how soon a hold is looked at.
    `site`: our public address, if messages are to hold links to our pages."""

    channels: frozenset[str]
    link: str
    population_age: timedelta
    look_again: timedelta
    site: str = ""


@dataclass(frozen=True, slots=True)
class Composed:
    """Words for one recipient. `dropped`: parts left out, with why. `cipher`: the recipient's. `links`: to be kept, as
    they stand in the words."""

    contact: Contact
    cipher: SubjectCipher
    subject_line: str = field(repr=False)
    text: str = field(repr=False)
    html: str = field(repr=False)
    language: str
    dropped: Mapping[UUID, str]
    links: tuple[NewLink, ...] = ()
    unsubscribe_url: str = field(default="", repr=False)
    kept_text: str | None = field(default=None, repr=False)  # in place of the text, where that is not to be kept


def compose(
    session: Session, vault: Vault, outgoing: Outgoing, now: datetime, settings: Composing
) -> Composed | Defer | End:
    """The words that may go now, or what becomes of the delivery instead."""
    # Before anything of it is opened: that may be what kills its workers.
    if outgoing.delivery.crash_count > MOST_CRASHES:
        return End(DeliveryState.FAILED, "poison", {})
    try:
        scene = _scene(session, vault, outgoing, now, settings)
    except KeyDestroyed:
        return End(DeliveryState.SKIPPED, "erased", {})
    except Unsealable:
        return Defer(now + settings.look_again)  # the wrong key file: an operator can mend it, so nothing is lost
    decision = decide(scene.situation(), now, settings.look_again)
    if not isinstance(decision, Send) or scene.contact is None:
        return decision if not isinstance(decision, Send) else End(DeliveryState.SKIPPED, "no_contact", {})
    try:
        return scene.composed(decision, scene.contact)
    except MissingField:
        return End(DeliveryState.FAILED, "missing_field", decision.dropped)
    except InvalidTemplate:
        return End(DeliveryState.FAILED, "invalid_template", decision.dropped)


def told(booking: Booking, place: Facility, clinic: Clinic, *, has_preparations: bool) -> ToldVisit:
    """What may be told of a booking as it stands."""
    return ToldVisit(
        start_at=booking.start_at,
        clinic=place.message_name,
        phone=clinic.phone if place.is_sensitive else place.phone or clinic.phone,
        deadline_at=cancel_deadline(booking.start_at, place.cancel_deadline),
        has_preparations=has_preparations,
        missed_cost=clinic.missed_visit_cost,
    )


def before(session: Session, about: SubjectCipher, occasion: str) -> bookings.Before | None:
    """What stood before the change that the occasion is about."""
    change_id = change_of(occasion)
    change = session.get(BookingChange, change_id) if change_id else None
    return None if change is None else bookings.open_before(about, change)


def as_it_stands(covered: Covered, booking: Booking, place: Facility, stood: bookings.Before | None) -> Covered:
    """What was promised of a booking, beside how that stands now."""
    return replace(
        covered,
        before=None if stood is None else then(stood),
        now_stands=stands(booking),
        now_time_version=booking.time_version,
        suspect_since=booking.missed_at,
        second_look_at=booking.second_look_at,
        is_frozen=place.frozen_at is not None,
    )


def told_as(purpose: Purpose, covered: Covered, visit: ToldVisit) -> ToldVisit:
    """As the purpose tells of it: of a visit that is off, the time to name is the one that the recipient knows."""
    known_at = covered.before.start_at if covered.before and purpose in OFF else visit.start_at
    return replace(
        visit,
        start_at=known_at,
        was_at=covered.before.start_at if covered.before and purpose == Purpose.MOVED else None,
        unconfirmed_since=None if purpose in OFF else covered.suspect_since,
    )


def worded(version: TemplateVersion, purpose: Purpose, filled: Mapping[Field, str]) -> tuple[str, str]:
    """Subject line and text. Raises MissingField, InvalidTemplate."""
    words = parse(version.text, purpose)
    from_the_right = languages.is_from_the_right(version.language)
    text = render(words, filled, from_the_right=from_the_right)
    since = filled[Field.UNCONFIRMED_SINCE]
    if since and Field.UNCONFIRMED_SINCE not in words.fields:
        text = f"{text} {unconfirmed_sentence(since, version.language)}"
    return render(parse(version.subject_line, purpose), filled, from_the_right=from_the_right), text


@dataclass(frozen=True, slots=True)
class _Scene:
    """What is behind one delivery, opened for use."""

    session: Session
    vault: Vault
    outgoing: Outgoing
    about: SubjectCipher
    recipient: SubjectCipher
    contact: Contact | None
    now: datetime
    settings: Composing
    is_suppressed: bool
    to_read: Mapping[UUID, ToRead] = field(repr=False)  # by visit, where these words or their purpose need it

    @property
    def _is_code(self) -> bool:
        """Asked for by who reads it, at the moment. It tells nothing of anybody's care, so it needs no clinic's
        decision, and it is how a contact point becomes of use."""
        return self.outgoing.clinic.is_operator and self.purpose == Purpose.CODE

    @property
    def purpose(self) -> Purpose:
        return Purpose(self.outgoing.delivery.purpose)

    @property
    def choices(self) -> Choices:
        """The recipient's, as they are now: they may have chosen since it was planned."""
        row, clinic_id = self.outgoing.choice, self.outgoing.clinic.id
        return Choices() if row is None else of_choice(row, [clinic_id] if self.outgoing.is_reminded else [])

    def situation(self) -> Situation:
        delivery = self.outgoing.delivery
        return Situation(
            purpose=self.purpose,
            visit_at=delivery.visit_at,
            useful_until=delivery.useful_until,
            permission=Permission(self._obstacle(), self._is_held()),
            parts=tuple(self._covered(part) for part in self.outgoing.parts),
            hours=self._hours(),
        )

    def _hours(self) -> Hours:
        if self.purpose in CHANGE_NOTICES:
            return EVERY_DAY
        return replace(self.choices.hours, weekdays_only=self.outgoing.delivery.weekdays_only)

    def composed(self, decision: Send, contact: Contact) -> Composed:
        """Raises MissingField, InvalidTemplate."""
        version = self._version(decision)
        words = parse(version.text, self.purpose)
        code_id = codes.of_occasion(self.outgoing.parts[0].part.occasion) if self._is_code else None
        if code_id is not None:
            return self._code_told(contact, words, version, codes.code(self.vault, code_id))
        visits = [self._told(part, contact) for part in decision.parts]
        links = self._links(decision, contact, words)
        filled = values(visits, version.language, self.settings.link, self.now, links.cancelling, links.reading)
        subject_line, text = worded(version, self.purpose, filled)
        foot = email_frame.footer(version.language, links.unsubscribing, links.disowning)
        tail = Tail(self._enclosed(decision, version.language), foot)
        pressable = (self.settings.link, *links.addresses)
        html = email_frame.html(subject_line, text, version.language, pressable, tail) if subject_line else ""
        return Composed(
            contact=contact,
            cipher=self.recipient,
            subject_line=subject_line,
            text=email_frame.text(text, tail) if subject_line else text,
            html=html,
            language=version.language,
            dropped=decision.dropped,
            links=links.made,
            unsubscribe_url=links.unsubscribing,
        )

    def _enclosed(self, decision: Send, language: str) -> tuple[Enclosed, ...]:
        """The whole texts, in a mail about preparations, where the clinic's decision covers that for all of them."""
        if self.purpose != Purpose.PREPARATIONS:
            return ()
        kept = {part.booking_id for part in decision.parts}
        told = [one for booking_id, one in self.to_read.items() if booking_id in kept]
        return enclosed(told, language) if all(one.in_mail for one in told) else ()

    def _code_told(self, contact: Contact, words: Words, version: TemplateVersion, code: str) -> Composed:
        """A code is sent, and kept nowhere: not among the wordings either."""
        text = render(words, {Field.ONE_TIME_CODE: code})
        subject_line = version.subject_line
        html = email_frame.html(subject_line, text, version.language, ()) if subject_line else ""
        kept = render(words, {Field.ONE_TIME_CODE: "*" * len(code)})
        return Composed(contact, self.recipient, subject_line, text, html, version.language, {}, kept_text=kept)

    def _links(self, decision: Send, contact: Contact, words: Words) -> MessageLinks:
        if not self.settings.site:
            return MessageLinks()
        to = LinkedTo(self.outgoing.delivery.recipient_id, contact.digest, self.outgoing.delivery.channel)
        visits = [self._visit_of(part)[0] for part in decision.parts] if _PAGES & words.fields else []
        read = [one for one in visits if one.id in self.to_read and self.to_read[one.id].on_page]
        message = LinkedMessage(
            delivery_id=self.outgoing.delivery.id,
            purpose=self.purpose,
            to=to,
            visits=visits if Field.CANCEL_LINK in words.fields else (),
            to_read=read if Field.PREPARATIONS_LINK in words.fields else (),
        )
        return message_links(self.vault, message, self.settings.site, self.now)

    def _is_held(self) -> bool:
        outgoing, age = self.outgoing, self.settings.population_age
        return (
            outgoing.is_paused
            or outgoing.clinic.paused_at is not None
            or outgoing.delivery.channel not in self.settings.channels
            or is_stale(outgoing.about, age, self.now)
            or is_stale(outgoing.recipient, age, self.now)
        )

    def _obstacle(self) -> str:
        about, recipient = self.outgoing.about, self.outgoing.recipient
        if about.protected_on or recipient.protected_on:
            return "protected"
        if about.deceased_on or recipient.deceased_on:
            return "deceased"
        if self._is_code:
            return "" if self.contact is not None else "no_contact"
        if not self.outgoing.has_consent:
            return "no_consent"
        if not clinics.may_send(self.outgoing.clinic):
            return "no_decision"
        if self.contact is None:
            return "no_contact"
        if self.is_suppressed:
            return "suppressed"
        objection = self.choices.objection(self.purpose, self.outgoing.clinic.id)
        is_barred = self.choices.bars(self.purpose, self.outgoing.delivery.channel)
        if objection or is_barred:
            return objection or "channel_not_chosen"
        return "not_mobile" if self._is_no_mobile(self.contact) else ""

    def _is_no_mobile(self, contact: Contact) -> bool:
        """Asked when a try has failed: that it may be a land line is then one of the reasons."""
        is_again = self.outgoing.attempts > 0 and self.outgoing.delivery.channel == "sms"
        return is_again and not is_mobile(contact.address)

    def _covered(self, one: OutgoingPart) -> Covered:
        part, booking = one.part, one.booking
        bare = Covered(part.id, part.booking_id, part.time_version)
        if booking is None or one.place is None:
            return bare
        bare = replace(bare, has_preparations=booking.id in self.to_read)
        return as_it_stands(bare, booking, one.place, before(self.session, self.about, part.occasion))

    def _told(self, covered: Covered, contact: Contact) -> ToldVisit:
        booking, place = self._visit_of(covered)
        visit = told(booking, place, self.outgoing.clinic, has_preparations=booking.id in self.to_read)
        return replace(told_as(self.purpose, covered, visit), code=code(self.vault, contact.digest, booking))

    def _visit_of(self, covered: Covered) -> tuple[Booking, Facility]:
        """Raises InvalidTemplate for words about a visit where there is none (a code)."""
        one = next(one for one in self.outgoing.parts if one.part.id == covered.part_id)
        if one.booking is None or one.place is None:
            raise InvalidTemplate("these words are about a visit, and there is none")
        return one.booking, one.place

    def _version(self, decision: Send) -> TemplateVersion:
        """The words pinned when it was planned; all parts of a delivery share them."""
        kept = {part.part_id for part in decision.parts}
        return next(one.version for one in self.outgoing.parts if one.part.id in kept)


def _scene(session: Session, vault: Vault, outgoing: Outgoing, now: datetime, settings: Composing) -> _Scene:
    """Raises KeyDestroyed when somebody concerned has been erased, Unsealable when the keys do not open."""
    delivery = outgoing.delivery
    recipient = cipher(vault, delivery.recipient_id, outgoing.recipient_key)
    is_same = delivery.subject_id == delivery.recipient_id
    about = recipient if is_same else cipher(vault, delivery.subject_id, outgoing.about_key)
    contact = _contact(session, outgoing, recipient, now)
    is_other = contact is not None and contact.id != delivery.contact_id
    is_suppressed = _is_suppressed(session, delivery, contact) if is_other else outgoing.is_suppressed
    texts = _to_read(session, outgoing, about)
    return _Scene(session, vault, outgoing, about, recipient, contact, now, settings, is_suppressed, texts)


def _to_read(session: Session, outgoing: Outgoing, about: SubjectCipher) -> Mapping[UUID, ToRead]:
    """Asked only where it matters: most messages say nothing of preparations."""
    purpose = Purpose(outgoing.delivery.purpose)
    if purpose != Purpose.PREPARATIONS and not any(_names_reading(one.version, purpose) for one in outgoing.parts):
        return {}
    visits = [one.booking for one in outgoing.parts if one.booking is not None]
    return to_read(session, about, visits, outgoing.clinic, outgoing.recipient.language)


def _names_reading(version: TemplateVersion, purpose: Purpose) -> bool:
    """A text that is no template any more ends the delivery later, with its own reason."""
    try:
        return not _READING.isdisjoint(parse(version.text, purpose).fields)
    except InvalidTemplate:
        return False


def _contact(session: Session, outgoing: Outgoing, recipient: SubjectCipher, now: datetime) -> Contact | None:
    """Where it goes. A contact point that has come to its end since is replaced by the one that stands for it now."""
    if outgoing.contact is None:
        return None
    planned = subjects.opened(recipient, outgoing.contact)
    if outgoing.delivery.purpose == Purpose.CODE:
        return planned
    grown_at = subjects.grown_at(outgoing.recipient, recipient)
    if planned.is_usable and not planned.has_ended(grown_at, now):
        return planned
    others = subjects.contacts(session, recipient, outgoing.recipient.id)
    alike = (one for one in others if one.kind == planned.kind and one.is_usable)
    return next((one for one in alike if not one.has_ended(grown_at, now)), None)


def _is_suppressed(session: Session, delivery: Delivery, contact: Contact | None) -> bool:
    if contact is None:
        return False
    suppressed = deliveries.suppressions(session, [contact.digest], Purpose(delivery.purpose))
    return (contact.digest, delivery.channel) in suppressed
