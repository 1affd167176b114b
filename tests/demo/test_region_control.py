"""The control endpoint: what it changes must be what the time books and the index then say."""

from datetime import timedelta

import pytest

from tests.demo.conftest import Asker, MovableClock, texts
from worker.demo.region import RunningRegion

SUBJECT = "204001011234"  # nobody's: the region takes any twelve digits
HEALTH_CENTRE = "SE2321000016-1A01"
RADIOLOGY = "SE2321000016-2B20"
PARENT, CHILD, SIBLING = "SE2321000016-3C00", "SE2321000016-3C01", "SE2321000016-3C02"
START = "2026-12-01T13:30:00"


def test_a_booking_made_here_is_what_the_time_book_lists(asker: Asker) -> None:
    answer = asker.http.post(
        "/control/bookings",
        json={"id": "x-1", "subject": SUBJECT, "facility": HEALTH_CENTRE, "start": START, "time_type": "VIDEO"},
    )
    assert answer.status_code == 201
    assert answer.json()["end"] == "2026-12-01T13:50:00"
    slot = asker.ask(SUBJECT)
    assert texts(slot, "startTimeInclusive") == ["20261201133000"]
    assert texts(slot, "timeTypeName") == ["Videobesök"]


def test_a_listed_booking_can_be_booked_again_under_a_new_id(asker: Asker) -> None:
    first = asker.book(subject=SUBJECT, facility=HEALTH_CENTRE, start=START, reason="ont i knät")
    [listed] = asker.http.get("/control/bookings", params={"subject": SUBJECT}).json()
    asker.http.delete(f"/control/bookings/{first}")
    again = asker.book(**{**listed, "id": "x-2"})
    assert asker.ids(SUBJECT) == [again]


def test_a_move_keeps_the_length_unless_an_end_is_given(asker: Asker) -> None:
    booking = asker.book(subject=SUBJECT, facility=RADIOLOGY, start=START)
    moved = asker.http.patch(f"/control/bookings/{booking}", json={"start": "2026-12-02T08:00:00"}).json()
    assert (moved["start"], moved["end"]) == ("2026-12-02T08:00:00", "2026-12-02T08:40:00")
    fields = {"end": "2026-12-02T09:00:00", "facility": HEALTH_CENTRE, "performer": "Ny", "resource": "Rum 3"}
    changed = asker.http.patch(f"/control/bookings/{booking}", json=fields).json()
    assert {name: changed[name] for name in fields} == fields


def test_cancelling_the_only_booking_at_an_address_takes_its_index_row_too(asker: Asker) -> None:
    asker.book(subject=SUBJECT, facility=HEALTH_CENTRE, start=START)
    only = asker.book(subject=SUBJECT, facility=RADIOLOGY, start=START)
    assert set(asker.statuses(SUBJECT)) == {HEALTH_CENTRE, RADIOLOGY}
    assert asker.http.delete(f"/control/bookings/{only}").status_code == 204
    assert set(asker.statuses(SUBJECT)) == {HEALTH_CENTRE}
    assert asker.ids(SUBJECT, RADIOLOGY) == []
    assert asker.http.post(f"/control/bookings/{only}/restore").status_code == 200
    assert set(asker.statuses(SUBJECT)) == {HEALTH_CENTRE, RADIOLOGY}


def test_a_child_facilitys_bookings_lie_in_its_parents_time_book(asker: Asker) -> None:
    at_child = asker.book(subject=SUBJECT, facility=CHILD, start=START)
    at_sibling = asker.book(subject=SUBJECT, facility=SIBLING, start=START)
    assert asker.statuses(SUBJECT) == {PARENT: "DataFromSource"}
    assert sorted(texts(asker.ask(SUBJECT), "healthcare_facility")) == [CHILD, SIBLING]
    assert asker.ids(SUBJECT, PARENT) == sorted([at_child, at_sibling])
    assert asker.ids(SUBJECT, CHILD) == [at_child]


def test_a_visit_that_has_begun_is_no_longer_listed_nor_indexed(asker: Asker, clock: MovableClock) -> None:
    asker.book(subject=SUBJECT, facility=HEALTH_CENTRE, start="2026-11-24T10:00:00")
    clock.forward(timedelta(minutes=4, seconds=59))
    assert len(asker.ids(SUBJECT)) == 1
    clock.forward(timedelta(seconds=1))
    assert asker.ids(SUBJECT) == []
    assert asker.statuses(SUBJECT) == {}
    assert asker.http.get("/control/bookings", params={"subject": SUBJECT}).json() == []


