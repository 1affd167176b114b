"""What must be true of the ledger and of the provider's own list, whatever was killed in between.

Pure: rows and messages as read, sentences about what is wrong. Each begins with the name of the rule it breaks:
`I1` nothing is lost, `I2` no lie, `I3` copies are bounded, `I4` in time, `I5` nothing after its end, `I6` a legal
history, `I7` every promise has its row, `I8` effort is bounded and what is counted adds up.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from typing import Self
from zoneinfo import ZoneInfo

from store.deliveries import Attempt, Delivery
from store.purposes import CHANGE_NOTICES, Purpose
from store.unsettled import PROVED_ABSENT
from tests.faults.business_time import BusinessTime

_SWEDEN = ZoneInfo("Europe/Stockholm")
_DAYTIME = (time(8), time(20))
_ENDS = frozenset({"delivered", "failed", "skipped", "expired"})
_TOLD = frozenset({"accepted", "delivered"})
_MAY_BE_TOLD = _TOLD | {"failed", "uncertain", "sending"}
_LIFTED = frozenset({"unknown", "no_receipt", "not_delivered"})
_SLACK = timedelta(seconds=2)  # between the clocks of two processes, and for a message under way
_MOST_CRASHES = 4
_MOST_ATTEMPTS = 12
_MOST_LOST = 2  # messages: one more try


@dataclass(frozen=True)
class Message:
    """One message that the provider took. `token` is the attempt's, from its StatusCallback; of a mail, the delivery's
    own id, as its Message-ID has it."""

    id: str
    to: str
    body: str
    token: str
    taken_at: datetime  # real time
    channel: str = "sms"
    is_lost: bool = False  # the provider has said that it did not arrive


@dataclass(frozen=True)
class Try:
    token: str
    fence: int
    began_at: datetime  # real time
    outcome: str | None
    provider_id: str | None
    provider: str = ""
    code: str = ""

    @property
    def was_unknown(self) -> bool:
        return self.outcome in (None, "unknown") or self.code == PROVED_ABSENT


@dataclass(frozen=True)
class Promise:
    """A delivery and its attempts, the earliest first."""

    id: str
    purpose: Purpose
    state: str
    reason: str
    fence: int
    crash_count: int
    is_claimed: bool
    created_at: datetime
    useful_until: datetime
    settled_at: datetime | None
    tries: tuple[Try, ...]
    channel: str = "sms"
    occasions: frozenset[str] = frozenset()

    @property
    def must_arrive(self) -> bool:
        return self.purpose in CHANGE_NOTICES

    @property
    def end(self) -> tuple[str, str]:
        return self.state, self.reason

    @property
    def has_unknown_try(self) -> bool:
        return any(one.outcome in (None, "unknown") for one in self.tries)

    @classmethod
    def of(cls, row: Delivery, attempts: Sequence[Attempt], occasions: Iterable[str]) -> Self:
        tokens = {one.id: one.public_id if row.channel == "sms" else str(row.id) for one in attempts}
        return cls(
            str(row.id), Purpose(row.purpose), str(row.state), row.reason, row.fence, row.crash_count,
            row.claimed_until is not None, row.created_at, row.useful_until, row.settled_at,
            tuple(
                Try(
                    tokens[one.id], one.fence, one.began_at, one.outcome, one.provider_id, one.provider, one.code
                )
                for one in attempts
            ),
            row.channel, frozenset(occasions),
        )  # fmt: skip


@dataclass
class Evidence:
    """What a run left behind. `promised`: how many deliveries there were at the start. `could_ask`: whether the
    provider answered questions about messages; `heard`: whether its receipts came in. `also`: other
    ends than told that the run gave cause for."""

    promised: int
    promises: Sequence[Promise]
    messages: Sequence[Message]
    time: BusinessTime
    could_ask: bool = True
    heard: bool = True
    also: frozenset[str] = frozenset()
    of: Mapping[str, list[Message]] = field(init=False)  # a delivery's id -> its messages
    ghosts: Sequence[Message] = field(init=False)

    def __post_init__(self) -> None:
        owners = {one.token: promise.id for promise in self.promises for one in promise.tries}
        self.of = defaultdict(list)
        for message in self.messages:
            if message.token in owners:
                self.of[owners[message.token]].append(message)
        self.ghosts = [message for message in self.messages if message.token not in owners]

    @property
    def may_copy(self) -> bool:
        """Whether nothing could tell what became of a message, so that what must arrive may have been sent twice."""
        return not (self.could_ask or self.heard)

    @property
    def ends(self) -> frozenset[str]:
        """Where a delivery may come to rest, beside failed (unknown) where nobody could be asked."""
        return self.also | (_TOLD if self.may_copy else {"delivered"})

    def told(self, promise: Promise) -> int:
        """The delivery's messages, without those that the provider says did not arrive."""
        return sum(not one.is_lost for one in self.of.get(promise.id, ()))

    @property
    def lost(self) -> int:
        """Promises that came to no end: neither told nor said to be unknown, failed, skipped or too late."""
        unfinished = sum(promise.state not in _ENDS | _TOLD for promise in self.promises)
        return unfinished + max(0, self.promised - len(self.promises))

    @property
    def copies(self) -> Counter[bool]:
        """Messages beyond the first of each delivery, by whether it must arrive; the same words to the same number
        count too, whoever sent them."""
        per_delivery: Counter[bool] = Counter()
        for promise in self.promises:
            per_delivery[promise.must_arrive] += max(0, self.told(promise) - 1)
        per_text = Counter((one.to, one.body) for one in self.messages if not one.is_lost)
        alike = sum(per_text.values()) - len(per_text)
        per_delivery[False] += max(0, alike - per_delivery.total())
        return per_delivery


