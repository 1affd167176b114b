"""What a well-formed answer is read as: slots, statuses, digests, and everything that real systems write oddly."""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from store.identifiers import PERSONNUMMER, HsaId, SubjectId
from store.leaflets import from_plain
from tests.people import BERTIL
from tests.wire.answers import aggregated, direct, envelope, response, slot, status
from tests.wire.platform import Platform, answering
from tests.worker.sources.rivta.conftest import SUBJECT
from worker.sources import AddressStatus, ReportedBooking, Snapshot, SourceUnavailable, TimeFlag, Unreadable
from worker.sources.rivta import RivtaSource

FACILITY = HsaId("SE2321000016-1A2B")
Ask = Callable[..., Snapshot]
Read = Callable[..., Any]  # a ReportedBooking or an Unreadable, as each test says
RECORDED = "contracts/examples/takecare-adapter-GetSubjectOfCareSchedule"


@pytest.fixture
def ask(platform: Platform, source: RivtaSource) -> Ask:
    """Asks the aggregating service, which gives the answer."""

    def asked(content: bytes, subject: SubjectId = SUBJECT) -> Snapshot:
        platform.behave = answering(content)
        return source.schedule(subject)

    return asked


@pytest.fixture
def read(ask: Ask) -> Read:
    """Reads the one slot that the fields make."""

    def one(**said: str | None) -> ReportedBooking | Unreadable:
        (reported,) = ask(aggregated([slot(SUBJECT.number, **said)], [status(FACILITY)])).slots
        return reported.read()

    return one


def test_every_field_we_keep_is_read(read: Read) -> None:
    booking = read(
        purpose="Kom fastande.",
        reason="ont i magen",
        resourceName="Rum 4",
        healthcare_facility_name="Ängens vårdcentral",
        performerName="Leg läk Åsa Öberg",
        timeTypeName="Nybesök",
        timeTypeID="NB",
        careTypeName="Läkare",
        careTypeID="L",
        cancel_booking_allowed="true",
        rebooking_allowed="1",
        message_allowed="false",
        isInvitation="true",
    )
    assert booking == ReportedBooking(
        booking_id="1001",
        facility=FACILITY,
        facility_spelling="SE2321000016-1A2B",
        start_at=datetime(2026, 12, 1, 12, 30, tzinfo=UTC),
        end_at=datetime(2026, 12, 1, 13, 0, tzinfo=UTC),
        time_flag=TimeFlag.NONE,
        is_invitation=True,
        facility_name="Ängens vårdcentral",
        performer_name="Leg läk Åsa Öberg",
        resource_name="Rum 4",
        time_type_id="NB",
        time_type_name="Nybesök",
        care_type_name="Läkare",
        preparations=from_plain("Kom fastande."),
        may_cancel=True,
        may_rebook=True,
        digest=booking.digest,
    )


def test_the_citizens_own_reason_is_kept_nowhere(read: Read) -> None:
    without, told = read(), read(reason="ont i magen")
    assert told == without
    quarantined = read(reason="ont i magen", startTimeInclusive=None)
    assert "ont i magen" not in repr(quarantined)


def test_the_wire_cannot_pass_another_persons_booking_for_ours(ask: Ask) -> None:
    snapshot = ask(aggregated([slot(BERTIL.number), slot(SUBJECT.number)], [status(FACILITY)]))
    assert (len(snapshot.slots), snapshot.foreign) == (1, 1)


@pytest.mark.parametrize("spelling", ["{0}", " {0} ", "{1}-{2}"])
def test_a_subject_written_with_hyphen_or_blanks_is_still_the_subject(ask: Ask, spelling: str) -> None:
    number = SUBJECT.number
    snapshot = ask(aggregated([slot(spelling.format(number, number[:8], number[8:]))], [status(FACILITY)]))
    assert snapshot.foreign == 0
    assert isinstance(snapshot.slots[0].read(), ReportedBooking)


