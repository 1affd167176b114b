"""Sends what is queued, effectively once: a last look and the attempt are committed before the first byte leaves, and
no session is open while a provider is talked to. Knows no provider.
"""

import secrets
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import structlog

from notifier.channels import Accepted, Channel, Message, Refused, Remedy, Unknown, Unreachable
from notifier.composing import Composed, Composing, compose
from notifier.last_check import Defer, End
from notifier.pacing import Pace
from store import deliveries, subjects
from store.claims import Claim, finish, release
from store.database import Session, Sessions
from store.deliveries import DISPATCHING, Attempt, AttemptOutcome, Delivery, Wording
from store.delivery_states import DeliveryState
from store.subjects import Contact, ContactPoint
from store.vault import Vault

_log = structlog.get_logger(__name__)
_REASONS = {
    Remedy.NEXT_CHANNEL: "refused",
    Remedy.BAD_CONTACT: "bad_contact",
    Remedy.SUPPRESS: "opted_out",
}


@dataclass(frozen=True, slots=True)
class DispatchSettings:
    """`timeout`: the longest a channel takes over one message (connect and read). A lease is not used to its last
    two time-outs, so that nothing is sent under a lease that has run out."""

    link: str = "https://www.1177.se"
    lease: timedelta = timedelta(seconds=60)
    timeout: timedelta = timedelta(seconds=13)
    batch: int = 50
    population_age: timedelta = timedelta(hours=24)
    look_again: timedelta = timedelta(minutes=10)  # at what is held, paused or suspect
    first_wait: timedelta = timedelta(seconds=30)  # after a provider could not be reached; doubles
    longest_wait: timedelta = timedelta(minutes=10)
    wording_kept: timedelta = timedelta(days=7)
    pace: Pace | None = None  # shared by all runs of a process

    @property
    def margin(self) -> timedelta:
        return 2 * self.timeout


@dataclass(frozen=True, slots=True)
class _Work:
    """What a run works with. `clock` is the business clock."""

    sessions: Sessions
    vault: Vault
    channels: Mapping[str, Channel]
    clock: Callable[[], datetime]
    settings: DispatchSettings


@dataclass(frozen=True, slots=True)
class _Ready:
    """A message whose attempt has been committed."""

    message: Message
    channel: Channel
    attempt_id: UUID
    attempts: int
    contact: Contact


_Outcome = Accepted | Refused | Unreachable | Unknown


def send_due(  # noqa: PLR0913 - everything a run needs is handed in, nothing is looked up
    sessions: Sessions,
    vault: Vault,
    channels: Mapping[str, Channel],
    clock: Callable[[], datetime],
    settings: DispatchSettings,
    stopping: Callable[[], bool] = lambda: False,
) -> Counter[str]:
    """Sends one batch of due deliveries, the first visit first. Counts what became of them; empty: none was due.

    When `stopping` turns true, or the lease is nearly used up, the rest is given back untouched.
    """
    work = _Work(sessions, vault, channels, clock, settings)
    began = time.monotonic()
    with sessions.writing() as session:
        claims = deliveries.claim_to_send(session, clock(), settings.lease, settings.batch)
    counts: Counter[str] = Counter()
    for place, claim in enumerate(claims):
        if stopping() or time.monotonic() - began > (settings.lease - settings.margin).total_seconds():
            with sessions.writing() as session:
                release(session, DISPATCHING, claims[place:])
            counts["given_back"] += len(claims) - place
            break
        _await_turn(work, claim)
        counts[_deliver(work, claim)] += 1
    return counts


def recover(sessions: Sessions) -> int:
    """Deliveries whose worker was killed while sending become uncertain: nobody knows whether they went. How many.

    Those killed before their attempt lie queued still and are simply taken again.
    """
    with sessions.writing() as session:
        return deliveries.give_up_waiting(session)


def _await_turn(work: _Work, claim: Claim) -> None:
    """Before the last look, so that what is waited for is still true, and no attempt stands open meanwhile."""
    if work.settings.pace is None:
        return
    with work.sessions.reading() as session:
        channel = work.channels.get(deliveries.channel_of(session, claim.id))
    if channel is not None:
        work.settings.pace.wait_turn(channel.provider)


def _deliver(work: _Work, claim: Claim) -> str:
    ready = _prepare(work, claim)
    if isinstance(ready, str):
        return ready
    outcome = _sent(ready)
    with work.sessions.writing() as session:
        became = _settle(session, work, claim, ready, outcome)
    _log.info("delivery_tried", delivery_id=str(claim.id), outcome=became, code=getattr(outcome, "code", ""))
    return became


