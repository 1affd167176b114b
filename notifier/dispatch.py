"""Sends what is queued, effectively once: a last look and the attempt are committed before the first byte leaves, and
no session is open while a provider is talked to. Knows no provider.
"""

import random
import secrets
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

import structlog

from notifier import action_links, opting
from notifier.channels import Accepted, Channel, Message, Refused, Remedy, Unknown, Unreachable
from notifier.composing import Composed, Composing, compose
from notifier.last_check import Defer, End
from notifier.opting import Address, Heard
from notifier.pacing import Pace
from notifier.providers import Channels, Providers, choose, shut_out
from notifier.uncertainty import Patience
from store import contact_points, deliveries, sending, unsettled
from store.claims import Claim, finish, release
from store.database import IntegrityError, OperationalError, Session, Sessions
from store.deliveries import DISPATCHING, Attempt, AttemptOutcome, Wording
from store.delivery_states import DeliveryState
from store.failpoints import CrashPoint, reached
from store.outgoing import Outgoing, outgoing
from store.sending import Became, Floor, Queued
from store.subjects import Contact
from store.vault import Vault

_log = structlog.get_logger(__name__)
_DATABASE_AWAY_SECONDS = 0.5  # between tries to write an answer
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
    site: str = ""  # our public address; without one messages hold no links to our pages
    lease: timedelta = timedelta(seconds=60)
    timeout: timedelta = timedelta(seconds=13)
    batch: int = 50
    population_age: timedelta = timedelta(hours=24)
    look_again: timedelta = timedelta(minutes=10)  # at what is held, paused or suspect
    first_wait: timedelta = timedelta(seconds=30)  # after a provider could not be reached; doubles
    longest_wait: timedelta = timedelta(minutes=10)
    wording_kept: timedelta = timedelta(days=7)
    pace: Pace | None = None  # shared by all runs of a process
    floor: Floor | None = None  # shared likewise
    patience: Patience = Patience()

    @property
    def margin(self) -> timedelta:
        return 2 * self.timeout


@dataclass(frozen=True, slots=True)
class _Work:
    """What a run works with. `clock` is the business clock."""

    sessions: Sessions
    vault: Vault
    channels: Channels
    clock: Callable[[], datetime]
    settings: DispatchSettings
    stopping: Callable[[], bool]


@dataclass(frozen=True, slots=True)
class _Ready:
    """A message whose attempt has been committed."""

    message: Message
    channel: Channel
    attempt_id: UUID
    attempts: int
    contact: Contact
    begin_before: float  # monotonic; later the lease may be another's, and nothing may be sent


_Outcome = Accepted | Refused | Unreachable | Unknown


def send_due(  # noqa: PLR0913 - everything a run needs is handed in, nothing is looked up
    sessions: Sessions,
    vault: Vault,
    channels: Channels,
    clock: Callable[[], datetime],
    settings: DispatchSettings,
    stopping: Callable[[], bool] = lambda: False,
) -> Counter[str]:
    """Sends one batch of due deliveries, the first visit first. Counts what became of them; empty: none was due.

    When `stopping` turns true, or the lease is nearly used up, the rest is given back untouched.
    """
    work = _Work(sessions, vault, channels, clock, settings, stopping)
    began = time.monotonic()
    with sessions.writing() as session:
        claims = sending.claim_to_send(session, clock(), settings.lease, settings.batch, settings.floor)
    if claims:
        reached(CrashPoint.C5)
    counts: Counter[str] = Counter()
    latest = began + (settings.lease - settings.margin).total_seconds()
    for place, claim in enumerate(claims):
        if stopping() or time.monotonic() > latest:
            with sessions.writing() as session:
                release(session, DISPATCHING, claims[place:])
            counts["given_back"] += len(claims) - place
            break
        counts[_deliver(work, claim, latest)] += 1
    return counts


def recover(sessions: Sessions, patience: Patience) -> int:
    """Deliveries whose worker was killed while sending become uncertain: nobody knows whether they went. How many.

    Those killed before their attempt lie queued still and are simply taken again.
    """
    with sessions.writing() as session:
        return unsettled.doubt_lost(session, patience.first_look, patience.receipt)


def _deliver(work: _Work, claim: Queued, latest: float) -> str:
    channel = _channel(work, claim)
    if not _has_turn(work, claim, channel):
        return "deferred"
    ready = _prepare(work, claim, channel, latest)
    if isinstance(ready, str):
        return ready
    reached(CrashPoint.C6)
    outcome = _sent(ready, work.settings.pace)
    reached(CrashPoint.C8)
    became = _settled(work, claim, ready, outcome)
    reached(CrashPoint.C10)
    _log.info("delivery_tried", delivery_id=str(claim.id), outcome=became, code=getattr(outcome, "code", ""))
    return became


