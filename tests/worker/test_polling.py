"""Polling in batches: what has not changed costs one row, and nobody in a batch suffers by another."""

import os
import re
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import event
from sqlmodel import col, select
from structlog.testing import capture_logs

from store import engagements, facilities, poll_reads
from store.claims import Claim, claim_due
from store.engagements import POLLING, Engagement
from store.facilities import WHOLE_SOURCE
from store.failpoints import arm
from store.identifiers import HsaId, SubjectId
from store.poll_reads import Unchanged
from store.subjects import SubjectKey
from store.vault import Unsealable
from tests.faults.programs import ROOT
from tests.faults.waiting import wait_until
from tests.stories.conftest import here as here
from tests.stories.town import CENTRE, SWEDEN, Town
from worker import polling
from worker.demo.people import Person
from worker.demo.region_state import AGGREGATOR, Fault
from worker.importing import withdraw_consents
from worker.polling import poll_claimed, poll_due
from worker.sources import BookingSource, IsStored, Snapshot
from worker.stride import Stride
from worker.sync import Syncing

MINUTE = timedelta(minutes=1)
LEASE = timedelta(minutes=2)
MANY = 5
# At the beginning, or behind what it is chosen by (a CTE); FOR UPDATE locks, and writes nothing.
_WRITE = re.compile(r"(?:\s*|\s*with\b.*\)\s*)(?:insert into|update|delete from)\s+\"?(\w+)", re.IGNORECASE | re.DOTALL)


@pytest.fixture(autouse=True)
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """However slow the machine, a batch is given back only where a test says so."""
    monkeypatch.setattr(polling, "_LONGEST", 600.0)


@pytest.fixture
def people(here: Town) -> list[Person]:
    """Five people with two visits each, polled until their answers are known again."""
    cast = here.enrol(MANY)
    for number, person in enumerate(cast):
        for visit in range(2):
            here.book(person, datetime(2026, 12, 1 + visit, 9 + number, tzinfo=SWEDEN), f"V{number}{visit}")
    here.poll()
    return cast


def taken(here: Town, lease: timedelta = LEASE) -> list[Claim]:
    """Everybody, as one worker's batch."""
    with here.wiring.sessions.writing() as session:
        engagements.wake_all(session, here.now)
        return claim_due(session, POLLING, here.now, lease, MANY)


def wake(here: Town) -> None:
    with here.wiring.sessions.writing() as session:
        engagements.wake_all(session, here.now)


def polled(here: Town) -> int:
    """Everybody due, in one batch."""
    return poll_due(replace(here.wiring.syncing, stride=Stride(first=MANY)), LEASE, lambda: False)


def rows(here: Town) -> dict[UUID, Engagement]:
    with here.wiring.sessions.reading() as session:
        return {row.id: row for row in session.exec(select(Engagement))}


def due(here: Town) -> int:
    """How many can be taken now."""
    now = here.now
    return sum(one.claimed_until is None and (one.next_poll_at or now) <= now for one in rows(here).values())


@contextmanager
def written(here: Town) -> Iterator[list[str]]:
    """The table of each statement that writes."""
    tables: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        found = _WRITE.match(statement)
        if found is not None:
            tables.append(found[1].lower())

    event.listen(here.wiring.sessions.engine, "before_cursor_execute", note)
    try:
        yield tables
    finally:
        event.remove(here.wiring.sessions.engine, "before_cursor_execute", note)


@dataclass
class Between:
    """The region, and what happens on the way to each answer."""

    behind: BookingSource
    before: Callable[[int], None] = lambda _: None  # is told how many have been asked about
    change: Callable[[Snapshot | None], Snapshot | None] = lambda answer: answer
    can_ask_directly: bool = False
    name: str = "region"
    asked: list[SubjectId] = field(default_factory=list)

    def schedule(self, subject: SubjectId, is_stored: IsStored) -> Snapshot | None:
        self.asked.append(subject)
        self.before(len(self.asked))
        return self.change(self.behind.schedule(subject, is_stored))

    def schedule_at(self, subject: SubjectId, facility_spelling: str) -> Snapshot:
        raise AssertionError("nobody is asked directly here")


