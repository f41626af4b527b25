"""AES-256-GCM with named keys, so that keys can be rotated while old ciphertexts stay readable.

A ciphertext is one version byte, one length byte, the key id in ASCII, 12 random bytes of nonce, then the sealed text
with its tag. The header and the caller's associated bytes are authenticated, not encrypted.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import os
import re
from collections.abc import Callable, Mapping
from types import MappingProxyType

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from domain.errors import CarewaveError

KEY_BYTES = 32
_NONCE_BYTES = 12
_VERSION = 1
_KEY_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")


class CryptoError(CarewaveError):
    """Codes: `crypto.keys_invalid`, `crypto.key_unknown`, `crypto.corrupt`. The detail never holds key material."""


def generate_key(key_id: str) -> str:
    """A fresh key as `id:base64`, ready for a key setting. Raises `crypto.keys_invalid` for a bad id."""
    _check_key_id(key_id)
    return f"{key_id}:{base64.b64encode(os.urandom(KEY_BYTES)).decode('ascii')}"


class Keyring:
    """Keys by id: the first encrypts, all decrypt.

    To rotate, put a new key first, and drop an old one when nothing is encrypted with it any more.
    """

    def __init__(self, keys: Mapping[str, bytes]) -> None:
        """Raises `crypto.keys_invalid` for no key, a bad id, or a key that is not 32 bytes."""
        if not keys:
            raise CryptoError("crypto.keys_invalid", "No encryption key is configured.")
        for key_id, key in keys.items():
            _check_key_id(key_id)
            if len(key) != KEY_BYTES:
                raise CryptoError("crypto.keys_invalid", f"Key {key_id} has {len(key)} bytes, not {KEY_BYTES}.")
        if len(set(keys.values())) != len(keys):
            raise CryptoError("crypto.keys_invalid", "The same key is configured under two ids.")
        self._ciphers = MappingProxyType({key_id: AESGCM(key) for key_id, key in keys.items()})
        self._macs = MappingProxyType({key_id: _mac(key) for key_id, key in keys.items()})
        self.key_id = next(iter(keys))
        """The id of the key that encrypts."""

    @classmethod
    def parse(cls, text: str) -> Keyring:
        """Read `id:base64,id2:base64`. Raises `crypto.keys_invalid`, naming a key by position or id only."""
        keys: dict[str, bytes] = {}
        for position, entry in enumerate(filter(None, (part.strip() for part in text.split(","))), start=1):
            key_id, separator, encoded = entry.partition(":")
            if not separator or not _KEY_ID.fullmatch(key_id):
                raise CryptoError("crypto.keys_invalid", f"Key {position} is not of the form id:base64.")
            if key_id in keys:
                raise CryptoError("crypto.keys_invalid", f"Key id {key_id} is configured twice.")
            keys[key_id] = _decode(key_id, encoded)
        return cls(keys)

    def encrypt(self, plaintext: bytes, associated: bytes) -> bytes:
        """Seal `plaintext`; the same `associated` bytes must be given to read it."""
        header = _header(self.key_id)
        nonce = os.urandom(_NONCE_BYTES)
        return header + nonce + self._ciphers[self.key_id].encrypt(nonce, plaintext, header + associated)

    def decrypt(self, ciphertext: bytes, associated: bytes) -> bytes:
        """Open a ciphertext. Raises `crypto.key_unknown`, or `crypto.corrupt` when anything was altered."""
        key_id = key_id_of(ciphertext)
        cipher = self._ciphers.get(key_id)
        if cipher is None:
            raise CryptoError("crypto.key_unknown", f"No key {key_id} is configured.")
        header = _header(key_id)
        nonce_end = len(header) + _NONCE_BYTES
        nonce, sealed = ciphertext[len(header) : nonce_end], ciphertext[nonce_end:]
        try:
            return cipher.decrypt(nonce, sealed, header + associated)
        except (InvalidTag, ValueError):
            raise _corrupt() from None

    def sign(self, message: bytes) -> bytes:
        """A MAC of `message` by the first key; the same message has the same MAC for as long as that key is first."""
        return next(iter(self._macs.values()))(message)

    def signed(self, message: bytes, mac: bytes) -> bool:
        """Whether one of the keys made this MAC."""
        return any(hmac.compare_digest(make(message), mac) for make in self._macs.values())

    def __repr__(self) -> str:
        return f"Keyring({', '.join(self._ciphers)})"


def _mac(key: bytes) -> Callable[[bytes], bytes]:
    """Signing with a key of its own, derived from the encryption key."""
    derived = HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=b"carewave.mac").derive(key)
    return lambda message: hmac.digest(derived, message, "sha256")


def key_id_of(ciphertext: bytes) -> str:
    """The id of the key that sealed a ciphertext. Raises `crypto.corrupt` when there is none."""
    if len(ciphertext) < 2 or ciphertext[0] != _VERSION:
        raise _corrupt()
    try:
        key_id = ciphertext[2 : 2 + ciphertext[1]].decode("ascii")
    except UnicodeDecodeError:
        raise _corrupt() from None
    if len(key_id) != ciphertext[1] or not _KEY_ID.fullmatch(key_id):
        raise _corrupt()
    return key_id


def _header(key_id: str) -> bytes:
    return bytes((_VERSION, len(key_id))) + key_id.encode("ascii")


def _check_key_id(key_id: str) -> None:
    if not _KEY_ID.fullmatch(key_id):
        raise CryptoError("crypto.keys_invalid", "A key id has 1 to 64 letters, digits, dots, dashes or underscores.")


def _decode(key_id: str, encoded: str) -> bytes:
    try:
        return base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        raise CryptoError("crypto.keys_invalid", f"Key {key_id} is not valid base64.") from None


def _corrupt() -> CryptoError:
    return CryptoError("crypto.corrupt", "The ciphertext is damaged or belongs elsewhere.")
