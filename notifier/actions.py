"""What becomes of a link in a message: looking at it changes nothing, acting on it does what it is for, once."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum

from notifier import action_links, opting
from notifier.action_links import LinkedTo, NewLink, about_address
from notifier.opting import Address, Heard
from notifier.swedish_days import cancel_deadline
from notifier.visit_answering import record
from notifier.visit_state import VisitState, state
from store import consents, deliveries, told, visit_answers
from store.action_links import ActionLink, LinkedVisit
from store.action_links import visits as linked_visits
from store.bookings import Booking
from store.clinics import Clinic
from store.custody import Custody
from store.database import Session, Sessions
from store.facilities import Facility
from store.guardianships import custody
from store.link_actions import LinkAction
from store.purposes import REMINDING, Purpose
from store.standing import Standing
from store.subjects import Subject
from store.vault import Vault
from store.visit_answers import AnswerKind

_SHOWN_AGAIN = timedelta(minutes=10)  # to who presses twice; later the link tells nothing more
_KINDS = {LinkAction.CONFIRM: AnswerKind.CONFIRM, LinkAction.CANCEL: AnswerKind.CANCEL}


class LinkState(StrEnum):
    OPEN = "open"
    USED = "used"
    EXPIRED = "expired"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Looked:
    """What may be told of a link to whoever opens it: nothing private. `start`: the token of the way back, if any."""

    state: LinkState
    language: str = ""
    action: LinkAction | None = None
    start: str = field(default="", repr=False)


class Outcome(StrEnum):
    DONE = "done"
    CHOOSE = "choose"  # which visit?
    CHANGED = "changed"  # the visit is not as it was told: nothing has been noted
    SPARED = "spared"  # something else than the person's own wish keeps the address spared
    CLOSED = "closed"  # used, expired or unknown


@dataclass(frozen=True, slots=True)
class ShownVisit:
    """A visit as the page tells it, after the press of a button. `choice` names it in the form."""

    choice: str
    start_at: datetime
    clinic: str = field(repr=False)
    phone: str = field(repr=False)
    deadline_at: datetime | None
    state: VisitState


@dataclass(frozen=True, slots=True)
class Acted:
    """What has been done. `visits`: the one it is about, or those to choose from."""

    outcome: Outcome
    looked: Looked
    visits: tuple[ShownVisit, ...] = ()


@dataclass(frozen=True, slots=True)
class Press:
    """A button pressed: for which of the visits, by which way, and when. `at` is real time, `now` business time."""

    at: datetime
    now: datetime
    choice: str = ""
    is_one_click: bool = False  # by a mail program, for its reader


def look(sessions: Sessions, vault: Vault, token: str, real_now: datetime) -> Looked:
    """What the link is for, and whether it still can be used. Changes nothing."""
    with sessions.reading() as session:
        link = action_links.found(session, vault, token)
        return Looked(LinkState.UNKNOWN) if link is None else _looked(session, vault, link, real_now)


def act(sessions: Sessions, vault: Vault, token: str, press: Press) -> Acted:
    """Does what the link is for. Pressed again it does nothing more, and says for a while what has been done."""
    with sessions.writing() as session:
        link = action_links.found(session, vault, token, locked=True)
        if link is None:
            return Acted(Outcome.CLOSED, Looked(LinkState.UNKNOWN))
        looked = _looked(session, vault, link, press.at)
        if looked.state == LinkState.EXPIRED or (looked.state == LinkState.USED and not _just_used(link, press)):
            return Acted(Outcome.CLOSED, looked)
        if link.action in _KINDS:
            return _answer_visit(session, link, looked, press)
        outcome = Outcome.DONE if link.used_at else _act_on_address(session, link, press, vault)
        _use(session, link, press)
        return Acted(outcome, _looked(session, vault, link, press.at))


def _looked(session: Session, vault: Vault, link: ActionLink, real_now: datetime) -> Looked:
    language = session.get_one(Subject, link.recipient_id).language
    action = LinkAction(link.action)
    back = _way_back(session, vault, link, real_now) if action == LinkAction.UNSUBSCRIBE and link.used_at else ""
    return Looked(_state(link, real_now), language, action, back)


def _state(link: ActionLink, real_now: datetime) -> LinkState:
    if link.used_at is not None:
        return LinkState.USED
    return LinkState.EXPIRED if link.expires_at <= real_now else LinkState.OPEN


def _just_used(link: ActionLink, press: Press) -> bool:
    return link.used_at is not None and press.at - link.used_at <= _SHOWN_AGAIN


def _use(session: Session, link: ActionLink, press: Press) -> None:
    link.used_at = link.used_at or press.at
    session.add(link)
    session.flush()


def _act_on_address(session: Session, link: ActionLink, press: Press, vault: Vault) -> Outcome:
    address = Address(link.contact_digest, link.channel)
    heard = Heard("citizen", "one_click" if press.is_one_click else "link", press.at, press.now)
    match LinkAction(link.action):
        case LinkAction.UNSUBSCRIBE:
            opting.stop(session, address, heard, REMINDING)
            action_links.keep(session, vault, _back(vault, link), press.at)
        case LinkAction.START:
            opting.start(session, address, heard)
            spared = deliveries.suppressions(session, [address.digest], Purpose.REMINDER)
            return Outcome.SPARED if (address.digest, address.channel) in spared else Outcome.DONE
        case LinkAction.WRONG_PERSON:
            opting.disown(session, address, heard)
    return Outcome.DONE


def _back(vault: Vault, link: ActionLink) -> NewLink:
    """The way back from an end of reminders, for whoever holds the link that ended them."""
    return about_address(vault, LinkAction.START, _to(link), link.id)


def _way_back(session: Session, vault: Vault, link: ActionLink, real_now: datetime) -> str:
    token = _back(vault, link).token
    back = action_links.found(session, vault, token)
    return token if back is not None and _state(back, real_now) == LinkState.OPEN else ""


def _to(link: ActionLink) -> LinkedTo:
    return LinkedTo(link.recipient_id, link.contact_digest, link.channel)


@dataclass(frozen=True, slots=True)
class _Visit:
    """A visit of the link as it is now. `clinic` None: nobody's customer any more."""

    booking: Booking
    place: Facility
    clinic: Clinic | None
    state: VisitState

    def shown(self, choice: int, now: datetime) -> ShownVisit:
        """A deadline that has passed is not told: it could only mislead."""
        phone = self.clinic.phone if self.clinic else ""
        deadline_at = cancel_deadline(self.booking.start_at, self.place.cancel_deadline)
        return ShownVisit(
            choice=str(choice),
            start_at=self.booking.start_at,
            clinic=self.place.message_name,
            phone=phone if self.place.is_sensitive else self.place.phone or phone,
            deadline_at=deadline_at if deadline_at and deadline_at > now else None,
            state=self.state,
        )


