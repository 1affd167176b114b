"""How a citizen adds their calendar to a calendar program, and what that program then does, in Swedish and English.
Pure: pages show it. Every address here holds the secret token: show it to the person alone, log it never.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from urllib.parse import quote, urlencode, urlsplit
from uuid import UUID

import segno

from feeds.apple_profiles import Account, account_profile, subscription_profile
from feeds.levels import calendar_name

_GOOGLE = "https://calendar.google.com/calendar/r"
_OUTLOOK = "https://outlook.live.com/calendar/0/addfromweb"
_MICROSOFT_365 = "https://outlook.office.com/calendar/0/addfromweb"


class Program(StrEnum):
    """Kinds of calendar programs, by how they are told of an address. The order is that of a page."""

    APPLE = "apple"
    GOOGLE = "google"
    OUTLOOK = "outlook"
    MICROSOFT_365 = "microsoft_365"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Way:
    """One way to add the calendar: a link, its words, and what the citizen must know of the program."""

    program: Program
    url: str = field(repr=False)
    label: str
    looks: str  # how often it looks, honestly
    is_fetched_by_others: bool  # a company's servers fetch it: the address must be public, and they see what it shows


def webcal_of(address: str) -> str:
    """The address as calendar programs take it at a tap; browsers would open the other as a file, once."""
    return f"webcal:{address.partition(':')[2]}"


def ways(address: str, language: str) -> tuple[Way, ...]:
    """Every way to add the calendar at this subscription address. `language` is `en`; anything else is Swedish."""
    words, urls = _ENGLISH if language == "en" else _SWEDISH, _urls(address, language)
    return tuple(
        Way(program, urls[program], words[program].label, words[program].looks, program in _FETCHED_BY_OTHERS)
        for program in Program
    )


def apple_profile(calendar_id: UUID, address: str, language: str) -> bytes:
    """For iPhone and iPad: subscribes in one tap, also where the webcal address is not taken."""
    about = _ABOUT_PROFILE["en" if language == "en" else "sv"]
    return subscription_profile(calendar_id, address, calendar_name(language), about)


def apple_account_profile(calendar_id: UUID, public_url: str, account: str, language: str) -> bytes:
    """For iPhone, iPad and Mac: sets the CalDAV account up; the device asks for the app password."""
    parts = urlsplit(public_url)
    is_secure = parts.scheme == "https"
    device = Account(
        host=parts.hostname or "",
        port=parts.port or (443 if is_secure else 80),
        is_secure=is_secure,
        principal_path=f"/dav/principals/{account}/",
        user_name=account,
    )
    about = _ABOUT_ACCOUNT_PROFILE["en" if language == "en" else "sv"]
    return account_profile(calendar_id, device, calendar_name(language), about)


def qr_code(address: str, title: str) -> str:
    """An inline SVG, without script or style, that a phone's camera reads as the webcal address.

    Black on white with its quiet zone, whatever the page's colours.
    """
    code = segno.make(webcal_of(address), error="m", micro=False)
    svg = code.svg_inline(omitsize=True, svgclass=None, lineclass=None, light="#fff", title=title)
    return svg.replace("<svg ", '<svg role="img" ', 1)


def _urls(address: str, language: str) -> Mapping[Program, str]:
    """Microsoft's take no webcal address."""
    webcal, from_web = webcal_of(address), urlencode({"url": address, "name": calendar_name(language)}, quote_via=quote)
    return {
        Program.APPLE: webcal,
        Program.GOOGLE: f"{_GOOGLE}?{urlencode({'cid': webcal}, quote_via=quote, safe='')}",
        Program.OUTLOOK: f"{_OUTLOOK}?{from_web}",
        Program.MICROSOFT_365: f"{_MICROSOFT_365}?{from_web}",
        Program.OTHER: webcal,
    }


@dataclass(frozen=True, slots=True)
class _Words:
    label: str
    looks: str


_FETCHED_BY_OTHERS = (Program.GOOGLE, Program.OUTLOOK, Program.MICROSOFT_365)

_ABOUT_PROFILE = {
    "sv": "Prenumererar på din kalender med bokade tider. Den som har profilen ser det kalendern visar.",
    "en": "Subscribes to your calendar of booked times. Whoever has this profile sees what the calendar shows.",
}

_ABOUT_ACCOUNT_PROFILE = {
    "sv": "Lägger till kontot med dina bokade tider. Tiderna kan läsas, inte ändras. Applösenordet frågas efter.",
    "en": "Adds the account with your booked times, to be read and not changed. You are asked for the app password.",
}

_SWEDISH: Mapping[Program, _Words] = {
    Program.APPLE: _Words(
        "iPhone, iPad eller Mac",
        "Tittar efter ändringar från var femtonde minut till en gång i timmen på iPhone och iPad. På Mac väljer du"
        " själv, mellan var femte minut och en gång i veckan.",
    ),
    Program.GOOGLE: _Words(
        "Google Kalender",
        "Tittar efter ändringar när Google vill: oftast med 4 till 24 timmar emellan. Avbokade tider försvinner"
        " utan att märkas, och kalenderns egna påminnelser används inte. Google ser det som kalendern visar.",
    ),
    Program.OUTLOOK: _Words(
        "Outlook.com",
        "Tittar efter ändringar ungefär var tredje timme, ibland först efter mer än ett dygn. Microsoft ser det som"
        " kalendern visar.",
    ),
    Program.MICROSOFT_365: _Words(
        "Outlook i arbetet (Microsoft 365)",
        "Tittar efter ändringar ungefär var tredje timme, ibland först efter mer än ett dygn. Microsoft ser det som"
        " kalendern visar, och kanske din arbetsgivare.",
    ),
    Program.OTHER: _Words(
        "Annan kalender",
        "Hur ofta den tittar efter ändringar ställer du in i den: i Thunderbird var trettionde minut om du inte väljer"
        " annat. Tar den inte emot länken, kopiera adressen dit.",
    ),
}

_ENGLISH: Mapping[Program, _Words] = {
    Program.APPLE: _Words(
        "iPhone, iPad or Mac",
        "Looks for changes every fifteen minutes to every hour on iPhone and iPad. On a Mac you choose, from every five"
        " minutes to once a week.",
    ),
    Program.GOOGLE: _Words(
        "Google Calendar",
        "Looks for changes when Google wants to: mostly 4 to 24 hours apart. Cancelled visits vanish without a mark,"
        " and the calendar’s own reminders are not used. Google sees what the calendar shows.",
    ),
    Program.OUTLOOK: _Words(
        "Outlook.com",
        "Looks for changes about every three hours, at times only after more than a day. Microsoft sees what the"
        " calendar shows.",
    ),
    Program.MICROSOFT_365: _Words(
        "Outlook at work (Microsoft 365)",
        "Looks for changes about every three hours, at times only after more than a day. Microsoft sees what the"
        " calendar shows, and perhaps your employer.",
    ),
    Program.OTHER: _Words(
        "Another calendar",
        "You set in it how often it looks for changes: in Thunderbird every thirty minutes unless you choose otherwise."
        " If it does not take the link, copy the address into it.",
    ),
}