def _channel(work: _Work, claim: Queued) -> Channel | None:
    """Whose turn it is to make the attempt; None: nobody's that could."""
    found, pace = work.channels.get(claim.channel), work.settings.pace
    if not isinstance(found, Providers):
        return found
    tired = [] if pace is None else [one.provider for one in found.members if pace.rests_for(one.provider)]
    with work.sessions.reading() as session:
        return choose(session, found, claim.id, tired, random.random, datetime.now(UTC))


def _has_turn(work: _Work, claim: Queued, channel: Channel | None) -> bool:
    """Waits for the provider's pace: before the last look, so that what is waited for is still true, and no attempt
    stands open meanwhile. False, and the delivery is put off, while the provider rests."""
    pace = work.settings.pace
    if pace is None or channel is None:
        return True  # without a channel: the last look says what becomes of it
    rests_for = pace.rests_for(channel.provider)
    if not rests_for:
        pace.wait_turn(channel.provider)
        return True
    with work.sessions.writing() as session:
        finish(session, DISPATCHING, claim, work.clock() + rests_for)
    return False


def _prepare(work: _Work, claim: Queued, channel: Channel | None, latest: float) -> _Ready | str:
    """The last look and the attempt, in one transaction; or what became of the delivery instead."""
    now = work.clock()
    with work.sessions.writing() as session:
        found = outgoing(session, claim)
        if found is None:
            return "lost"
        composed = compose(session, work.vault, found, now, _composing(work, claim, channel))
        if isinstance(composed, Defer):
            return "deferred" if finish(session, DISPATCHING, claim, composed.until) else "lost"
        deliveries.drop_parts(session, composed.dropped)
        if isinstance(composed, End):
            kept = deliveries.end(session, claim, composed.state, composed.reason, now)
            return composed.state.value if kept else "lost"
        assert channel is not None  # noqa: S101 - without one it has been held
        return _begin(session, work, channel, claim, found, composed, latest + work.settings.timeout.total_seconds())


def _begin(  # noqa: PLR0913 - the claim, what it is of, who takes it, and until when it holds
    session: Session,
    work: _Work,
    channel: Channel,
    claim: Claim,
    found: Outgoing,
    composed: Composed,
    begin_before: float,
) -> _Ready | str:
    delivery, now = found.delivery, work.clock()
    attempt = Attempt(
        delivery_id=delivery.id,
        fence=claim.fence,
        public_id=secrets.token_urlsafe(16),
        provider=channel.provider,
        wording_digest=work.vault.digest("wording", composed.text),
        began_at=found.sent_perhaps_since or datetime.now(UTC),  # real time: it is compared with the provider's
    )
    sealed = composed.cipher.seal_text("wordings.sealed_text", attempt.id, composed.kept_text or composed.text)
    wording = Wording(attempt_id=attempt.id, sealed_text=sealed, keep_until=now + work.settings.wording_kept)
    if not sending.begin(session, claim, work.settings.margin, attempt, wording):
        return "lost"
    if composed.contact.id != delivery.contact_id:
        delivery.contact_id = composed.contact.id
    for link in composed.links:
        action_links.keep(session, work.vault, link, datetime.now(UTC))
    if found.sent_perhaps_since is not None:
        return _look_first(session, claim, attempt, now)
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
        unsubscribe_url=composed.unsubscribe_url,
    )
    return _Ready(message, channel, attempt.id, found.attempts + 1, composed.contact, begin_before)


def _look_first(session: Session, claim: Claim, attempt: Attempt, now: datetime) -> str:
    """After a restore: the lost system may have made this very attempt, so the provider is asked before we do."""
    sending.settle_attempt(session, attempt.id, AttemptOutcome.UNKNOWN, None, unsettled.RESTORED, now)
    sending.settle(session, claim, Became(DeliveryState.UNCERTAIN, ask_in=timedelta()))
    return DeliveryState.UNCERTAIN.value


def _sent(ready: _Ready, pace: Pace | None) -> _Outcome:
    if time.monotonic() > ready.begin_before:
        return Unreachable("lease_over", "this worker stood still until its lease was nearly over")
    outcome = _handed_over(ready)
    if pace is not None and pace.note(ready.channel.provider, is_trouble=_is_trouble(outcome)):
        _log.warning("provider_rests", provider=ready.channel.provider, code=getattr(outcome, "code", ""))
    return outcome


def _handed_over(ready: _Ready) -> _Outcome:
    try:
        return ready.channel.send(ready.message)
    except (Refused, Unreachable, Unknown) as error:
        return error


