"""What polling reads and writes of many engagements at once, where nothing has changed: rows, no objects."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BindParameter, and_, bindparam, case, exists, func, or_
from sqlalchemy import select as select_rows  # SQLModel's own is typed for four columns
from sqlmodel import Session, col, select, update

from store.bookings import Booking
from store.claims import Claim, release
from store.columns import UtcDateTime
from store.consents import Consent
from store.engagements import POLLING, Engagement, EngagementAddress
from store.identifiers import SubjectId
from store.standing import Standing
from store.subjects import Subject, SubjectKey
from store.vault import KeyDestroyed, Vault

_IDS: BindParameter[Any] = bindparam("ids", expanding=True)
_NEAREST = (
    select(func.min(Booking.start_at))
    .where(
        col(Booking.engagement_id) == col(Engagement.id),
        col(Booking.standing) == Standing.BOOKED,
        col(Booking.start_at) > bindparam("now", type_=UtcDateTime),
    )
    .scalar_subquery()
)
_CONSENTS = exists().where(col(Consent.subject_id) == col(Engagement.subject_id), col(Consent.withdrawn_on).is_(None))
_NAMED = (
    select(func.aggregate_strings(col(EngagementAddress.address) + " " + col(EngagementAddress.status), "\n"))
    .where(col(EngagementAddress.engagement_id) == col(Engagement.id))
    .scalar_subquery()
)
_ASKING = (
    select_rows(  # in the order of `Asking`
        col(Engagement.id),
        col(Engagement.subject_id),
        col(Engagement.source),
        and_(col(Subject.deceased_on).is_(None), _CONSENTS),
        col(Engagement.digest),
        col(Engagement.answer_digest),
        col(Engagement.changed_at),
        _NEAREST,
        _NAMED,
        col(Subject.oid),
        col(Subject.sealed_number),
        col(SubjectKey.wrapped),
    )
    .join(Subject, col(Subject.id) == col(Engagement.subject_id))
    .outerjoin(SubjectKey, col(SubjectKey.subject_id) == col(Subject.id))
    .where(col(Engagement.id).in_(_IDS))
)
_BEGUN_AT = bindparam("begun_at", type_=UtcDateTime)
_FINISH = (
    update(Engagement)
    .where(
        col(Engagement.id) == bindparam("claimed_id"),
        col(Engagement.fence) == bindparam("claimed_fence"),
        or_(col(Engagement.answer_begun_at).is_(None), col(Engagement.answer_begun_at) <= _BEGUN_AT),
    )
    .values(
        next_poll_at=case(
            (col(Engagement.wakes) == bindparam("claimed_wakes"), bindparam("next_at", type_=UtcDateTime)),
            else_=col(Engagement.next_poll_at),
        ),
        answer_begun_at=_BEGUN_AT,
        answer_digest=bindparam("new_digest"),
        claimed_until=None,
    )
    .execution_options(synchronize_session=False)
)


@dataclass(frozen=True, slots=True)
class Asking:
    """What a question about one engagement needs, and what tells whether its answer is as before."""

    id: UUID
    subject_id: UUID
    source: str
    may_ask: bool  # the person lives, and a consent stands
    digest: str
    answer_digest: str  # empty: whatever comes must be looked into
    changed_at: datetime | None
    nearest_start_at: datetime | None  # of a booking to come
    named: str | None  # a line for each address that the stored answer speaks of: the address and its status
    oid: str
    sealed_number: str = field(repr=False)
    wrapped_key: str | None = field(repr=False)

    def subject(self, vault: Vault) -> SubjectId:
        """Whom to ask about. Raises KeyDestroyed when they have been erased, Unsealable when the key does not open."""
        if self.wrapped_key is None:
            raise KeyDestroyed("this subject's key has been destroyed")
        cipher = vault.cipher(self.subject_id, self.wrapped_key)
        return SubjectId(cipher.open_text("subjects.sealed_number", self.subject_id, self.sealed_number), self.oid)


@dataclass(frozen=True, slots=True)
class Unchanged:
    """An engagement whose answer was as before, and when to ask again."""

    claim: Claim
    begun_at: datetime
    answer_digest: str
    next_at: datetime


def asking(session: Session, ids: Iterable[UUID], now: datetime) -> dict[UUID, Asking]:
    """By engagement; one that has been erased is left out."""
    rows = session.connection().execute(_ASKING, {"ids": list(ids), "now": now})
    return {row[0]: Asking(*row) for row in rows}


def finish_unchanged(session: Session, unchanged: Iterable[Unchanged]) -> None:
    """Gives the rows back with their next times; nothing else in the database changes.

    A row that somebody else has taken since is left alone. One that was woken keeps its own time, and so does one
    that holds an answer begun later: this older one is dropped.
    """
    # In the order of their ids, so that two workers do not wait for each other in a ring.
    claims = sorted((one.claim for one in unchanged), key=lambda claim: claim.id)
    by_id = {one.claim.id: one for one in unchanged}
    finished = session.connection().execute(_FINISH, [_values(by_id[claim.id]) for claim in claims])
    if finished.rowcount != len(claims):
        release(session, POLLING, claims)  # those that are finished are free already


def _values(one: Unchanged) -> dict[str, object]:
    return {
        "claimed_id": one.claim.id,
        "claimed_fence": one.claim.fence,
        "claimed_wakes": one.claim.wakes,
        "begun_at": one.begun_at,
        "new_digest": one.answer_digest,
        "next_at": one.next_at,
    }
