"""Signatures as Standard Webhooks defines them, so that receivers can use any of its libraries. Pure."""

import base64
import hashlib
import hmac
import os
from collections.abc import Iterable
from datetime import datetime

_PREFIX = "whsec_"
_SECRET_BYTES = 32


def new_secret() -> str:
    """A random secret, in the form that the libraries accept."""
    return _PREFIX + base64.b64encode(os.urandom(_SECRET_BYTES)).decode()


def signature_headers(
    *, message_id: str, at: datetime, body: bytes, secrets: Iterable[str]
) -> dict[str, str]:
    """The three headers, with one signature for each secret. For a receiver, one valid signature is enough."""
    timestamp = str(int(at.timestamp()))
    signed = b".".join([message_id.encode(), timestamp.encode(), body])
    signatures = (
        base64.b64encode(hmac.digest(_key(secret), signed, hashlib.sha256)).decode() for secret in secrets
    )
    return {
        "webhook-id": message_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": " ".join(f"v1,{signature}" for signature in signatures),
    }


def _key(secret: str) -> bytes:
    return base64.b64decode(secret.removeprefix(_PREFIX))
