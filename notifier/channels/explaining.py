"""Providers' error codes in our words. One line for each provider that has codes of its own. Pure."""

from collections.abc import Callable, Mapping

from notifier.channels.elks_codes import refusal_reason
from notifier.channels.faults import UNEXPLAINED, Fault
from notifier.channels.twilio_codes import receipt_reason


def explained(provider: str, code: str) -> Fault:
    """Why a provider did not deliver. What is no provider's code (ours for what was never handed over, or none at all)
    explains nothing."""
    table = _TABLES.get(provider)
    return UNEXPLAINED if table is None else table(code)


def _of_twilio(code: str) -> Fault:
    return receipt_reason(code) if code.isascii() and code.isdigit() else UNEXPLAINED


_TABLES: Mapping[str, Callable[[str], Fault]] = {"twilio": _of_twilio, "46elks": refusal_reason}
