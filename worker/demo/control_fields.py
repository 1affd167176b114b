"""What the simulated region's control endpoint is sent: JSON fields, refused by name where they cannot be used."""

import json
import unicodedata
from collections.abc import Callable
from datetime import datetime
from typing import Any, TypeVar
from uuid import uuid4

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from worker.demo.care_units import Facility
from worker.demo.region_state import SWEDEN, Region, Unknown

_LONGEST_TEXT = 4000
_ID_LENGTHS = range(1, 65)

Json = dict[str, Any]
_Found = TypeVar("_Found")


class InvalidField(ValueError):
    """A field of a request that cannot be used; never repeats the value."""

    def __init__(self, field: str, fault: str) -> None:
        super().__init__(f"{field} {fault}")
        self.field = field
        self.fault = fault


async def refuse_field(_: Request, error: Exception) -> Response:
    """The exception handler for InvalidField."""
    if not isinstance(error, InvalidField):
        raise error
    return JSONResponse({"field": error.field, "error": str(error)}, status_code=422)


def found(act: Callable[[str], _Found], request: Request) -> _Found:
    try:
        return act(request.path_params["id"])
    except Unknown as error:
        raise HTTPException(404, f"no such {error}") from None


async def json_object(request: Request) -> Json:
    try:
        content = json.loads(await request.body())
    except ValueError:
        raise InvalidField("body", "is not JSON") from None
    if not isinstance(content, dict):
        raise InvalidField("body", "is not a JSON object")
    return content


async def json_fields(request: Request, known: frozenset[str]) -> Json:
    fields = await json_object(request)
    unknown = sorted(fields.keys() - known)
    if unknown:
        raise InvalidField(unknown[0][:40], "is not a field that can be set here")
    return fields


def facility_of(region: Region, text: object) -> Facility:
    if not isinstance(text, str):
        raise InvalidField("facility", "is missing or not a text")
    try:
        return region.facility(text)
    except Unknown:
        raise InvalidField("facility", "is not one of the region's") from None


def id_of(fields: Json) -> str:
    booking_id = text_of(fields, "id") if "id" in fields else str(uuid4())
    if len(booking_id) not in _ID_LENGTHS or "/" in booking_id:
        raise InvalidField("id", "has 1 to 64 characters and no slash")
    return booking_id


def subject_of(fields: Json) -> str:
    subject = text_of(fields, "subject")
    if len(subject) != 12 or not (subject.isascii() and subject.isdigit()):
        raise InvalidField("subject", "has twelve digits")
    return subject


def text_of(fields: Json, name: str) -> str:
    text = fields.get(name, "")
    if not isinstance(text, str):
        raise InvalidField(name, "is not a text")
    if len(text) > _LONGEST_TEXT or any(_is_control(char) for char in text):
        raise InvalidField(name, "is too long, or holds a character that XML cannot carry")
    return text


def _is_control(char: str) -> bool:
    return unicodedata.category(char) in ("Cc", "Cs", "Cn") and char not in "\n\t"


def time_of(fields: Json, name: str) -> datetime:
    """Swedish local time; with an offset, that instant in Swedish local time."""
    text = fields.get(name)
    try:
        at = datetime.fromisoformat(text if isinstance(text, str) else "")
    except ValueError:
        raise InvalidField(name, "is not a time such as 2026-12-01T13:30:00") from None
    return at.replace(tzinfo=SWEDEN) if at.tzinfo is None else at.astimezone(SWEDEN)


def boolean_of(name: str, value: object) -> bool:
    if not isinstance(value, bool):
        raise InvalidField(name, "is neither true nor false")
    return value
