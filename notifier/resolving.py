"""Settles what nobody knows: asks providers whether they took an uncertain message, and what became of an accepted one
that no receipt has told about. No session is open while a provider is asked.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog

from notifier import receipts
from notifier.channels import Answering, Progress, Taken, Unreachable
from notifier.providers import Channels, made_by, members
from notifier.uncertainty import (
    Absent,
    Answer,
    AskAgain,
    Bind,
    Decision,
    Found,
    GiveUp,
    Patience,
    SendAgain,
    Silent,
    Unsettled,
    may_bind,
    next_enquiry,
    settle,
)
from store import subjects, unsettled
from store.claims import Claim
from store.database import Session, Sessions
from store.deliveries import Attempt
from store.delivery_states import DeliveryState
from store.purposes import Purpose
from store.unsettled import Doubt
from store.vault import Unsealable, Vault

_log = structlog.get_logger(__name__)
_SKEW = timedelta(minutes=5)  # between our clock and a provider's, whole seconds included


@dataclass(frozen=True, slots=True)
class ResolvingSettings:
    """`lease` outlasts the questions about one delivery; the batch is what one lease is enough for."""

    patience: Patience = Patience()
    lease: timedelta = timedelta(seconds=60)
    batch: int = 4


@dataclass(frozen=True, slots=True)
class _Asking:
    """One delivery to ask about, as read before asking. `of`: all who may have it; empty where one of them cannot be
    asked. `to` is empty where it can no longer be read."""

    doubt: Doubt
    of: Mapping[str, Answering]  # by provider
    to: str


@dataclass(frozen=True, slots=True)
class _Listed:
    """A message as its provider lists it."""

    provider: str
    taken: Taken


def resolve_due(
    sessions: Sessions,
    vault: Vault,
    channels: Channels,
    now: datetime,
    settings: ResolvingSettings,
) -> int:
    """Asks about one batch of deliveries; how many. 0: there was none to ask about. `now` is business time."""
    with sessions.writing() as session:
        claims = unsettled.claim_to_ask(session, settings.lease, settings.batch)
    for claim in claims:
        _resolve(_Work(sessions, vault, channels, now, settings), claim)
    return len(claims)


@dataclass(frozen=True, slots=True)
class _Work:
    sessions: Sessions
    vault: Vault
    channels: Channels
    now: datetime
    settings: ResolvingSettings


def _resolve(work: _Work, claim: Claim) -> None:
    with work.sessions.reading() as session:
        asking = _read(work, session, claim)
    if asking is None:
        return
    if asking.doubt.delivery.state == DeliveryState.UNCERTAIN:
        _settle_uncertain(work, claim, asking)
    else:
        _enquire(work, claim, asking)


def _read(work: _Work, session: Session, claim: Claim) -> _Asking | None:
    doubt = unsettled.doubt(session, claim)
    if doubt is None:
        return None
    return _Asking(doubt, _to_ask(work, doubt), _address(work, session, doubt))


def _to_ask(work: _Work, doubt: Doubt) -> Mapping[str, Answering]:
    """Whoever made the attempt; of one that a lost system may have made, every provider of the channel."""
    several = work.channels.get(doubt.delivery.channel)
    made = made_by(several, _provider(doubt))
    asked = members(several) if doubt.is_of_lost_system else [one for one in (made,) if one is not None]
    able = {one.provider: one for one in asked if isinstance(one, Answering)}
    return able if len(able) == len(asked) else {}


def _address(work: _Work, session: Session, doubt: Doubt) -> str:
    recipient = doubt.delivery.recipient_id
    try:
        cipher = subjects.cipher_of(session, work.vault, recipient)
        contacts = subjects.contacts(session, cipher, recipient)  # one that has been removed since, too
    except Unsealable:
        return ""
    return next((one.address for one in contacts if one.id == doubt.delivery.contact_id), "")


def _settle_uncertain(work: _Work, claim: Claim, asking: _Asking) -> None:
    if asking.doubt.taken is not None and not asking.doubt.unknown:
        _accept(work, claim, asking.doubt)
        return
    listed = _listed(asking)
    with work.sessions.writing() as session:
        answer = _answer(work, session, asking, listed)
        decision = settle(_known(asking.doubt), answer, work.settings.patience)
        became = _carry_out(work, session, claim, asking.doubt, decision, listed or ())
    _log.info("uncertain_resolved", delivery_id=str(claim.id), outcome=became, provider=_provider(asking.doubt))


def _accept(work: _Work, claim: Claim, doubt: Doubt) -> None:
    """A receipt has settled the attempt meanwhile, and with it the doubt."""
    with work.sessions.writing() as session:
        unsettled.settle(session, claim, doubt, _values(work, DeliveryState.ACCEPTED, settled_at=work.now))


def _listed(asking: _Asking) -> Sequence[_Listed] | None:
    """What was taken for the recipient since the first unknown attempt; None: somebody does not say."""
    unknown = asking.doubt.unknown
    if not asking.of or not asking.to or not unknown:
        return None
    since = unknown[0].began_at - _SKEW
    try:
        return [_Listed(provider, one) for provider, of in asking.of.items() for one in of.taken(asking.to, since)]
    except Unreachable:
        return None


def _answer(work: _Work, session: Session, asking: _Asking, listed: Sequence[_Listed] | None) -> Answer:
    """Counts the provider's messages of the same words against ours, as it knows nothing else of an attempt."""
    if listed is None:
        return Silent(forever=not asking.of or not asking.to)
    digests = {one.wording_digest for one in asking.doubt.unknown}
    alike = [one for one in listed if _digest(work, one.taken) in digests]
    candidates = [one.taken.provider_id for one in alike if not _is_known(session, one)]
    if not candidates:
        return Absent()
    ours = may_bind(candidates, unsettled.under_way(session, asking.doubt, digests))
    return Silent() if ours is None else Found(ours)


