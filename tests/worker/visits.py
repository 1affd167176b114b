"""Builders for reconciling: bookings as we hold them, as a source reports them, and answers, with only what a test
cares about spelled out."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from store.identifiers import BookingKey, HsaId, new_id
from store.leaflets import Leaflet
from store.standing import Standing
from worker.facts import Answer, Circumstances, Known, Loss, Patience
from worker.reconcile import Decision, Suspected, reconcile
from worker.sources import ReportedBooking, TimeFlag

NOW = datetime(2026, 11, 23, 9, 55, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
EARLIER = NOW - 10 * MINUTE
VISIT_AT = NOW + 7 * DAY

CLINIC = HsaId("SE2321000016-1A01")
SIBLING = HsaId("SE2321000016-1A02")
STRANGER = HsaId("SE2321000016-9Z09")
PARENT = HsaId("SE2321000016-1A00")
FAMILY = {CLINIC: PARENT, SIBLING: PARENT}


def key(booking_id: str = "1001", address: HsaId = CLINIC) -> BookingKey:
    return BookingKey("region", address, booking_id)


def reported(booking_id: str = "1001", **facts: Any) -> ReportedBooking:
    """Its digest follows from its facts, as on the wire."""
    defaults: dict[str, Any] = {
        "booking_id": booking_id,
        "facility": CLINIC,
        "facility_spelling": "",
        "start_at": VISIT_AT,
        "end_at": None,
        "time_flag": TimeFlag.NONE,
        "is_invitation": False,
        "facility_name": "Ekens vårdcentral",
        "performer_name": "",
        "resource_name": "",
        "time_type_id": "besök",
        "time_type_name": "Besök",
        "care_type_name": "",
        "preparations": Leaflet(),
        "may_cancel": True,
        "may_rebook": True,
    }
    merged = defaults | facts
    return ReportedBooking(**merged, digest=repr(sorted(merged.items(), key=lambda item: item[0])).encode())


def held(booking_id: str = "1001", *, address: HsaId = CLINIC, facts: Mapping[str, Any] = {}, **row: Any) -> Known:  # noqa: B006
    """A booking of ours that has been known for a month, unless said otherwise."""
    booking = reported(booking_id, **facts)
    defaults: dict[str, Any] = {
        "id": new_id(),
        "key": key(booking_id, address),
        "facility": booking.facility,
        "start_at": booking.start_at,
        "end_at": booking.end_at,
        "time_type_id": booking.time_type_id,
        "facts_digest": booking.digest,
        "standing": Standing.BOOKED,
        "first_seen_at": NOW - 30 * DAY,
        "is_new": False,
        "missed_at": None,
        "missed_on_evidence_at": None,
        "missed_directly_at": None,
        "candidate_until": None,
    }
    return Known(**defaults | row)


def suspect(booking_id: str = "1001", *, since: datetime, on_evidence: bool = True, **row: Any) -> Known:
    """Missed once at `since`."""
    return held(booking_id, missed_at=since, missed_on_evidence_at=since if on_evidence else None, **row)


def new(booking_id: str = "2002", *, seen_at: datetime = NOW, **row: Any) -> Known:
    """A booking that lately appeared, and was told of as Booked or waits to be."""
    return held(booking_id, first_seen_at=seen_at, is_new=True, **row)


def lists(
    *bookings: ReportedBooking,
    at: datetime = NOW,
    address: HsaId = CLINIC,
    evidence: Iterable[HsaId] = (CLINIC,),
    direct: Iterable[HsaId] = (),
    **rest: Any,
) -> Answer:
    """An answer with these bookings, all filed under one address, which it is evidence for."""
    present = {key(booking.booking_id, address): booking for booking in bookings}
    proved = frozenset(evidence) | frozenset(direct)
    defaults: dict[str, Any] = {"recorded": frozenset(evidence), "first_contact": frozenset()}
    return Answer(at, present, proved, frozenset(direct), **defaults | rest)


def failed(at: datetime = NOW) -> Answer:
    """A run that brought no answer at all."""
    return Answer(at, {}, frozenset(), frozenset(), None, frozenset())


def circumstances(
    *,
    losses: Mapping[HsaId, Loss] = {},  # noqa: B006
    frozen: Iterable[HsaId] = (),
    patience: Patience = Patience(),  # noqa: B008
) -> Circumstances:
    return Circumstances(losses, frozenset(frozen), FAMILY, patience)


def decide(known: Iterable[Known], answer: Answer, **around: Any) -> Decision:
    return reconcile(list(known), answer, circumstances(**around))


def only(decision: Decision) -> object:
    """The one thing that was decided."""
    (outcome,) = decision.outcomes
    return outcome


def kinds(decision: Decision) -> list[str]:
    return [type(outcome).__name__ for outcome in decision.outcomes]


def marked(row: Known, decision: Decision) -> Known:
    """The row with the marks that a decision put on it."""
    for outcome in decision.outcomes:
        if isinstance(outcome, Suspected) and outcome.id == row.id:
            return replace(
                row,
                missed_at=outcome.missed_at,
                missed_on_evidence_at=outcome.missed_on_evidence_at,
                missed_directly_at=outcome.missed_directly_at,
            )
    return row