def _answer_visit(session: Session, link: ActionLink, looked: Looked, press: Press) -> Acted:
    visits = _visits(session, link, press.now)
    if not visits or not all(_may_be_told(session, link, one.booking) for one in visits):
        return Acted(Outcome.CLOSED, replace(looked, state=LinkState.EXPIRED))
    standing = [one for one in visits if one.state == VisitState.STANDS]
    chosen = _chosen(visits, press.choice)
    if chosen is None and standing:
        return Acted(Outcome.CHOOSE, looked, tuple(one.shown(visits.index(one), press.now) for one in standing))
    found = chosen or visits[0]
    shown = (found.shown(visits.index(found), press.now),)
    if found.state != VisitState.STANDS or found.clinic is None:
        return Acted(Outcome.CHANGED, looked, shown)
    kind, heard = _KINDS[LinkAction(link.action)], Heard("citizen", "link", press.at, press.now)
    record(session, kind, found.booking, found.clinic.id, _to(link), heard)
    if _all_answered(session, link, kind, standing):
        _use(session, link, press)
    return Acted(Outcome.DONE, looked, shown)


def _visits(session: Session, link: ActionLink, now: datetime) -> list[_Visit]:
    """In the order in which the page shows them; one that has been merged away is left out."""
    found = [_visit(session, one, now) for one in linked_visits(session, link.id)]
    rows = [one for one in found if one is not None]
    return sorted(rows, key=lambda one: (one.booking.start_at, one.booking.id))


def _visit(session: Session, linked: LinkedVisit, now: datetime) -> _Visit | None:
    row = told.visit(session, linked.booking_id)
    if row is None:
        return None
    visit, place = row
    stands = state(Standing(visit.standing), visit.start_at, visit.time_version, linked.time_version, now)
    return _Visit(visit, place, session.get(Clinic, place.clinic_id) if place.clinic_id else None, stands)


def _chosen(visits: Sequence[_Visit], choice: str) -> _Visit | None:
    if len(visits) == 1:
        return visits[0]
    return next((one for place, one in enumerate(visits) if str(place) == choice), None)


def _all_answered(session: Session, link: ActionLink, kind: AnswerKind, visits: Sequence[_Visit]) -> bool:
    answered = visit_answers.answered(session, kind, link.recipient_id, [one.booking.id for one in visits])
    return all((one.booking.id, one.booking.time_version) in answered for one in visits)


def _may_be_told(session: Session, link: ActionLink, visit: Booking) -> bool:
    """As at the last look before a message: nobody protected or dead, a consent that stands, a guardian who is one."""
    subject, recipient = session.get_one(Subject, visit.subject_id), session.get_one(Subject, link.recipient_id)
    if any(one.protected_on or one.deceased_on for one in (subject, recipient)):
        return False
    if subject.id != recipient.id and custody(session, recipient.id, subject.id) != Custody.STANDS:
        return False
    return consents.stands(session, subject.id)
