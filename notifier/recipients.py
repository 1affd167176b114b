"""Whom a message can reach: phone numbers and e-mail addresses in their normal form, and which of them to use. Pure."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import NewType
from uuid import UUID

import phonenumbers
from phonenumbers import PhoneNumberType

E164 = NewType("E164", str)
EmailAddress = NewType("EmailAddress", str)

_WRITTEN_PHONE = re.compile(r"\+?[0-9() \-]{3,25}")
_TRUNK_ZERO = re.compile(r"\+?(?:00)?46[ \-]*0")  # +46070...: one zero too many, so perhaps a digit too few
_LOCAL_PART = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_{|}~-]+)*")
_DOMAIN = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z](?:[a-z0-9-]{0,61}[a-z0-9])")
_LONGEST_ADDRESS = 254  # RFC 5321, 4.5.3.1.3, less the angle brackets
_LONGEST_LOCAL_PART = 64
_SPACES = str.maketrans("\u00a0\u202f\u2009", "   ")


class InvalidPhone(ValueError):
    """Not a number that can be sent an SMS; the message says why and never repeats the number."""


class InvalidEmail(ValueError):
    """Not an address that mail can be sent to; the message says why and never repeats the address."""


@dataclass(frozen=True, slots=True)
class Reachable:
    """A contact point as it stands now."""

    contact_id: UUID
    channel: str  # the channel that reaches it: "sms", "email"
    address: str = field(repr=False)
    digest: str
    is_dead: bool


def parse_phone(text: str) -> E164:
    """A Swedish mobile number as +46701740605, from any usual written form. Raises InvalidPhone for all others:
    land lines, foreign, premium, pager and machine numbers are never sent an SMS."""
    cleaned = text.translate(_SPACES).strip(" ")
    if not _WRITTEN_PHONE.fullmatch(cleaned):
        raise InvalidPhone("the phone number holds something else than digits, spaces, hyphens, brackets and one +")
    if _TRUNK_ZERO.match(cleaned):
        raise InvalidPhone("the phone number has a 0 after the country code: write +46 70..., or +46 (0)70...")
    try:
        number = phonenumbers.parse(_with_country(cleaned), "SE")
    except phonenumbers.NumberParseException as error:
        raise InvalidPhone("the phone number cannot be read") from error
    if number.country_code != 46:
        raise InvalidPhone("the phone number is not Swedish")
    if not phonenumbers.is_valid_number(number):
        raise InvalidPhone("the phone number is too short, too long or not in use in Sweden")
    if phonenumbers.number_type(number) != PhoneNumberType.MOBILE:
        raise InvalidPhone("the phone number is not a mobile number")
    return E164(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))


def is_mobile(number: str) -> bool:
    """Whether the numbering plan as known today calls it a Swedish mobile."""
    try:
        return bool(parse_phone(number))
    except InvalidPhone:
        return False


def parse_email(text: str) -> EmailAddress:
    """An address with its domain in lower case and ASCII (IDNA). Raises InvalidEmail for quoted or non-ASCII local
    parts, address literals, hosts without a dot, and anything that is more than one bare address."""
    local_part, at, domain = text.strip(" ").rpartition("@")
    if not at:
        raise InvalidEmail("the e-mail address has no @")
    is_encoded = "=?" in local_part  # an encoded word: the mail would be refused when it is written
    if is_encoded or len(local_part) > _LONGEST_LOCAL_PART or not _LOCAL_PART.fullmatch(local_part):
        raise InvalidEmail("the part before @ holds something that an ordinary e-mail address does not have")
    ascii_domain = _ascii_domain(domain)
    if not _DOMAIN.fullmatch(ascii_domain):
        raise InvalidEmail("the part after @ is not a domain name")
    address = f"{local_part}@{ascii_domain}"
    if len(address) > _LONGEST_ADDRESS:
        raise InvalidEmail(f"the e-mail address is longer than {_LONGEST_ADDRESS} characters")
    return EmailAddress(address)


def choose(
    contacts: Sequence[Reachable], channels: Iterable[str], suppressed: frozenset[tuple[str, str]]
) -> Reachable | None:
    """The first contact point, in the order of `channels`, that is not dead and not suppressed for the purpose.

    `suppressed` holds (digest, channel). None: nobody can be told this way.
    """
    for channel in channels:
        for contact in contacts:
            if contact.channel == channel and not contact.is_dead and (contact.digest, channel) not in suppressed:
                return contact
    return None


def _with_country(text: str) -> str:
    """`46701234567` without a sign is a country code written bare: no Swedish number begins with 46 otherwise."""
    digits = re.sub(r"[^0-9+]", "", text)
    return f"+{digits}" if digits.startswith("467") and len(digits) == 11 else text


def _ascii_domain(domain: str) -> str:
    try:
        return domain.encode("idna").decode("ascii").lower()
    except UnicodeError as error:
        raise InvalidEmail("the part after @ is not a domain name") from error
