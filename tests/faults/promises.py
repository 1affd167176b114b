"""Many deliveries due at once, as the planner would have left them: real people, bookings, parts and pinned words."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from sqlmodel import Session, col, func, select

from notifier import ready_texts
from notifier.fallback import follow_at
from store import deliveries, templates
from store.bookings import Before, Booking, BookingChange, seal_before
from store.database import Sessions
from store.deliveries import Delivery, DeliveryPart
from store.engagements import Engagement
from store.identifiers import new_id
from store.purposes import Purpose
from store.standing import ChangeKind, Standing
from store.subjects import ContactKind, ContactPoint, Subject, cipher_of
from store.templates import Template, TemplateVersion, VersionKey, VersionState
from store.vault import Vault
from tests import build
from tests.people import Person
from worker.demo.people import MOST_CITIZENS, people

FIRST_PHONE = 46701740605
LOST_PHONE = "+46701740692"  # the provider takes every SMS to it, and reports that none arrived
_LOST_EVERY = 15  # people
_GIVES_WAY = timedelta(minutes=10)  # sooner than one more try by SMS could be
AHEAD = timedelta(days=2)  # of now: the first visit


@dataclass(frozen=True)
class Told:
    """Whom a delivery is for, and by which words. `versions` are used in turn, one for each of a person's visits."""

    purpose: Purpose
    versions: Sequence[UUID]
    useful_for: timedelta | None = None  # from now on; None: until four hours before the visit


def reminders(session: Session, now: datetime) -> Told:
    """Day-before reminders in the shipped words; they go out in the daytime only."""
    ready_texts.install(session, now)
    version = templates.active_versions(session)[VersionKey(None, "day_before", "sms", "sv")]
    return Told(Purpose.REMINDER, [version])


def moves(session: Session, now: datetime) -> Told:
    """Notices that a visit has been moved, in the shipped words: what must arrive, by daytime."""
    ready_texts.install(session, now)
    version = templates.active_versions(session)[VersionKey(None, "moved", "sms", "sv")]
    return Told(Purpose.MOVED, [version])


def codes(session: Session, now: datetime, count: int) -> Told:
    """Codes, each of a person's with words of its own: the one purpose that goes out at any hour of the real day."""
    template = Template(name="code", purpose=Purpose.CODE, channel="sms")
    session.add(template)
    session.flush()
    made = [
        TemplateVersion(
            template_id=template.id, language="sv", number=number, state=VersionState.ACTIVE,
            text=f"Prov nummer {number} från Kallelse.", written_by="kallelse", made_at=now,
        )
        for number in range(1, count + 1)
    ]  # fmt: skip
    session.add_all(made)
    session.flush()
    return Told(Purpose.CODE, [one.id for one in made], timedelta(hours=6))


def due_codes(sessions: Sessions, vault: Vault, now: datetime, count: int) -> None:
    """So many codes, due now."""
    with sessions.writing() as session:
        add_due(session, vault, now, count, codes(session, now, count))


def due_of_both_sorts(
    sessions: Sessions, vault: Vault, now: datetime, count: int, *, also_by_email: bool = False
) -> None:
    """So many, due now, in turn what may be told at most once (reminders) and what must arrive (moved visits)."""
    with sessions.writing() as session:
        sorts = (reminders(session, now), moves(session, now))
        add_due(session, vault, now, count, *sorts, also_by_email=also_by_email)


def due_reminders(sessions: Sessions, vault: Vault, now: datetime, count: int) -> None:
    """So many reminders, due now."""
    with sessions.writing() as session:
        add_due(session, vault, now, count, reminders(session, now))


