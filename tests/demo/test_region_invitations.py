"""The region's open invitations against the published contracts, and what its staff do with them."""

from datetime import timedelta
from pathlib import Path

import pytest
from lxml import etree

from tests.demo.conftest import Asker, MovableClock, texts
from tests.wire import schemas
from worker.demo.region import RunningRegion

SUBJECT = "204001011234"
CENTRE, LABORATORY, DENTIST = "SE2321000016-1A01", "SE2321000016-1A02", "SE2321000016-4D20"
OWNER = "5565594230"
HEADER = """<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Header>
<LogicalAddress xmlns="urn:riv:itintegration:registry:1">{address}</LogicalAddress>
<Actor xmlns="urn:riv:interoperability:headers:1"><actorId>{subject}</actorId>
<actorType>subject_of_care</actorType></Actor></s:Header><s:Body>{body}</s:Body></s:Envelope>"""
INDEX = """<FindContent xmlns="urn:riv:itintegration:engagementindex:FindContentResponder:1">
<registeredResidentIdentification>{subject}</registeredResidentIdentification>
<serviceDomain>riv:crm:scheduling</serviceDomain></FindContent>"""
DETAILS = """<GetBookingDetails xmlns="urn:riv:crm:scheduling:GetBookingDetailsResponder:1">
<healthcare_facility>{address}</healthcare_facility><bookingId>{booking}</bookingId></GetBookingDetails>"""


def index(asker: Asker, subject: str = SUBJECT) -> etree._Element:
    body = INDEX.format(subject=subject)
    return asked(asker, "FindContent", HEADER.format(address=OWNER, subject=subject, body=body))


def details(asker: Asker, booking: str, address: str) -> etree._Element:
    body = DETAILS.format(address=address, booking=booking)
    return asked(asker, "GetBookingDetails", HEADER.format(address=address, subject=SUBJECT, body=body))


def asked(asker: Asker, contract: str, message: str) -> etree._Element:
    return etree.fromstring(asker.http.post(f"/vp/{contract}/1/rivtabp21", content=message.encode()).content)


def invite(asker: Asker, **fields: object) -> str:
    answer = asker.http.post("/control/invitations", json={"subject": SUBJECT, **fields})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


@pytest.mark.parametrize("facility", [CENTRE, LABORATORY])
def test_index_and_details_validate_by_the_published_schemas(asker: Asker, shared: Path, facility: str) -> None:
    invited = invite(asker, facility=facility, until="2027-01-16T00:00:00", purpose="Ring & <boka>")
    booked = asker.book(subject=SUBJECT, facility=facility, start="2026-12-01T13:30:00")
    listed = index(asker)
    assert texts(listed, "businessObjectInstanceIdentifier") == [booked, invited]
    assert texts(listed, "categorization") == ["Booking", "Invitation"]
    assert texts(listed, "mostRecentContent") == ["20261201133000", "20270116000000"]
    (address, _) = texts(listed, "logicalAddress")
    contracts = shared / "contracts"
    assert schemas.faults_of(listed[0][0], contracts / schemas.INDEX_BODY) == []
    for one in (invited, booked):
        answer = details(asker, one, address)
        assert texts(answer, "bookingId") == [one]
        for time in answer.iter("{*}startTimeInclusive", "{*}endTimeExclusive"):
            time.text = (time.text or "").ljust(14, "0")
        assert schemas.faults_of(answer[0][0], contracts / schemas.DETAILS_BODY) == []


def test_an_open_invitation_is_in_no_schedule_but_its_address_is_asked(asker: Asker) -> None:
    invited = invite(asker, facility=DENTIST)
    assert asker.ids(SUBJECT) == []
    assert asker.statuses(SUBJECT) == {DENTIST: "DataFromSource"}
    answer = details(asker, invited, DENTIST)
    assert (texts(answer, "isInvitation"), "".join(texts(answer, "startTimeInclusive"))) == (["true"], "")


def test_one_that_is_booked_on_withdrawn_or_run_out_leaves_the_index(asker: Asker, clock: MovableClock) -> None:
    booked, withdrawn, lapsed = (
        invite(asker, facility=CENTRE, id=one, **until)
        for one, until in (("K1", {}), ("K2", {}), ("K3", {"until": "2026-11-26T00:00:00"}))
    )
    start = {"start": "2026-12-07T09:00:00"}
    assert asker.http.post(f"/control/invitations/{booked}/book", json=start).status_code == 204
    assert asker.http.delete(f"/control/invitations/{withdrawn}").status_code == 204
    clock.forward(timedelta(days=3))

    assert lapsed not in [one["id"] for one in asker.http.get("/control/invitations").json()]
    listed = index(asker)
    assert (texts(listed, "businessObjectInstanceIdentifier"), texts(listed, "categorization")) == (["K1"], ["Booking"])
    assert asker.ids(SUBJECT) == ["K1"]
    assert texts(details(asker, "K2", CENTRE), "faultstring") == ["Bokningen finns inte."]


@pytest.mark.parametrize(("fault", "said"), [("fault", "VP009"), ("denied", "VP007")])
def test_the_index_has_troubles_of_its_own(asker: Asker, fault: str, said: str) -> None:
    invite(asker, facility=CENTRE)
    asker.set_faults(index=fault)
    assert texts(index(asker), "faultstring")[0].startswith(said)
    assert asker.statuses(SUBJECT) == {CENTRE: "DataFromSource"}
    asker.set_faults(index="empty")
    assert texts(index(asker), "categorization") == []


def test_what_is_sent_amiss_is_refused_by_name(asker: Asker) -> None:
    taken = asker.book(subject=SUBJECT, facility=CENTRE, start="2026-12-01T13:30:00")
    again = asker.http.post("/control/invitations", json={"subject": SUBJECT, "facility": CENTRE, "id": taken})
    assert again.status_code == 409
    odd = asker.http.post("/control/invitations", json={"subject": SUBJECT, "facility": CENTRE, "start": "now"})
    assert (odd.status_code, odd.json()["field"]) == (422, "start")
    assert asker.http.delete("/control/invitations/NONE").status_code == 404


def test_the_first_citizen_has_one_at_a_clinic_without_visits(asker: Asker, region: RunningRegion) -> None:
    first = region.cast.first.identity
    (invited,) = asker.http.get("/control/invitations").json()
    assert (invited["subject"], invited["facility"]) == (first, DENTIST)
    assert DENTIST not in [one.facility for one in region.cast.bookings if one.subject == first]
