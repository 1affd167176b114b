"""What the start page shows, made ready for its template: rows in the reader's words, nothing to decide there."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from feeds import adding
from notifier import spoken_times
from store import facilities, overview
from store.database import Session
from store.facilities import WHOLE_SOURCE, Facility, LogicalAddress
from store.identifiers import HsaId
from worker.demo import forwarding
from worker.demo.accepted import Message
from worker.demo.care_side import CareSide
from worker.demo.feed_reading import ServedEvent, ServedFeed
from worker.demo.forwarding import Target
from worker.demo.people import Person
from worker.demo.progress import KeptAccount
from worker.demo.region_state import Booking, Invitation
from worker.demo.start_page_texts import Texts

_SWEDEN = ZoneInfo("Europe/Stockholm")
_DAYS = {"sv": {0: "i dag, ", 1: "i morgon, "}, "en": {0: "today, ", 1: "tomorrow, "}}

Say = Callable[[datetime], str]


@dataclass(frozen=True, slots=True)
class Silent:
    """An address that does not answer, or that we no longer may see. The source as a whole has no name."""

    name: str
    since: datetime
    is_invisible: bool


@dataclass(frozen=True, slots=True)
class Stored:
    """What the page shows of the database."""

    instants: dict[Target, datetime]
    silent: tuple[Silent, ...]
    counts: overview.Counts


@dataclass(frozen=True, slots=True)
class Found:
    """Everything the page shows, from where it is."""

    now: datetime
    citizen: Person
    feed_url: str
    account_url: str
    account: KeptAccount
    feed: ServedFeed
    messages: Sequence[Message]
    inbox_url: str
    care: CareSide
    stored: Stored
    waits: tuple[timedelta, timedelta, timedelta]  # between polls, to the second look, until a change is told


@dataclass(frozen=True, slots=True)
class EventRow:
    when: str
    event: ServedEvent
    state: str
    change: str


@dataclass(frozen=True, slots=True)
class BookingRow:
    id: str
    when: str
    what: str
    where: str
    is_invitation: bool


@dataclass(frozen=True, slots=True)
class MessageRow:
    channel: str
    when: str
    state: str
    subject: str
    body: str


def read_stored(session: Session, subject_id: UUID, now: datetime) -> Stored:
    rows = facilities.silent(session)
    known = facilities.by_ids(session, [row.address for row in rows])
    silent = tuple(_silent(row, known.get(HsaId(row.address))) for row in rows)
    return Stored(forwarding.instants(session, subject_id, now), silent, overview.counts(session, now))


def values(found: Found, texts: Texts, language: str) -> dict[str, object]:
    """The template's values."""

    def say(at: datetime) -> str:
        return spoken(at, found.now, language)

    return {
        "t": texts,
        "name": found.citizen.name,
        "citizen_language": found.citizen.language,
        "how": _how(found.waits, texts),
        "now": texts.now.format(now=spoken_times.moment(found.now, language)),
        "targets": [(target, texts.targets[target], say(at)) for target, at in found.stored.instants.items()],
        "feed_url": found.feed_url,
        "account": [
            (texts.account_server, found.account_url),
            (texts.account_name, found.account.name),
            (texts.account_opens_with, found.account.password),
        ],
        "ways": _ways(found.feed_url, language),
        "qr_code": adding.qr_code(found.feed_url, texts.qr_code),
        "feed": found.feed,
        "events": [_event_row(event, texts, say) for event in found.feed.events],
        "messages": [_message_row(message, texts, say) for message in _to(found.citizen, found.messages)],
        "inbox_url": found.inbox_url,
        "booked": [_booking_row(found.care, booking, say) for booking in found.care.standing()],
        "invitations": [_invitation_row(found.care, one) for one in found.care.invitations()],
        "cancelled": [_booking_row(found.care, booking, say) for booking in found.care.cancelled()],
        "time_books": found.care.time_books(),
        "silent": [_silence(silent, texts, say) for silent in found.stored.silent],
        "counts": _counts(found.stored.counts, texts),
    }


def _ways(feed_url: str, language: str) -> tuple[list[adding.Way], list[adding.Way]]:
    """Those that work on this machine, and those whose servers would have to reach it."""
    ways = adding.ways(feed_url, language)
    return (
        [way for way in ways if not way.is_fetched_by_others],
        [way for way in ways if way.is_fetched_by_others],
    )


def spoken(at: datetime, now: datetime, language: str) -> str:
    """`i morgon, onsdag 25 november kl. 13.30`; the year where it is another than now's."""
    here, today = at.astimezone(_SWEDEN), now.astimezone(_SWEDEN)
    day = _DAYS[language].get((here.date() - today.date()).days, "")
    moment = spoken_times.moment(at, language).replace("kl. ", "kl.\N{NO-BREAK SPACE}")
    if here.year == today.year:
        return day + moment
    date = spoken_times.day(at, language)
    return day + moment.replace(date, f"{date} {here.year}")


def _how(waits: tuple[timedelta, timedelta, timedelta], texts: Texts) -> str:
    poll, second_look, settle = (wait.total_seconds() for wait in waits)
    return texts.how.format(poll=f"{poll:g}", certain=f"{poll + second_look:g}", settle=f"{settle:g}")


def _silent(row: LogicalAddress, facility: Facility | None) -> Silent:
    since = row.not_visible_since or row.silent_since
    if since is None:
        raise ValueError("an address that answers is not silent")
    name = row.address if facility is None else facility.display_name
    name = "" if row.address == WHOLE_SOURCE else name
    return Silent(name, since, row.not_visible_since is not None)


def _event_row(event: ServedEvent, texts: Texts, say: Say) -> EventRow:
    changes = texts.changed.format(sequence=event.sequence) if event.sequence else texts.unchanged
    return EventRow(say(event.start_at), event, texts.statuses.get(event.status, event.status), changes)


def _to(citizen: Person, messages: Sequence[Message]) -> list[Message]:
    """The citizen's, the newest first."""
    addresses = {citizen.phone, citizen.email} - {""}
    return [message for message in reversed(messages) if message.to in addresses]


def _message_row(message: Message, texts: Texts, say: Say) -> MessageRow:
    return MessageRow(
        channel=texts.channels.get(message.channel, message.channel),
        when=say(message.accepted_at),
        state=texts.message_states.get(message.status, message.status),
        subject=message.subject or "",
        body=message.body,
    )


def _booking_row(care: CareSide, booking: Booking, say: Say) -> BookingRow:
    facility = care.facility(booking)
    return BookingRow(booking.id, say(booking.start_at), booking.time_type_name, facility.name, booking.is_invitation)


def _invitation_row(care: CareSide, invitation: Invitation) -> BookingRow:
    return BookingRow(invitation.id, "", invitation.time_type_name, care.facility(invitation).name, is_invitation=True)


def _silence(silent: Silent, texts: Texts, say: Say) -> tuple[str, str]:
    """Who, and since when."""
    words = texts.invisible_since if silent.is_invisible else texts.silent_since
    return silent.name or texts.aggregator, words.format(since=say(silent.since))


def _counts(counts: overview.Counts, texts: Texts) -> list[tuple[str, int]]:
    found = counts.deliveries
    deliveries = [(words, found[state]) for state, words in texts.deliveries.items() if state in found]
    return [
        (texts.subjects, counts.subjects),
        (texts.coming_bookings, counts.coming_bookings),
        (texts.calendars, counts.calendars),
        *deliveries,
    ]
