"""One reported booking or open invitation out of the texts of its elements (TimeslotType of crm:scheduling 1.1)."""

from collections.abc import Mapping
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from store.identifiers import HsaId, InvalidIdentifier, parse_hsa_id
from worker.sources import NotOpen, ReportedBooking, ReportedInvitation, TimeFlag
from worker.sources.rivta.docbook import leaflet_of
from worker.sources.rivta.texts import one_line
from worker.sources.rivta.times import ReadTime, read_time

_MOST_TEXT = 200  # characters
_MOST_PREPARATIONS = 4_000
_LONGEST = timedelta(days=366)
_MOMENT = timedelta(seconds=1)
_SWEDEN = ZoneInfo("Europe/Stockholm")
_BOOLEANS = {"true": True, "1": True, "false": False, "0": False}


class UnreadableField(Exception):
    """One element that cannot be read. The message names the element and the fault, never the value."""

    def __init__(self, element: str, fault: str) -> None:
        super().__init__(f"{element} {fault}")


def booking_of(fields: Mapping[str, str], digest: bytes) -> ReportedBooking:
    """The booking that the elements say; `fields` holds no empty text. Raises UnreadableField.

    The text rules ask for a start, a facility, a booking id and a subject, though the schema asks only for a facility.
    An end that is not after the start is no end: real producers write the start twice.
    """
    _required(fields, "subject_of_care")
    start = _time(fields, "startTimeInclusive")
    end = _end(fields, start)
    return ReportedBooking(
        booking_id=booking_id_of(_required(fields, "bookingId")),
        facility=_facility(fields),
        facility_spelling=_required(fields, "healthcare_facility"),
        start_at=start.at,
        end_at=None if end is None else end.at,
        time_flag=start.flag or (TimeFlag.NONE if end is None else end.flag),
        is_invitation=_yes(fields, "isInvitation"),
        facility_name=_text(fields, "healthcare_facility_name"),
        performer_name=_text(fields, "performerName"),
        resource_name=_text(fields, "resourceName"),
        time_type_id=_text(fields, "timeTypeID"),
        time_type_name=_text(fields, "timeTypeName"),
        care_type_name=_text(fields, "careTypeName"),
        preparations=leaflet_of(fields.get("purpose", ""), _MOST_PREPARATIONS),
        may_cancel=_yes(fields, "cancel_booking_allowed"),
        may_rebook=_yes(fields, "rebooking_allowed"),
        digest=digest,
    )


def invitation_of(fields: Mapping[str, str], digest: bytes, asked_id: str) -> ReportedInvitation | NotOpen:
    """The open invitation that the elements say, or what they show instead. Raises UnreadableField.

    It is open where it has no start. An end without a start is the last day: the only date that the contract lets an
    open invitation carry.
    """
    _required(fields, "subject_of_care")
    if fields.get("bookingId", asked_id) != asked_id:
        raise UnreadableField("bookingId", "is not the one that was asked about")
    if "startTimeInclusive" in fields:
        _time(fields, "startTimeInclusive")
        return NotOpen.HAS_TIME
    if not _yes(fields, "isInvitation"):
        return NotOpen.NOT_INVITED
    return ReportedInvitation(
        booking_id=asked_id,
        facility=_facility(fields),
        facility_spelling=_required(fields, "healthcare_facility"),
        due_on=_last_day(fields),
        facility_name=_text(fields, "healthcare_facility_name"),
        performer_name=_text(fields, "performerName"),
        resource_name=_text(fields, "resourceName"),
        time_type_name=_text(fields, "timeTypeName"),
        care_type_name=_text(fields, "careTypeName"),
        preparations=leaflet_of(fields.get("purpose", ""), _MOST_PREPARATIONS),
        digest=digest,
    )


def booking_id_of(text: str) -> str:
    """A booking's id, never cut or cleaned: two ids must not become one. Raises UnreadableField."""
    if not text or len(text) > _MOST_TEXT or not text.isprintable():
        raise UnreadableField("bookingId", f"is longer than {_MOST_TEXT} characters or holds hidden ones")
    return text


def _required(fields: Mapping[str, str], name: str) -> str:
    text = fields.get(name)
    if text is None:
        raise UnreadableField(name, "is missing")
    return text


def _time(fields: Mapping[str, str], name: str) -> ReadTime:
    text = _required(fields, name)
    try:
        return read_time(text)
    except ValueError as fault:
        raise UnreadableField(name, str(fault)) from None


def _end(fields: Mapping[str, str], start: ReadTime) -> ReadTime | None:
    if "endTimeExclusive" not in fields:
        return None
    end = _time(fields, "endTimeExclusive")
    if end.at - start.at > _LONGEST:
        raise UnreadableField("endTimeExclusive", "lies more than a year after the start")
    return end if end.at > start.at else None


def _last_day(fields: Mapping[str, str]) -> date | None:
    """The end is exclusive: midnight belongs to the day before."""
    if "endTimeExclusive" not in fields:
        return None
    return (_time(fields, "endTimeExclusive").at - _MOMENT).astimezone(_SWEDEN).date()


def _facility(fields: Mapping[str, str]) -> HsaId:
    try:
        return parse_hsa_id(_required(fields, "healthcare_facility"))
    except InvalidIdentifier as fault:
        raise UnreadableField("healthcare_facility", f"cannot be used: {fault}") from None


def _yes(fields: Mapping[str, str], name: str) -> bool:
    text = fields.get(name, "false")
    if text.lower() not in _BOOLEANS:
        raise UnreadableField(name, "is neither true nor false")
    return _BOOLEANS[text.lower()]


def _text(fields: Mapping[str, str], name: str) -> str:
    return one_line(fields.get(name, ""), _MOST_TEXT)
