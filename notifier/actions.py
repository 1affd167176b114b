"""What becomes of a link in a message: looking at it changes nothing, acting on it does what it is for, once."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum

from notifier import action_links, opting
from notifier.action_links import LinkedTo, NewLink, about_address
from notifier.linked_visits import ShownVisit, VisitNow, visits_now
from notifier.opting import Address, Heard
from notifier.reading import Reading, Wish, open_page
from notifier.visit_answering import record
from notifier.visit_state import VisitState
from store import deliveries, visit_answers
from store.action_links import ActionLink
from store.database import Session, Sessions
from store.link_actions import LinkAction
from store.purposes import REMINDING, Purpose
from store.subjects import Subject
from store.vault import KeyDestroyed, Vault
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
    SHOWN = "shown"  # here is what is to be read
    CHOOSE = "choose"  # which visit?
    CHANGED = "changed"  # the visit is not as it was told: nothing has been noted
    SPARED = "spared"  # something else than the person's own wish keeps the address spared
    CLOSED = "closed"  # used, expired or unknown


@dataclass(frozen=True, slots=True)
class Acted:
    """What has been done. `visits`: the one it is about, or those to choose from. `reading`: what is to be read."""

    outcome: Outcome
    looked: Looked
    visits: tuple[ShownVisit, ...] = ()
    reading: Reading | None = None


@dataclass(frozen=True, slots=True)
class Press:
    """A button pressed: for which of the visits, by which way, and when. `at` is real time, `now` business time. `seal`
    and `language` as in `notifier.reading.Wish`."""

    at: datetime
    now: datetime
    choice: str = ""
    is_one_click: bool = False  # by a mail program, for its reader
    seal: str = ""
    language: str = ""


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
        if link.action == LinkAction.READ:
            return _read(session, vault, link, looked, press)
        if link.action in _KINDS:
            return _answer_visit(session, link, looked, press)
        outcome = Outcome.DONE if link.used_at else _act_on_address(session, link, press, vault)
        _use(session, link, press)
        return Acted(outcome, _looked(session, vault, link, press.at))


def _read(session: Session, vault: Vault, link: ActionLink, looked: Looked, press: Press) -> Acted:
    """The link is not used up: who has read a list may want it again on the morning of the visit."""
    wish = Wish(press.at, press.now, press.seal, press.language)
    try:
        reading = open_page(session, vault, link, looked.language, wish)
    except KeyDestroyed:
        reading = None  # erased
    if reading is None:
        return Acted(Outcome.CLOSED, replace(looked, state=LinkState.EXPIRED))
    is_done = bool(press.seal) and not reading.is_changed
    return Acted(Outcome.DONE if is_done else Outcome.SHOWN, looked, reading=reading)


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


def _answer_visit(session: Session, link: ActionLink, looked: Looked, press: Press) -> Acted:
    visits = visits_now(session, link, press.now)
    if not visits:
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


def _chosen(visits: Sequence[VisitNow], choice: str) -> VisitNow | None:
    if len(visits) == 1:
        return visits[0]
    return next((one for place, one in enumerate(visits) if str(place) == choice), None)


def _all_answered(session: Session, link: ActionLink, kind: AnswerKind, visits: Sequence[VisitNow]) -> bool:
    answered = visit_answers.answered(session, kind, link.recipient_id, [one.booking.id for one in visits])
    return all((one.booking.id, one.booking.time_version) in answered for one in visits)
