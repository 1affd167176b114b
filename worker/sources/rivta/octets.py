"""Telling an answer from the one before without reading it: most polls change nothing but the moment of answering."""

import re
from hashlib import blake2b

_READING = b"schedule 1"  # raise it when the same octets are read otherwise than before: they are then read anew
_MOMENT = re.compile(rb"(<(?:[\w.-]+:)?last(?:Uns|S)uccessfulSynch>)[0-9]{1,17}(?=</)")


def octets_of(content: bytes) -> bytes:
    """A digest, 16 bytes, of an aggregated answer as it came, without the moments in its ProcessingStatus.

    Equal ones say the same of the same bookings and addresses. Only digits are left out, and only before the body:
    nothing that is read stands there. An answer whose writer varies anything else is merely read again.
    """
    body_at = max(content.find(b"Body"), 0)
    head = _MOMENT.sub(rb"\1", content[:body_at])
    digest = blake2b(head, digest_size=16, person=_READING)
    digest.update(content[body_at:])
    return digest.digest()
