"""Forgets what is kept for a limited time: wordings and quarantined content seven days; who texted us, and where a
person is no longer reached, thirty; links in messages thirty after they have expired."""

from datetime import datetime, timedelta

from notifier.swedish_days import local
from store import action_links, budgets, contact_points, engagements, ledger, replies
from store.database import Session, Sessions
from store.vault import Vault

QUARANTINE_KEPT = timedelta(days=7)
REPLIES_KEPT = timedelta(days=30)
LINKS_KEPT = timedelta(days=30)  # expired ones: whoever still presses is told so in their language
BUDGETS_KEPT = timedelta(days=30)


def anything_due(session: Session, now: datetime) -> bool:
    return (
        ledger.any_wording_kept_until(session, now)
        or engagements.any_quarantined_before(session, now - QUARANTINE_KEPT)
        or budgets.any_before(session, local(now).date() - BUDGETS_KEPT)
        or replies.any_received_before(session, now - REPLIES_KEPT)
        or action_links.any_expired_before(session, now - LINKS_KEPT)
        or contact_points.any_to_forget(session, now)
    )


def forget_due(sessions: Sessions, vault: Vault, now: datetime) -> int:
    """Deletes one batch of what has been kept long enough; returns how many rows."""
    with sessions.writing() as session:
        forgotten = ledger.delete_wordings(session, now)
        forgotten += engagements.delete_quarantined(session, now - QUARANTINE_KEPT)
        forgotten += budgets.delete_before(session, local(now).date() - BUDGETS_KEPT)
        forgotten += replies.delete_received_before(session, now - REPLIES_KEPT)
        forgotten += contact_points.forget_removed(session, vault, now)
        return forgotten + action_links.delete_expired_before(session, now - LINKS_KEPT)
