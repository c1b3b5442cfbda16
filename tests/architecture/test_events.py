"""Event kinds and signals: spelled where they are emitted, and all in docs/reference/events.md."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
from django.conf import settings
from django.dispatch import Signal

from core.labels import services as label_services
from core.labels.models import LabelledResource
from tests.support.source import product_modules

_KIND = re.compile(r"[a-z]+(_[a-z]+)*\.[a-z]+(_[a-z]+)*")
_LABEL_KIND = re.compile(r"(label|annotation)_[a-z]+")
_ROW = re.compile(r"^\| `([^`]+)` \|", re.MULTILINE)
_EVENTS, _, _SIGNALS = (
    (settings.BASE_DIR / "docs/reference/events.md").read_text(encoding="utf-8").partition("\n## Signals\n")
)


def _source(module: ModuleType) -> str:
    assert module.__file__
    return Path(module.__file__).read_text(encoding="utf-8")


def _emitters() -> list[tuple[ModuleType, ast.Module]]:
    """The modules that make events, with their syntax trees."""
    trees = [(module, ast.parse(_source(module))) for module in product_modules()]
    return [(module, tree) for module, tree in trees if any(_events(tree))]


def _events(tree: ast.Module) -> Iterator[ast.Call]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Event":
            yield node


def _words(tree: ast.Module, pattern: re.Pattern[str]) -> set[str]:
    return {
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and pattern.fullmatch(node.value)
    }


def _labelled_nouns() -> set[str]:
    product_modules()
    return {model.NOUN for model in LabelledResource.__subclasses__()}


EMITTERS = _emitters()


def emitted_kinds() -> set[str]:
    kinds: set[str] = set()
    for module, tree in EMITTERS:
        if module is label_services:
            whats = _words(tree, _LABEL_KIND)
            kinds |= {f"{noun}.{what}" for noun in _labelled_nouns() for what in whats}
        else:
            kinds |= _words(tree, _KIND)
    return kinds


@pytest.mark.parametrize(("module", "tree"), EMITTERS, ids=lambda value: getattr(value, "__name__", ""))
def test_a_kind_is_a_literal_of_the_module_that_emits_it(module, tree):
    """Only so can the test below, and a search, find all kinds."""
    imported = {
        alias.asname or alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    for event in _events(tree):
        (kind,) = [keyword.value for keyword in event.keywords if keyword.arg == "kind"]
        if module is label_services:
            assert isinstance(kind, ast.JoinedStr)
        else:
            assert isinstance(kind, ast.Constant | ast.Name)
            assert not isinstance(kind, ast.Name) or kind.id not in imported


def test_events_md_lists_every_kind_and_no_other():
    assert sorted(_ROW.findall(_EVENTS)) == sorted(emitted_kinds())


def test_events_md_lists_every_signal_and_no_other():
    signals = {
        f"{module.__name__}.{name}"
        for module in product_modules()
        if module.__name__ == "core.events" or module.__name__.endswith(".signals")
        for name, value in vars(module).items()
        if isinstance(value, Signal)
    }
    assert sorted(_ROW.findall(_SIGNALS)) == sorted(signals)