def _is_known(session: Session, one: _Listed) -> bool:
    """Whether it is another attempt's already."""
    return bool(unsettled.bound(session, one.provider, [one.taken.provider_id]))


def _digest(work: _Work, taken: Taken) -> str:
    return work.vault.digest("wording", taken.text)


def _known(doubt: Doubt) -> Unsettled:
    delivery = doubt.delivery
    return Unsettled(Purpose(delivery.purpose), delivery.asked, doubt.unknown_for, len(doubt.unknown))


def _carry_out(  # noqa: PLR0913 - a decision, and everything it is about
    work: _Work, session: Session, claim: Claim, doubt: Doubt, decision: Decision, listed: Sequence[_Listed]
) -> str:
    if isinstance(decision, AskAgain):
        is_kept = unsettled.ask_again(session, claim, doubt, decision.after, decision.absences)
        return "asked" if is_kept else "settled_elsewhere"
    values = _exit_values(work, decision)
    if not unsettled.settle(session, claim, doubt, values):
        return "settled_elsewhere"
    if isinstance(decision, Bind):
        found = next(one for one in listed if one.taken.provider_id == decision.provider_id)
        attempt = _attempt(work, doubt, found.taken)
        unsettled.bind(session, attempt, found.provider, decision.provider_id, work.now)
    if isinstance(decision, SendAgain) and not decision.is_copy:
        unsettled.mark_absent(session, doubt.unknown, work.now)
    return str(values["state"])


def _attempt(work: _Work, doubt: Doubt, found: Taken) -> Attempt:
    """The attempt whose words the found message has."""
    digest = _digest(work, found)
    return next(one for one in doubt.unknown if one.wording_digest == digest)


def _exit_values(work: _Work, decision: Bind | SendAgain | GiveUp) -> dict[str, Any]:
    if isinstance(decision, Bind):
        return _values(work, DeliveryState.ACCEPTED, settled_at=work.now)
    if isinstance(decision, SendAgain):
        return _values(work, DeliveryState.QUEUED, next_attempt_at=work.now)
    return _values(work, DeliveryState.FAILED, reason="unknown", settled_at=work.now)


def _values(work: _Work, state: DeliveryState, **others: object) -> dict[str, Any]:
    patience = work.settings.patience
    return {"state": state, **unsettled.waiting(state, patience.first_look, patience.receipt), **others}


def _enquire(work: _Work, claim: Claim, asking: _Asking) -> None:
    """An accepted message without a receipt: what the provider says of it is applied as its receipt would be."""
    doubt, patience = asking.doubt, work.settings.patience
    taken = doubt.taken
    channel = asking.of.get(_provider(doubt))
    if channel is None or taken is None:
        _ask_again(work, claim, doubt, None)  # a relay tells nothing more: accepted is the end of it
        return
    found = _progress(channel, str(taken.provider_id))
    if isinstance(found, Silent):
        _ask_again(work, claim, doubt, patience.receipt)
        return
    if found is not None:
        receipts.record(work.sessions, _as_receipt(taken, found), datetime.now(UTC))
    asked = doubt.delivery.asked + 1
    wait = next_enquiry(asked, patience)
    if wait is None:
        _end_without_receipt(work, claim, doubt)
    else:
        _ask_again(work, claim, doubt, wait, asked)
    _log.info("receipt_enquired", delivery_id=str(claim.id), count=asked, provider=_provider(doubt))


def _progress(channel: Answering, provider_id: str) -> Progress | Silent | None:
    try:
        return channel.progress(provider_id)
    except Unreachable:
        return Silent()


def _ask_again(work: _Work, claim: Claim, doubt: Doubt, after: timedelta | None, asked: int | None = None) -> None:
    with work.sessions.writing() as session:
        unsettled.ask_again(session, claim, doubt, after, doubt.delivery.asked if asked is None else asked)


def _end_without_receipt(work: _Work, claim: Claim, doubt: Doubt) -> None:
    values = _values(work, DeliveryState.FAILED, reason="no_receipt")
    with work.sessions.writing() as session:
        unsettled.settle(session, claim, doubt, values)


@dataclass(frozen=True, slots=True)
class _Enquired:
    """What the provider said when asked, in the form of its receipts."""

    provider: str
    provider_id: str
    status: str
    code: str
    attempt_id: str


def _as_receipt(taken: Attempt, found: Progress) -> _Enquired:
    return _Enquired(taken.provider, str(taken.provider_id), found.status, found.code, taken.public_id)


def _provider(doubt: Doubt) -> str:
    """Who can tell: whoever made the attempts that nobody knows the end of, or took the message. Empty if there is no
    one such: of another provider's attempts none can say anything."""
    taken = [] if doubt.taken is None else [doubt.taken]
    open_ones = doubt.unknown or taken if doubt.state == DeliveryState.UNCERTAIN else taken
    providers: Collection[str] = {one.provider for one in open_ones}
    return next(iter(providers)) if len(providers) == 1 else ""
