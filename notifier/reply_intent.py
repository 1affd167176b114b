"""What a text to us asks for, read conservatively: a whole text that is one of these words, or nothing. Pure."""

import re
import unicodedata

from store.intents import Intent

_AROUND = re.compile(r"^[\W_]+|[\W_]+$")
_LONGEST = 40  # of what can still be one of the words below
# CANCEL and YES are left out though Twilio counts them as STOP and START: people mean their visit.
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
}  # fmt: skip
_INTENTS = {word: intent for intent, words in _WORDS.items() for word in words}


def intent(text: str) -> Intent:
    """`Stop!` and ` STOPP ` are STOP; `stopp tiden passar inte` is UNKNOWN, as everything is that says more."""
    if len(text) > _LONGEST:
        return Intent.UNKNOWN
    return _INTENTS.get(_folded(text), Intent.UNKNOWN)


def _folded(text: str) -> str:
    """Lower case, single spaces, and nothing around it that is not a letter or digit."""
    return " ".join(_AROUND.sub("", unicodedata.normalize("NFKC", text).casefold()).split())
