"""The simulated region's control endpoint: what a clinic's staff and the network's whims do, as JSON.

Times are Swedish local time in ISO form. Unknown or invalid fields are refused by name with 422; nothing is guessed.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from worker.demo.care_units import Facility
from worker.demo.control_fields import (
    InvalidField,
    Json,
    boolean_of,
    facility_of,
    found,
    id_of,
    json_fields,
    json_object,
    subject_of,
    text_of,
    time_of,
)
from worker.demo.invitation_control import InvitationControl
from worker.demo.people import Person
from worker.demo.region_state import AGGREGATOR, INDEX, Booking, Fault, Region, Taken

_TEXTS = ("time_type_name", "performer", "resource", "care_type", "purpose", "reason")
_BOOLEANS = {"invitation": "is_invitation", "may_cancel": "may_cancel", "may_rebook": "may_rebook"}
_WHEN_AND_WHERE = ("start", "end", "facility", "time_type")
_CHANGEABLE = frozenset((*_TEXTS, *_BOOLEANS, *_WHEN_AND_WHERE))
_KNOWN = _CHANGEABLE | {"id", "subject"}


class Control:
    """The endpoint's routes over one region and its people."""

    def __init__(self, region: Region, people: tuple[Person, ...]) -> None:
        self._region = region
        self._people = people

    @property
    def routes(self) -> list[Route]:
        return [
            Route("/control/bookings", self.list_bookings, methods=["GET"]),
            Route("/control/bookings", self.book, methods=["POST"]),
            Route("/control/bookings/{id}", self.change, methods=["PATCH"]),
            Route("/control/bookings/{id}", self.cancel, methods=["DELETE"]),
            Route("/control/bookings/{id}/restore", self.restore, methods=["POST"]),
            *InvitationControl(self._region).routes,
            Route("/control/faults", self.list_faults, methods=["GET"]),
            Route("/control/faults", self.set_faults, methods=["PUT"]),
            Route("/control/permissions", self.list_permissions, methods=["GET"]),
            Route("/control/permissions", self.set_permissions, methods=["PUT"]),
            Route("/control/calls", self.list_calls, methods=["GET"]),
            Route("/control/facilities", self.list_facilities, methods=["GET"]),
            Route("/control/people", self.list_people, methods=["GET"]),
        ]

    async def list_bookings(self, request: Request) -> Response:
        return JSONResponse([_shown(booking) for booking in self._region.coming(request.query_params.get("subject"))])

    async def book(self, request: Request) -> Response:
        booking = _new_booking(self._region, await json_fields(request, _KNOWN))
        try:
            self._region.add(booking)
        except Taken:
            raise HTTPException(409, "a booking with this id stands already") from None
        return JSONResponse(_shown(booking), status_code=201)

    async def change(self, request: Request) -> Response:
        before = found(self._region.booking, request)
        after = _changed(self._region, before, await json_fields(request, _CHANGEABLE))
        self._region.change(after)
        return JSONResponse(_shown(after))

    async def cancel(self, request: Request) -> Response:
        found(self._region.cancel, request)
        return Response(status_code=204)

    async def restore(self, request: Request) -> Response:
        return JSONResponse(_shown(found(self._region.restore, request)))

    async def list_faults(self, _: Request) -> Response:
        return JSONResponse(dict(self._region.faults))

    async def set_faults(self, request: Request) -> Response:
        """Adds to the faults in force; `ok` ends one, an empty object ends all."""
        wanted = await json_object(request)
        addresses = {self._address(where): _fault(where, state) for where, state in wanted.items()}
        if not addresses:
            self._region.clear_faults()
        for address, fault in addresses.items():
            self._region.set_fault(address, fault)
        return await self.list_faults(request)

    async def list_permissions(self, _: Request) -> Response:
        return JSONResponse(self._region.permissions)

    async def set_permissions(self, request: Request) -> Response:
        wanted = await json_object(request)
        permitted = {self._facility(where).hsa_id: boolean_of(where, value) for where, value in wanted.items()}
        for facility, may_ask in permitted.items():
            (self._region.permit if may_ask else self._region.forbid)(facility)
        return await self.list_permissions(request)

    async def list_calls(self, _: Request) -> Response:
        return JSONResponse(self._region.calls)

    async def list_facilities(self, _: Request) -> Response:
        return JSONResponse([_shown_facility(facility) for facility in self._region.facilities.values()])

    async def list_people(self, _: Request) -> Response:
        return JSONResponse([_shown_person(person) for person in self._people])

    def _address(self, text: str) -> str:
        return text if text in (AGGREGATOR, INDEX) else self._facility(text).hsa_id

    def _facility(self, text: str) -> Facility:
        return facility_of(self._region, text)


def _new_booking(region: Region, fields: Json) -> Booking:
    facility = facility_of(region, fields.get("facility"))
    kind = facility.time_type(text_of(fields, "time_type") or facility.time_types[0].id)
    start_at = time_of(fields, "start")
    booking = Booking(
        id=id_of(fields),
        subject=subject_of(fields),
        facility=facility.hsa_id,
        start_at=start_at,
        end_at=start_at + timedelta(minutes=kind.minutes),
        time_type=kind.id,
        time_type_name=kind.name,
        performer=facility.performer,
        resource=facility.resource,
        care_type=facility.care_type,
        purpose=kind.preparations,
    )
    return _changed(region, booking, fields)


def _changed(region: Region, booking: Booking, fields: Json) -> Booking:
    """The booking with the given fields. A move without a new end keeps the length."""
    after = _moved(booking, fields)
    if "facility" in fields:
        after = replace(after, facility=facility_of(region, fields["facility"]).hsa_id)
    if "time_type" in fields:
        kind = region.facility(after.facility).time_type(text_of(fields, "time_type"))
        after = replace(after, time_type=kind.id, time_type_name=kind.name)
    rest: Json = {name: text_of(fields, name) for name in _TEXTS if name in fields}
    rest |= {ours: boolean_of(name, fields[name]) for name, ours in _BOOLEANS.items() if name in fields}
    return replace(after, **rest)


def _moved(booking: Booking, fields: Json) -> Booking:
    length = booking.end_at - booking.start_at
    start_at = time_of(fields, "start") if "start" in fields else booking.start_at
    end_at = time_of(fields, "end") if "end" in fields else start_at + length
    return replace(booking, start_at=start_at, end_at=end_at)


def _fault(name: str, value: object) -> Fault:
    try:
        return Fault(str(value))
    except ValueError:
        raise InvalidField(name, f"is none of {', '.join(Fault)}") from None


def _shown(booking: Booking) -> Json:
    return {
        "id": booking.id,
        "subject": booking.subject,
        "facility": booking.facility,
        "start": _local(booking.start_at),
        "end": _local(booking.end_at),
        "time_type": booking.time_type,
        **{name: getattr(booking, name) for name in _TEXTS},
        **{name: getattr(booking, ours) for name, ours in _BOOLEANS.items()},
    }


def _local(at: datetime) -> str:
    return at.replace(tzinfo=None).isoformat(timespec="seconds")


def _shown_facility(facility: Facility) -> Mapping[str, object]:
    return {
        "hsa_id": facility.hsa_id,
        "name": facility.name,
        "parent": facility.parent,
        "logical_address": facility.logical_address,
        "system": facility.system.name,
        "sensitive": facility.is_sensitive,
        "time_types": [{"id": kind.id, "name": kind.name, "remote": kind.is_remote} for kind in facility.time_types],
    }


def _shown_person(person: Person) -> Mapping[str, object]:
    return {"subject": person.identity, "name": person.name, "language": person.language, "level": person.level}
