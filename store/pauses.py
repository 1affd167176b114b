"""Pausing what is sent, for everybody or for one clinic, and going on. Nothing is dropped: it is put off."""

from datetime import datetime, timedelta

from sqlalchemy import true, update
from sqlmodel import Session, col

from store import installation
from store.clinics import Clinic
from store.deliveries import Delivery, is_queued


def pause(session: Session, at: datetime, clinic: Clinic | None = None) -> None:
    """Nothing is sent from now on, or nothing of the clinic's; what is under way is finished."""
    if clinic is None:
        installation.pause(session, at)
        return
    clinic.paused_at = clinic.paused_at or at
    session.add(clinic)


def resume(session: Session, now: datetime, put_off_by: timedelta, clinic: Clinic | None = None) -> int:
    """Sending goes on. What has been put off, by `put_off_by` at most at a time, is due at once; returns how much."""
    if clinic is None:
        installation.resume(session)
    else:
        clinic.paused_at = None
        session.add(clinic)
    session.flush()
    return _hurry(session, now, put_off_by, clinic)


def _hurry(session: Session, now: datetime, put_off_by: timedelta, clinic: Clinic | None) -> int:
    """Also what waits that long for another reason: it is looked at once more, and put off again."""
    waiting = (is_queued(), col(Delivery.next_attempt_at) > now, col(Delivery.next_attempt_at) <= now + put_off_by)
    concerned = true() if clinic is None else col(Delivery.clinic_id) == clinic.id
    # A wake-up is counted: whoever puts one off at this moment must not undo it.
    values = {"next_attempt_at": now, "wakes": col(Delivery.wakes) + 1}
    statement = update(Delivery).where(*waiting, concerned).values(values)
    return session.connection().execute(statement.execution_options(synchronize_session=False)).rowcount