def test_comments_inside_an_identity_number_hide_nothing(ask: Ask) -> None:
    number = SUBJECT.number
    written = slot(number).replace(number, f"{number[:8]}<!-- -->{number[8:]}")
    snapshot = ask(aggregated([written], [status(FACILITY)]))
    assert snapshot.foreign == 0


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ({"startTimeInclusive": None}, "startTimeInclusive is missing"),
        ({"startTimeInclusive": ""}, "startTimeInclusive is missing"),
        ({"healthcare_facility": None}, "healthcare_facility is missing"),
        ({"healthcare_facility": "x" * 300}, "healthcare_facility cannot be used"),
        ({"bookingId": None}, "bookingId is missing"),
        ({"bookingId": "9" * 201}, "bookingId is longer"),
        ({"bookingId": "10\u200b01"}, "bookingId is longer than 200 characters or holds hidden ones"),
        ({"subject_of_care": None}, "subject_of_care is missing"),
        ({"startTimeInclusive": "20260230120000"}, "startTimeInclusive is a date or time that does not exist"),
        ({"startTimeInclusive": "20261201240000"}, "startTimeInclusive is a date or time that does not exist"),
        ({"startTimeInclusive": "20261201235960"}, "startTimeInclusive is a date or time that does not exist"),
        ({"startTimeInclusive": "00010101120000"}, "startTimeInclusive lies outside the years"),
        ({"startTimeInclusive": "99990101120000"}, "startTimeInclusive lies outside the years"),
        ({"startTimeInclusive": "2026-12-01T13:30:00Z"}, "startTimeInclusive is not a time"),
        ({"startTimeInclusive": "20261201T133000"}, "startTimeInclusive is not a time"),
        ({"startTimeInclusive": "２０２６１２０１１３３０００"}, "startTimeInclusive is not a time"),
        ({"endTimeExclusive": "20261301120000"}, "endTimeExclusive is a date or time that does not exist"),
        ({"endTimeExclusive": "21251201140000"}, "endTimeExclusive lies more than a year after the start"),
        ({"cancel_booking_allowed": "kanske"}, "cancel_booking_allowed is neither true nor false"),
    ],
)
def test_a_slot_that_cannot_be_read_says_which_element_and_never_its_value(
    read: Read, said: dict[str, str | None], reason: str
) -> None:
    unreadable = read(**said)
    assert isinstance(unreadable, Unreadable)
    assert unreadable.reason.startswith(reason)
    (value,) = said.values()
    assert not value or value not in unreadable.reason


def test_one_unreadable_slot_leaves_the_others_readable(ask: Ask) -> None:
    slots = [slot(SUBJECT.number, bookingId=str(number)) for number in range(499)]
    slots.insert(250, slot(SUBJECT.number, bookingId="500", startTimeInclusive="i morgon"))
    readings = [reported.read() for reported in ask(aggregated(slots, [status(FACILITY)])).slots]
    bad = [reading for reading in readings if isinstance(reading, Unreadable)]
    assert len(readings) == 500
    assert [(one.facility, one.booking_id) for one in bad] == [(FACILITY, "500")]
    assert b"i morgon" in bad[0].content


def test_an_element_that_stands_twice_is_not_guessed_about(ask: Ask) -> None:
    twice = slot(SUBJECT.number).replace("<bookingId>", "<bookingId>1000</bookingId><bookingId>")
    (reported,) = ask(aggregated([twice], [status(FACILITY)])).slots
    unreadable = reported.read()
    assert isinstance(unreadable, Unreadable)
    assert unreadable.reason == "bookingId stands more than once"


def test_lower_case_hsa_ids_are_one_facility_and_keep_their_spelling(read: Read) -> None:
    booking = read(healthcare_facility=" se2321000016-1a2b ")
    assert (booking.facility, booking.facility_spelling) == (FACILITY, "se2321000016-1a2b")


def test_missing_booleans_are_no(read: Read) -> None:
    booking = read()
    assert (booking.may_cancel, booking.may_rebook, booking.is_invitation) == (False, False, False)


def test_unknown_elements_are_tolerated(ask: Ask) -> None:
    more = slot(SUBJECT.number).replace("</r:timeslotDetail>", "<x:room xmlns:x='urn:x'>4</x:room></r:timeslotDetail>")
    plain = ask(aggregated([slot(SUBJECT.number)], [status(FACILITY)]))
    assert ask(aggregated([more], [status(FACILITY)])).digest == plain.digest


