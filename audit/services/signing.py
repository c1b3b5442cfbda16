"""The keys that sign seals."""

from datetime import datetime

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.conf import settings

from audit.errors import SigningKeyMissing, SigningKeyNotEndorsed
from audit.models import AuditKey
from audit.verify_export import endorsed


class Signer:
    """Signs hashes with one private key."""

    def __init__(self, seed: bytes) -> None:
        self._key = Ed25519PrivateKey.from_private_bytes(seed)
        # As hex digits.
        self.public_key = self._key.public_key().public_bytes_raw().hex()

    def sign(self, hash_: str) -> str:
        """The signature over a hash, both as hex digits."""
        return self._key.sign(bytes.fromhex(hash_)).hex()


def configured_signers() -> list[Signer]:
    """The configured keys; the first one signs. Raises SigningKeyMissing."""
    if not settings.AUDIT_SIGNING_KEYS:
        raise SigningKeyMissing
    return [Signer(seed) for seed in settings.AUDIT_SIGNING_KEYS]


def current_signer(*, now: datetime, may_begin_anew: bool = False) -> Signer:
    """The first configured key. When it is new, the key before it signs it. Inside the transaction that uses it.

    Raises SigningKeyMissing, and SigningKeyNotEndorsed if the key before it is not configured; with `may_begin_anew`
    the new key then begins without a forerunner.
    """
    signers = configured_signers()
    signer = signers[0]
    if AuditKey.objects.filter(pk=signer.public_key).exists():
        return signer
    newest = AuditKey.objects.order_by("-created_at").first()
    key = AuditKey(public_key=signer.public_key, created_at=now)
    if newest is not None:
        older = next((other for other in signers if other.public_key == newest.public_key), None)
        if older is not None:
            key.endorsed_by = older.public_key
            key.endorsement = older.sign(endorsed(signer.public_key, older.public_key))
        elif not may_begin_anew:
            raise SigningKeyNotEndorsed
    key.save(force_insert=True)
    return signer
