"""Codes that confirm a contact point: six digits that follow from a row's id under our key, so that they need to stand
nowhere. Knows no table."""

import hmac
from uuid import UUID

from store.vault import Vault

_OCCASION = "code:"
_DIGITS = 6


def occasion(code_id: UUID) -> str:
    return f"{_OCCASION}{code_id}"


def of_occasion(text: str) -> UUID | None:
    """The code that a delivery is about; None for one that is about something else."""
    try:
        return UUID(text.removeprefix(_OCCASION)) if text.startswith(_OCCASION) else None
    except ValueError:
        return None


def code(vault: Vault, code_id: UUID) -> str:
    _, _, digest = vault.digest("contact_code", str(code_id)).partition(":")
    return f"{int(digest, 16) % 10**_DIGITS:0{_DIGITS}}"


def is_right(vault: Vault, code_id: UUID, typed: str) -> bool:
    """Compares keyed digests, in the same time whatever was typed. Spaces, as people read codes out, do not count."""
    given, wanted = "".join(typed.split()), code(vault, code_id)
    return hmac.compare_digest(vault.digest("typed_code", given), vault.digest("typed_code", wanted))
