"""The simulated region's control endpoint: what a clinic's staff and the network's whims do, as JSON.

Times are Swedish local time in ISO form. Unknown or invalid fields are refused by name with 422; nothing is guessed.
"""

import json
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, TypeVar
from uuid import uuid4

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from worker.demo.care_units import Facility
from worker.demo.people import Person
from worker.demo.region_state import AGGREGATOR, SWEDEN, Booking, Fault, Region, Taken, Unknown

_LONGEST_TEXT = 4000
_ID_LENGTHS = range(1, 65)
_TEXTS = ("time_type_name", "performer", "resource", "care_type", "purpose", "reason")
_BOOLEANS = {"invitation": "is_invitation", "may_cancel": "may_cancel", "may_rebook": "may_rebook"}
_WHEN_AND_WHERE = ("start", "end", "facility", "time_type")
_CHANGEABLE = frozenset((*_TEXTS, *_BOOLEANS, *_WHEN_AND_WHERE))
_KNOWN = _CHANGEABLE | {"id", "subject"}

Json = dict[str, Any]
_Found = TypeVar("_Found")


class InvalidField(ValueError):
    """A field of a request that cannot be used; never repeats the value."""

    def __init__(self, field: str, fault: str) -> None:
        super().__init__(f"{field} {fault}")
        self.field = field
        self.fault = fault


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
        booking = _new_booking(self._region, await _fields(request, _KNOWN))
        try:
            self._region.add(booking)
        except Taken:
            raise HTTPException(409, "a booking with this id stands already") from None
        return JSONResponse(_shown(booking), status_code=201)

    async def change(self, request: Request) -> Response:
        before = _found(self._region.booking, request)
        after = _changed(self._region, before, await _fields(request, _CHANGEABLE))
        self._region.change(after)
        return JSONResponse(_shown(after))

    async def cancel(self, request: Request) -> Response:
        _found(self._region.cancel, request)
        return Response(status_code=204)

    async def restore(self, request: Request) -> Response:
        return JSONResponse(_shown(_found(self._region.restore, request)))

    async def list_faults(self, _: Request) -> Response:
        return JSONResponse(dict(self._region.faults))

    async def set_faults(self, request: Request) -> Response:
        """Adds to the faults in force; `ok` ends one, an empty object ends all."""
        wanted = await _object(request)
        addresses = {self._address(where): _fault(where, state) for where, state in wanted.items()}
        if not addresses:
            self._region.clear_faults()
        for address, fault in addresses.items():
            self._region.set_fault(address, fault)
        return await self.list_faults(request)

    async def list_permissions(self, _: Request) -> Response:
        return JSONResponse(self._region.permissions)

    async def set_permissions(self, request: Request) -> Response:
        wanted = await _object(request)
        permitted = {self._facility(where).hsa_id: _boolean(where, value) for where, value in wanted.items()}
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
        return text if text == AGGREGATOR else self._facility(text).hsa_id

    def _facility(self, text: str) -> Facility:
        return _facility(self._region, text)


async def refuse_field(_: Request, error: Exception) -> Response:
    """The exception handler for InvalidField."""
    if not isinstance(error, InvalidField):
        raise error
    return JSONResponse({"field": error.field, "error": str(error)}, status_code=422)


def _found(act: Callable[[str], _Found], request: Request) -> _Found:
    try:
        return act(request.path_params["id"])
    except Unknown:
        raise HTTPException(404, "no such booking") from None


async def _object(request: Request) -> Json:
    try:
        content = json.loads(await request.body())
    except ValueError:
        raise InvalidField("body", "is not JSON") from None
    if not isinstance(content, dict):
        raise InvalidField("body", "is not a JSON object")
    return content


async def _fields(request: Request, known: frozenset[str]) -> Json:
    fields = await _object(request)
    unknown = sorted(fields.keys() - known)
    if unknown:
        raise InvalidField(unknown[0][:40], "is not a field that can be set here")
    return fields


def _new_booking(region: Region, fields: Json) -> Booking:
    facility = _facility(region, fields.get("facility"))
    kind = facility.time_type(_text(fields, "time_type") or facility.time_types[0].id)
    start_at = _time(fields, "start")
    booking = Booking(
        id=_id(fields),
        subject=_subject(fields),
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
        after = replace(after, facility=_facility(region, fields["facility"]).hsa_id)
    if "time_type" in fields:
        kind = region.facility(after.facility).time_type(_text(fields, "time_type"))
        after = replace(after, time_type=kind.id, time_type_name=kind.name)
    rest: Json = {name: _text(fields, name) for name in _TEXTS if name in fields}
    rest |= {ours: _boolean(name, fields[name]) for name, ours in _BOOLEANS.items() if name in fields}
    return replace(after, **rest)


def _moved(booking: Booking, fields: Json) -> Booking:
    length = booking.end_at - booking.start_at
    start_at = _time(fields, "start") if "start" in fields else booking.start_at
    end_at = _time(fields, "end") if "end" in fields else start_at + length
    return replace(booking, start_at=start_at, end_at=end_at)


def _facility(region: Region, text: object) -> Facility:
    if not isinstance(text, str):
        raise InvalidField("facility", "is missing or not a text")
    try:
        return region.facility(text)
    except Unknown:
        raise InvalidField("facility", "is not one of the region's") from None


def _id(fields: Json) -> str:
    booking_id = _text(fields, "id") if "id" in fields else str(uuid4())
    if len(booking_id) not in _ID_LENGTHS or "/" in booking_id:
        raise InvalidField("id", "has 1 to 64 characters and no slash")
    return booking_id


def _subject(fields: Json) -> str:
    subject = _text(fields, "subject")
    if len(subject) != 12 or not (subject.isascii() and subject.isdigit()):
        raise InvalidField("subject", "has twelve digits")
    return subject


def _text(fields: Json, name: str) -> str:
    text = fields.get(name, "")
    if not isinstance(text, str):
        raise InvalidField(name, "is not a text")
    if len(text) > _LONGEST_TEXT or any(_is_control(char) for char in text):
        raise InvalidField(name, "is too long, or holds a character that XML cannot carry")
    return text


def _is_control(char: str) -> bool:
    return unicodedata.category(char) in ("Cc", "Cs", "Cn") and char not in "\n\t"


def _time(fields: Json, name: str) -> datetime:
    """Swedish local time; with an offset, that instant in Swedish local time."""
    text = fields.get(name)
    try:
        at = datetime.fromisoformat(text if isinstance(text, str) else "")
    except ValueError:
        raise InvalidField(name, "is not a time such as 2026-12-01T13:30:00") from None
    return at.replace(tzinfo=SWEDEN) if at.tzinfo is None else at.astimezone(SWEDEN)


def _boolean(name: str, value: object) -> bool:
    if not isinstance(value, bool):
        raise InvalidField(name, "is neither true nor false")
    return value


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
