"""Rows as exports and seals spell them. `audit.verify_export` says how that is hashed."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from audit.models import AuditKey, AuditLog, AuditSeal
from audit.verify_export import part_digest

# What a seal holds of an entry as it is, and its two parts that can be erased, with their salts.
PLAIN = (
    "sequence",
    "id",
    "timestamp",
    "created_at",
    "actor_type",
    "actor_id",
    "key_id",
    "action",
    "resource_type",
    "resource_id",
    "request_id",
)
PARTS: dict[str, tuple[str, ...]] = {
    "author": ("actor_label", "ip_address", "user_agent"),
    "content": ("details", "before", "after", "reason"),
}
_SEAL = (
    "number",
    "chain",
    "previous_hash",
    "lost_head",
    "entries",
    "first_sequence",
    "last_sequence",
    "entries_hash",
    "newest_at",
    "sealed_at",
    "public_key",
    "hash",
    "signature",
)


def exported_entry(row: AuditLog) -> dict[str, Any]:
    """One row, as it was read from the database."""
    entry: dict[str, Any] = _spelled(row, PLAIN)
    return entry | {part: _part(row, part) for part in PARTS}


def exported_seal(seal: AuditSeal) -> dict[str, Any]:
    """One seal, with its hash and its signature."""
    return _spelled(seal, _SEAL)


def exported_key(key: AuditKey) -> dict[str, Any]:
    """One public key, and how the key before it signed it."""
    return _spelled(key, ("public_key", "endorsed_by", "endorsement"))


def digest_of_part(row: AuditLog, part: str) -> str:
    """What stays of a part of the row when it is erased."""
    return part_digest(_part(row, part))


def _part(row: AuditLog, part: str) -> dict[str, Any]:
    erased = (row.erased or {}).get(part)
    if erased is not None:
        return {"erased": erased}
    return _spelled(row, (*PARTS[part], f"{part}_salt"))


def _spelled(row: object, names: Sequence[str]) -> dict[str, Any]:
    return {name: _plain(getattr(row, name)) for name in names}


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    return str(value) if isinstance(value, UUID) else value
