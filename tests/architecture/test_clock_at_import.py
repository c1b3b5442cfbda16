"""No test looks at the clock while its module is imported: what it saw would be as old as the run."""

import ast
from collections.abc import Iterator

import pytest

from tests.support.server import ROOT

_CLOCKS = {
    "now", "utcnow", "today", "localtime", "localdate", "gmtime",
    "time", "time_ns", "monotonic", "monotonic_ns", "perf_counter", "perf_counter_ns",
}  # fmt: skip


def _run_at_import(node: ast.AST) -> Iterator[ast.AST]:
    """The nodes below `node` that run when the module is imported: all but the bodies of functions."""
    for name, value in ast.iter_fields(node):
        if name == "body" and isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST):
                yield child
                yield from _run_at_import(child)


def _looks_at_the_clock(source: str) -> list[int]:
    """The lines of a module that call a clock when it is imported."""
    return [
        node.lineno
        for node in _run_at_import(ast.parse(source))
        if isinstance(node, ast.Call)
        and (
            (isinstance(node.func, ast.Attribute) and node.func.attr in _CLOCKS)
            or (isinstance(node.func, ast.Name) and node.func.id in _CLOCKS)
        )
    ]


def test_no_module_of_the_tests_looks_at_the_clock_when_it_is_imported():
    found = {
        f"{path.relative_to(ROOT)}:{line}"
        for path in (ROOT / "tests").rglob("*.py")
        for line in _looks_at_the_clock(path.read_text(encoding="utf-8"))
    }

    assert found == set()


@pytest.mark.parametrize(
    ("source", "lines"),
    [
        ("NOW = timezone.now()", [1]),
        ("NOW = now() - timedelta(days=1)", [1]),
        ("@pytest.mark.parametrize('at', [time.time()])\ndef test(at): ...", [1]),
        ("def make(at=datetime.now(UTC)): ...", [1]),
        ("class Times:\n    now = timezone.now()", [2]),
        ("def test():\n    now = timezone.now()", []),
        ("later = lambda: timezone.now()", []),
        ("time = 5", []),
    ],
)
def test_a_look_at_the_clock_is_found_where_importing_makes_it(source, lines):
    assert _looks_at_the_clock(source) == lines
