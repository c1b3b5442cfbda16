"""A plugin of pytest that leaves out every test whose function another tree does not have: `-p bench.same_tests`.

`bench.suite --same-tests` uses it, so that a suite that has grown is compared by what it proved before.
"""

import os
import re
from pathlib import Path

import pytest

# The names of the functions, in lines of a file. A variable, because the processes of xdist inherit it.
VARIABLE = "BROKKR_SAME_TESTS"
_TEST = re.compile(r"^ *(?:async )?def (test_\w+)\(", re.MULTILINE)


def test_functions(tree: Path) -> set[str]:
    """The names of all test functions in a tree, also of those in classes."""
    return {name for path in (tree / "tests").rglob("*.py") for name in _TEST.findall(path.read_text())}


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Deselect the others."""
    names = set(Path(os.environ[VARIABLE]).read_text().split())
    kept, left_out = [], []
    for item in items:
        (kept if getattr(item, "originalname", item.name) in names else left_out).append(item)
    items[:] = kept
    config.hook.pytest_deselected(items=left_out)
