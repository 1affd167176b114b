"""What tells whether the installation is well, read in one go: who lives, and how long what is due has waited.

Every question here goes by an index, or asks a table of a few rows: it is asked every second if need be.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, literal_column, true
from sqlmodel import Session, col, func, select

from store import budgets, heartbeats, installation, provider_weights
from store.bookings import Booking
from store.calendars import Calendar
from store.clinics import Clinic
from store.columns import lease_clock
from store.deliveries import HAS_CODE, Attempt, Delivery, Receipt, Wording, is_queued
from store.delivery_states import DeliveryState
from store.engagements import Engagement, InvitationLook
from store.facilities import WHOLE_SOURCE, Facility, LogicalAddress
from store.following import UNFOLLOWED_END
from store.heartbeats import Beat
from store.identifiers import first_id
from store.installation import Gap
from store.provider_weights import Version
from store.replannings import Replanning
from store.subjects import Subject

_NOT_YET = timedelta()
_SWEDEN = ZoneInfo("Europe/Stockholm")
LATELY = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Vitals:
    """How it stands. All durations are until now, by the clock that each of them goes by."""

    beats: Sequence[Beat]
    overdue: Mapping[str, timedelta]  # by kind of due row: how long the oldest has been due; 0: none is
    uncertain: int
    uncertain_for: timedelta  # the oldest
    tried: timedelta | None  # since the last attempt of any delivery
    polled: timedelta | None  # since the answer of the engagement that has waited longest for its next
    silent: Mapping[str, timedelta]  # by source: nobody behind it answers, for how long
    frozen: int
    paused_at: datetime | None
    paused_clinics: int
    gap: Gap | None
    faults: Mapping[tuple[str, str], int]  # messages of the last hour that failed, by provider and its code
    tried_lately: int  # messages of the last hour; counted only where some failed
    ahead: timedelta  # this machine's clock of the database's; negative: behind
    planned_today: Mapping[str, tuple[int, int | None]] = field(default_factory=dict)  # by clinic: so many, its own cap
    sms_weights: Version | None = None  # None: one provider has it all


def read(session: Session, now: datetime, sources: Collection[str]) -> Vitals:
    """`now`: business now. `sources`: the names of those asked. What goes by real time is measured by the database's
    clock."""
    clock, ahead = _clock(session)
    faults = _faults(session)
    unknown = col(Delivery.unknown_since).is_not(None)
    return Vitals(
        beats=heartbeats.beats(session),
        overdue=_overdue(session, now, clock),
        uncertain=session.exec(select(func.count()).select_from(Delivery).where(unknown)).one(),
        uncertain_for=_since(session, col(Delivery.unknown_since), clock) or _NOT_YET,
        tried=_tried(session, clock),
        polled=_since(session, col(Engagement.answer_begun_at), now, col(Engagement.next_poll_at).is_not(None)),
        silent=_silent(session, now, sources),
        frozen=_count(session, col(Facility.frozen_at).is_not(None)),
        paused_at=installation.paused_at(session),
        paused_clinics=_count(session, col(Clinic.paused_at).is_not(None)),
        gap=installation.gap(session),
        planned_today=budgets.by_clinic(session, now.astimezone(_SWEDEN).date()),
        faults=faults,
        tried_lately=_tried_lately(session) if faults else 0,
        sms_weights=provider_weights.in_force(session, "sms"),
        ahead=ahead,
    )


def _clock(session: Session) -> tuple[datetime, timedelta]:
    """The database's clock, and how far this machine's is ahead of it for certain: asking takes its time."""
    before = datetime.now(UTC)
    clock = session.exec(select(lease_clock())).one()
    after = datetime.now(UTC)
    return clock, max(before - clock, _NOT_YET) or min(after - clock, _NOT_YET)


def _overdue(session: Session, now: datetime, clock: datetime) -> dict[str, timedelta]:
    """By the names of the doorbells. What goes by lease time or real time is compared with the database's clock."""
    being_sent = col(Delivery.state) == DeliveryState.SENDING
    kinds: dict[str, tuple[Any, datetime, Any]] = {  # what says when, by which clock, which rows
        "poll": (col(Engagement.next_poll_at), now, None),
        "invitations": (col(InvitationLook.next_look_at), now, None),
        "plan": (col(Subject.next_planning_at), now, None),
        "replan": (col(Replanning.next_at), now, None),
        "dispatch": (col(Delivery.next_attempt_at), now, is_queued()),
        "recover": (col(Delivery.claimed_until), clock, being_sent),
        "resolve": (col(Delivery.ask_at), clock, None),
        "receipts": (col(Receipt.due_at), clock, None),
        "follow": (col(Delivery.follow_at), now, UNFOLLOWED_END),
        "calendars": (col(Calendar.next_change_at), now, None),
        "passing": (col(Booking.passes_at), now, None),
        "retention": (col(Wording.keep_until), now, None),
    }
    return {kind: _since(session, *of) or _NOT_YET for kind, of in kinds.items()}


def _since(
    session: Session,
    column: Any,  # noqa: ANN401 - of instants, some of which may be missing
    now: datetime,
    only: ColumnElement[bool] | None = None,
) -> timedelta | None:
    """How long ago the first of the instants in the column was; None where all are to come, or there is none."""
    past = select(column).where(column <= now, true() if only is None else only)
    first = session.exec(past.order_by(column).limit(1)).first()
    return None if first is None else now - first


def _tried(session: Session, clock: datetime) -> timedelta | None:
    last = session.exec(select(Attempt.began_at).order_by(col(Attempt.id).desc()).limit(1)).first()
    return None if last is None else max(_NOT_YET, clock - last)


def _faults(session: Session) -> dict[tuple[str, str], int]:
    query = select(Attempt.provider, Attempt.code, func.count()).where(_lately(), literal_column(f"({HAS_CODE})"))
    return {
        (provider, code): count
        for provider, code, count in session.exec(query.group_by(Attempt.provider, Attempt.code))
    }


def _tried_lately(session: Session) -> int:
    return session.exec(select(func.count()).select_from(Attempt).where(_lately())).one()


def _lately() -> ColumnElement[bool]:
    return col(Attempt.id) >= first_id(datetime.now(UTC) - LATELY)


def _silent(session: Session, now: datetime, sources: Collection[str]) -> dict[str, timedelta]:
    asked = (col(LogicalAddress.source).in_(list(sources)), col(LogicalAddress.address) == WHOLE_SOURCE)
    rows = session.exec(select(LogicalAddress).where(*asked))
    return {row.source: max(_NOT_YET, now - row.silent_since) for row in rows if row.silent_since is not None}


def _count(session: Session, where: ColumnElement[bool]) -> int:
    return session.exec(select(func.count()).where(where)).one()
