"""Whether an address is told anything: STOP, START and "wrong person", by whichever way they come. Each leaves a line
in the audit log.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import structlog

from store import audit, contact_points, deliveries, subjects
from store.audit import Act, AuditEntry
from store.database import Session
from store.purposes import SUPPRESSIBLE, Purpose

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Address:
    """A phone number or e-mail address by its keyed digest, and the channel that reaches it."""

    digest: str
    channel: str


@dataclass(frozen=True, slots=True)
class Heard:
    """Who said so and how. `at` is real time, `now` business time."""

    actor: str  # "citizen", "provider", "staff"
    way: str  # "sms", "link", "one_click", "command", or the provider's code
    at: datetime
    now: datetime
    name: str = ""  # of the one among staff


def stop(session: Session, address: Address, heard: Heard, purposes: Collection[Purpose] = SUPPRESSIBLE) -> None:
    """The address is spared these purposes from now on; what lies queued is held back at the last look."""
    deliveries.suppress(session, address.digest, address.channel, heard.actor, heard.now, purposes)
    _note(session, Act.OPTED_OUT, address, heard)


def start(session: Session, address: Address, heard: Heard, sources: Collection[str] = ()) -> None:
    """Takes back the person's own stop, told us by them or by a provider; or, for staff, what `sources` made."""
    deliveries.lift(session, address.digest, address.channel, heard.now, sources or deliveries.LIFTED_BY_START)
    subjects.wake_planning(session, subjects.holder_ids(session, address.digest), heard.now)
    _note(session, Act.OPTED_IN, address, heard)


def disown(session: Session, address: Address, heard: Heard) -> None:
    """Nobody is told anything at this address any more; a person has to find out whose it is."""
    holders = subjects.holders(session, address.digest)
    for contact, _ in holders:
        contact_points.mark_dead(session, contact.id, "wrong_person", heard.now)
    deliveries.suppress(session, address.digest, address.channel, "wrong_person", heard.now)
    subjects.wake_planning(session, [subject.id for _, subject in holders], heard.now)
    _note(session, Act.WRONG_PERSON, address, heard)
    for _, subject in holders:
        _log.warning("number_disowned", subject=str(subject.id))


def _note(session: Session, act: Act, address: Address, heard: Heard) -> None:
    """A line for each who has the address; one for an address that is nobody's."""
    holders: list[UUID | None] = [*subjects.holder_ids(session, address.digest)]
    for subject_id in holders or [None]:
        audit.note(
            session,
            AuditEntry(
                at=heard.at,
                actor=heard.actor,
                name=heard.name,
                act=act,
                way=heard.way,
                subject_id=subject_id,
                contact_digest=address.digest,
                channel=address.channel,
            ),
        )
