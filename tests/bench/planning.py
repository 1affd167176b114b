"""What planning costs beside a bare commit for each subject, and how that grows with those who are not due.

By one thread. CPU is this process's: what PostgreSQL's own processes spend shows in the rate alone.
"""

import statistics
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, String, Table, Uuid, cast, insert
from sqlmodel import SQLModel, col, select, update

from notifier import ready_texts
from notifier.ledger import change_occasion
from notifier.planning import PlanningSettings, plan_due
from store import deliveries, templates
from store.bookings import Booking, BookingChange, Details, seal_details
from store.consents import Consent
from store.database import Session, Sessions, migrate, open_database
from store.deliveries import Delivery, DeliveryPart
from store.delivery_states import DeliveryState
from store.engagements import Engagement
from store.identifiers import new_id
from store.purposes import Purpose
from store.standing import ChangeKind
from store.subjects import ContactPoint, Subject, SubjectKey
from store.templates import VersionKey
from store.vault import Vault, make_key_file, read_key_file
from tests import build
from tests.bench.copies import copy_rows, id_of, numbered, only_row, settle_down
from tests.bench.databases import new_database, postgresql
from tests.bench.rows import Row, in_turns
from tests.people import BERTIL

NOW = datetime(2026, 11, 30, 15, 5, tzinfo=UTC)  # just after the day-before reminders' time
_BOOKED_AT = NOW - timedelta(days=30)
_BATCH = 50  # as a worker plans
_CLINICS = 100  # of one facility each, with the shipped rules
_AT_ONCE = 10_000  # subjects
_TABLES: tuple[Table, ...] = tuple(
    SQLModel.metadata.tables[model.__tablename__]  # in the order of their foreign keys
    for model in (
        Subject, SubjectKey, ContactPoint, Consent, Engagement, Booking, BookingChange, Delivery, DeliveryPart,
    )
)  # fmt: skip
_DIFFERING = {
    "id", "subject_id", "recipient_id", "given_by", "contact_id", "engagement_id", "booking_id", "delivery_id",
    "pseudonym", "uid", "digest", "occasion", "recipient",
}  # fmt: skip
_SUBJECT, _KEY, _CONTACT, _BOOKING = _TABLES[0], _TABLES[1], _TABLES[2], _TABLES[5]


@dataclass(frozen=True)
class Size:
    """How many there are, and how many of them are due: every so-manieth."""

    subjects: int
    due: int

    def __str__(self) -> str:
        return f"{self.due:,} due among {self.subjects:,}"

    @property
    def every(self) -> int:
        return self.subjects // self.due


@dataclass(frozen=True)
class Cost:
    """Of one subject, in seconds."""

    wall: float
    cpu: float

    def __str__(self) -> str:
        return f"{1 / self.wall:.0f}/s, {self.cpu * 1000:.2f} CPU s per 1,000"


_ALL = Size(10_000, 1_000)
_FEW, _MANY = Size(100_000, 10_000), Size(1_000_000, 10_000)
_ROUNDS = 4
_PART = _ALL.due // (_ROUNDS + 1)
_LONG_ROUNDS = 19
_SAMPLE = 2_000  # of those due, in batches in turn: all would take a quarter of an hour


def rows(folder: Path) -> Iterator[Row]:
    """On each database."""
    with postgresql(folder) as postgresql_url:
        for name, url in (("SQLite", f"sqlite:///{folder}/planning.db"), ("PostgreSQL", postgresql_url)):
            here = Population(url, folder, _ALL)
            planned, bare = in_turns(partial(here.plan, _PART), partial(here.commit, _PART), rounds=_ROUNDS)
            here.close()
            yield _row(f"planning, {_ALL}, {name}: times a bare commit", _median(planned), "a commit", _median(bare))


def growth(folder: Path) -> Iterator[Row]:
    """On each database, a sample of those due, planned in turns among few and among many."""
    yield from _grown("SQLite", f"sqlite:///{folder}/few.db", f"sqlite:///{folder}/many.db", folder)
    with postgresql(folder) as few_url:
        yield from _grown("PostgreSQL", few_url, new_database(few_url, "many"), folder)


def _grown(name: str, few_url: str, many_url: str, folder: Path) -> Iterator[Row]:
    few, many = Population(few_url, folder, _FEW), Population(many_url, folder, _MANY)
    part = _SAMPLE // (_LONG_ROUNDS + 1)
    small, large = map(_median, in_turns(lambda: few.plan(part), lambda: many.plan(part), rounds=_LONG_ROUNDS))
    few.close()
    many.close()
    what, beside = f"planning, {_SAMPLE:,} of {_MANY}, {name}", f"among {_FEW.subjects:,}"
    yield replace(_row(f"{what}: times slower", large, beside, small), at_most=1.2)
    cpu = f"{large.cpu * 1000:.2f} s per 1,000", f"{beside}: {small.cpu * 1000:.2f} s"
    yield Row(f"{what}: times the CPU", *cpu, large.cpu / small.cpu, at_most=1.2)


def _row(what: str, ours: Cost, beside: str, least: Cost) -> Row:
    return Row(what, str(ours), f"{beside}: {least}", ours.wall / least.wall)


def _median(costs: list[Cost]) -> Cost:
    return Cost(statistics.median(one.wall for one in costs), statistics.median(one.cpu for one in costs))


