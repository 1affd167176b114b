"""The delivery ledger: promises to tell one recipient once, their parts, attempts and receipts."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ColumnElement, Index, String, UniqueConstraint, and_, literal_column, or_, text
from sqlmodel import Field, Session, SQLModel, col, select, update

from store.claims import Claim, Due
from store.columns import Claimable, UtcDateTime, one_of, sealed
from store.delivery_states import AttemptOutcome as AttemptOutcome
from store.delivery_states import DeliveryState as DeliveryState
from store.identifiers import new_id
from store.inserting import insert_of, insert_unless_there
from store.purposes import SUPPRESSIBLE, Purpose

HAS_CODE = "code <> ''"
ENDED_UNFOLLOWED = "follow_at is not null and state in ('failed', 'skipped', 'expired')"


class Delivery(Claimable, table=True):
    """A promise to tell one recipient once. Born due: `next_attempt_at` is its creation unless it is deferred."""

    __tablename__ = "deliveries"
    __table_args__ = (
        one_of("state", DeliveryState),
        one_of("purpose", Purpose),
        Index(
            "ix_deliveries_due",
            "next_attempt_at",
            sqlite_where=text("state = 'queued'"),
            postgresql_where=text("state = 'queued'"),
        ),
        Index(
            "ix_deliveries_to_send",  # the first visit first
            "visit_at",
            "id",
            sqlite_where=text("state = 'queued'"),
            postgresql_where=text("state = 'queued'"),
        ),
        Index(
            "ix_deliveries_held",  # whose lease may have run out
            "claimed_until",
            sqlite_where=text("claimed_until is not null"),
            postgresql_where=text("claimed_until is not null"),
        ),
        Index(
            "ix_deliveries_asking",
            "ask_at",
            sqlite_where=text("ask_at is not null"),
            postgresql_where=text("ask_at is not null"),
        ),
        Index(
            "ix_deliveries_unknown",
            "unknown_since",
            sqlite_where=text("unknown_since is not null"),
            postgresql_where=text("unknown_since is not null"),
        ),
        Index(
            "ix_deliveries_following",
            "follow_at",
            sqlite_where=text("follow_at is not null"),
            postgresql_where=text("follow_at is not null"),
        ),
        Index(
            "ix_deliveries_ended",  # those that did not reach anybody, whatever time they were to be looked at
            "follow_at",
            sqlite_where=text(ENDED_UNFOLLOWED),
            postgresql_where=text(ENDED_UNFOLLOWED),
        ),
        Index("ix_deliveries_subject", "subject_id", "created_at"),
        CheckConstraint("state not in ('failed', 'skipped', 'expired') or reason <> ''", name="exit_has_reason"),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    clinic_id: UUID = Field(foreign_key="clinics.id")
    subject_id: UUID = Field(foreign_key="subjects.id")  # whom it is about
    recipient_id: UUID = Field(foreign_key="subjects.id", index=True)  # who is told
    contact_id: UUID = Field(foreign_key="contact_points.id")
    purpose: Purpose = Field(sa_type=String)
    channel: str  # "sms", "email", "paper"
    ways: str = Field(default="")  # the channels that were planned, the preferred first: "sms,email"
    language: str
    state: DeliveryState = Field(default=DeliveryState.QUEUED, sa_type=String)
    reason: str = Field(default="")
    visit_at: datetime = Field(sa_type=UtcDateTime)  # the first visit it is about: recovery drains in this order
    next_attempt_at: datetime = Field(sa_type=UtcDateTime)
    useful_until: datetime = Field(sa_type=UtcDateTime)
    weekdays_only: bool = Field(default=False)  # not on days off: the rule's or the clinic's wish
    crash_count: int = Field(default=0)
    ask_at: datetime | None = Field(default=None, sa_type=UtcDateTime)  # lease time: when to ask the provider
    asked: int = Field(default=0)  # times the provider has told us of it since it became uncertain, or accepted
    unknown_since: datetime | None = Field(default=None, sa_type=UtcDateTime)  # lease time; while it is uncertain
    follow_at: datetime | None = Field(default=None, sa_type=UtcDateTime)  # not arrived by then: another way
    created_at: datetime = Field(sa_type=UtcDateTime)
    settled_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class DeliveryPart(SQLModel, table=True):
    """One booking (or other occasion) that a delivery covers. The UNIQUE key is what makes a promise single."""

    __tablename__ = "delivery_parts"
    __table_args__ = (UniqueConstraint("purpose", "occasion", "channel", "recipient"), one_of("purpose", Purpose))

    id: UUID = Field(default_factory=new_id, primary_key=True)
    delivery_id: UUID = Field(foreign_key="deliveries.id", index=True)
    purpose: Purpose = Field(sa_type=String)
    occasion: str  # the text keys of rules.md 2: "rule:<id>/booking:<id>/time:<n>", "change:<id>", ...
    channel: str
    recipient: str  # the recipient's subject id: numbers change, the promise does not
    booking_id: UUID | None = Field(default=None, index=True)  # no foreign key: a move may merge the row away
    time_version: int = Field(default=0)  # the booking's, as covered
    template_version_id: UUID = Field(foreign_key="template_versions.id")
    dropped_reason: str = Field(default="")  # no longer true when it was to be sent


class Attempt(SQLModel, table=True):
    """One try, committed before its first byte leaves."""

    __tablename__ = "attempts"
    __table_args__ = (
        UniqueConstraint("provider", "provider_id"),
        one_of("outcome", AttemptOutcome),
        Index("ix_attempts_failed", "id", sqlite_where=text(HAS_CODE), postgresql_where=text(HAS_CODE)),
    )

    id: UUID = Field(default_factory=new_id, primary_key=True)
    delivery_id: UUID = Field(foreign_key="deliveries.id", index=True)
    fence: int
    public_id: str = Field(unique=True)  # random; receipts carry it back
    provider: str
    wording_digest: str  # keyed
    began_at: datetime = Field(sa_type=UtcDateTime)  # real time
    outcome: AttemptOutcome | None = Field(default=None, sa_type=String)
    provider_id: str | None = Field(default=None)
    code: str = Field(default="")  # the provider's error code
    settled_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class Wording(SQLModel, table=True):
    """The words one person was sent, sealed with the recipient's key and kept seven days."""

    __tablename__ = "wordings"
    __table_args__ = (sealed("sealed_text"),)

    attempt_id: UUID = Field(primary_key=True, foreign_key="attempts.id")
    sealed_text: str
    keep_until: datetime = Field(sa_type=UtcDateTime, index=True)