def violations(found: Evidence) -> list[str]:
    """Everything that is not as it must be when all has come to rest; empty if all is well."""
    wrong = [*_of_the_whole(found)]
    for promise in found.promises:
        wrong += [f"{what} ({_shown(promise, found)})" for what in _of_one(found, promise)]
    return wrong


def mistold(by_sms: Iterable[Promise], by_email: Iterable[Promise]) -> list[str]:
    """What is wrong between channels: e-mail goes where an SMS did not arrive, once, and nowhere else."""
    mails = Counter(occasion for one in by_email for occasion in one.occasions)
    wrong = []
    for one in by_sms:
        wanted = one.state != "delivered"
        if any(mails[occasion] != wanted for occasion in one.occasions):
            name = "I1 told by neither channel" if wanted else "I3 told by both channels"
            wrong.append(f"{name}, or by one of them more than once: {one.id}: {one.state} {one.reason}")
    return wrong


def illegal_moves(before: Iterable[Promise], after: Iterable[Promise]) -> list[str]:
    """I6, between two looks at the same ledger: ends stay, and fences never fall."""
    later = {one.id: one for one in after}
    return [
        f"I6 {one.id} went from {one.end} fence {one.fence} to {now.end} fence {now.fence}"
        for one in before
        if (now := later.get(one.id)) is not None and (now.fence < one.fence or not _may_move(one, now))
    ]


def _of_the_whole(found: Evidence) -> Iterable[str]:
    if len(found.promises) != found.promised:
        yield f"I7 {found.promised} were promised, the ledger has {len(found.promises)}"
    for message in found.ghosts:
        yield f"I2 a message of no attempt of ours: {message.id}"
    if found.copies[False]:
        yield f"I3 {found.copies[False]} copies of what may be told at most once"
    may_be_copied = sum(one.must_arrive and one.has_unknown_try for one in found.promises) if found.may_copy else 0
    if found.copies[True] > may_be_copied:
        yield f"I3 {found.copies[True]} copies of what must arrive, at most {may_be_copied} allowed"
    taken = sum(one.outcome == "accepted" for promise in found.promises for one in promise.tries)
    unclear = sum(one.outcome in (None, "unknown") for promise in found.promises for one in promise.tries)
    if not taken <= len(found.messages) <= taken + unclear:
        yield f"I8 the ledger counts {taken} messages and {unclear} unknown, the provider {len(found.messages)}"