def add_due(
    session: Session, vault: Vault, now: datetime, count: int, *sorts: Told, also_by_email: bool = False
) -> None:
    """One delivery a visit, of each sort in turn; visits lie five minutes apart, and go round among as many people as
    there are. `also_by_email`: what does not arrive goes on by e-mail, and of some people's SMS none arrives."""
    clinic = build.clinic(session, now)
    build.facility(session, clinic_id=clinic.id, cancel_deadline="")
    people_told = range(min(count, MOST_CITIZENS))
    cast = [engagement(session, vault, now, place, also_by_email=also_by_email) for place in people_told]
    contacts = {
        engagement.subject_id: session.exec(
            select(ContactPoint.id).where(
                col(ContactPoint.subject_id) == engagement.subject_id, col(ContactPoint.kind) == ContactKind.PHONE
            )
        ).one()
        for engagement in cast
    }
    for place in range(count):
        of, told = cast[place % len(cast)], sorts[place % len(sorts)]
        version = told.versions[place // len(cast) % len(told.versions)]
        start_at = now + AHEAD + timedelta(minutes=5 * place)
        booking = build.booking(session, vault, of, start_at, seen_at=now)
        delivery = Delivery(
            id=new_id(), clinic_id=clinic.id, subject_id=of.subject_id, recipient_id=of.subject_id,
            contact_id=contacts[of.subject_id], purpose=told.purpose, channel="sms", language="sv", visit_at=start_at,
            next_attempt_at=now, created_at=now,
            useful_until=start_at - timedelta(hours=4) if told.useful_for is None else now + told.useful_for,
        )  # fmt: skip
        if also_by_email:
            delivery.ways = "sms,email"
            usual = follow_at(told.purpose, now, delivery.useful_until)
            delivery.follow_at = now + _GIVES_WAY if _is_lost(place % len(cast)) else usual
        part = DeliveryPart(
            delivery_id=delivery.id, purpose=told.purpose, occasion=_occasion(session, vault, told, booking),
            channel="sms", recipient=str(of.subject_id), booking_id=booking.id, time_version=booking.time_version,
            template_version_id=version,
        )  # fmt: skip
        deliveries.insert(session, delivery, [part])


def _occasion(session: Session, vault: Vault, told: Told, booking: Booking) -> str:
    """The text key; of a moved visit, with the change itself: from the day before."""
    if told.purpose != Purpose.MOVED:
        return f"{told.purpose}:{booking.id}"
    change = BookingChange(
        booking_id=booking.id, subject_id=booking.subject_id, kind=ChangeKind.MOVED,
        at=booking.first_seen_at, settles_at=booking.first_seen_at,
    )  # fmt: skip
    before = Before(booking.start_at - timedelta(days=1), booking.facility, Standing.BOOKED, 0)
    change.sealed_before = seal_before(cipher_of(session, vault, booking.subject_id), change.id, before)
    session.add(change)
    return f"change:{change.id}"


def claimed(sessions: Sessions) -> int:
    """How many rows of any kind a worker still holds."""
    with sessions.reading() as session:
        return sum(
            session.exec(select(func.count()).select_from(table).where(col(table.claimed_until).is_not(None))).one()
            for table in (Delivery, Engagement, Subject)
        )


def states(sessions: Sessions) -> dict[str, int]:
    """How many deliveries there are in each state that occurs."""
    with sessions.reading() as session:
        rows = session.exec(select(col(Delivery.state), func.count()).group_by(col(Delivery.state)))
        return {str(state): number for state, number in rows}


def engagement(session: Session, vault: Vault, now: datetime, place: int, *, also_by_email: bool = False) -> Engagement:
    """Somebody known to the register until next year, whom nobody is asked about."""
    person = Person(people(MOST_CITIZENS)[place].identity, phone=f"+{FIRST_PHONE + place}")
    if also_by_email:
        phone = LOST_PHONE if _is_lost(place) else person.phone
        person = replace(person, phone=phone, email=f"person{place}@example.se")
    fresh = now + timedelta(days=365)
    subject = build.subject(session, vault, now, person, population_as_of=fresh, population_asked_as_of=fresh)
    return build.engagement(session, subject.id, now, next_poll_at=None)


def lost_among(count: int) -> int:
    """How many of so many deliveries, added `also_by_email`, do not arrive by SMS."""
    told = min(count, MOST_CITIZENS)
    return sum(_is_lost(place % told) for place in range(count))


def _is_lost(place: int) -> bool:
    return place % _LOST_EVERY == 0
