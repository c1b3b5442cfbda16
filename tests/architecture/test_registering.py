"""Apps register at one moment: when they are ready, by the modules that are named for it."""

import ast
import sys
from importlib.util import find_spec
from pathlib import Path

from django.apps import apps
from django.conf import settings

from core.registering import REGISTERING_MODULES, RegistersWhenReady
from tests.support.source import product_modules

# Has templates and commands only, and stands before Django's own apps.
PROJECT = "brokkr_site"
OURS = [
    config
    for config in apps.get_app_configs()
    if Path(config.path).parent == Path(settings.BASE_DIR) and config.name != PROJECT
]


def test_every_app_of_ours_registers_when_it_is_ready():
    assert len(OURS) > 10
    assert [config.name for config in OURS if not isinstance(config, RegistersWhenReady)] == []


def test_every_registering_module_has_been_imported():
    there = [f"{config.name}.{module}" for config in OURS for module in REGISTERING_MODULES]
    assert [name for name in there if find_spec(name) and name not in sys.modules] == []


def test_no_app_has_a_moment_of_its_own():
    found = []
    for module in product_modules():
        if module.__name__.endswith(".apps"):
            assert module.__file__
            tree = ast.parse(Path(module.__file__).read_text(encoding="utf-8"))
            found += [module.__name__ for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    assert found == []