def _is_trouble(outcome: _Outcome) -> bool:
    """Whether it says something of the provider, not of the message."""
    if isinstance(outcome, Refused):
        return outcome.remedy == Remedy.OPERATOR
    return not isinstance(outcome, Accepted)


def _settled(work: _Work, claim: Claim, ready: _Ready, outcome: _Outcome) -> str:
    """Writes what became of it. While the database is away the answer is held for as long as the lease lasts; an id
    that another message of ours has is none."""
    while True:
        try:
            with work.sessions.writing() as session:
                became = _settle(session, work, claim, ready, outcome)
                reached(CrashPoint.C9)
            return became
        except IntegrityError:
            _log.error("provider_id_used_twice", provider=ready.channel.provider, delivery_id=str(claim.id))
            outcome = Unknown("same_id", "the provider gave an id that it gave another message")
        except OperationalError as error:
            if work.stopping() or time.monotonic() > ready.begin_before:
                raise
            _log.warning("answer_held", delivery_id=str(claim.id), error=type(error).__name__)
            time.sleep(_DATABASE_AWAY_SECONDS)


def _settle(session: Session, work: _Work, claim: Claim, ready: _Ready, outcome: _Outcome) -> str:
    """Writes what became of the attempt. A receipt or a recovery that came first keeps its word on the delivery."""
    now = work.clock()
    sending.settle_attempt(session, ready.attempt_id, *_attempt_values(outcome), now)
    if isinstance(outcome, Refused):
        _remember(session, ready, outcome, now)
    several = work.channels.get(ready.channel.name)
    has_other = isinstance(several, Providers)
    if isinstance(several, Providers) and isinstance(outcome, Refused) and outcome.shuts_out:
        shut_out(session, several, ready.channel.provider, outcome.code, datetime.now(UTC))
    became = _became(work.settings, ready, outcome, now, has_other=has_other)
    return became.state.value if sending.settle(session, claim, became) else "settled_elsewhere"


def _attempt_values(outcome: _Outcome) -> tuple[AttemptOutcome, str | None, str]:
    """Outcome, the provider's id and its code."""
    if isinstance(outcome, Accepted):
        return AttemptOutcome.ACCEPTED, outcome.provider_id, ""
    if isinstance(outcome, Refused):
        return AttemptOutcome.REFUSED, None, outcome.code
    if isinstance(outcome, Unreachable):
        return AttemptOutcome.UNREACHABLE, None, outcome.code
    return AttemptOutcome.UNKNOWN, None, outcome.code


def _became(settings: DispatchSettings, ready: _Ready, outcome: _Outcome, now: datetime, *, has_other: bool) -> Became:
    if isinstance(outcome, Accepted):
        return Became(DeliveryState.ACCEPTED, settled_at=now, ask_in=settings.patience.receipt)
    if isinstance(outcome, Unknown):  # never sent again blindly
        return Became(DeliveryState.UNCERTAIN, ask_in=settings.patience.first_look)
    if isinstance(outcome, Refused) and outcome.remedy != Remedy.OPERATOR:
        return Became(DeliveryState.FAILED, _REASONS[outcome.remedy], now)
    again_at = now + _wait(settings, ready.attempts, outcome, has_other=has_other)
    if again_at > ready.message.useful_until:
        return Became(DeliveryState.EXPIRED, "unreachable", now)
    return Became(DeliveryState.QUEUED, next_attempt_at=again_at)


def _wait(settings: DispatchSettings, attempts: int, outcome: _Outcome, *, has_other: bool) -> timedelta:
    """Until the next try: doubling, or what the provider asks for. What only an operator can mend waits longest, unless
    another provider can take it."""
    if isinstance(outcome, Refused) and not has_other:
        return settings.longest_wait
    wished = outcome.retry_after if isinstance(outcome, Unreachable) else None
    doubled = settings.first_wait * (1 << min(attempts - 1, 10))
    return max(min(doubled, settings.longest_wait), wished or timedelta())


def _remember(session: Session, ready: _Ready, refused: Refused, now: datetime) -> None:
    """What a refusal teaches about the address."""
    if refused.remedy == Remedy.BAD_CONTACT:
        contact_points.mark_dead(session, ready.contact.id, "invalid_number", now)
    if refused.remedy == Remedy.SUPPRESS:
        heard = Heard("provider", refused.code, datetime.now(UTC), now)
        opting.stop(session, Address(ready.contact.digest, ready.channel.name), heard)


def _composing(work: _Work, claim: Queued, channel: Channel | None) -> Composing:
    """Without somebody to hand it to, the delivery is held as if its channel were not set up."""
    settings = work.settings
    open_channels = frozenset(work.channels) - (frozenset({claim.channel}) if channel is None else frozenset())
    return Composing(open_channels, settings.link, settings.population_age, settings.look_again, settings.site)
