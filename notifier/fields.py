"""The fields a template may hold: Swedish names, what they stand for, which purposes have them. Pure."""

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
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
    MISSED_COST = "kostnad"
    PREPARATIONS = "förberedelser"
    CANCEL_LINK = "avbokningslänk"
    PREPARATIONS_LINK = "förberedelselänk"
    REPLY_CODE = "svarskod"
    ONE_TIME_CODE = "engångskod"


class FieldType(StrEnum):
    """What a field's value is; decides how it is written in each language."""

    WEEKDAY = "veckodag"
    DATE = "datum"
    CLOCK = "klockslag"
    MOMENT = "dag och klockslag"
    NUMBER = "antal"
    AMOUNT = "belopp"
    NAME = "namn"
    PHONE = "telefonnummer"
    LINK = "länk"
    CODE = "kod"
    LINES = "rader"
    CONDITION = "ja eller nej"


@dataclass(frozen=True, slots=True)
class FieldInfo:
    """What the editor tells about a field. `is_optional`: a visit may lack it, so it belongs within a condition.
    `is_condition_only`: it may be asked for, never written out (preparations can tell what the visit is about).
    What it may look like, and at its longest, see `notifier.examples`."""

    type: FieldType
    meaning: str
    purposes: frozenset[Purpose]
    is_optional: bool = False
    is_condition_only: bool = False


CATALOGUE: dict[Field, FieldInfo] = {
    Field.WEEKDAY: FieldInfo(FieldType.WEEKDAY, "besökets veckodag", _VISITS),
    Field.DATE: FieldInfo(FieldType.DATE, "besökets datum", _VISITS),
    Field.TIME: FieldInfo(FieldType.CLOCK, "besökets klockslag", _VISITS),
    Field.CLINIC: FieldInfo(FieldType.NAME, "mottagningens namn i meddelanden", _VISITS),
    Field.CANCEL_BY: FieldInfo(FieldType.MOMENT, "sista tid att avboka utan avgift", _COMING, is_optional=True),
    Field.LINK: FieldInfo(FieldType.LINK, "vägen till 1177", _VISITS),
    Field.EARLIER_TIME: FieldInfo(FieldType.MOMENT, "tiden före flytten", frozenset({Purpose.MOVED})),
    Field.PHONE: FieldInfo(FieldType.PHONE, "mottagningens telefonnummer", _VISITS, is_optional=True),
    Field.COUNT: FieldInfo(FieldType.NUMBER, "hur många besöken är", _VISITS),
    Field.TIMES: FieldInfo(FieldType.CLOCK, "besökens klockslag", _VISITS),
    Field.VISITS: FieldInfo(FieldType.LINES, "besöken på var sin rad, med klockslag och mottagning", _VISITS),
    Field.UNCONFIRMED_SINCE: FieldInfo(
        FieldType.MOMENT, "sedan när tiden inte har kunnat bekräftas", _COMING, is_optional=True
    ),
    Field.MISSED_COST: FieldInfo(
        FieldType.AMOUNT, "vad ett uteblivet besök kostar vården, enligt mottagningen", _COMING, is_optional=True
    ),
    Field.PREPARATIONS: FieldInfo(
        FieldType.CONDITION, "om besöket har förberedelser", _COMING, is_optional=True, is_condition_only=True
    ),
    Field.CANCEL_LINK: FieldInfo(FieldType.LINK, "länk till en sida där man ber om avbokning", _COMING),
    Field.PREPARATIONS_LINK: FieldInfo(
        FieldType.LINK, "länk till en sida med besökets förberedelser; vägen till 1177 där de läses där", _COMING
    ),
    Field.REPLY_CODE: FieldInfo(FieldType.CODE, "besökets kod för svaret AVBOKA och kod", _COMING, is_optional=True),
    Field.ONE_TIME_CODE: FieldInfo(FieldType.CODE, "koden som bekräftar en kontaktväg", frozenset({Purpose.CODE})),
}

_BY_NAME = {field.value: field for field in Field}


LONGEST_NAME = 30
"""Characters of a facility's name in messages: what the shipped templates leave room for in one SMS part."""


def field_named(written: str) -> Field | None:
    """The field that a clinic wrote, whatever the case and spacing; None where there is none of that name."""
    return _BY_NAME.get(_plain(written))


def closest(written: str, among: Iterable[Field]) -> Field | None:
    """The field that was probably meant; None where nothing is like it."""
    found = get_close_matches(_plain(written), [field.value for field in among], n=1)
    return Field(found[0]) if found else None


def _plain(written: str) -> str:
    return " ".join(unicodedata.normalize("NFC", written).casefold().split())
