"""The key that signs sessions, when no environment variable gives one."""

import os
from pathlib import Path

from django.core.management.utils import get_random_secret_key


def load_or_create_secret_key(data_dir: Path) -> str:
    """The key kept in the data folder; made on first use, readable by the owner only.

    The file appears whole or not at all, so two processes that start together agree on one key.
    """
    path = data_dir / "secret_key"
    if not path.exists():
        draft = path.with_name(f"secret_key.{os.getpid()}")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(get_random_secret_key())
        try:
            os.link(draft, path)
        except FileExistsError:
            pass  # Another process was first; its key is the key.
        finally:
            draft.unlink()
    return path.read_text(encoding="utf-8").strip()
