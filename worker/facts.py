"""What reconciling is told: the bookings we hold, what one answer shows and proves, and the circumstances around it.

Pure data. It knows neither tables nor wire formats.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from store.identifiers import BookingKey, HsaId
from store.standing import Standing
from worker.sources import ReportedBooking


@dataclass(frozen=True, slots=True)
class Known:
    """A booking as we hold it, of one subject at one source.

    Give reconcile gone and passed ones too: a source may list a visit for days after it, and it is not a new one.
    """

    id: UUID
    key: BookingKey
    facility: HsaId
    start_at: datetime
    end_at: datetime | None
    time_type_id: str
    facts_digest: bytes  # of the wire content last stored
    standing: Standing
    first_seen_at: datetime
    is_new: bool  # it appeared as Booked, not at first contact: it may be what a missing one became
    missed_at: datetime | None  # the first answer that did not have it, evidence or not; None: not suspect
    missed_on_evidence_at: datetime | None
    missed_directly_at: datetime | None
    candidate_until: datetime | None  # its own notice and component wait for a suspect counterpart until then

    @property
    def is_suspect(self) -> bool:
        return self.missed_at is not None


@dataclass(frozen=True, slots=True)
class Answer:
    """What one run learned: the aggregated answer and this run's direct looks, merged.

    A run that got no answer at all is `Answer(now, {}, frozenset(), frozenset(), None, frozenset())`: it concludes
    nothing and only ends waits that are over.
    """

    now: datetime
    present: Mapping[BookingKey, ReportedBooking | None]  # None: same digest as known, not read again
    evidence: frozenset[HsaId]  # logical addresses whose complete state this proves: from the source, all readable
    direct: frozenset[HsaId]  # those of them proved by a direct look
    recorded: frozenset[HsaId] | None  # addresses with any status record; None: no clean aggregated answer in this run
    first_contact: frozenset[HsaId] | None  # where new bookings become known, not Booked; None: everywhere


@dataclass(frozen=True, slots=True)
class Loss:
    """An address that clean aggregated answers about this subject no longer name."""

    clean_without_record_since: datetime
    seen_elsewhere_at: datetime | None  # when another subject's answer last had it from the source
    can_ask_directly: bool


@dataclass(frozen=True, slots=True)
class Patience:
    """How long reconciling waits before it believes something (rules of behaviour, section 1)."""

    second_look: timedelta = timedelta(minutes=10)
    move_window: timedelta = timedelta(minutes=30)  # how long before the first miss a replacement may have been seen
    candidate_wait: timedelta = timedelta(minutes=15)
    loss_after: timedelta = timedelta(hours=24)
    loss_witness: timedelta = timedelta(hours=1)
    frozen_release: timedelta = timedelta(hours=24)
    frozen_last: timedelta = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What bears on an answer without being in it."""

    losses: Mapping[HsaId, Loss]  # by logical address
    frozen: frozenset[HsaId]  # facilities under mass disappearance
    family: Mapping[HsaId, HsaId]  # facility -> root of its care unit; one that is not named is its own root
    patience: Patience = Patience()

    def root_of(self, facility: HsaId) -> HsaId:
        return self.family.get(facility, facility)
