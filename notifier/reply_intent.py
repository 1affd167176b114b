"""What a text to us asks for, read conservatively: a whole text that is one of these words, or nothing. Pure."""

import re
import unicodedata
from dataclasses import dataclass

from store.intents import Intent

_AROUND = re.compile(r"^[\W_]+|[\W_]+$")
_LONGEST = 40  # of what can still be one of the words below
# CANCEL and YES are about the visit, though Twilio counts them as STOP and START.
_WORDS = {
    Intent.STOP: (
        "stop", "stopp", "stoppa", "stopall", "stop all", "sluta", "avsluta", "avregistrera", "unsubscribe", "end",
        "quit", "optout", "opt out", "revoke",
    ),
    Intent.START: ("start", "starta", "unstop"),
    Intent.HELP: ("help", "hjälp", "hjalp", "info"),
    Intent.WRONG_PERSON: (
        "fel person", "felperson", "fel nummer", "felnummer", "fel telefonnummer", "wrong person", "wrong number",
    ),
    Intent.CONFIRM: ("ja", "ja tack", "1", "yes", "yes please"),
    Intent.CANCEL: ("avboka", "avbokning", "cancel"),
}  # fmt: skip
_INTENTS = {word: intent for intent, words in _WORDS.items() for word in words}


_CODED = re.compile(r"(?:avboka|avbokning|cancel) (?P<code>[0-9a-z]{4})")


@dataclass(frozen=True, slots=True)
class Asked:
    """What a text asks for, and the code of the visit it names, if any."""

    intent: Intent
    code: str = ""


def asked(text: str) -> Asked:
    """`Avboka k7mp` is CANCEL of that code; without a code as `intent`."""
    coded = _CODED.fullmatch(_folded(text)) if len(text) <= _LONGEST else None
    return Asked(Intent.CANCEL, coded["code"]) if coded else Asked(intent(text))


def intent(text: str) -> Intent:
    """`Stop!` and ` STOPP ` are STOP; `stopp tiden passar inte` is UNKNOWN, as everything is that says more."""
    if len(text) > _LONGEST:
        return Intent.UNKNOWN
    return _INTENTS.get(_folded(text), Intent.UNKNOWN)


def _folded(text: str) -> str:
    """Lower case, single spaces, and nothing around it that is not a letter or digit."""
    return " ".join(_AROUND.sub("", unicodedata.normalize("NFKC", text).casefold()).split())
