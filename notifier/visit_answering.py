"""Notes that somebody comes, or wants to cancel, once for each time of a visit. Changes no booking."""

from uuid import UUID

from notifier.action_links import LinkedTo
from notifier.opting import Heard
from store import audit, visit_answers
from store.audit import Act, AuditEntry
from store.bookings import Booking
from store.database import Session
from store.visit_answers import AnswerKind, VisitAnswer

_ACTS = {AnswerKind.CONFIRM: Act.CONFIRMED, AnswerKind.CANCEL: Act.CANCEL_ASKED}


def record(  # noqa: PLR0913 - who answers what about which visit, and how
    session: Session, kind: AnswerKind, visit: Booking, clinic_id: UUID, who: LinkedTo, heard: Heard
) -> bool:
    """False if it had been noted before. The caller has seen that the visit stands as it was told."""
    answer = VisitAnswer(
        kind=kind,
        booking_id=visit.id,
        time_version=visit.time_version,
        subject_id=visit.subject_id,
        recipient_id=who.recipient_id,
        clinic_id=clinic_id,
        way=heard.way,
        answered_at=heard.now,
    )
    if not visit_answers.add(session, answer):
        return False
    entry = AuditEntry(
        at=heard.at,
        actor=heard.actor,
        act=_ACTS[kind],
        way=heard.way,
        subject_id=visit.subject_id,
        contact_digest=who.contact_digest,
        channel=who.channel,
        booking_id=visit.id,
    )
    audit.note(session, entry)
    return True
