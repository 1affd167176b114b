"""Reads everything a queued delivery depends on as it is now, has it decided, and renders the words. Writes nothing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from notifier import email_frame
from notifier.facts import change_of, may_send, stands, then
from notifier.fields import Field
from notifier.last_check import MOST_CRASHES, Covered, Defer, End, Permission, Send, Situation, decide
from notifier.planning import is_stale
from notifier.swedish_days import cancel_deadline
from notifier.visit_words import ToldVisit, unconfirmed_sentence, values
from notifier.wording import InvalidTemplate, MissingField, parse, render
from store import bookings, consents, deliveries, facilities, subjects, templates
from store.bookings import Booking, BookingChange
from store.clinics import Clinic
from store.database import Session
from store.deliveries import Delivery, DeliveryPart
from store.delivery_states import DeliveryState
from store.facilities import Facility
from store.identifiers import HsaId
from store.purposes import Purpose
from store.subjects import Contact, Subject
from store.templates import TemplateVersion
from store.vault import KeyDestroyed, SubjectCipher, Unsealable, Vault

_OFF = frozenset({Purpose.GONE, Purpose.CANCELLED})


@dataclass(frozen=True, slots=True)
class Composing:
    """`channels`: those set up here. `link`: what ((länk)) leads to. `look_again`: how soon a hold is looked at."""

    channels: frozenset[str]
    link: str
    population_age: timedelta
    look_again: timedelta


@dataclass(frozen=True, slots=True)
class Composed:
    """Words for one recipient. `dropped`: parts left out, with why."""

    contact: Contact
    subject_line: str = field(repr=False)
    text: str = field(repr=False)
    html: str = field(repr=False)
    language: str
    dropped: Mapping[UUID, str]


def compose(
    session: Session, vault: Vault, delivery: Delivery, now: datetime, settings: Composing
) -> Composed | Defer | End:
    """The words that may go now, or what becomes of the delivery instead."""
    if delivery.crash_count > MOST_CRASHES:  # before anything of it is opened: that may be what kills its workers
        return End(DeliveryState.FAILED, "poison", {})
    try:
        scene = _scene(session, vault, delivery, now, settings)
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


@dataclass(frozen=True, slots=True)
class _Scene:
    """The rows behind one delivery, as just read."""

    session: Session
    delivery: Delivery
    about: SubjectCipher
    contact: Contact | None
    clinic: Clinic
    parts: Sequence[DeliveryPart]
    held: Mapping[UUID, Booking]
    places: Mapping[HsaId, Facility]
    now: datetime
    settings: Composing

    @property
    def purpose(self) -> Purpose:
        return Purpose(self.delivery.purpose)

    def situation(self) -> Situation:
        return Situation(
            purpose=self.purpose,
            visit_at=self.delivery.visit_at,
            useful_until=self.delivery.useful_until,
            permission=self._permission(),
            parts=tuple(self._covered(part) for part in self.parts),
        )

    def composed(self, decision: Send, contact: Contact) -> Composed:
        """Raises MissingField, InvalidTemplate."""
        visits = [self._told(part) for part in decision.parts]
        version = self._version(decision)
        filled = values(visits, version.language, self.settings.link, self.now)
        words = parse(version.text, self.purpose)
        text = render(words, filled)
        since = filled[Field.UNCONFIRMED_SINCE]
        if since and Field.UNCONFIRMED_SINCE not in words.fields:
            text = f"{text} {unconfirmed_sentence(since, version.language)}"
        subject_line = render(parse(version.subject_line, self.purpose), filled)
        html = email_frame.html(subject_line, text, version.language, self.settings.link) if subject_line else ""
        return Composed(contact, subject_line, text, html, version.language, decision.dropped)

    def _permission(self) -> Permission:
        obstacle = self._obstacle()
        people = [self.session.get_one(Subject, key) for key in {self.delivery.subject_id, self.delivery.recipient_id}]
        is_held = (
            self.clinic.paused_at is not None
            or self.delivery.channel not in self.settings.channels
            or any(is_stale(person, self.settings.population_age, self.now) for person in people)
        )
        return Permission(obstacle, is_held)

    def _obstacle(self) -> str:
        about = self.session.get_one(Subject, self.delivery.subject_id)
        recipient = self.session.get_one(Subject, self.delivery.recipient_id)
        if about.protected_on or recipient.protected_on:
            return "protected"
        if about.deceased_on or recipient.deceased_on:
            return "deceased"
        if not consents.stands(self.session, about.id):
            return "no_consent"
        if not may_send(self.clinic):
            return "no_decision"
        return self._contact_obstacle()

    def _contact_obstacle(self) -> str:
        if self.contact is None or self.contact.is_dead:
            return "no_contact"
        found = deliveries.suppressions(self.session, [self.contact.digest], self.purpose)
        return "suppressed" if (self.contact.digest, self.delivery.channel) in found else ""

    def _covered(self, part: DeliveryPart) -> Covered:
        booking = self.held.get(part.booking_id) if part.booking_id else None
        if booking is None:
            return Covered(part.id, part.booking_id, part.time_version)
        before = self._before(part)
        return Covered(
            part_id=part.id,
            booking_id=part.booking_id,
            time_version=part.time_version,
            before=None if before is None else then(before),
            now_stands=stands(booking),
            now_time_version=booking.time_version,
            suspect_since=booking.missed_at,
            second_look_at=booking.second_look_at,
            is_frozen=self.places[HsaId(booking.facility)].frozen_at is not None,
        )

    def _before(self, part: DeliveryPart) -> bookings.Before | None:
        change_id = change_of(part.occasion)
        change = self.session.get(BookingChange, change_id) if change_id else None
        return None if change is None else bookings.open_before(self.about, change)

    def _told(self, covered: Covered) -> ToldVisit:
        booking = self.held[covered.booking_id or UUID(int=0)]
        place = self.places[HsaId(booking.facility)]
        # Of a visit that is off, the time to name is the one that the recipient knows.
        known_at = covered.before.start_at if covered.before and self.purpose in _OFF else booking.start_at
        return ToldVisit(
            start_at=known_at,
            clinic=place.message_name,
            phone=self.clinic.phone if place.is_sensitive else place.phone or self.clinic.phone,
            deadline_at=cancel_deadline(booking.start_at, place.cancel_deadline),
            was_at=covered.before.start_at if covered.before and self.purpose == Purpose.MOVED else None,
            unconfirmed_since=None if self.purpose in _OFF else covered.suspect_since,
            has_preparations=bool(bookings.open_details(self.about, booking).preparations),
        )

    def _version(self, decision: Send) -> TemplateVersion:
        """The words pinned when it was planned; all parts of a delivery share them."""
        kept = {part.part_id for part in decision.parts}
        (pinned,) = {part.template_version_id for part in self.parts if part.id in kept}
        return templates.versions(self.session, [pinned])[pinned]


def _scene(session: Session, vault: Vault, delivery: Delivery, now: datetime, settings: Composing) -> _Scene:
    """Raises KeyDestroyed when somebody concerned has been erased, Unsealable when the keys do not open."""
    recipient = subjects.cipher_of(session, vault, delivery.recipient_id)
    contacts = subjects.contacts(session, recipient, delivery.recipient_id)
    parts = deliveries.standing_parts(session, delivery.id)
    found = bookings.by_ids(session, [part.booking_id for part in parts if part.booking_id])
    return _Scene(
        session=session,
        delivery=delivery,
        about=subjects.cipher_of(session, vault, delivery.subject_id),
        contact=next((one for one in contacts if one.id == delivery.contact_id), None),
        clinic=session.get_one(Clinic, delivery.clinic_id),
        parts=parts,
        held=found,
        places=facilities.by_ids(session, {booking.facility for booking in found.values()}),
        now=now,
        settings=settings,
    )