def test_calls_are_counted_by_address_and_kind(asker: Asker) -> None:
    asker.book(subject=SUBJECT, facility=CHILD, start=START)
    asker.ask(SUBJECT)
    asker.ask(SUBJECT)
    asker.ask(SUBJECT, CHILD)
    calls = asker.http.get("/control/calls").json()
    assert calls == {"*": {"aggregated": 2, "direct": 0}, PARENT: {"aggregated": 2, "direct": 1}}


def test_a_lost_permission_is_everybodys_and_leaves_no_trace(asker: Asker) -> None:
    asker.book(subject=SUBJECT, facility=HEALTH_CENTRE, start=START)
    permissions = asker.http.put("/control/permissions", json={HEALTH_CENTRE: False}).json()
    assert permissions[HEALTH_CENTRE] is False
    assert permissions[RADIOLOGY] is True
    assert (asker.ids(SUBJECT), asker.statuses(SUBJECT)) == ([], {})
    assert texts(asker.ask(SUBJECT, HEALTH_CENTRE), "faultstring")[0].startswith("VP007 ")
    asker.http.put("/control/permissions", json={HEALTH_CENTRE.lower(): True})
    assert len(asker.ids(SUBJECT)) == 1


def test_faults_add_up_until_each_is_ended_or_all_are(asker: Asker) -> None:
    asker.set_faults(**{HEALTH_CENTRE: "fault", "*": "timeout"})
    asker.set_faults(**{CHILD: "empty", "*": "ok"})
    assert asker.http.get("/control/faults").json() == {HEALTH_CENTRE: "fault", PARENT: "empty"}
    assert asker.http.put("/control/faults", json={}).json() == {}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("subject", None),
        ("subject", "12"),
        ("subject", "１９１２１２１２１２１２"),
        ("facility", "SE2321000016-NONE"),
        ("facility", 7),
        ("start", None),
        ("start", "i morgon"),
        ("end", "13:30"),
        ("time_type", 5),
        ("reason", "a\x00b"),
        ("purpose", "x" * 4001),
        ("invitation", "yes"),
        ("id", ""),
        ("id", "a/b"),
        ("colour", "red"),
    ],
)
def test_a_field_that_cannot_be_used_is_refused_by_name(asker: Asker, field: str, value: object) -> None:
    booking = {"subject": SUBJECT, "facility": HEALTH_CENTRE, "start": START, field: value}
    answer = asker.http.post("/control/bookings", json=booking)
    assert answer.status_code == 422
    assert answer.json()["field"] == field
    assert asker.ids(SUBJECT) == []


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"\xff"])
def test_a_body_that_is_no_json_object_is_refused(asker: Asker, body: bytes) -> None:
    assert asker.http.post("/control/bookings", content=body).status_code == 422
    assert asker.http.put("/control/faults", content=body).status_code == 422


def test_an_id_in_use_is_refused_and_an_unknown_one_not_found(asker: Asker) -> None:
    booking = {"id": "x-1", "subject": SUBJECT, "facility": HEALTH_CENTRE, "start": START}
    asker.book(**booking)
    assert asker.http.post("/control/bookings", json=booking).status_code == 409
    asker.http.delete("/control/bookings/x-1")
    assert asker.http.delete("/control/bookings/x-1").status_code == 404
    assert asker.http.patch("/control/bookings/x-1", json={}).status_code == 404
    assert asker.http.post("/control/bookings/never/restore").status_code == 404
    asker.book(**booking)


def test_a_time_with_an_offset_becomes_that_instant_in_sweden(asker: Asker) -> None:
    asker.book(subject=SUBJECT, facility=HEALTH_CENTRE, start="2026-12-01T12:30:00+00:00")
    assert texts(asker.ask(SUBJECT), "startTimeInclusive") == ["20261201133000"]


def test_facilities_and_people_are_listed(asker: Asker, region: RunningRegion) -> None:
    facilities = {facility["hsa_id"]: facility for facility in asker.http.get("/control/facilities").json()}
    assert facilities[CHILD]["logical_address"] == PARENT
    people = asker.http.get("/control/people").json()
    assert [person["subject"] for person in people] == [person.identity for person in region.cast.people]
