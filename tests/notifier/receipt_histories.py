"""Random histories of what providers report, told to a real database by several threads at once while two workers apply
them and others still read their answers; and what each must come to, worked out from what was said and nothing else."""

import random
import secrets
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

from sqlmodel import col, func, select

from notifier import receipts
from notifier.channels.twilio_receipts import STATUSES, ReceivedReceipt
from notifier.receipt_status import Fate, report
from store import sending
from store.claims import Claim
from store.database import Sessions
from store.deliveries import Attempt, AttemptOutcome, Delivery, Receipt
from store.delivery_states import DeliveryState
from store.identifiers import new_id
from store.purposes import Purpose
from store.sending import Became
from store.subjects import ContactPoint
from store.vault import Vault
from tests import build

State = tuple[DeliveryState, str]
_TELLERS = 4
_APPLIERS = 2
_ENDS = sorted(one for one in STATUSES if report(one) in (Fate.ARRIVED, Fate.LOST))


@dataclass(frozen=True)
class Start:
    """Where a delivery stands before anything is reported, and how its attempts ended, the earliest first."""

    state: DeliveryState
    reason: str
    outcomes: tuple[AttemptOutcome | None, ...]


_S, _O = DeliveryState, AttemptOutcome
_TAKEN = Became(_S.ACCEPTED, ask_in=timedelta(minutes=15))
_UNKNOWN = Became(_S.UNCERTAIN, ask_in=timedelta(minutes=2))
STARTS = (
    Start(_S.SENDING, "", (None,)),  # its worker has yet to read the answer
    Start(_S.UNCERTAIN, "", (None,)),  # its worker was killed
    Start(_S.UNCERTAIN, "", (_O.UNKNOWN,)),
    Start(_S.ACCEPTED, "", (_O.ACCEPTED,)),
    Start(_S.ACCEPTED, "", (_O.UNKNOWN, _O.ACCEPTED)),  # a copy was sent
    Start(_S.ACCEPTED, "", (_O.UNREACHABLE, _O.ACCEPTED)),
    Start(_S.QUEUED, "", (_O.UNREACHABLE,)),  # proved absent, and it was not
    Start(_S.FAILED, "unknown", (_O.UNKNOWN,)),
    Start(_S.FAILED, "no_receipt", (_O.ACCEPTED,)),
    Start(_S.FAILED, "refused", (_O.REFUSED,)),
    Start(_S.EXPIRED, "unreachable", (_O.UNREACHABLE,)),
    Start(_S.SKIPPED, "booking_gone", (_O.UNREACHABLE,)),
)


@dataclass(frozen=True)
class History:
    """One delivery. `heard`: which attempt, and what of it, each thing once."""

    start: Start
    heard: frozenset[tuple[int, str]]
    delivery_id: UUID = field(default_factory=new_id)
    tokens: tuple[str, str] = field(default_factory=lambda: (secrets.token_urlsafe(16), secrets.token_urlsafe(16)))
    sids: tuple[str, str] = field(default_factory=lambda: (_sid(), _sid()))

    @property
    def end(self) -> State:
        """What it must come to: arrived if anything says so, else lost if anything says that, else taken."""
        fates = {report(status) for _, status in self.heard}
        is_given_up = self.start.reason in ("unknown", "no_receipt")
        if self.start.state in (_S.EXPIRED, _S.SKIPPED) or (self.start.reason and not is_given_up):
            return self.start.state, self.start.reason
        if Fate.ARRIVED in fates:
            return _S.DELIVERED, ""
        if Fate.LOST in fates:
            return _S.FAILED, "not_delivered"
        return (self.start.state, self.start.reason) if is_given_up else (_S.ACCEPTED, "")


@dataclass(frozen=True)
class Outcome:
    """`wrong`: what was to come, and what came, of those that came to something else."""

    told: int
    stored: int
    by_state: Counter[str]
    wrong: Sequence[tuple[Start, State, State]]
    left_over: int  # reports not applied, or deliveries still to be asked about after their end
    moved_twice: int  # deliveries called delivered more than once


def make(count: int, chance: random.Random) -> list[History]:
    return [_history(chance.choice(STARTS), chance) for _ in range(count)]


def tell(
    sessions: Sessions, vault: Vault, histories: Sequence[History], chance: random.Random, now: datetime
) -> Outcome:
    """Tells all reports in a random order, one to three times each, strangers' among them, and waits until applied."""
    _write_starts(sessions, vault, histories, now)
    events = [event for one in histories for event in _events(sessions, one, chance, now)]
    chance.shuffle(events)
    all_told = threading.Event()
    with ThreadPoolExecutor(_TELLERS + _APPLIERS) as pool:
        appliers = [pool.submit(_apply, sessions, now, all_told) for _ in range(_APPLIERS)]
        tellers = [pool.submit(_do, events[place::_TELLERS]) for place in range(_TELLERS)]
        try:
            for teller in tellers:
                teller.result()
        finally:
            all_told.set()
        for applier in appliers:
            applier.result()
    return _outcome(sessions, histories, len(events))


