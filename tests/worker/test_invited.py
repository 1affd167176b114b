"""Which open invitations stand: only proof ends one, and only the facility's own answer makes one."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from store.identifiers import BookingKey, HsaId, new_id
from worker.invited import Held, Look, Said, Verdict, judge
from worker.sources import NotOpen, ReportedInvitation, Unreadable

NOW = datetime(2026, 11, 24, 8, 55, tzinfo=UTC)
SECOND_LOOK = timedelta(minutes=10)
CLINIC = HsaId("SE2321000016-1A2B")
KEY = BookingKey("region", CLINIC, "K1")
OPEN = ReportedInvitation("K1", CLINIC, CLINIC, None, "", "", "", "", "", "", b"one")
UNREADABLE = Unreadable(CLINIC, "K1", "isInvitation: is neither true nor false", b"<x/>", b"odd")
STANDS = Held(new_id(), KEY, b"one", None, is_over=False)
MISSED = replace(STANDS, missed_at=NOW - SECOND_LOOK)
LISTED, EMPTY = frozenset({KEY}), frozenset[BookingKey]()


def judged(held: Held | None, listed: frozenset[BookingKey] | None, said: Said | None) -> Verdict:
    answers = {} if said is None else {KEY: said}
    return judge([] if held is None else [held], Look(NOW, listed, answers), SECOND_LOOK)


@pytest.mark.parametrize("said", [None, NotOpen.HAS_TIME, NotOpen.NOT_INVITED, NotOpen.OF_ANOTHER, UNREADABLE])
def test_what_the_index_lists_is_no_invitation_until_the_facility_says_so(said: Said | None) -> None:
    assert judged(None, LISTED, said).says_nothing_new
    assert judged(None, LISTED, OPEN).appeared == {KEY: OPEN}


@pytest.mark.parametrize("said", [None, NotOpen.OF_ANOTHER, UNREADABLE, OPEN])
def test_a_listed_invitation_stands_whatever_else_fails(said: Said | None) -> None:
    assert judged(STANDS, LISTED, said).says_nothing_new
    assert judged(MISSED, LISTED, said).listed_again == {STANDS.id}


@pytest.mark.parametrize("said", [NotOpen.HAS_TIME, NotOpen.NOT_INVITED])
@pytest.mark.parametrize("listed", [LISTED, EMPTY, None])
def test_the_facilitys_own_word_ends_it_at_once(said: Said, listed: frozenset[BookingKey] | None) -> None:
    verdict = judged(STANDS, listed, said)
    assert (verdict.over, verdict.missed, verdict.look_again_at) == ({STANDS.id}, frozenset(), None)


def test_two_whole_index_answers_far_enough_apart_end_it() -> None:
    first = judged(STANDS, EMPTY, None)
    assert (first.over, first.missed, first.look_again_at) == (frozenset(), {STANDS.id}, NOW + SECOND_LOOK)
    soon = judged(replace(STANDS, missed_at=NOW - SECOND_LOOK / 2), EMPTY, None)
    assert (soon.over, soon.missed, soon.look_again_at) == (frozenset(), frozenset(), NOW + SECOND_LOOK / 2)
    assert judged(MISSED, EMPTY, None).over == {MISSED.id}


def test_an_index_that_gives_no_whole_answer_proves_nothing() -> None:
    assert judged(MISSED, None, None).says_nothing_new


def test_the_facilitys_word_that_it_stands_outweighs_an_index_that_lists_it_as_a_booking() -> None:
    assert judged(MISSED, EMPTY, OPEN).over == frozenset()


def test_other_content_is_shown_and_equal_content_is_not_written() -> None:
    assert judged(STANDS, LISTED, replace(OPEN, digest=b"two")).amended.keys() == {STANDS.id}
    assert judged(STANDS, LISTED, OPEN).amended == {}


def test_one_that_is_over_comes_back_only_on_the_facilitys_word() -> None:
    over = replace(STANDS, is_over=True)
    assert judged(over, LISTED, None).says_nothing_new
    assert judged(over, EMPTY, None).says_nothing_new
    assert judged(over, LISTED, OPEN).amended.keys() == {over.id}
