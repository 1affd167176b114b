"""Sealed content opens in its place and nowhere else, and digests stay what they were when they were stored."""

import hashlib
import hmac
from uuid import UUID

import pytest

from store.vault import KeyRing, Unsealable, Vault

RING = KeyRing("w1", {"w1": b"w" * 32}, "d1", {"d1": b"d" * 32})
SUBJECT = UUID("01890a5d-ac96-774b-bcce-b302099a8057")
ROW = UUID("01890a5d-ac96-774b-bcce-b302099a8058")
PLACE = "calendar_bodies.sealed_gzip"


def test_a_digest_is_the_standard_one_or_every_address_would_become_unknown() -> None:
    vault, known = Vault(RING), hmac.new(b"d" * 32, b"feed|token", hashlib.sha256).hexdigest()
    assert [vault.digest("feed", "token") for _ in range(2)] == [f"d1:{known}"] * 2
    assert vault.digest("other", "token") != f"d1:{known}"


def test_an_id_read_as_text_opens_what_was_sealed_for_it_and_for_no_other() -> None:
    vault = Vault(RING)
    wrapped = vault.new_wrapped_key(SUBJECT)
    sealed = vault.cipher(SUBJECT, wrapped).seal(PLACE, ROW, b"kl. 10")

    assert vault.cipher(str(SUBJECT), wrapped).open(PLACE, str(ROW), sealed) == b"kl. 10"
    with pytest.raises(Unsealable):
        vault.cipher(str(SUBJECT), wrapped).open(PLACE, str(SUBJECT), sealed)
    with pytest.raises(Unsealable):
        vault.cipher(str(ROW), wrapped)


@pytest.mark.parametrize("bent", ["", "k1.w1.", "k1.w1.AAAA", "k1.w1.A", "k1.w1.å", "k1.w1.AAAA AAAA", "plain text"])
def test_what_is_no_envelope_is_refused_and_never_taken_for_content(bent: str) -> None:
    vault = Vault(RING)
    cipher = vault.cipher(SUBJECT, vault.new_wrapped_key(SUBJECT))
    with pytest.raises(Unsealable):
        cipher.open(PLACE, ROW, bent)
