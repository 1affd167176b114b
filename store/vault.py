"""Sealing and keyed digests. The only module that holds keys; it knows no table and writes nothing but a key file.

Content is sealed with AES-256-GCM under a key of the person it concerns; that key lies wrapped by a key-encryption key.
The place (table, column, row) is bound in, so that a sealed value moved elsewhere does not open.
"""

import base64
import binascii
import hmac
import json
import os
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from store.columns import SEALED_PREFIX

_KEY_BYTES = 32
_NONCE_BYTES = 12
_DOES_NOT_OPEN = "sealed content does not open in this place with this key"


class KeysUnusable(Exception):
    """The key file is missing, malformed or open to others; the message names the remedy, never a key."""


class Unsealable(Exception):
    """Sealed content that does not open here: moved, altered, or its key is gone."""


class KeyDestroyed(Unsealable):
    """The person has been erased. Any other Unsealable may be mended by putting the right key file back."""


@dataclass(frozen=True, slots=True)
class KeyRing:
    """Keys by id. The current one seals; all of them open."""

    current: str
    wrapping: Mapping[str, bytes] = field(repr=False)
    current_digest: str
    digesting: Mapping[str, bytes] = field(repr=False)


class SubjectCipher:
    """One person's key, unwrapped. Keep it no longer than the work at hand."""

    def __init__(self, key_id: str, key: bytes) -> None:
        self._key_id = key_id
        self._aead = AESGCM(key)

    def seal(self, place: str, row_id: UUID, plain: bytes) -> str:
        """Seals content for `place` ("table.column") and row."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        content = nonce + self._aead.encrypt(nonce, plain, _bound(place, row_id))
        return f"{SEALED_PREFIX}{self._key_id}.{base64.b64encode(content).decode()}"

    def open(self, place: str, row_id: UUID | str, sealed: str) -> bytes:
        """Opens what `seal` gave for the same place and row. Raises Unsealable."""
        return _opened(self._aead, sealed, _bound(place, row_id))

    def open_all(self, place: str, sealed: Iterable[tuple[str, str]]) -> list[bytes]:
        """Opens many rows of one place, each given by its id as text and what was sealed. Raises Unsealable."""
        decrypt, unpacked = self._aead.decrypt, binascii.a2b_base64
        opened = []
        try:
            for row_id, text in sealed:
                content = unpacked(text[text.rindex(".") + 1 :])
                opened.append(decrypt(content[:_NONCE_BYTES], content[_NONCE_BYTES:], f"{place}|{row_id}".encode()))
        except (InvalidTag, ValueError) as error:
            raise Unsealable(_DOES_NOT_OPEN) from error
        return opened

    def seal_text(self, place: str, row_id: UUID, text: str) -> str:
        return self.seal(place, row_id, text.encode())

    def open_text(self, place: str, row_id: UUID, sealed: str) -> str:
        return self.open(place, row_id, sealed).decode()


class Vault:
    """What a process needs to seal, open and look up."""

    def __init__(self, keys: KeyRing) -> None:
        self._keys = keys
        self._digesting = hmac.new(keys.digesting[keys.current_digest], digestmod="sha256")
        self._wrapping = {key_id: AESGCM(key) for key_id, key in keys.wrapping.items()}

    def digest(self, purpose: str, value: str) -> str:
        """A keyed digest for look-ups. `purpose` keeps equal values of different kinds apart."""
        mac = self._digesting.copy()
        mac.update(f"{purpose}|{value}".encode())
        return f"{self._keys.current_digest}:{mac.hexdigest()}"

    def new_wrapped_key(self, subject_id: UUID) -> str:
        """A fresh key for one person, wrapped for storage in `subject_keys`."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        key = secrets.token_bytes(_KEY_BYTES)
        bound = _bound("subject_keys.wrapped", subject_id)
        content = nonce + self._wrapping[self._keys.current].encrypt(nonce, key, bound)
        return f"{SEALED_PREFIX}{self._keys.current}.{base64.b64encode(content).decode()}"

    def cipher(self, subject_id: UUID | str, wrapped: str) -> SubjectCipher:
        """The person's cipher. Raises Unsealable when the wrapping key is not on the ring."""
        key_id = wrapped.removeprefix(SEALED_PREFIX).partition(".")[0]
        aead = self._wrapping.get(key_id)
        if aead is None:
            raise Unsealable(f"the key-encryption key {key_id} is not in the key file")
        return SubjectCipher(key_id, _opened(aead, wrapped, _bound("subject_keys.wrapped", subject_id)))


def make_key_file(path: Path) -> None:
    """Writes a new key file, readable by its owner only. Never overwrites."""
    content = {
        "current": "w1",
        "wrapping": {"w1": base64.b64encode(secrets.token_bytes(_KEY_BYTES)).decode()},
        "current_digest": "d1",
        "digesting": {"d1": base64.b64encode(secrets.token_bytes(_KEY_BYTES)).decode()},
    }
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump(content, file, indent=1)
        file.flush()
        os.fsync(file.fileno())


def read_key_file(path: Path) -> KeyRing:
    """The keys in a file made by `make_key_file`. Raises KeysUnusable."""
    try:
        mode = path.stat().st_mode
        text = path.read_text()
    except OSError as error:
        raise KeysUnusable(f"the key file cannot be read ({error.strerror}): set KALLELSE_KEYS to its path") from error
    if mode & 0o077:
        raise KeysUnusable("the key file can be read by others: chmod 600 it")
    return _parsed(text)


def _parsed(text: str) -> KeyRing:
    try:
        content = json.loads(text)
        wrapping = {name: base64.b64decode(key, validate=True) for name, key in content["wrapping"].items()}
        digesting = {name: base64.b64decode(key, validate=True) for name, key in content["digesting"].items()}
        ring = KeyRing(content["current"], wrapping, content["current_digest"], digesting)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise KeysUnusable("the key file is not as `kallelse keys` writes it: restore it from its backup") from error
    if ring.current not in wrapping or ring.current_digest not in digesting:
        raise KeysUnusable("the key file names a current key that it does not hold")
    if any(len(key) != _KEY_BYTES for key in (*wrapping.values(), *digesting.values())):
        raise KeysUnusable("the key file holds a key that is not 32 bytes long")
    return ring


def _bound(place: str, row_id: UUID | str) -> bytes:
    return f"{place}|{row_id}".encode()


def _opened(aead: AESGCM, sealed: str, bound: bytes) -> bytes:
    try:
        content = memoryview(binascii.a2b_base64(sealed[sealed.rindex(".") + 1 :], strict_mode=True))
        return aead.decrypt(content[:_NONCE_BYTES], content[_NONCE_BYTES:], bound)
    except (InvalidTag, ValueError) as error:
        raise Unsealable(_DOES_NOT_OPEN) from error
