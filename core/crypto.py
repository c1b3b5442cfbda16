"""Encrypts bytes so that only the holder of a secret can decrypt them, and compares secrets without keeping them."""

import hashlib
import hmac
import os

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_NONCE_BYTES = 12


def _cipher(secret: bytes, purpose: bytes) -> AESGCM:
    return AESGCM(HKDF(algorithm=SHA256(), length=32, salt=None, info=purpose).derive(secret))


def seal(plain: bytes, *, secret: bytes, purpose: bytes) -> bytes:
    """Encrypt and authenticate `plain` under a key derived from a high-entropy `secret` for one `purpose`."""
    nonce = os.urandom(_NONCE_BYTES)
    return nonce + _cipher(secret, purpose).encrypt(nonce, plain, None)


def unseal(sealed: bytes, *, secret: bytes, purpose: bytes) -> bytes:
    """Decrypt what `seal` encrypted. Raises cryptography's InvalidTag when the secret or the purpose differs."""
    return _cipher(secret, purpose).decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], None)


def keyed_digest(value: str, *, secret: bytes, purpose: bytes) -> str:
    """Tells whether two secret values are the same, and nothing else: without `secret` nobody can try values out."""
    key = HKDF(algorithm=SHA256(), length=32, salt=None, info=purpose).derive(secret)
    return f"digest:{hmac.new(key, value.encode(), hashlib.sha256).hexdigest()[:32]}"