def test_texts_keep_no_line_break_control_or_direction_override(read: Read) -> None:
    booking = read(resourceName="Rum\u0085 4\u202e\r\nEND:VEVENT\u00ad", performerName="A\u030asa " + "x" * 500)
    assert booking.resource_name == "Rum 4 END:VEVENT"
    assert booking.performer_name.startswith("Åsa x")
    assert len(booking.performer_name) == 200


def test_an_end_before_the_start_is_no_end(read: Read) -> None:
    assert read(endTimeExclusive="20261201130000").end_at is None


def test_a_missing_end_is_no_end(read: Read) -> None:
    assert read(endTimeExclusive=None).end_at is None


def test_five_thousand_bookings_of_one_person_are_read(ask: Ask) -> None:
    slots = [slot(SUBJECT.number, bookingId=str(number)) for number in range(5000)]
    assert len(ask(aggregated(slots, [status(FACILITY)])).slots) == 5000


class TestRecordedAnswer:
    """An answer that a real journal system's adapter gave, with all its oddities."""

    @pytest.fixture
    def recorded(self, shared: Path, ask: Ask) -> Snapshot:
        question = etree.parse(str(shared / f"{RECORDED}-request-input.xml")).getroot()
        subject = SubjectId(question.findtext("{*}subject_of_care") or "", PERSONNUMMER)
        written = (shared / f"{RECORDED}-response-output.xml").read_text("utf-8")
        return ask(envelope(re.sub(r"<\?xml.*?\?>", "", written)), subject)

    @pytest.fixture
    def bookings(self, recorded: Snapshot) -> list[ReportedBooking]:
        readings = [reported.read() for reported in recorded.slots]
        assert len(readings) == 2
        return [reading for reading in readings if isinstance(reading, ReportedBooking)]

    def test_12_digit_times(self, bookings: list[ReportedBooking]) -> None:
        assert [one.start_at for one in bookings] == [datetime(2012, 6, 14, 18, 55, tzinfo=UTC)] * 2

    def test_end_equal_to_start(self, bookings: list[ReportedBooking]) -> None:
        assert [one.end_at for one in bookings] == [None, None]

    def test_empty_elements(self, bookings: list[ReportedBooking]) -> None:
        assert {one.resource_name for one in bookings} == {""}

    def test_junk_performer(self, bookings: list[ReportedBooking]) -> None:
        assert {one.performer_name for one in bookings} == {"Namngiven resurs 1"}

    def test_a_facility_that_is_no_conforming_hsa_id(self, bookings: list[ReportedBooking]) -> None:
        assert {one.facility for one in bookings} == {"HSA-VKK123"}

    def test_an_answer_without_a_status_header_is_no_evidence(self, recorded: Snapshot) -> None:
        assert recorded.statuses == {}


def test_an_identity_number_in_the_resource_id_never_leaves_the_adapter(read: Read) -> None:
    assert BERTIL.number not in repr(read(resourceID=BERTIL.number))
    quarantined = read(resourceID=BERTIL.number, startTimeInclusive=None)
    assert BERTIL.number.encode() not in quarantined.content


