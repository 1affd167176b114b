"""Configuration profiles (.mobileconfig) that set up a calendar on Apple's devices in one tap. Pure.

Unsigned: who signs needs a certificate that Apple's devices trust. No password is in any; the device asks for it.
"""

import plistlib
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID, uuid5

CONTENT_TYPE: Final = "application/x-apple-aspen-config"
FILE_NAME: Final = "kallelse.mobileconfig"

_PREFIX = "se.kallelse"


@dataclass(frozen=True, slots=True)
class Account:
    """A CalDAV account as a device needs it. `principal_path` begins with a slash."""

    host: str
    port: int
    is_secure: bool
    principal_path: str = field(repr=False)
    user_name: str = field(repr=False)


def subscription_profile(calendar_id: UUID, address: str, name: str, about: str) -> bytes:
    """Subscribes iPhone, iPad and Vision to the secret address (a Mac takes the webcal address instead).

    So it is made when the address is, and kept nowhere. Another one for the same calendar replaces it on the device,
    also after its address has been rotated.
    """
    subscription = {
        "PayloadType": "com.apple.subscribedcalendar.account",
        "SubCalAccountDescription": _plain(name),
        "SubCalAccountHostName": address,
        "SubCalAccountUseSSL": address.startswith("https:"),
    }
    return _profile(calendar_id, "subscription", subscription, (name, about))


def account_profile(calendar_id: UUID, account: Account, name: str, about: str) -> bytes:
    """Sets up the CalDAV account, on a Mac too. The password is not in it."""
    payload = {
        "PayloadType": "com.apple.caldav.account",
        "CalDAVAccountDescription": _plain(name),
        "CalDAVHostName": account.host,
        "CalDAVPort": account.port,
        "CalDAVUseSSL": account.is_secure,
        "CalDAVPrincipalURL": account.principal_path,
        "CalDAVUsername": account.user_name,
    }
    return _profile(calendar_id, "account", payload, (name, about))


def _profile(calendar_id: UUID, kind: str, payload: dict[str, object], texts: tuple[str, str]) -> bytes:
    name, about = (_plain(text) for text in texts)
    inner = {**payload, **_identity(calendar_id, f"{kind}.payload"), "PayloadDisplayName": name}
    outer = {
        "PayloadType": "Configuration",
        **_identity(calendar_id, kind),
        "PayloadDisplayName": name,
        "PayloadDescription": about,
        "PayloadRemovalDisallowed": False,
        "PayloadContent": [inner],
    }
    return plistlib.dumps(outer)


def _identity(calendar_id: UUID, part: str) -> dict[str, object]:
    """Equal for every profile of the calendar, so that a device replaces instead of adding; it tells no id of ours."""
    one = str(uuid5(calendar_id, part)).upper()
    return {"PayloadIdentifier": f"{_PREFIX}.{part}.{one}", "PayloadUUID": one, "PayloadVersion": 1}


def _plain(text: str) -> str:
    """A property list takes no control characters."""
    return " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())
