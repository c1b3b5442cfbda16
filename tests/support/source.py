"""The product's own source code, for tests of its structure."""

import importlib
from functools import cache
from pathlib import Path
from types import ModuleType

from django.apps import apps
from django.conf import settings


@cache
def product_modules() -> list[ModuleType]:
    """All modules of our apps, imported."""
    return [importlib.import_module(name) for name in sorted(_names())]


def _names() -> set[str]:
    root = Path(settings.BASE_DIR)
    names = set()
    for app in apps.get_app_configs():
        folder = Path(app.path)
        # The virtual environment may lie inside the project.
        if folder.parent == root:
            for path in folder.rglob("*.py"):
                parts = path.relative_to(root).with_suffix("").parts
                if "migrations" not in parts and parts[-1] != "wsgi":
                    names.add(".".join(parts[:-1] if parts[-1] == "__init__" else parts))
    return names