def _of_one(found: Evidence, promise: Promise) -> Iterable[str]:
    messages = found.of.get(promise.id, [])
    yield from _at_rest(found, promise, messages)
    yield from _told_truly(promise, messages)
    yield from _in_time(found, promise, messages)
    yield from _with_measure(promise)
    yield from _by_one_provider(promise)
    told = found.told(promise)
    if told > 1 + (found.may_copy and promise.must_arrive):
        yield f"I3 told {told} times"
    if len(messages) - told > _MOST_LOST:
        yield f"I8 sent again though {len(messages) - told} have been lost"


def _at_rest(found: Evidence, promise: Promise, messages: Sequence[Message]) -> Iterable[str]:
    if promise.state not in _ENDS | _TOLD:
        yield "I1 it has come to no end"
    elif promise.state not in found.ends and promise.end != ("failed", "unknown"):
        yield "I1 this run gives no cause for such an end"
    if promise.end == ("failed", "unknown") and (found.could_ask or (found.heard and messages)):
        yield "I1 given up although the provider could be asked, or told of it"
    if promise.is_claimed:
        yield "I1 somebody holds it still"


def _told_truly(promise: Promise, messages: Sequence[Message]) -> Iterable[str]:
    if promise.state in _TOLD and not messages:
        yield "I2 told, and the provider has no message"
    if promise.state not in _MAY_BE_TOLD and messages:
        yield "I2 not told, and the provider has a message"
    if promise.end == ("failed", "unknown") and not promise.has_unknown_try:
        yield "I2 said to be unknown, and every attempt has an end"
    ids = {message.token: message.id for message in messages}
    for one in promise.tries:
        if one.outcome == "accepted" and one.provider_id != ids.get(one.token):
            yield "I2 an attempt is bound to a message that is not its own"
        if one.outcome in ("refused", "unreachable") and one.token in ids:
            yield "I2 an attempt said not to be taken was"


def _in_time(found: Evidence, promise: Promise, messages: Sequence[Message]) -> Iterable[str]:
    began = {one.token: one.began_at for one in reversed(promise.tries)}
    for message in messages:
        at = found.time.at(message.taken_at)
        if at > promise.useful_until + _SLACK * found.time.speed:
            yield "I4 taken when it was of no use"
        if message.taken_at < began[message.token] - _SLACK:
            yield "I4 taken before its attempt"
        if promise.purpose != Purpose.CODE and not _DAYTIME[0] <= at.astimezone(_SWEDEN).time() < _DAYTIME[1]:
            yield "I4 taken outside daytime"
    for one in promise.tries:
        ended_at = promise.settled_at if promise.state in ("skipped", "expired") else None
        if ended_at is not None and found.time.at(one.began_at) > ended_at + _SLACK * found.time.speed:
            yield "I5 tried after its end"


def _with_measure(promise: Promise) -> Iterable[str]:
    fences = [one.fence for one in promise.tries]
    if fences != sorted(set(fences)) or (fences and fences[-1] > promise.fence):
        yield f"I6 its fences do not rise: {fences}, then {promise.fence}"
    if len(promise.tries) > _MOST_ATTEMPTS or promise.crash_count > _MOST_CRASHES:
        yield "I8 tried too often"


def _by_one_provider(promise: Promise) -> Iterable[str]:
    bound = ""
    for one in promise.tries:
        if bound not in ("", one.provider):
            yield f"I3 what {bound} may have was given to {one.provider}"
        bound = one.provider if one.was_unknown else bound


def _may_move(before: Promise, after: Promise) -> bool:
    if before.state not in _ENDS or before.end == after.end:
        return True
    return before.state == "failed" and before.reason in _LIFTED and after.state in ("delivered", "failed")


def _shown(promise: Promise, found: Evidence) -> str:
    tries = ", ".join(f"{one.outcome or 'open'}" for one in promise.tries)
    messages = len(found.of.get(promise.id, ()))
    return f"{promise.purpose} {promise.id}: {promise.state} {promise.reason}; tries: {tries}; messages: {messages}"