def _history(start: Start, chance: random.Random) -> History:
    """With two attempts each has its last word: one that is said to be under way still may come to anything."""
    heard = {(0, chance.choice(sorted(STATUSES))) for _ in range(chance.randint(1, 5))}
    if len(start.outcomes) > 1:
        heard = {(chance.randrange(2), status) for _, status in heard}
        heard |= {(place, chance.choice(_ENDS)) for place in (0, 1)}
    return History(start, frozenset(heard))


def _write_starts(sessions: Sessions, vault: Vault, histories: Sequence[History], now: datetime) -> None:
    with sessions.writing() as session:
        clinic = build.clinic(session, now)
        subject = build.subject(session, vault, now)
        contact = session.exec(select(ContactPoint.id).where(col(ContactPoint.subject_id) == subject.id)).first()
        session.add_all(
            Delivery(
                id=one.delivery_id, clinic_id=clinic.id, subject_id=subject.id, recipient_id=subject.id,
                contact_id=contact, purpose=Purpose.REMINDER, channel="sms", language="sv", visit_at=now, fence=1,
                next_attempt_at=now, useful_until=now, created_at=now, state=one.start.state, reason=one.start.reason,
                claimed_until=now + timedelta(days=3650) if one.start.state == _S.SENDING else None,
            )
            for one in histories
        )  # fmt: skip
        session.flush()
        session.add_all(attempt for one in histories for attempt in _attempts(one, now))


def _attempts(history: History, now: datetime) -> list[Attempt]:
    return [
        Attempt(
            delivery_id=history.delivery_id, fence=1, public_id=history.tokens[place], provider="twilio",
            wording_digest="", began_at=now, outcome=outcome,
            provider_id=history.sids[place] if outcome == _O.ACCEPTED else None,
        )
        for place, outcome in enumerate(history.start.outcomes)
    ]  # fmt: skip


def _events(sessions: Sessions, of: History, chance: random.Random, now: datetime) -> list[Callable[[], object]]:
    reports = [
        ReceivedReceipt("twilio", of.sids[place], status, _code(status), of.tokens[place])
        for place, status in sorted(of.heard)
        for _ in range(chance.randint(1, 3))
    ]
    if of.start.outcomes[0] == _O.ACCEPTED:  # it is known by its own message, and this is another's
        reports.append(ReceivedReceipt("twilio", _sid(), chance.choice(_ENDS), "", of.tokens[0]))
    if chance.random() < 0.1:
        reports.append(ReceivedReceipt("twilio", _sid(), "delivered", "", secrets.token_urlsafe(16)))
    told: list[Callable[[], object]] = [partial(receipts.record, sessions, one, now) for one in reports]
    answer = chance.choice([_O.ACCEPTED, _O.UNKNOWN])
    return [*told, partial(_answer, sessions, of, answer, now)] if of.start.state == _S.SENDING else told


def _answer(sessions: Sessions, of: History, outcome: AttemptOutcome, now: datetime) -> None:
    """The worker has read the provider's answer, or failed to."""
    sid = of.sids[0] if outcome == _O.ACCEPTED else None
    became = _TAKEN if outcome == _O.ACCEPTED else _UNKNOWN
    with sessions.writing() as session:
        attempt = session.exec(select(Attempt.id).where(col(Attempt.public_id) == of.tokens[0])).one()
        sending.settle_attempt(session, attempt, outcome, sid, "", now)
        sending.settle(session, Claim(of.delivery_id, 1, 0, now), became)


def _do(events: Sequence[Callable[[], object]]) -> None:
    for event in events:
        event()


def _apply(sessions: Sessions, now: datetime, all_told: threading.Event) -> None:
    """As a worker's answer to the doorbell, again and again; what another one holds is left, and comes back."""
    while not (all_told.is_set() and _due(sessions) == 0):
        if receipts.apply_due(sessions, now, now) == 0:
            all_told.wait(0.005)


def _due(sessions: Sessions) -> int:
    with sessions.reading() as session:
        return session.exec(select(func.count()).where(col(Receipt.due_at).is_not(None))).one()


def _outcome(sessions: Sessions, histories: Sequence[History], told: int) -> Outcome:
    with sessions.reading() as session:
        rows = {row.id: row for row in session.exec(select(Delivery))}
        reports = session.exec(select(Receipt)).all()
    ends = {one: (DeliveryState(rows[one.delivery_id].state), rows[one.delivery_id].reason) for one in histories}
    delivered = Counter(one.attempt_public_id for one in reports if one.applied_as == _S.DELIVERED)
    open_states = (_S.ACCEPTED, _S.UNCERTAIN)
    return Outcome(
        told=told,
        stored=len(reports),
        by_state=Counter(str(state) for state, _ in ends.values()),
        wrong=[(one.start, one.end, came) for one, came in ends.items() if came != one.end],
        left_over=sum(not one.applied_as for one in reports)
        + sum(row.ask_at is not None for row in rows.values() if row.state not in open_states),
        moved_twice=sum(sum(delivered[token] for token in one.tokens) > 1 for one in histories),
    )


def _sid() -> str:
    return f"SM{secrets.token_hex(16)}"


def _code(status: str) -> str:
    return "30003" if report(status) == Fate.LOST else ""