def between(here: Town, before: Callable[[int], None]) -> tuple[Syncing, Between]:
    source = Between(here.wiring.syncing.sources["region"], before)
    return replace(here.wiring.syncing, sources={"region": source}), source


def test_polls_that_change_nothing_write_their_own_rows_at_once_and_nothing_else(
    here: Town, people: list[Person]
) -> None:
    claims = taken(here)
    begun_at = here.now
    with written(here) as tables:
        assert poll_claimed(here.wiring.syncing, claims) == MANY

    assert tables == ["engagements"]
    for row in rows(here).values():
        assert (row.answer_begun_at, row.claimed_until) == (begun_at, None)
        assert row.next_poll_at is not None
        assert row.next_poll_at > here.now


def test_the_claim_and_the_end_of_a_batch_are_one_statement_each(here: Town, people: list[Person]) -> None:
    wake(here)
    with written(here) as tables:
        assert polled(here) == MANY

    assert tables == ["engagements"] * 2


def test_an_answer_that_comes_in_another_order_every_time_changes_nothing_either(
    here: Town, people: list[Person]
) -> None:
    syncing, source = between(here, lambda _: None)
    source.change = lambda answer: answer and replace(answer, octets=os.urandom(16))
    source.behind = Opaque(source.behind)  # type: ignore[assignment]
    claims = taken(here)
    with written(here) as tables:
        poll_claimed(syncing, claims)

    assert set(tables) == {"engagements"}


class Opaque:
    """A source whose every answer has to be read."""

    def __init__(self, behind: BookingSource) -> None:
        self._behind = behind

    def schedule(self, subject: SubjectId, _is_stored: IsStored) -> Snapshot | None:
        return self._behind.schedule(subject, lambda _: False)


def test_a_change_in_the_middle_of_a_batch_is_stored_and_the_others_are_left_as_they_are(
    here: Town, people: list[Person]
) -> None:
    here.move("V20", datetime(2026, 12, 3, 15, tzinfo=SWEDEN))
    poll_claimed(here.wiring.syncing, taken(here))

    assert here.booking(people[2], "V20").start_at == datetime(2026, 12, 3, 15, tzinfo=SWEDEN)
    assert {row.answer_begun_at for row in rows(here).values()} == {here.now}
    assert sum(row.changed_at == here.now for row in rows(here).values()) == MANY  # all: first seen at this very time


def test_what_hangs_in_the_air_is_looked_into_though_the_answer_is_the_same(here: Town, people: list[Person]) -> None:
    """The second look is at the same octets as the first: what they leave out must not be taken for settled."""
    here.region.state.cancel("V11")
    here.poll()
    assert here.booking(people[1], "V11").missed_at is not None
    assert [row.answer_digest for row in rows(here).values()].count("") == 1
    here.wait(11 * MINUTE)

    assert str(here.booking(people[1], "V11").standing) == "gone"
    here.poll()
    assert "" not in {row.answer_digest for row in rows(here).values()}


def test_after_a_failure_the_same_answer_is_looked_into_and_the_failure_forgotten(
    here: Town, people: list[Person]
) -> None:
    here.fail(AGGREGATOR, Fault.FAULT)
    here.poll()
    assert {row.failures for row in rows(here).values()} == {1}
    here.fail(AGGREGATOR, Fault.OK)
    here.poll()

    assert {(row.failures, row.last_error) for row in rows(here).values()} == {(0, "")}


def test_unchanged_answers_go_on_proving_that_a_clinic_answers(here: Town, people: list[Person]) -> None:
    """Else a clinic where nothing changes would be flagged as not visible, and a loss elsewhere never be believed."""
    here.clock.forward(here.now + 15 * MINUTE)
    poll_claimed(here.wiring.syncing, taken(here))

    with here.wiring.sessions.reading() as session:
        known = facilities.addresses(session, "region", [CENTRE, WHOLE_SOURCE])
    assert {known[HsaId(at)].seen_in_evidence_at for at in (CENTRE, WHOLE_SOURCE)} == {here.now}