class TestDigest:
    def test_order_prefixes_indents_and_times_of_answering_change_nothing(self, ask: Ask) -> None:
        slots = [slot(SUBJECT.number, bookingId=number) for number in ("1", "2")]
        records = [status(FACILITY), status("SE2321000016-3C4D", "NoDataSynchFailed")]
        before = ask(aggregated(slots, records))
        written = aggregated(slots[::-1], records[::-1]).decode()
        for old, new in [
            ("<r:", "<q:"),
            ("</r:", "</q:"),
            ("xmlns:r", "xmlns:q"),
            ("20261123010000", "20261124020000"),
        ]:
            written = written.replace(old, new)
        assert ask(written.replace("><", ">\n <").encode()).digest == before.digest

    @pytest.mark.parametrize(
        "change",
        [{"startTimeInclusive": "20261201134000"}, {"purpose": "Kom fastande."}, {"cancel_booking_allowed": "true"}],
    )
    def test_a_changed_element_changes_it(self, ask: Ask, change: dict[str, str]) -> None:
        before = ask(aggregated([slot(SUBJECT.number)], [status(FACILITY)]))
        after = ask(aggregated([slot(SUBJECT.number, **change)], [status(FACILITY)]))
        assert before.slots[0].digest != after.slots[0].digest
        assert before.digest != after.digest

    def test_a_changed_status_changes_it(self, ask: Ask) -> None:
        codes = ["DataFromSource", "DataFromCache", "DataFromCacheSynchFailed", "NoDataSynchFailed"]
        answers = [ask(aggregated([slot(SUBJECT.number)], [status(FACILITY, code)])).digest for code in codes]
        assert len(set(answers)) == 4

    def test_the_citizens_reason_and_identifiers_we_do_not_keep_are_no_part_of_it(self, read: Read) -> None:
        assert read(reason="ont", resourceID="7", performer="1").digest == read().digest
        assert len(read().digest) == 16


class TestStatuses:
    @pytest.mark.parametrize(
        ("code", "meant"),
        [
            ("DataFromSource", AddressStatus.FROM_SOURCE),
            ("DataFromCache", AddressStatus.FROM_CACHE),
            ("DataFromCacheSynchFailed", AddressStatus.FROM_STALE_CACHE),
            ("NoDataSynchFailed", AddressStatus.NO_DATA),
            ("datafromsource", AddressStatus.NO_DATA),
            ("SomethingNew", AddressStatus.NO_DATA),
            ("", AddressStatus.NO_DATA),
        ],
    )
    def test_only_the_known_word_is_evidence(self, ask: Ask, code: str, meant: AddressStatus) -> None:
        assert ask(aggregated([], [status("se2321000016-1a2b", code)])).statuses == {FACILITY: meant}

    @pytest.mark.parametrize("step", [1, -1])
    def test_of_two_words_on_one_address_the_worst_counts(self, ask: Ask, step: int) -> None:
        records = [status(FACILITY), status(FACILITY.lower(), "NoDataSynchFailed")]
        answer = ask(aggregated([], records[::step]))
        assert answer.statuses == {FACILITY: AddressStatus.NO_DATA}

    def test_a_record_without_a_usable_address_gives_evidence_for_nobody(self, ask: Ask) -> None:
        answer = ask(aggregated([], [status(None), status(""), status("x" * 100), status(FACILITY)]))
        assert answer.statuses == {FACILITY: AddressStatus.FROM_SOURCE}

    def test_a_mix_is_read_address_by_address(self, ask: Ask) -> None:
        others = [HsaId(f"SE2321000016-{number}") for number in (1, 2, 3)]
        records = [status(FACILITY), *(status(one, "NoDataSynchFailed") for one in others)]
        answer = ask(aggregated([slot(SUBJECT.number)], records))
        assert answer.statuses == {FACILITY: AddressStatus.FROM_SOURCE} | dict.fromkeys(others, AddressStatus.NO_DATA)


class TestDirect:
    def test_a_facilitys_own_answer_is_about_that_facility(self, platform: Platform, source: RivtaSource) -> None:
        platform.behave = answering(direct(slot(SUBJECT.number)))
        snapshot = source.schedule_at(SUBJECT, "se2321000016-1a2b")
        assert (snapshot.direct_to, snapshot.statuses, len(snapshot.slots)) == (FACILITY, {}, 1)

    def test_an_answer_that_admits_to_be_second_hand_is_no_evidence(
        self, platform: Platform, source: RivtaSource
    ) -> None:
        platform.behave = answering(aggregated([], [status(FACILITY, "NoDataSynchFailed")]))
        with pytest.raises(SourceUnavailable) as caught:
            source.schedule_at(SUBJECT, FACILITY)
        assert caught.value.code == "second_hand"


def test_an_answer_with_no_slots_is_an_answer(ask: Ask) -> None:
    snapshot = ask(envelope(response()))
    assert (snapshot.slots, snapshot.statuses, snapshot.foreign) == ((), {}, 0)
