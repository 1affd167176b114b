"""Identifiers of people, facilities and bookings: parsed once at the edge, valid ever after. Knows no table."""

import re
import secrets
import time
import unicodedata
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import NewType
from uuid import UUID

HsaId = NewType("HsaId", str)
"""Canonical HSA-id: trimmed, upper case (the domain compares case-insensitively, TKB crm:scheduling 3.8)."""

PERSONNUMMER = "1.2.752.129.2.1.3.1"
SAMORDNINGSNUMMER = "1.2.752.129.2.1.3.3"
NATIONAL_RESERVE = "1.2.752.74.9.1"
STOCKHOLM_RESERVE = "1.2.752.97.3.1.3"
VASTRA_GOTALAND_RESERVE = "1.2.752.113.11.0.2.1.1.1"
VARMLAND_RESERVE = "1.2.752.74.9.2"
INERA_RESERVE = "1.2.752.129.2.1.3.2"

_OPAQUE = {NATIONAL_RESERVE, STOCKHOLM_RESERVE, VASTRA_GOTALAND_RESERVE, VARMLAND_RESERVE, INERA_RESERVE}
_WRITTEN = re.compile(r"(?P<century>[0-9]{2})?(?P<date>[0-9]{6})(?P<sign>[-+]?)(?P<last>[0-9]{4})")
_RESERVE = re.compile(r"[0-9A-Z]{12}")
_HSA_ID = re.compile(r"SE[0-9]{10}-[A-Z0-9]+")
_HSA_ID_LIMIT = 31  # HSA's own limit for conforming ids
_ADDRESS_LIMIT = 64  # the engagement index's limit for a logical address


class InvalidIdentifier(ValueError):
    """An identifier that cannot be used; the message names the fault and never repeats the value."""


@dataclass(frozen=True, slots=True)
class SubjectId:
    """Twelve characters and the OID that says what kind of number they are. Its repr is masked."""

    number: str = field(repr=False)
    oid: str

    def __str__(self) -> str:
        return masked(self.number)

    @property
    def born_on(self) -> date | None:
        """Date of birth, where the number tells it."""
        if self.oid not in (PERSONNUMMER, SAMORDNINGSNUMMER):
            return None
        day = int(self.number[6:8])
        return date(int(self.number[:4]), int(self.number[4:6]), day - 60 if day > 60 else day)


@dataclass(frozen=True, slots=True)
class BookingKey:
    """What names a booking at its source: a booking id is unique only together with the logical address."""

    source: str
    logical_address: HsaId
    booking_id: str


def parse_subject_id(text: str, *, today: date, oid: str | None = None) -> SubjectId:
    """A subject id from any usual written form (`19121212-1212`, `121212+1212`, ...).

    A reserve number is taken only with its `oid`, as an opaque id: their check characters follow regional rules.
    Raises InvalidIdentifier.
    """
    cleaned = _without_spaces(text)
    if not cleaned:
        raise InvalidIdentifier("the identity number is empty")
    if not cleaned.strip("0-+"):
        raise InvalidIdentifier("the identity number is only zeros")
    if oid in _OPAQUE:
        return _reserve_number(cleaned.upper(), oid)
    if oid not in (None, PERSONNUMMER, SAMORDNINGSNUMMER):
        raise InvalidIdentifier("the identity number's type (OID) is not known")
    return _population_number(cleaned, today)


def parse_hsa_id(text: str) -> HsaId:
    """The canonical form of an HSA-id. Real messages hold non-conforming ones (`HSA-VKK123`): they are accepted;
    see `is_conforming`. Raises InvalidIdentifier when it is empty, too long, or holds anything but visible ASCII."""
    cleaned = _without_spaces(text).upper()
    if not cleaned:
        raise InvalidIdentifier("the HSA-id is empty")
    if len(cleaned) > _ADDRESS_LIMIT:
        raise InvalidIdentifier(f"the HSA-id has {len(cleaned)} characters; {_ADDRESS_LIMIT} is the most")
    if not (cleaned.isascii() and cleaned.isprintable()):
        raise InvalidIdentifier("the HSA-id holds a character that no HSA-id has")
    return HsaId(cleaned)


def is_conforming(hsa_id: HsaId) -> bool:
    """Whether the id follows HSA's own rules."""
    return len(hsa_id) <= _HSA_ID_LIMIT and _HSA_ID.fullmatch(hsa_id) is not None


def masked(number: str) -> str:
    """An identity number for a log or a page: only how long it is."""
    return "*" * len(number)


def new_id() -> UUID:
    """A UUIDv7 (RFC 9562, 5.7): ours before the insert, and rows made together lie together, in the order of their
    making also within a millisecond (6.2, method 3: 12 bits say which quarter of a microsecond of it)."""
    milliseconds, nanoseconds = divmod(time.time_ns(), 1_000_000)
    fraction = (nanoseconds << 12) // 1_000_000
    return UUID(int=milliseconds << 80 | 0x7 << 76 | fraction << 64 | 0x2 << 62 | secrets.randbits(62))


def first_id(at: datetime) -> UUID:
    """No id that `new_id` made at that time (real time) or later is smaller: rows lie in the order of their making."""
    return UUID(int=int(at.timestamp() * 1000) << 80)


def _without_spaces(text: str) -> str:
    return "".join(char for char in text if not (char.isspace() or unicodedata.category(char) == "Zs"))


def _reserve_number(cleaned: str, oid: str) -> SubjectId:
    number = cleaned.replace("-", "")
    if not _RESERVE.fullmatch(number):
        raise InvalidIdentifier("a reserve number has twelve letters or digits")
    return SubjectId(number, oid)


def _population_number(cleaned: str, today: date) -> SubjectId:
    # The pattern names 0-9: str.isdigit would take full-width and Arabic-Indic digits too.
    written = _WRITTEN.fullmatch(cleaned)
    if written is None:
        raise InvalidIdentifier("the identity number is not written as YYYYMMDD-NNNN or YYMMDD-NNNN with digits 0-9")
    ten = written["date"] + written["last"]
    if not _luhn_holds(ten):
        raise InvalidIdentifier("the identity number's check digit is wrong")
    if written["last"].startswith("000"):
        raise InvalidIdentifier("the identity number's birth number is 000")
    century = written["century"] or _century(written["date"], written["sign"], today)
    return _dated(century + ten, today)


def _century(six: str, sign: str, today: date) -> str:
    """The latest century in which that date is not in the future. A plus sign, written from the year in which somebody
    turns a hundred, says the latest in which the year lies a hundred back."""
    year, day = int(six[:2]), int(six[4:6])
    if sign == "+":
        return str((today.year - 100 - year) // 100)
    month_and_day = (int(six[2:4]), day - 60 if day > 60 else day)
    century = today.year // 100
    if (century * 100 + year, *month_and_day) > (today.year, today.month, today.day):
        century -= 1
    return str(century)


def _dated(number: str, today: date) -> SubjectId:
    day = int(number[6:8])
    oid = SAMORDNINGSNUMMER if day > 60 else PERSONNUMMER
    try:
        born_on = date(int(number[:4]), int(number[4:6]), day - 60 if day > 60 else day)
    except ValueError:
        raise InvalidIdentifier("the identity number holds a date that does not exist") from None
    if number[:2] not in ("18", "19", "20") or born_on > today:
        raise InvalidIdentifier("the identity number's year is not between 1800 and today")
    return SubjectId(number, oid)


def _luhn_holds(ten: str) -> bool:
    total = 0
    for place, char in enumerate(ten):
        value = int(char) * (2 - place % 2)
        total += value - 9 if value > 9 else value
    return total % 10 == 0