class Receipt(SQLModel, table=True):
    """One report from a provider, appended as it came. `due_at` is its arrival until it has been applied."""

    __tablename__ = "receipts"
    __table_args__ = (UniqueConstraint("provider", "provider_id", "status"),)

    id: UUID = Field(default_factory=new_id, primary_key=True)
    provider: str
    provider_id: str
    status: str
    attempt_public_id: str = Field(index=True)
    code: str = Field(default="")
    received_at: datetime = Field(sa_type=UtcDateTime)  # real time
    due_at: datetime | None = Field(default=None, sa_type=UtcDateTime, index=True)  # real time; None: applied
    applied_as: str = Field(default="")  # what it did: "delivered", "ignored", "unknown_attempt", ...


class Suppression(SQLModel, table=True):
    """Do not tell this address this purpose by this channel."""

    __tablename__ = "suppressions"
    __table_args__ = (UniqueConstraint("contact_digest", "purpose", "channel"), one_of("purpose", Purpose))

    id: UUID = Field(default_factory=new_id, primary_key=True)
    contact_digest: str  # keyed; the address itself is not kept here
    purpose: Purpose = Field(sa_type=String)
    channel: str
    source: str  # "citizen", "provider" (which had it from them), "wrong_person", "staff"
    made_at: datetime = Field(sa_type=UtcDateTime)
    lifted_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


LIFTED_BY_START = ("citizen", "provider")
DISPATCHING = Due(Delivery, "next_attempt_at")


def parts_about(
    session: Session, recipient_id: UUID, booking_ids: Iterable[UUID], since: datetime
) -> list[tuple[Delivery, DeliveryPart]]:
    """What was ever promised the recipient about these bookings, and about anything since then."""
    query = (
        select(Delivery, DeliveryPart)
        .join(DeliveryPart, col(DeliveryPart.delivery_id) == col(Delivery.id))
        .where(
            col(Delivery.recipient_id) == recipient_id,
            or_(col(DeliveryPart.booking_id).in_(list(booking_ids)), col(Delivery.created_at) >= since),
        )
    )
    return list(session.exec(query))


def insert(session: Session, delivery: Delivery, parts: Sequence[DeliveryPart]) -> bool:
    """Adds a promise. Parts that were promised before are left out; False, and nothing is added, if all were."""
    session.add(delivery)
    session.flush()
    kept = [insert_unless_there(session, part) for part in parts]
    if any(kept):
        return True
    session.delete(delivery)
    session.flush()
    return False


