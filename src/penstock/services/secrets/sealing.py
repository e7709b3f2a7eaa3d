"""How is a text sealed? By AES-256-GCM, under a nonce drawn for it, bound to what it is the text of.

What a sealed text is bound to (a namespace, a name, a version) is not in it: moved to another place it does not open.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
from typing import TYPE_CHECKING, Final

import msgspec

from penstock.errors.secrets import BadMasterKey, CannotUnseal

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEY: Final = 32
NONCE: Final = 12
URL_SAFE: Final = str.maketrans("-_", "+/")


class Key(msgspec.Struct, frozen=True):
    """A key, and what it may be called in the open."""

    id: str
    bytes: bytes

    def __repr__(self) -> str:
        return f"Key({self.id})"


def draw() -> bytes:
    """Draw a key."""
    return os.urandom(KEY)


def key_of(text: str) -> Key:
    """Read a key as people give it. Raises BadMasterKey."""
    try:
        found = base64.b64decode(text.strip().translate(URL_SAFE).encode(), validate=True)
    except (binascii.Error, ValueError):
        found = b""
    if len(found) != KEY:
        raise BadMasterKey("A master key that was given is not 32 bytes in base64.")
    return Key(hashlib.sha256(b"penstock master key\0" + found).hexdigest()[:12], found)


def text_of(key: bytes) -> str:
    """Write a key as people keep it."""
    return base64.b64encode(key).decode()


def seal(key: bytes, plain: bytes, *bound: str | int) -> str:
    """Seal bytes; they open only with the same key for what they are bound to."""
    nonce = os.urandom(NONCE)
    return base64.b64encode(nonce + _cipher(key).encrypt(nonce, plain, _binding(bound))).decode()


def unseal(key: bytes, sealed: str, *bound: str | int) -> bytes:
    """Open what was sealed. Raises CannotUnseal."""
    from cryptography.exceptions import InvalidTag

    try:
        body = base64.b64decode(sealed, validate=True)
        return _cipher(key).decrypt(body[:NONCE], body[NONCE:], _binding(bound))
    except (ValueError, InvalidTag):
        what = " ".join(str(each) for each in bound)
        raise CannotUnseal(f"What is kept as {what} is not what was sealed as that.") from None


def _binding(bound: tuple[str | int, ...]) -> bytes:
    return msgspec.json.encode(["penstock", 1, *bound])


def _cipher(key: bytes) -> AESGCM:
    # its import takes longer than most commands, and most processes never need it
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    return AESGCM(key)