class Population:
    """People with a visit each. A reminder is due for some, evenly strewn among those whose visit is later."""

    def __init__(self, database_url: str, folder: Path, size: Size) -> None:
        self.sessions: Sessions = open_database(database_url)
        migrate(self.sessions)
        keys = folder / f"{new_id()}.keys"
        make_key_file(keys)
        self._vault = Vault(read_key_file(keys))
        self._size = size
        with self.sessions.writing() as session:
            _add_one_person(session, self._vault)
            self._patterns = {table: only_row(session.connection(), table) for table in _TABLES}
        for first in range(1, size.subjects + 1, _AT_ONCE):
            with self.sessions.writing() as session:
                self._add(session.connection(), first, min(first + _AT_ONCE - 1, size.subjects))
        settle_down(self.sessions)

    def plan(self, count: int) -> Cost:
        """Plans so many of those due, as a worker does."""
        began, cpu, done = time.perf_counter(), time.process_time(), 0
        while done < count:
            planned = plan_due(self.sessions, self._vault, PlanningSettings(batch=_BATCH), NOW)
            if (planned.subjects, planned.inserted) != (_BATCH, _BATCH):
                raise RuntimeError(f"not everybody is told once: {planned}")
            done += planned.subjects
        return Cost((time.perf_counter() - began) / count, (time.process_time() - cpu) / count)

    def commit(self, count: int) -> Cost:
        """The least that can be made of a subject in a transaction of their own: that they have been planned."""
        began, cpu = time.perf_counter(), time.process_time()
        for place in range(1, count + 1):
            done = update(Subject).where(col(Subject.id) == UUID(int=place)).values(claimed_until=None)
            with self.sessions.writing() as session:
                session.connection().execute(done)
        return Cost((time.perf_counter() - began) / count, (time.process_time() - cpu) / count)

    def close(self) -> None:
        self.sessions.close()

    def _add(self, connection: Connection, first: int, last: int) -> None:
        numbers = numbered(first, last)
        number, every = numbers.c.n, self._size.every
        others = select(number).where(number % every != 0).cte("others")
        due = [self._due(place) for place in range(first, last + 1) if place % every == 0]
        for table, pattern in self._patterns.items():
            changes = _changed(table, id_of(others.c.n, self.sessions), cast(others.c.n, String))
            copy_rows(connection, table, pattern, others, changes)
            connection.execute(insert(table), [{**pattern, **one[table]} for one in due])

    def _due(self, place: int) -> dict[Table, dict[str, Any]]:
        """The rows of somebody whose reminder is due, really sealed."""
        key = UUID(int=place)
        wrapped = self._vault.new_wrapped_key(key)
        cipher = self._vault.cipher(key, wrapped)
        sealed = cipher.seal_text("contact_points.sealed_address", key, str(BERTIL.phone))
        details = Details(facility_name="Vårdcentralen")
        start_at = NOW + timedelta(hours=20, seconds=place % 3600)
        rows = {table: _changed(table, key, str(place)) for table in _TABLES}
        number = cipher.seal_text("subjects.sealed_number", key, BERTIL.number)
        rows[_SUBJECT] |= {"next_planning_at": NOW - timedelta(minutes=5), "sealed_number": number}
        rows[_KEY] |= {"wrapped": wrapped}
        rows[_CONTACT] |= {"sealed_address": sealed}
        rows[_BOOKING] |= {
            "sealed_details": seal_details(cipher, key, details),
            "facility": _facility(place % _CLINICS),
            "start_at": start_at,
            "passes_at": start_at,
        }
        return rows


def _add_one_person(session: Session, vault: Vault) -> None:
    """Whom all are copied from: booked a month ago, told of it, due later. And what is there once for all."""
    ready_texts.install(session, NOW)
    for place in range(_CLINICS):
        clinic = build.clinic(session, NOW)
        build.facility(session, _facility(place), clinic_id=clinic.id, cancel_deadline="")
    start_at = NOW + timedelta(days=14)
    subject = build.subject(session, vault, NOW, BERTIL, next_planning_at=start_at - timedelta(days=1))
    engagement = build.engagement(session, subject.id, NOW, next_poll_at=None)
    booking = build.booking(session, vault, engagement, start_at, at=_facility(0), seen_at=_BOOKED_AT)
    change = BookingChange(
        booking_id=booking.id, subject_id=subject.id, kind=ChangeKind.BOOKED, at=_BOOKED_AT, settles_at=_BOOKED_AT,
    )  # fmt: skip
    delivery = Delivery(
        clinic_id=clinic.id, subject_id=subject.id, recipient_id=subject.id, purpose=Purpose.CONFIRMATION,
        contact_id=session.exec(select(ContactPoint.id)).one(), channel="sms", language="sv",
        state=DeliveryState.DELIVERED, visit_at=start_at, next_attempt_at=_BOOKED_AT, useful_until=start_at,
        created_at=_BOOKED_AT, settled_at=_BOOKED_AT,
    )  # fmt: skip
    part = DeliveryPart(
        delivery_id=delivery.id, purpose=Purpose.CONFIRMATION, occasion=change_occasion(change.id), channel="sms",
        recipient=str(subject.id), booking_id=booking.id, time_version=1,
        template_version_id=templates.active_versions(session)[VersionKey(None, "confirmation", "sms", "sv")],
    )  # fmt: skip
    session.add(change)
    deliveries.insert(session, delivery, [part])


def _changed(table: Table, key: Any, text: Any) -> dict[str, Any]:  # noqa: ANN401 - values, or their SQL
    """What differs between two people's rows: whose they are, and what must be unique or is looked up."""
    differing = {name: column for name, column in table.columns.items() if name in _DIFFERING}
    return {name: key if isinstance(column.type, Uuid) else text for name, column in differing.items()}


def _facility(place: int) -> str:
    return f"SE2321000016-2A{place:02}"
