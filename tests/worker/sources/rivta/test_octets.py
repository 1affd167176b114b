"""Telling that an answer says nothing new without reading it: never wrong about what it says."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.people import BERTIL
from tests.wire.answers import aggregated, direct, fault, slot, status
from tests.wire.platform import Platform, answering, cut_off, gzipped
from tests.worker.sources.rivta.conftest import SUBJECT, SourceAt
from worker.sources import SourceError, SourceUnavailable
from worker.sources.rivta import RivtaSource
from worker.sources.rivta.envelope import opened
from worker.sources.rivta.octets import octets_of
from worker.sources.rivta.schedule import slots_of
from worker.sources.rivta.statuses import read_statuses

NORTH, SOUTH = "SE2321000016-1A2B", "SE2321000016-3C4D"
FAILED = "NoDataSynchFailed"
ANSWER = aggregated([slot(SUBJECT.number, purpose="Kom fastande.")], [status(NORTH), status(SOUTH, FAILED)])
MOMENT = b"20261123010000"


def said(content: bytes) -> object:
    """All that is read of an answer, or the error that reading it ends in."""
    try:
        answer = opened(content)
        slots, foreign = slots_of(answer.response, SUBJECT)
        return read_statuses(answer.status), [one.digest for one in slots], foreign
    except SourceError as error:
        return error.code


def test_the_moment_of_answering_is_no_news() -> None:
    assert ANSWER.count(MOMENT) == 2
    later = ANSWER.replace(MOMENT, b"20261124020000")
    assert octets_of(later) == octets_of(ANSWER)
    assert octets_of(re.sub(rb"lastSucc", rb"lastUnsucc", later)) != octets_of(ANSWER)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"20261201133000", b"20261201134000"),
        (b"Kom fastande.", b"Kom som du \xc3\xa4r."),
        (b">1001<", b">1002<"),
        (b"DataFromSource", b"DataFromCache"),
        (SOUTH.encode(), b"SE2321000016-3C4E"),
        (SUBJECT.number.encode(), BERTIL.number.encode()),
        (b"</s:Envelope>", b""),
        (b"</s:Envelope>", b"</s:Envelope>\n"),
    ],
)
def test_everything_else_is(old: bytes, new: bytes) -> None:
    assert old in ANSWER
    assert octets_of(ANSWER.replace(old, new)) != octets_of(ANSWER)


@pytest.mark.parametrize("text", ["<h:lastSuccessfulSynch>{0}</h:lastSuccessfulSynch>", "{0}"])
def test_digits_that_only_look_like_a_moment_are_read_in_a_booking(text: str) -> None:
    one, other = (
        direct(slot(SUBJECT.number, purpose="TEXT")).replace(b"TEXT", f"<![CDATA[{text.format(digits)}]]>".encode())
        for digits in ("20261123010000", "20261124010000")
    )
    assert octets_of(one) != octets_of(other)


@given(
    st.integers(0, len(ANSWER)), st.integers(0, 3), st.sampled_from([b"", b"7", b"<", b"Body", MOMENT, b"<!--", b">"])
)
def test_answers_with_the_same_octets_say_the_same(at: int, cut: int, put: bytes) -> None:
    changed = ANSWER[:at] + put + ANSWER[at + cut :]
    assert octets_of(changed) != octets_of(ANSWER) or said(changed) == said(ANSWER)


@pytest.mark.parametrize("put", [b"", MOMENT, b"7", b"77", b"<h:lastSuccessfulSynch>7</h:lastSuccessfulSynch>"])
def test_nowhere_in_the_header_can_digits_hide_a_change(put: bytes) -> None:
    for place in re.finditer(rb">", ANSWER[: ANSWER.index(b"Body")]):
        changed = ANSWER[: place.end()] + put + ANSWER[place.end() :]
        assert octets_of(changed) != octets_of(ANSWER) or said(changed) == said(ANSWER)


class TestAsking:
    def test_an_answer_that_is_stored_is_not_read(self, platform: Platform, source: RivtaSource) -> None:
        platform.behave = answering(b"not even XML")
        assert source.schedule(SUBJECT, lambda octets: octets == octets_of(b"not even XML")) is None

    def test_one_that_is_not_is_read_and_brings_its_octets(self, platform: Platform, source: RivtaSource) -> None:
        platform.behave = answering(ANSWER)
        snapshot = source.schedule(SUBJECT, lambda _: False)
        assert snapshot is not None
        assert (snapshot.octets, len(snapshot.slots)) == (octets_of(ANSWER), 1)

    def test_a_packed_answer_is_known_by_what_is_in_it(self, platform: Platform, source: RivtaSource) -> None:
        platform.behave = gzipped(ANSWER)
        assert source.schedule(SUBJECT, lambda octets: octets == octets_of(ANSWER)) is None

    def test_a_fault_with_the_stored_octets_is_a_fault(self, platform: Platform, source: RivtaSource) -> None:
        platform.behave = answering(fault("VP009 no"), status=500)
        with pytest.raises(SourceUnavailable, match="VP009"):
            source.schedule(SUBJECT, lambda _: True)

    def test_a_part_of_an_answer_is_never_known(self, platform: Platform, source: RivtaSource) -> None:
        platform.behave = cut_off(ANSWER)
        with pytest.raises(SourceUnavailable):
            source.schedule(SUBJECT, lambda _: True)

    def test_an_answer_above_the_cap_is_never_known(self, platform: Platform, source_at: SourceAt) -> None:
        platform.behave = answering(ANSWER)
        with pytest.raises(SourceError, match="oversize"):
            source_at(platform.url, most_bytes=len(ANSWER) - 1).schedule(SUBJECT, lambda _: True)

    def test_a_facilitys_own_word_is_always_read(self, platform: Platform, source: RivtaSource) -> None:
        platform.behave = answering(direct(slot(SUBJECT.number)))
        assert source.schedule_at(SUBJECT, NORTH).octets == b""
