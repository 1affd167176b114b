"""What a run says of each logical address: whether it answers, for one subject and for everybody.

Joins the caller's transaction. Nothing here touches a booking.
"""

import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from store import engagements, facilities
from store.calendars import wake_calendars_of_address
from store.database import Session
from store.engagements import EVIDENCE_STATUSES, Engagement, EngagementAddress
from store.facilities import WHOLE_SOURCE
from store.identifiers import HsaId
from worker.asking import Learned
from worker.facts import Loss
from worker.sources import AddressStatus, SourceRefused

log = structlog.get_logger()

NO_RECORD = "no_record"
DIRECT = "direct"


class Recently:
    """What this process lately wrote of each address, so that unchanged polls need not write it again."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._noted: dict[tuple[str, str], tuple[str, datetime]] = {}

    def forget(self) -> None:
        """After a transaction that was rolled back: what was to be written was not."""
        with self._lock:
            self._noted.clear()

    def is_news(self, noting: "Noting", address: str, code: str) -> bool:
        """Whether to write it: it differs from what was written last, or that was a while ago."""
        with self._lock:
            told, at = self._noted.get((noting.source, address), ("never", noting.now))
            if told == code and noting.now - at < noting.unseen / 4:
                return False
            self._noted[noting.source, address] = (code, noting.now)
            return True


@dataclass(frozen=True, slots=True)
class Noting:
    """Of which source, when, and how long nobody's evidence makes a refusing address "not visible"."""

    source: str
    now: datetime
    unseen: timedelta
    silent_after: timedelta  # from then on calendars say that the address does not answer
    recently: Recently


def first_contact(session: Session, engagement: Engagement, learned: Learned) -> frozenset[HsaId] | None:
    """Where new bookings become known rather than Booked (rule 1j), so that nobody gets a storm of confirmations.

    Everywhere (None) on the subject's first evidence; later at an address that has only failed so far, and where
    the address or the facility has never appeared in anybody's answer. Ask before this run is noted.
    """
    if engagement.first_evidence_at is None:
        return None
    addresses = {key.logical_address for key in learned.present}
    rows = engagements.address_rows(session, engagement.id)
    heard = facilities.addresses(session, engagement.source, addresses)
    unknown = {at for at in addresses if at not in heard or heard[at].seen_in_evidence_at is None}
    failed_so_far = {at for at in addresses if at in rows and rows[at].first_evidence_at is None}
    return frozenset(unknown | failed_so_far | _unseen_facilities(session, learned))


def losses(session: Session, engagement: Engagement, *, asks_directly: bool) -> dict[HsaId, Loss]:
    """The addresses that clean answers about this subject no longer name. Ask after this run is noted."""
    rows = engagements.address_rows(session, engagement.id)
    lost = {at: row for at, row in rows.items() if row.status == NO_RECORD}
    heard = facilities.addresses(session, engagement.source, lost)
    return {
        at: Loss(
            clean_without_record_since=row.status_since,
            seen_elsewhere_at=heard[at].seen_in_evidence_at if at in heard else None,
            can_ask_directly=asks_directly and (at not in heard or heard[at].direct_refused_at is None),
        )
        for at, row in lost.items()
    }


def note_for_subject(
    session: Session, engagement: Engagement, learned: Learned, began_at: datetime, now: datetime
) -> None:
    """Keeps the status of each address as this subject's answers have it. Unchanged ones are not written."""
    rows = engagements.address_rows(session, engagement.id)
    for address, status in _statuses(learned, rows).items():
        row = rows.get(address)
        if row is None:
            row = EngagementAddress(engagement_id=engagement.id, address=address, status=status, status_since=now)
        if address in learned.evidence:
            row.first_evidence_at = row.first_evidence_at or began_at
            row.last_evidence_at = began_at
        elif row.status in EVIDENCE_STATUSES:
            row.last_evidence_at = engagement.answer_begun_at
        if row.status != status:
            row.status, row.status_since = status, now
        session.add(row)
    session.flush()


def note_for_everybody(session: Session, noting: Noting, learned: Learned) -> None:
    """Keeps who answers and who does not, over all subjects; the same news is written a few times an hour at most.

    When an address falls silent or answers again, the calendars that show its visits are due for a look.
    """
    news = dict.fromkeys(learned.evidence, "") | _failures(learned)
    if learned.aggregated is not None:
        news[WHOLE_SOURCE] = ""
    _note_news(session, noting, news)
    for address, error in learned.direct_errors.items():
        if isinstance(error, SourceRefused):
            _note_refusal(session, noting, address, error.code)
    if learned.foreign:
        log.error("foreign_bookings_dropped", source=noting.source, count=learned.foreign)


def note_as_before(session: Session, noting: Noting, named: Iterable[str]) -> None:
    """The same of answers that are as stored, whose addresses and statuses `named` holds in lines. An address that
    answered for somebody answers."""
    news: dict[str, str] = {WHOLE_SOURCE: ""}
    for line in named:
        address, _, status = line.rpartition(" ")
        if status == AddressStatus.FROM_SOURCE:
            news[address] = ""
        elif status in set(AddressStatus):
            news.setdefault(address, status)
    _note_news(session, noting, news)


def _note_news(session: Session, noting: Noting, news: Mapping[str, str]) -> None:
    for address, code in sorted(news.items()):
        if noting.recently.is_news(noting, address, code):
            _note(session, noting, address, code)


def _note(session: Session, noting: Noting, address: str, code: str) -> None:
    if code:
        if facilities.note_failure(session, noting.source, address, code, noting.now):
            wake_calendars_of_address(session, noting.source, address, noting.now + noting.silent_after)
        return
    missing_since = facilities.note_evidence(session, noting.source, address, noting.now)
    if missing_since is not None and noting.now - missing_since >= noting.silent_after:
        wake_calendars_of_address(session, noting.source, address, noting.now)


def _note_refusal(session: Session, noting: Noting, address: str, code: str) -> None:
    if facilities.note_refusal(session, noting.source, address, code, noting.now, noting.unseen):
        log.error("address_not_visible", source=noting.source, address=address, code=code)
        wake_calendars_of_address(session, noting.source, address, noting.now + noting.silent_after)


def _failures(learned: Learned) -> dict[str, str]:
    failures: dict[str, str] = {}
    if learned.aggregated_error is not None and not learned.was_put_off:
        failures[WHOLE_SOURCE] = learned.aggregated_error.code
    if learned.aggregated is not None:
        statuses = learned.aggregated.statuses
        failures |= {at: str(status) for at, status in statuses.items() if at not in learned.evidence}
    refused = {at for at, error in learned.direct_errors.items() if isinstance(error, SourceRefused)}
    return failures | {at: error.code for at, error in learned.direct_errors.items() if at not in refused}


def _statuses(learned: Learned, rows: Mapping[HsaId, EngagementAddress]) -> dict[HsaId, str]:
    """The status of each address after this run. A failed aggregated call says nothing of any."""
    statuses: dict[HsaId, str] = {}
    if learned.aggregated is not None:
        statuses = dict.fromkeys(rows, NO_RECORD) | {at: str(one) for at, one in learned.aggregated.statuses.items()}
    return statuses | {at: DIRECT for at in learned.direct if statuses.get(at, NO_RECORD) == NO_RECORD}


def _unseen_facilities(session: Session, learned: Learned) -> set[HsaId]:
    reported = {one.facility for one in learned.present.values() if one is not None}
    seen = facilities.by_ids(session, reported)
    return {hsa_id for hsa_id in reported if hsa_id not in seen or seen[hsa_id].first_seen_at is None}
