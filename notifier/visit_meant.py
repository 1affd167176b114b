"""Which visit a text of one word can mean, read conservatively: one, or none. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from notifier.visit_state import VisitState
from store.intents import Intent

_IN_ONE_BREATH = timedelta(hours=12)  # who has had two messages within it may answer either


@dataclass(frozen=True, slots=True)
class Told:
    """A visit that one message told an address of, and how it stands now."""

    delivery_id: UUID
    booking_id: UUID
    told_at: datetime
    code: str
    state: VisitState


@dataclass(frozen=True, slots=True)
class One:
    """This visit, and it stands."""

    booking_id: UUID


@dataclass(frozen=True, slots=True)
class Several:
    """One of these, all of which stand: the person has to say."""

    booking_ids: tuple[UUID, ...]


@dataclass(frozen=True, slots=True)
class Changed:
    """A visit that is no longer as it was told."""

    state: VisitState


@dataclass(frozen=True, slots=True)
class Nothing:
    """No visit that we know of."""


Meant = One | Several | Changed | Nothing


def meant(intent: Intent, code: str, told: Sequence[Told]) -> Meant:
    """What `JA` or `AVBOKA` is about. `told`: everything the address was told of, the newest first."""
    if code:
        return _judged([one for one in told if one.code == code.upper()])
    if intent == Intent.CONFIRM:
        return _judged(_last_told(told))
    standing = [one for one in told if one.state == VisitState.STANDS]
    return _judged(standing or told[:1])


def _last_told(told: Sequence[Told]) -> Sequence[Told]:
    """The newest message's visits, and those of messages so close to it that the answer may be to them."""
    if not told:
        return ()
    newest = told[0]
    of_newest = [one for one in told if one.delivery_id == newest.delivery_id]
    close = [
        one
        for one in told
        if one.delivery_id != newest.delivery_id
        and newest.told_at - one.told_at <= _IN_ONE_BREATH
        and one.state == VisitState.STANDS
    ]
    return [*of_newest, *close]


def _judged(candidates: Sequence[Told]) -> Meant:
    standing = tuple(dict.fromkeys(one.booking_id for one in candidates if one.state == VisitState.STANDS))
    if len(standing) > 1:
        return Several(standing)
    visits = {one.booking_id for one in candidates}
    if standing and len(visits) == 1:
        return One(standing[0])
    if standing:
        return Several(standing)  # another visit of the message has changed: which did they mean?
    return Changed(candidates[0].state) if candidates else Nothing()
