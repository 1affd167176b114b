"""The fields a template may hold: Swedish names, what they stand for, which purposes have them. Pure."""

import unicodedata
from dataclasses import dataclass
from enum import StrEnum

from store.purposes import CHANGE_NOTICES, Purpose

_REMINDERS = frozenset({Purpose.DEADLINE, Purpose.REMINDER, Purpose.PREPARATIONS})
_VISITS = _REMINDERS | CHANGE_NOTICES | {Purpose.CONFIRMATION}
_COMING = _VISITS - {Purpose.GONE, Purpose.CANCELLED}


class Field(StrEnum):
    WEEKDAY = "veckodag"
    DATE = "datum"
    TIME = "tid"
    CLINIC = "mottagning"
    CANCEL_BY = "sista avbokning"
    LINK = "länk"
    EARLIER_TIME = "tidigare tid"
    PHONE = "telefon"
    COUNT = "antal besök"
    TIMES = "tider"
    VISITS = "besök"
    UNCONFIRMED_SINCE = "obekräftad sedan"
    PREPARATIONS = "förberedelser"
    CANCEL_LINK = "avbokningslänk"
    REPLY_CODE = "svarskod"


@dataclass(frozen=True, slots=True)
class FieldInfo:
    """What the editor tells about a field. `is_optional`: a visit may lack it, so it belongs within a condition.
    `is_condition_only`: it may be asked for, never written out (preparations can tell what the visit is about)."""

    meaning: str
    purposes: frozenset[Purpose]
    is_optional: bool = False
    is_condition_only: bool = False


CATALOGUE: dict[Field, FieldInfo] = {
    Field.WEEKDAY: FieldInfo("besökets veckodag, till exempel tisdag", _VISITS),
    Field.DATE: FieldInfo("besökets datum, till exempel 1 december", _VISITS),
    Field.TIME: FieldInfo("besökets klockslag, till exempel 13.30", _VISITS),
    Field.CLINIC: FieldInfo("mottagningens namn i meddelanden", _VISITS),
    Field.CANCEL_BY: FieldInfo("sista tid att avboka utan avgift", _COMING, is_optional=True),
    Field.LINK: FieldInfo("vägen till 1177", _VISITS),
    Field.EARLIER_TIME: FieldInfo("tiden före flytten", frozenset({Purpose.MOVED})),
    Field.PHONE: FieldInfo("mottagningens telefonnummer", _VISITS, is_optional=True),
    Field.COUNT: FieldInfo("hur många besöken är, till exempel 3 besök", _VISITS),
    Field.TIMES: FieldInfo("besökens klockslag, till exempel 09.00 och 13.30", _VISITS),
    Field.VISITS: FieldInfo("besöken på var sin rad, med klockslag och mottagning", _VISITS),
    Field.UNCONFIRMED_SINCE: FieldInfo("sedan när tiden inte har kunnat bekräftas", _COMING, is_optional=True),
    Field.PREPARATIONS: FieldInfo("om besöket har förberedelser", _COMING, is_optional=True, is_condition_only=True),
    Field.CANCEL_LINK: FieldInfo("länk till en sida där man ber om avbokning", _COMING),
    Field.REPLY_CODE: FieldInfo("besökets kod för svaret AVBOKA och kod, till exempel K7MP", _COMING, is_optional=True),
}

_BY_NAME = {field.value: field for field in Field}


def field_named(written: str) -> Field | None:
    """The field that a clinic wrote, whatever the case and spacing; None where there is none of that name."""
    return _BY_NAME.get(" ".join(unicodedata.normalize("NFC", written).casefold().split()))
