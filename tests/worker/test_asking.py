"""Asking: what an answer, whole or broken, proves of which address, and whom to ask directly. The source is a stand-in
at the protocol; nothing here decides about bookings."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import pytest

from store.identifiers import BookingKey, HsaId, parse_subject_id
from tests.people import ANNA
from tests.worker.source_stand_in import FROM_SOURCE, Slot, Source, direct, snapshot, unreadable
from tests.worker.visits import CLINIC, NOW, SIBLING, held, reported
from worker.asking import Learned, Question, hear, learn
from worker.facts import Known, Patience
from worker.sources import (
    AddressStatus,
    SourceGarbled,
    SourceRefused,
    SourceUnavailable,
)
from worker.sources.gate import Gate, Limits

PARENT = HsaId("SE2321000016-1A00")
SUBJECT = parse_subject_id(ANNA.number, today=NOW.date())


def question(known: Sequence[Known] = (), **values: object) -> Question:
    asked = Question(SUBJECT, NOW, tuple(known), {}, {}, {})
    return replace(asked, **values)  # type: ignore[arg-type]


def asked(source: Source, about: Question, now: datetime = NOW, gate: Gate | None = None) -> Learned:
    gate = gate or Gate(Limits())
    heard = hear(source, gate, about.subject, lambda _: False, lambda: now)
    return learn(source, gate, about, heard, now, Patience())


def key(booking_id: str = "1001", address: HsaId = CLINIC) -> BookingKey:
    return BookingKey("region", address, booking_id)


def test_a_question_never_shows_whom_it_is_about() -> None:
    assert ANNA.number not in repr(question())


def test_only_data_from_the_source_itself_is_evidence() -> None:
    statuses = dict(zip([HsaId(f"SE1-{n}") for n in range(4)], AddressStatus, strict=True))
    learned = asked(Source(snapshot(statuses=statuses)), question())

    assert learned.evidence == {at for at, status in statuses.items() if status is FROM_SOURCE}
    assert learned.recorded == set(statuses)


def test_a_booking_at_a_child_unit_is_filed_under_the_parent_that_answered() -> None:
    source = Source(snapshot(Slot(reported(facility=CLINIC)), statuses={PARENT: FROM_SOURCE}))
    learned = asked(source, question(parents={CLINIC: PARENT}))

    assert set(learned.present) == {key(address=PARENT)}
    assert learned.evidence == {PARENT}


def test_of_a_unit_and_its_parent_the_nearest_that_answered_is_taken() -> None:
    source = Source(snapshot(Slot(reported()), statuses={PARENT: FROM_SOURCE, CLINIC: FROM_SOURCE}))

    assert set(asked(source, question(parents={CLINIC: PARENT})).present) == {key()}


def test_a_ring_of_parents_does_not_hang_a_poll() -> None:
    source = Source(snapshot(Slot(reported()), statuses={}))
    learned = asked(source, question(parents={CLINIC: PARENT, PARENT: CLINIC}))

    assert set(learned.present) == {key()}


def test_without_a_record_a_booking_stays_filed_where_it_was() -> None:
    ours = held(address=PARENT, facts={"facility": CLINIC})
    source = Source(snapshot(Slot(reported(facility=CLINIC)), statuses={}))

    assert key(address=PARENT) in asked(source, question([ours])).present


def test_an_unreadable_booking_takes_the_evidence_of_its_own_address_only() -> None:
    both = {CLINIC: FROM_SOURCE, SIBLING: FROM_SOURCE}
    learned = asked(Source(snapshot(unreadable(CLINIC), Slot(reported("1")), statuses=both)), question())

    assert learned.evidence == {SIBLING}
    assert set(learned.present) == {key("1")}
    assert [one.reason for one in learned.unreadable] == ["startTimeInclusive: missing"]


def test_an_unreadable_booking_at_a_child_takes_the_evidence_of_its_parent() -> None:
    source = Source(snapshot(unreadable(CLINIC), statuses={PARENT: FROM_SOURCE, SIBLING: FROM_SOURCE}))

    assert asked(source, question(parents={CLINIC: PARENT})).evidence == {SIBLING}


def test_an_unreadable_booking_of_an_unknown_place_takes_all_evidence() -> None:
    both = {CLINIC: FROM_SOURCE, SIBLING: FROM_SOURCE}

    assert asked(Source(snapshot(unreadable(None), statuses=both)), question()).evidence == frozenset()


def test_an_answer_with_somebody_elses_bookings_proves_nothing_and_is_counted() -> None:
    learned = asked(Source(snapshot(Slot(reported()), foreign=2)), question())

    assert learned.evidence == frozenset()
    assert learned.foreign == 2
    assert set(learned.present) == {key()}


def test_a_direct_answer_with_somebody_elses_bookings_proves_nothing_either() -> None:
    source = Source(snapshot(statuses={}), {CLINIC: direct(foreign=1)})
    learned = asked(source, question([held()]))

    assert source.asked == [CLINIC]
    assert learned.evidence == frozenset()
    assert learned.foreign == 1
    assert learned.answer(NOW, None).direct == frozenset()


def test_a_booking_that_has_not_changed_is_not_read_again() -> None:
    slot = Slot(reported())
    learned = asked(Source(snapshot(slot)), question([held()]))

    assert slot.readings == 0
    assert learned.present == {key(): None}


def test_a_booking_that_has_changed_is_read() -> None:
    slot = Slot(reported(performer_name="Åsa Öberg"))
    learned = asked(Source(snapshot(slot)), question([held()]))

    assert slot.readings == 1
    assert learned.present[key()] == slot.content


def test_nobody_is_asked_directly_while_the_answer_lists_everything() -> None:
    source = Source(snapshot(Slot(reported())))
    asked(source, question([held()]))

    assert source.asked == []


def test_an_address_without_a_record_is_asked_in_the_same_poll_in_its_own_spelling() -> None:
    source = Source(snapshot(statuses={}), {"se2321000016-1a01": direct(Slot(reported()))})
    learned = asked(source, question([held()], spellings={CLINIC: "se2321000016-1a01"}))

    assert source.asked == ["se2321000016-1a01"]
    assert learned.evidence == {CLINIC}
    assert learned.present == {key(): None}
    assert learned.answer(NOW, None).direct == {CLINIC}


def test_a_booking_missed_for_the_first_time_on_evidence_is_left_for_the_second_look() -> None:
    source = Source(snapshot())
    asked(source, question([held()]))

    assert source.asked == []


def test_the_second_look_asks_the_facility_itself() -> None:
    source = Source(snapshot(), {CLINIC: direct()})
    suspect = held(missed_at=NOW, missed_on_evidence_at=NOW)
    asked(source, question([suspect]), NOW + timedelta(minutes=10))

    assert source.asked == [CLINIC]


def test_a_source_that_may_not_be_asked_directly_is_not() -> None:
    source = Source(snapshot(statuses={}), can_ask_directly=False)
    learned = asked(source, question([held()]))

    assert source.asked == []
    assert learned.evidence == frozenset()


@pytest.mark.parametrize(("since", "calls"), [(timedelta(minutes=59), 0), (timedelta(hours=1), 1)])
def test_an_address_that_refused_us_is_left_alone_for_an_hour(since: timedelta, calls: int) -> None:
    refused = SourceRefused("VP007", "no permission")
    source = Source(snapshot(statuses={}), {CLINIC: refused})
    learned = asked(source, question([held()], refused_at={CLINIC: NOW - since}))

    assert len(source.asked) == calls
    assert dict(learned.direct_errors) == ({CLINIC: refused} if calls else {})


def test_without_an_answer_nothing_is_known_of_any_address() -> None:
    error = SourceUnavailable("timeout", "no answer in time")
    learned = asked(Source(error), question([held()]))

    assert (learned.aggregated, learned.aggregated_error, learned.recorded) == (None, error, None)
    assert (learned.present, learned.evidence) == ({}, frozenset())


def test_what_could_not_be_read_at_all_is_kept_for_quarantine() -> None:
    whole, one = SourceGarbled("xml", "cut off", b"<a"), SourceGarbled("xml", "cut off", b"<b")

    assert asked(Source(whole), question()).garbled == [whole]
    assert asked(Source(snapshot(statuses={}), {CLINIC: one}), question([held()])).garbled == [one]


@dataclass
class Still:
    """Monotonic seconds that only the test moves."""

    at: float = 0.0

    def __call__(self) -> float:
        return self.at


def many(source: Source, gate: Gate, count: int) -> list[str]:
    learned = [asked(source, question(), gate=gate) for _ in range(count)]
    return [one.aggregated_error.code if one.aggregated_error else "" for one in learned]


def gate(make_clock: Callable[[], Still] = Still) -> Gate:
    return Gate(Limits(per_second=1e6, burst=1000), make_clock(), lambda _: None)


def test_a_source_that_keeps_failing_is_left_alone_for_a_while() -> None:
    codes = many(Source(SourceUnavailable("timeout", "no answer in time")), gate(), 22)

    assert codes == ["timeout"] * 20 + ["open"] * 2


def test_a_source_that_refuses_us_answers_and_is_not_taken_for_broken() -> None:
    codes = many(Source(SourceRefused("VP007", "no permission")), gate(), 22)

    assert codes == ["VP007"] * 22
