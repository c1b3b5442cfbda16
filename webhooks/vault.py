"""Encryption of URLs, headers and secrets: AES-256-GCM in the contract's format (section 7.15).

A sealed text is the byte 1, a nonce of 12 bytes, the ciphertext and a tag of 16 bytes. The first of the configured
keys encrypts; each of them can decrypt.
"""

import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings

from webhooks.errors import WebhookKeyMissing, WebhookUnreadable

_VERSION = b"\x01"
_NONCE_BYTES = 12


def has_key() -> bool:
    return bool(settings.WEBHOOK_ENCRYPTION_KEYS)


def seal_text(text: str) -> bytes:
    """Encrypt the text. Raises WebhookKeyMissing."""
    if not has_key():
        raise WebhookKeyMissing
    nonce = os.urandom(_NONCE_BYTES)
    return _VERSION + nonce + AESGCM(settings.WEBHOOK_ENCRYPTION_KEYS[0]).encrypt(nonce, text.encode(), None)


def open_text(sealed: bytes | memoryview) -> str:
    """Decrypt what `seal_text` returned. Raises WebhookKeyMissing, WebhookUnreadable."""
    if not has_key():
        raise WebhookKeyMissing
    blob = bytes(sealed)
    version, nonce, rest = blob[:1], blob[1 : 1 + _NONCE_BYTES], blob[1 + _NONCE_BYTES :]
    if version != _VERSION or not rest:
        raise WebhookUnreadable
    for key in settings.WEBHOOK_ENCRYPTION_KEYS:
        try:
            return AESGCM(key).decrypt(nonce, rest, None).decode()
        except InvalidTag:
            continue
    raise WebhookUnreadable
