"""Seals: each holds the hash over some rows of the log and the hash of the seal before it, and is signed."""

from typing import ClassVar

from django.db import models

_HEX_HASH = 64
_HEX_SIGNATURE = 128


class AuditSeal(models.Model):
    """One seal of the chain. `hash` covers every column but itself, `signature` and `expired_at`.

    A seal without entries opens a new chain after a restore.
    """

    NOUN: ClassVar[str] = "audit_seal"

    # Counted without a gap from 1.
    number = models.BigIntegerField(primary_key=True)
    chain = models.PositiveIntegerField()
    # Of the seal before; empty in the first.
    previous_hash = models.CharField(max_length=_HEX_HASH, blank=True)
    # The newest hash that was known before a restore lost it; only in the seal that opens a new chain.
    lost_head = models.CharField(max_length=_HEX_HASH, blank=True)
    entries = models.PositiveIntegerField()
    first_sequence = models.BigIntegerField()
    last_sequence = models.BigIntegerField()
    entries_hash = models.CharField(max_length=_HEX_HASH)
    # The time of its newest entry, by which retention goes; when it was sealed, if it has none.
    newest_at = models.DateTimeField()
    sealed_at = models.DateTimeField()
    public_key = models.CharField(max_length=_HEX_HASH)
    hash = models.CharField(max_length=_HEX_HASH, unique=True)
    signature = models.CharField(max_length=_HEX_SIGNATURE)
    # When retention deleted its entries.
    expired_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "audit_seals"
        verbose_name = "audit seal"

    def __str__(self) -> str:
        return f"Seal {self.number}"


class AuditKey(models.Model):
    """A public key that signs seals, with the signature of the key before it, by which it is trusted like that one."""

    public_key = models.CharField(max_length=_HEX_HASH, primary_key=True)
    # Empty for the first key, and for one that began after its forerunner was lost.
    endorsed_by = models.CharField(max_length=_HEX_HASH, blank=True)
    endorsement = models.CharField(max_length=_HEX_SIGNATURE, blank=True)
    created_at = models.DateTimeField()

    class Meta:
        db_table = "audit_keys"
        verbose_name = "audit key"

    def __str__(self) -> str:
        return self.public_key


class SealingState(models.Model):
    """One row. Whoever seals locks it first, so that workers seal one after another."""

    # When a search for rows without a seal last read the whole log.
    searched_all_at = models.DateTimeField(null=True)
    # When webhooks last heard of a seal.
    told_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "audit_sealing_state"

    def __str__(self) -> str:
        return "The state of sealing"
