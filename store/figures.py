"""Figures for a monitor: what became of what was promised lately, and how the providers answered.

Ids are made in the order of time, so a stretch of time is a stretch of the primary key: however much lies in the
ledger, only that stretch is read.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlmodel import Session, col, func, select

from store.deliveries import Attempt, Delivery, is_queued
from store.identifiers import first_id

PROMISED = timedelta(days=1)
TRIED = timedelta(hours=1)
NO_OUTCOME = "none"  # an attempt under way, or one whose worker died


@dataclass(frozen=True, slots=True)
class Figures:
    """`deliveries`: those promised within `PROMISED`, by purpose and state; each stands in exactly one place, so their
    sum is what was promised. `attempts`: those begun within `TRIED`, by provider and outcome."""

    deliveries: Mapping[tuple[str, str], int]
    attempts: Mapping[tuple[str, str], int]
    queued: int  # of whatever age


def read(session: Session) -> Figures:
    real_now = datetime.now(UTC)
    promised = (
        select(col(Delivery.purpose), col(Delivery.state), func.count())
        .where(col(Delivery.id) >= first_id(real_now - PROMISED))
        .group_by(col(Delivery.purpose), col(Delivery.state))
    )
    tried = (
        select(col(Attempt.provider), col(Attempt.outcome), func.count())
        .where(col(Attempt.id) >= first_id(real_now - TRIED))
        .group_by(col(Attempt.provider), col(Attempt.outcome))
    )
    return Figures(
        deliveries={(purpose, state): count for purpose, state, count in session.exec(promised)},
        attempts={(provider, outcome or NO_OUTCOME): count for provider, outcome, count in session.exec(tried)},
        queued=session.exec(select(func.count()).select_from(Delivery).where(is_queued())).one(),
    )
