"""User names and app passwords of CalDAV accounts: made, and brought to one form when typed. Pure: knows no table."""

import secrets

_LETTERS = "abcdefghijklmnopqrstuvwxyz234567"  # RFC 4648 base 32: no 0, 1, 8 or 9 to take for a letter
_ACCOUNT_LENGTH = 10
_PASSWORD_LENGTH = 28  # 140 bits
_GROUP = 4
_SEPARATORS = str.maketrans("", "", "- \t\u00a0")


def new_account() -> str:
    """A user name that says nothing of its owner: 50 random bits, short enough to type on a phone. It is no secret."""
    return _random(_ACCOUNT_LENGTH)


def new_password() -> str:
    """140 random bits in groups of four letters and digits, to be typed or pasted."""
    letters = _random(_PASSWORD_LENGTH)
    return "-".join(letters[start : start + _GROUP] for start in range(0, _PASSWORD_LENGTH, _GROUP))


def plain(typed: str) -> str:
    """A user name or password as it counts: phones begin with a capital, people leave the hyphens out."""
    return typed.translate(_SEPARATORS).lower()


def _random(length: int) -> str:
    return "".join(secrets.choice(_LETTERS) for _ in range(length))
