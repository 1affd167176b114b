"""How many SMS a text becomes (3GPP TS 23.038 and 23.040). Pure."""

_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENDED = frozenset("\f^{}\\[~]|€")


def parts(text: str) -> int:
    """GSM 7-bit where every character has a place in it, else UCS-2, where one beyond the basic plane counts twice."""
    if all(char in _BASIC or char in _EXTENDED for char in text):
        septets = sum(2 if char in _EXTENDED else 1 for char in text)
        return _divided(septets, alone=160, joined=153)
    return _divided(len(text.encode("utf-16-be")) // 2, alone=70, joined=67)


def _divided(length: int, *, alone: int, joined: int) -> int:
    return 1 if length <= alone else -(-length // joined)
