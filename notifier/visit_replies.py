"""Answers to JA and AVBOKA: a visit is confirmed where just one can be meant; a cancel is answered with a link, as
texts alone destroy nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from notifier import action_links, reply_texts
from notifier.action_links import LinkedTo
from notifier.opting import Address, Heard
from notifier.reply_intent import Asked
from notifier.visit_answering import record
from notifier.visit_meant import Changed, One, Several, Told, meant
from notifier.visit_state import state
from store import told
from store.database import Session
from store.intents import Intent
from store.link_actions import LinkAction
from store.purposes import CHANGE_NOTICES, REMINDING
from store.standing import Standing
from store.told import ToldRow
from store.vault import Vault
from store.visit_answers import AnswerKind

_TOLD_WITHIN = timedelta(days=400)  # visits are booked a year ahead at most
_ACTIONS = {Intent.CONFIRM: LinkAction.CONFIRM, Intent.CANCEL: LinkAction.CANCEL}


@dataclass(frozen=True, slots=True)
class Asking:
    """What somebody asks for, from which address, in which language; and where our pages are."""

    wanted: Asked
    address: Address
    language: str
    heard: Heard
    site: str


def answer(session: Session, vault: Vault, asking: Asking) -> str:
    """Does what can be done on a text's word, and returns what to answer."""
    since = asking.heard.now - _TOLD_WITHIN
    purposes = sorted(REMINDING | CHANGE_NOTICES)
    rows = told.told(session, asking.address.digest, asking.address.channel, since, purposes)
    found = meant(asking.wanted.intent, asking.wanted.code, [_told(vault, asking, row) for row in rows])
    match found:
        case One(booking_id):
            return _of_one(session, vault, asking, _row(rows, booking_id))
        case Several(booking_ids):
            return _of_several(session, vault, asking, [_row(rows, one) for one in booking_ids])
        case Changed():
            return reply_texts.has_changed(asking.language)
    return reply_texts.no_such_visit(asking.language)


def _told(vault: Vault, asking: Asking, row: ToldRow) -> Told:
    visit = row.booking
    return Told(
        delivery_id=row.delivery.id,
        booking_id=visit.id,
        told_at=row.delivery.created_at,
        code=action_links.code(vault, asking.address.digest, visit),
        state=state(
            Standing(visit.standing), visit.start_at, visit.time_version, row.part.time_version, asking.heard.now
        ),
    )


def _row(rows: Sequence[ToldRow], booking_id: object) -> ToldRow:
    return next(row for row in rows if row.booking.id == booking_id)


def _of_one(session: Session, vault: Vault, asking: Asking, row: ToldRow) -> str:
    start_at = row.booking.start_at
    if asking.wanted.intent == Intent.CANCEL:
        return reply_texts.cancel_here(start_at, _link(session, vault, asking, [row]), asking.language)
    if row.place.clinic_id is None:
        return reply_texts.no_such_visit(asking.language)
    record(session, AnswerKind.CONFIRM, row.booking, row.place.clinic_id, _who(asking, row), asking.heard)
    return reply_texts.confirmed(start_at, asking.language)


def _of_several(session: Session, vault: Vault, asking: Asking, rows: Sequence[ToldRow]) -> str:
    """A link behind which one can be chosen; none where two people share the address, as it would show each the
    other's."""
    if len({row.delivery.recipient_id for row in rows}) > 1:
        return reply_texts.no_such_visit(asking.language)
    return reply_texts.which(_link(session, vault, asking, rows), asking.language)


def _link(session: Session, vault: Vault, asking: Asking, rows: Sequence[ToldRow]) -> str:
    visits = [row.booking for row in rows]
    action = _ACTIONS[asking.wanted.intent]
    link = action_links.about_visits(vault, action, _who(asking, rows[0]), visits, asking.heard.now)
    action_links.keep(session, vault, link, asking.heard.at)
    return link.address(asking.site)


def _who(asking: Asking, row: ToldRow) -> LinkedTo:
    return LinkedTo(row.delivery.recipient_id, asking.address.digest, asking.address.channel)