def test_a_wake_up_during_the_batch_is_not_lost(here: Town, people: list[Person]) -> None:
    claims = taken(here)

    syncing, _ = between(here, lambda count: wake(here) if count == 2 else None)
    poll_claimed(syncing, claims)

    assert due(here) == MANY


def test_one_slow_answer_keeps_nobody_else_waiting(
    here: Town, people: list[Person], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(polling, "_LONGEST", 0.05)
    may_answer = threading.Event()
    syncing, source = between(here, lambda _: None if may_answer.wait(20) else None)
    worker = threading.Thread(target=poll_claimed, args=(syncing, taken(here)))
    worker.start()
    wait_until(lambda: due(here) == MANY - 1, "the others to be given back")
    monkeypatch.setattr(polling, "_LONGEST", 20.0)  # for the next batch, however slow the machine is
    others = polled(here)
    may_answer.set()
    worker.join(20)

    assert (others, len(source.asked)) == (MANY - 1, 1)
    assert due(here) == 0


def test_somebody_who_withdraws_while_others_are_asked_about_is_not_asked_about(
    here: Town, people: list[Person]
) -> None:
    claims = taken(here)

    def withdraw(count: int) -> None:
        if count == 1:
            withdraw_from(here, claims[1])

    syncing, source = between(here, withdraw)
    seconds = iter(range(0, 1000, 10))
    poll_claimed(syncing, claims, monotonic=lambda: next(seconds))

    assert len(source.asked) == MANY - 1
    assert rows(here)[claims[1].id].next_poll_at is None


def test_what_is_heard_of_somebody_who_has_just_withdrawn_is_not_stored(here: Town, people: list[Person]) -> None:
    claims = taken(here)
    here.book(people[0], datetime(2026, 12, 20, 9, tzinfo=SWEDEN), "LATE")
    withdrawn = {here.subject_id(people[0])}
    (of_first,) = [one for one in claims if rows(here)[one.id].subject_id in withdrawn]
    syncing, _ = between(here, lambda _: withdraw_from(here, of_first))
    poll_claimed(syncing, [of_first])

    assert "LATE" not in {one.booking_id for one in here.bookings(people[0])}
    assert rows(here)[of_first.id].next_poll_at is None


def withdraw_from(here: Town, claim: Claim) -> None:
    with here.wiring.sessions.writing() as session:
        withdraw_consents(session, session.get_one(Engagement, claim.id).subject_id, here.now)


def test_told_to_stop_a_worker_finishes_what_it_has_heard_and_gives_the_rest_back(
    here: Town, people: list[Person]
) -> None:
    syncing, source = between(here, lambda _: None)

    assert poll_claimed(syncing, taken(here), lambda: len(source.asked) == 2) == 2
    assert due(here) == MANY - 2
    assert all(row.claimed_until is None for row in rows(here).values())


def test_an_unexpected_error_over_one_person_leaves_the_others_asked_or_due(here: Town, people: list[Person]) -> None:
    def fail(count: int) -> None:
        if count == 3:
            raise ZeroDivisionError

    syncing, _ = between(here, fail)
    claims = taken(here)
    with pytest.raises(ZeroDivisionError):
        poll_claimed(syncing, claims)

    assert due(here) == 2
    assert [one.id for one in claims if rows(here)[one.id].claimed_until is not None] == [claims[2].id]


def test_a_number_that_does_not_open_is_put_off_and_delays_nobody(here: Town, people: list[Person]) -> None:
    claims = taken(here)
    with here.wiring.sessions.writing() as session:
        first, second = (session.get_one(Engagement, one.id).subject_id for one in claims[:2])
        wrong = session.get_one(SubjectKey, first)
        wrong.wrapped = session.get_one(SubjectKey, second).wrapped
        session.add(wrong)
    syncing, source = between(here, lambda _: None)
    with pytest.raises(Unsealable):
        poll_claimed(syncing, claims)

    assert len(source.asked) == MANY - 1
    assert due(here) == 0
    assert all(row.claimed_until is None for row in rows(here).values())


def test_polls_are_logged_a_line_for_a_batch(here: Town, people: list[Person]) -> None:
    def fail(count: int) -> None:
        here.fail(AGGREGATOR, Fault.FAULT if count > 3 else Fault.OK)

    syncing, _ = between(here, fail)
    wake(here)
    with capture_logs() as logged:
        poll_due(replace(syncing, stride=Stride(first=MANY)), LEASE, lambda: False)

    assert [(line["event"], line["count"]) for line in logged] == [("source_failed", MANY - 3), ("polled", MANY)]


def test_an_answer_begun_before_the_stored_one_is_dropped(here: Town, people: list[Person]) -> None:
    claims = taken(here)
    newer = here.now + MINUTE
    with here.wiring.sessions.writing() as session:
        session.get_one(Engagement, claims[0].id).answer_begun_at = newer
    older = [Unchanged(claim, here.now, "other", here.now + timedelta(hours=1)) for claim in claims]
    with here.wiring.sessions.writing() as session:
        poll_reads.finish_unchanged(session, older)

    dropped, *stored = (rows(here)[claim.id] for claim in claims)
    assert (dropped.answer_begun_at, dropped.next_poll_at, dropped.claimed_until) == (newer, claims[0].due_at, None)
    assert dropped.answer_digest != "other"
    assert {(row.answer_begun_at, row.answer_digest) for row in stored} == {(here.now, "other")}


def test_a_row_that_another_worker_has_taken_is_left_to_it(here: Town, people: list[Person]) -> None:
    overtaken = taken(here, timedelta(seconds=-1))
    again = taken(here)
    poll_claimed(here.wiring.syncing, overtaken)

    assert {row.fence for row in rows(here).values()} == {one.fence for one in again}
    assert all(row.claimed_until is not None for row in rows(here).values())


def test_a_batch_that_fails_before_it_is_stored_is_due_again_and_stored_then(here: Town, people: list[Person]) -> None:
    arm("C0:raise")
    try:
        with pytest.raises(RuntimeError):
            poll_claimed(here.wiring.syncing, taken(here, timedelta(seconds=-1)))
    finally:
        arm("")

    assert polled(here) == MANY


_KILLED = """
import sys
from datetime import datetime, timedelta
from pathlib import Path
from store.failpoints import arm
from tests.stories.town import StillClock
from worker.polling import poll_due
from worker.settings import read_settings
from worker.wiring import wire
url, folder, now = sys.argv[1], Path(sys.argv[2]), datetime.fromisoformat(sys.argv[3])
settings = read_settings({}, database_url=url, keys=folder / "keys.json", sources=folder / "sources.toml")
wiring = wire(settings, StillClock(now))
arm("C0:kill")
poll_due(wiring.syncing, timedelta(seconds=1), lambda: False)
"""


def test_a_batch_killed_between_the_answers_and_the_end_is_polled_again_when_its_lease_has_run_out(
    here: Town, people: list[Person]
) -> None:
    wake(here)
    before = rows(here)
    url = here.wiring.settings.database_url
    command = [sys.executable, "-c", _KILLED, url, str(here.folder), here.now.isoformat()]
    killed = subprocess.run(command, cwd=ROOT, capture_output=True, check=False)  # noqa: S603 - our own program

    assert killed.returncode == -9, killed.stderr.decode()
    assert {row.fence - before[row.id].fence for row in rows(here).values()} == {1}
    assert {row.next_poll_at for row in rows(here).values()} == {here.now}
    count = 0

    def all_polled() -> bool:
        nonlocal count
        count += polled(here)
        return count == MANY

    wait_until(all_polled, "the leases to run out")
    assert due(here) == 0
    assert [len(here.bookings(person)) for person in people] == [2] * MANY


def test_an_erased_person_in_a_batch_is_passed_over(here: Town, people: list[Person]) -> None:
    claims = taken(here)
    with here.wiring.sessions.writing() as session:
        session.delete(session.exec(select(SubjectKey).where(col(SubjectKey.subject_id) == first(here, claims))).one())
    syncing, source = between(here, lambda _: None)
    poll_claimed(syncing, claims)

    assert len(source.asked) == MANY - 1
    assert rows(here)[claims[0].id].next_poll_at is None


def first(here: Town, claims: list[Claim]) -> UUID:
    return rows(here)[claims[0].id].subject_id