def _prepare(work: _Work, claim: Claim) -> _Ready | str:
    """The last look and the attempt, in one transaction; or what became of the delivery instead."""
    now = work.clock()
    with work.sessions.writing() as session:
        delivery = deliveries.claimed(session, claim)
        if delivery is None:
            return "lost"
        composed = compose(session, work.vault, delivery, now, _composing(work))
        if isinstance(composed, Defer):
            return "deferred" if finish(session, DISPATCHING, claim, composed.until) else "lost"
        deliveries.drop_parts(session, composed.dropped)
        if isinstance(composed, End):
            kept = deliveries.end(session, claim, composed.state, composed.reason, now)
            return composed.state.value if kept else "lost"
        return _begin(session, work, claim, delivery, composed)


def _begin(session: Session, work: _Work, claim: Claim, delivery: Delivery, composed: Composed) -> _Ready | str:
    if not deliveries.begin_sending(session, claim, work.settings.margin):
        return "lost"
    now, channel = work.clock(), work.channels[delivery.channel]
    attempt = Attempt(
        delivery_id=delivery.id,
        fence=claim.fence,
        public_id=secrets.token_urlsafe(16),
        provider=channel.provider,
        wording_digest=work.vault.digest("wording", composed.text),
        began_at=datetime.now(UTC),  # real time: it is compared with the provider's
    )
    session.add(attempt)
    session.flush()
    cipher = subjects.cipher_of(session, work.vault, delivery.recipient_id)
    sealed = cipher.seal_text("wordings.sealed_text", attempt.id, composed.text)
    session.add(Wording(attempt_id=attempt.id, sealed_text=sealed, keep_until=now + work.settings.wording_kept))
    message = Message(
        to=composed.contact.address,
        subject_line=composed.subject_line,
        text=composed.text,
        html=composed.html,
        language=composed.language,
        delivery_id=str(delivery.id),
        attempt_id=attempt.public_id,
        useful_until=delivery.useful_until,
        now=now,
    )
    return _Ready(message, channel, attempt.id, deliveries.attempts_made(session, delivery.id), composed.contact)


def _sent(ready: _Ready) -> _Outcome:
    try:
        return ready.channel.send(ready.message)
    except (Refused, Unreachable, Unknown) as error:
        return error


def _settle(session: Session, work: _Work, claim: Claim, ready: _Ready, outcome: _Outcome) -> str:
    """Writes what became of the attempt. A receipt or a recovery that came first keeps its word on the delivery."""
    now = work.clock()
    deliveries.settle_attempt(session, ready.attempt_id, *_attempt_values(outcome), now)
    if isinstance(outcome, Refused):
        _remember(session, ready, outcome, now)
    values = _delivery_values(work.settings, ready, outcome, now)
    return str(values["state"]) if deliveries.settle_sending(session, claim, values) else "settled_elsewhere"


def _attempt_values(outcome: _Outcome) -> tuple[AttemptOutcome, str | None, str]:
    """Outcome, the provider's id and its code."""
    if isinstance(outcome, Accepted):
        return AttemptOutcome.ACCEPTED, outcome.provider_id, ""
    if isinstance(outcome, Refused):
        return AttemptOutcome.REFUSED, None, outcome.code
    if isinstance(outcome, Unreachable):
        return AttemptOutcome.UNREACHABLE, None, outcome.code
    return AttemptOutcome.UNKNOWN, None, outcome.code


def _delivery_values(settings: DispatchSettings, ready: _Ready, outcome: _Outcome, now: datetime) -> dict[str, Any]:
    if isinstance(outcome, Accepted):
        return {"state": DeliveryState.ACCEPTED, "settled_at": now}
    if isinstance(outcome, Unknown):
        return {"state": DeliveryState.UNCERTAIN}  # never sent again blindly
    if isinstance(outcome, Refused) and outcome.remedy != Remedy.OPERATOR:
        return {"state": DeliveryState.FAILED, "reason": _REASONS[outcome.remedy], "settled_at": now}
    again_at = now + _wait(settings, ready.attempts, outcome)
    if again_at > ready.message.useful_until:
        return {"state": DeliveryState.EXPIRED, "reason": "unreachable", "settled_at": now}
    return {"state": DeliveryState.QUEUED, "next_attempt_at": again_at}


def _wait(settings: DispatchSettings, attempts: int, outcome: _Outcome) -> timedelta:
    """Until the next try: doubling, or what the provider asks for. What only an operator can mend waits longest."""
    if isinstance(outcome, Refused):
        return settings.longest_wait
    wished = outcome.retry_after if isinstance(outcome, Unreachable) else None
    doubled = settings.first_wait * (1 << min(attempts - 1, 10))
    return max(min(doubled, settings.longest_wait), wished or timedelta())


def _remember(session: Session, ready: _Ready, refused: Refused, now: datetime) -> None:
    """What a refusal teaches about the address."""
    if refused.remedy == Remedy.BAD_CONTACT:
        session.get_one(ContactPoint, ready.contact.id).dead_since = now
    if refused.remedy == Remedy.SUPPRESS:
        deliveries.suppress(session, ready.contact.digest, ready.channel.name, "provider", now)


def _composing(work: _Work) -> Composing:
    settings = work.settings
    return Composing(frozenset(work.channels), settings.link, settings.population_age, settings.look_again)
