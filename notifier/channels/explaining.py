"""Providers' error codes in our words. One line for each provider that has codes of its own. Pure."""

from collections.abc import Callable, Mapping

from notifier.channels.faults import UNEXPLAINED, Fault
from notifier.channels.twilio_codes import receipt_reason

_TABLES: Mapping[str, Callable[[str], Fault]] = {"twilio": receipt_reason}


def explained(provider: str, code: str) -> Fault:
    """Why a provider did not deliver. What is no provider's code (ours for what was never handed over, or none at all)
    explains nothing."""
    table = _TABLES.get(provider)
    is_theirs = code.isascii() and code.isdigit()
    return table(code) if table is not None and is_theirs else UNEXPLAINED
