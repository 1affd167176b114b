"""A ledger full of deliveries, written by the quickest way there is: what claims are measured on."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import ARRAY, Uuid, any_, insert, literal
from sqlmodel import SQLModel, col, select, update

from store.claims import Claim
from store.database import Sessions, migrate, open_database
from store.deliveries import Delivery, is_queued
from store.delivery_states import DeliveryState
from store.identifiers import new_id
from store.purposes import Purpose
from store.sending import Floor, claim_to_send
from store.subjects import ContactPoint
from store.vault import Vault, make_key_file, read_key_file
from tests import build
from tests.bench.copies import copy_rows, id_of, numbered, only_row

NOW = datetime(2026, 11, 24, 8, 55, tzinfo=UTC)
_TABLE = SQLModel.metadata.tables["deliveries"]
_AT_ONCE = 5000
_LEASE = timedelta(minutes=10)


class Ledger:
    """Deliveries of one person; nobody looks into them here."""

    def __init__(self, database_url: str, folder: Path) -> None:
        self.url = database_url
        self.sessions: Sessions = open_database(database_url)
        migrate(self.sessions)
        keys = folder / f"{new_id()}.keys"
        make_key_file(keys)
        vault = Vault(read_key_file(keys))
        with self.sessions.writing() as session:
            self._clinic_id = build.clinic(session, NOW).id
            self._subject_id = build.subject(session, vault, NOW).id
            self._contact_id = session.exec(select(ContactPoint.id)).first()

    def add(self, count: int, state: DeliveryState) -> None:
        """So many, for visits a second apart, all at the same moment."""
        with self.sessions.writing() as session:
            for first in range(0, count, _AT_ONCE):
                rows = [self._row(place, state) for place in range(first, min(first + _AT_ONCE, count))]
                session.connection().execute(insert(_TABLE), rows)

    def add_settled(self, count: int) -> None:
        """So many that were accepted."""
        self.add(1, DeliveryState.ACCEPTED)
        numbers = numbered(1, count - 1)
        with self.sessions.writing() as session:
            connection = session.connection()
            changed = {"id": id_of(numbers.c.n, self.sessions)}
            copy_rows(connection, _TABLE, only_row(connection, _TABLE), numbers, changed)

    def has_queued(self) -> bool:
        with self.sessions.reading() as session:
            return session.exec(select(Delivery.id).where(is_queued()).limit(1)).first() is not None

    def close(self) -> None:
        self.sessions.close()

    def _row(self, place: int, state: DeliveryState) -> dict[str, Any]:
        visit_at = NOW + timedelta(days=2, seconds=place)
        return {
            "id": new_id(),
            "clinic_id": self._clinic_id,
            "subject_id": self._subject_id,
            "recipient_id": self._subject_id,
            "contact_id": self._contact_id,
            "purpose": Purpose.REMINDER,
            "channel": "sms",
            "language": "sv",
            "state": state,
            "reason": "",
            "visit_at": visit_at,
            "next_attempt_at": NOW,
            "useful_until": visit_at,
            "created_at": NOW,
            **dict.fromkeys(("fence", "wakes", "crash_count", "asked"), 0),
        }


def claim(sessions: Sessions, limit: int, floor: Floor) -> list[Claim]:
    with sessions.writing() as session:
        return list(claim_to_send(session, NOW, _LEASE, limit, floor))


def mark(sessions: Sessions, claims: list[Claim]) -> None:
    """Writes that a whole batch was accepted, by one statement."""
    ids = [claim.id for claim in claims]
    column = col(Delivery.id)
    concerned = column == any_(literal(ids, ARRAY(Uuid()))) if sessions.on_postgresql else column.in_(ids)
    accepted = {"state": DeliveryState.ACCEPTED, "settled_at": NOW, "claimed_until": None}
    statement = update(Delivery).where(concerned).values(accepted).execution_options(synchronize_session=False)
    with sessions.writing() as session:
        session.connection().execute(statement)
