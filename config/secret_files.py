"""Secrets that the broker made for itself, when no environment variable gives them. Kept in the data folder."""

import os
import secrets
from collections.abc import Callable
from pathlib import Path

from django.core.management.utils import get_random_secret_key

# Encrypts what is stored of webhooks.
WEBHOOK_KEY_FILE = "webhook_encryption_key"
# Signs the seals of the audit log.
AUDIT_KEY_FILE = "audit_signing_key"


def load_or_create_secret_key(data_dir: Path) -> str:
    """The key that signs sessions."""
    return load_or_create(data_dir, "secret_key", get_random_secret_key)


def load_or_create_audit_key(data_dir: Path) -> str:
    """The key that signs the seals of the audit log, in hex digits."""
    return load_or_create(data_dir, AUDIT_KEY_FILE, lambda: secrets.token_hex(32))


def kept_secret(data_dir: Path, name: str) -> str:
    """A secret that was made earlier, else ""."""
    path = data_dir / name
    return path.read_text(encoding="utf-8").strip() if path.exists() else ""


def load_or_create(data_dir: Path, name: str, make: Callable[[], str]) -> str:
    """The secret kept in the data folder under that name; made on first use, readable by the owner only.

    The file appears whole or not at all, so two processes that start together agree on one secret.
    """
    path = data_dir / name
    if not path.exists():
        draft = path.with_name(f"{name}.{os.getpid()}")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(make())
        try:
            os.link(draft, path)
        except FileExistsError:
            pass  # Another process was first, so its secret counts.
        finally:
            draft.unlink()
    return path.read_text(encoding="utf-8").strip()
