"""Event kinds and signals: each in use, and all in docs/reference/events.md."""

import ast
import re
from pathlib import Path

from django.conf import settings
from django.dispatch import Signal

from core.events import EventKind
from core.labels.models import LabelledResource
from tests.support.source import product_modules

_KIND = re.compile(r"[a-z]+(_[a-z]+)*\.[a-z]+(_[a-z]+)*")
_ROW = re.compile(r"^\| `([^`]+)` \|", re.MULTILINE)
_EVENTS, _, _SIGNALS = (
    (settings.BASE_DIR / "docs/reference/events.md").read_text(encoding="utf-8").partition("\n## Signals\n")
)


def event_kinds() -> list[EventKind]:
    """The kinds of all apps."""
    product_modules()
    return [kind for kinds in EventKind.__subclasses__() for kind in kinds]


def _used_names() -> set[str]:
    """`<class>.<member>` wherever the product's source has it."""
    names = set()
    for module in product_modules():
        assert module.__file__
        for node in ast.walk(ast.parse(Path(module.__file__).read_text(encoding="utf-8"))):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                names.add(f"{node.value.id}.{node.attr}")
    return names


def _label_kinds() -> list[EventKind]:
    """Labels and annotations of every resource are told of by one service, which puts the names together."""
    product_modules()
    return [
        model.EVENT_KINDS(f"{model.NOUN}.{what}_{done}")
        for model in LabelledResource.__subclasses__()
        for what in ("label", "annotation")
        for done in ("added", "removed")
    ]


def test_a_kind_is_a_noun_and_what_happened_and_belongs_to_one_app():
    kinds = [str(kind) for kind in event_kinds()]
    assert [kind for kind in kinds if not _KIND.fullmatch(kind)] == []
    assert len(kinds) == len(set(kinds))


def test_a_kind_is_named_as_it_is_spelled():
    assert [kind for kind in event_kinds() if kind.name != kind.upper().replace(".", "_")] == []


def test_no_kind_is_left_that_nothing_emits():
    used = _used_names()
    unused = [kind for kind in event_kinds() if f"{type(kind).__name__}.{kind.name}" not in used]
    assert sorted(set(unused) - set(_label_kinds())) == []


def test_events_md_lists_every_kind_and_no_other():
    assert sorted(_ROW.findall(_EVENTS)) == sorted(event_kinds())


def test_events_md_lists_every_signal_and_no_other():
    signals = {
        f"{module.__name__}.{name}"
        for module in product_modules()
        if module.__name__ == "core.events" or module.__name__.endswith(".signals")
        for name, value in vars(module).items()
        if isinstance(value, Signal)
    }
    assert sorted(_ROW.findall(_SIGNALS)) == sorted(signals)