def withdraw(session: Session, delivery_ids: Collection[UUID], reason: str, now: datetime) -> None:
    """Takes back deliveries that still lie queued; one that has begun to be sent is left alone."""
    if not delivery_ids:
        return
    statement = update(Delivery).where(col(Delivery.id).in_(list(delivery_ids)), is_queued())
    session.exec(statement.values(state=DeliveryState.SKIPPED, reason=reason, settled_at=now, claimed_until=None))


def suppressions(session: Session, digests: Iterable[str], purpose: Purpose) -> frozenset[tuple[str, str]]:
    """The pairs of address digest and channel that are not to be told this purpose."""
    query = select(Suppression.contact_digest, Suppression.channel).where(
        col(Suppression.contact_digest).in_(list(digests)),
        col(Suppression.purpose) == purpose,
        col(Suppression.lifted_at).is_(None),
    )
    return frozenset((digest, channel) for digest, channel in session.exec(query))


def suppress(  # noqa: PLR0913 - the row's own columns
    session: Session,
    digest: str,
    channel: str,
    source: str,
    now: datetime,
    purposes: Collection[Purpose] = SUPPRESSIBLE,
) -> None:
    """Remembers that an address is to be spared a channel, by default for every purpose that can be spared. What START
    would not lift takes the place of what it would."""
    yields: ColumnElement[bool] = col(Suppression.lifted_at).is_not(None)
    if source not in LIFTED_BY_START:
        yields = or_(yields, col(Suppression.source).in_(LIFTED_BY_START))
    for purpose in sorted(purposes):
        row = Suppression(contact_digest=digest, purpose=purpose, channel=channel, source=source, made_at=now)
        again = {"source": source, "made_at": now, "lifted_at": None}
        statement = insert_of(session, row).on_conflict_do_update(
            index_elements=["contact_digest", "purpose", "channel"],
            set_=again,
            where=yields,
        )
        session.connection().execute(statement)


def lift(
    session: Session, digest: str, channel: str, now: datetime, sources: Collection[str] = LIFTED_BY_START
) -> None:
    """Lifts what the person's own STOP made, told us by them or by the provider, and nothing else, unless other
    `sources` are named. Purpose by purpose, in the order of `suppress`: else a STOP at the provider and a START at once
    could wait for each other."""
    made = (col(Suppression.contact_digest) == digest, col(Suppression.channel) == channel)
    theirs = (col(Suppression.source).in_(sources), col(Suppression.lifted_at).is_(None))
    for purpose in sorted(SUPPRESSIBLE):
        session.exec(
            update(Suppression).where(*made, *theirs, col(Suppression.purpose) == purpose).values(lifted_at=now)
        )


def is_queued() -> ColumnElement[bool]:
    """Written out, not bound: else no database sees that its partial indexes of queued deliveries serve."""
    return col(Delivery.state) == literal_column(f"'{DeliveryState.QUEUED}'")


def end(session: Session, claim: Claim, state: DeliveryState, reason: str, now: datetime) -> bool:
    """Ends a queued delivery without sending it; False if the claim is lost."""
    values = {"state": state, "reason": reason, "settled_at": now, "claimed_until": None}
    return _changed(session, and_(_under(claim), is_queued()), values)


def drop_parts(session: Session, dropped: Mapping[UUID, str]) -> None:
    """Marks parts as no longer true, with why."""
    for part_id, reason in dropped.items():
        session.exec(update(DeliveryPart).where(col(DeliveryPart.id) == part_id).values(dropped_reason=reason))


def add_receipt(session: Session, receipt: Receipt) -> bool:
    """Appends a report; False if it had come before."""
    return insert_unless_there(session, receipt)


def due_receipts(session: Session, real_now: datetime, limit: int) -> list[Receipt]:
    """Reports not yet applied, the oldest first, locked where the database can."""
    query = select(Receipt).where(col(Receipt.due_at) <= real_now).order_by(col(Receipt.due_at), col(Receipt.id))
    return list(session.exec(query.limit(limit).with_for_update(skip_locked=True)))


def _under(claim: Claim) -> Any:  # noqa: ANN401
    return and_(col(Delivery.id) == claim.id, col(Delivery.fence) == claim.fence)


def _changed(session: Session, where: Any, values: dict[str, Any]) -> bool:  # noqa: ANN401
    statement = update(Delivery).where(where).values(values).execution_options(synchronize_session=False)
    return session.connection().execute(statement).rowcount == 1
