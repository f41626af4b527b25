"""Sealing, opening and rotating keys."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto import KEY_BYTES, CryptoError, Keyring, generate_key, key_id_of

OLD, NEW = (f"{name}:{base64.b64encode(name.encode().ljust(KEY_BYTES)).decode()}" for name in ("old", "new"))
KEYRING = Keyring.parse(NEW)
SEALED = KEYRING.encrypt(b"a note", b"notes.text")


@given(plaintext=st.binary(), associated=st.binary())
def test_opens_what_it_sealed(plaintext: bytes, associated: bytes) -> None:
    sealed = KEYRING.encrypt(plaintext, associated)
    assert KEYRING.decrypt(sealed, associated) == plaintext
    assert len(plaintext) < 8 or plaintext not in sealed


@given(position=st.integers(0, len(SEALED) - 1), flip=st.integers(1, 255))
def test_refuses_a_ciphertext_with_any_byte_changed(position: int, flip: int) -> None:
    damaged = bytearray(SEALED)
    damaged[position] ^= flip
    with pytest.raises(CryptoError) as refusal:
        KEYRING.decrypt(bytes(damaged), b"notes.text")
    assert refusal.value.code in {"crypto.corrupt", "crypto.key_unknown"}


@given(data=st.binary(max_size=80))
def test_refuses_arbitrary_bytes(data: bytes) -> None:
    with pytest.raises(CryptoError):
        KEYRING.decrypt(data, b"")


@pytest.mark.parametrize("length", range(len(SEALED)))
def test_refuses_a_truncated_ciphertext(length: int) -> None:
    with pytest.raises(CryptoError, match="damaged"):
        KEYRING.decrypt(SEALED[:length], b"notes.text")


def test_refuses_a_ciphertext_moved_to_another_place() -> None:
    with pytest.raises(CryptoError) as refusal:
        KEYRING.decrypt(SEALED, b"notes.other")
    assert refusal.value.code == "crypto.corrupt"


def test_never_seals_the_same_text_alike() -> None:
    assert KEYRING.encrypt(b"same", b"") != KEYRING.encrypt(b"same", b"")


def test_rotation_reads_old_ciphertexts_and_writes_with_the_new_key() -> None:
    before = Keyring.parse(OLD).encrypt(b"kept", b"")
    rotated = Keyring.parse(f"{NEW}, {OLD}")
    assert rotated.decrypt(before, b"") == b"kept"
    assert key_id_of(rotated.encrypt(b"x", b"")) == "new"
    with pytest.raises(CryptoError, match="No key old is configured") as refusal:
        Keyring.parse(NEW).decrypt(before, b"")
    assert refusal.value.code == "crypto.key_unknown"


SECRET = base64.b64encode(b"k" * 31).decode()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "No encryption key"),
        (" , ", "No encryption key"),
        (SECRET, "Key 1 is not of the form"),
        (f"{OLD},{SECRET}", "Key 2 is not of the form"),
        (f"a:{SECRET}", "Key a has 31 bytes, not 32"),
        ("a:", "Key a has 0 bytes"),
        ("a:***", "Key a is not valid base64"),
        (f"a b:{SECRET}", "Key 1 is not of the form"),
        (f"{OLD},{OLD}", "Key id old is configured twice"),
        (f"{OLD},other:{OLD.removeprefix('old:')}", "same key is configured under two ids"),
    ],
)
def test_refuses_bad_keys_without_showing_them(text: str, message: str) -> None:
    with pytest.raises(CryptoError, match=message) as refusal:
        Keyring.parse(text)
    assert refusal.value.code == "crypto.keys_invalid"
    assert SECRET not in str(refusal.value)
    assert OLD.removeprefix("old:") not in str(refusal.value)


def test_shows_key_ids_only() -> None:
    assert repr(Keyring.parse(f"{NEW},{OLD}")) == "Keyring(new, old)"


def test_refuses_to_generate_a_key_with_a_bad_id() -> None:
    with pytest.raises(CryptoError):
        generate_key("a:b")
